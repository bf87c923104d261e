"""What only a full-size film resolves: trabeculae of bone, and the lung's smallest vessels.

Drawn on large films alone, and of no mean over a millimetre or two: reduced to the size a model is
trained at, a film is the same with it and without.
"""

from __future__ import annotations

import numpy as np

from inference.phantom.case import PhantomCase
from inference.phantom.geometry import FIELD_MM, Array, Canvas
from inference.phantom.lung_volume import LungFields

FEWEST_PIXELS = 1024  # of a film's side: 0.4 mm a pixel
_GRID_MM = 0.3
_REACH_MM = 0.6 * FIELD_MM  # of the grid on each side; films are shifted and scaled against it
_BONE_SHARE = 0.24  # of a bone's thickness, where it is thin
_THICK_BONE_CM = 0.8  # many layers of trabeculae average out
_VESSELS_CM = 0.024  # for a centimetre of lung; independent layers add as roots


def is_resolved(canvas: Canvas) -> bool:
    return canvas.size >= FEWEST_PIXELS


def add_fine_structure(
    canvas: Canvas, case: PhantomCase, bone_cm: Array, lungs: LungFields
) -> None:
    """bone_cm [size, size]: what the skeleton added along each ray."""
    rng = case.rng("fine structure" + (" lateral" if canvas.pose.is_lateral else ""))
    trabeculae, vessels = (
        _sample(_net(rng, scale_mm), canvas) for scale_mm in (0.35, 0.45)
    )  # fmt: skip
    bone = np.clip(bone_cm, 0.0, None)
    canvas.tissue_cm += _BONE_SHARE * bone / (1.0 + bone / _THICK_BONE_CM) * trabeculae
    depth = sum(np.sqrt(lungs.length_cm[side]) * lungs.air[side] for side in lungs.air)
    canvas.tissue_cm += _VESSELS_CM * depth * vessels


def _net(rng: np.random.Generator, scale_mm: float) -> Array:
    """A net of bright strands on a grid [n, n] of the body's film plane: mean 0, deviation 1.

    Strands run where smooth noise crosses zero; what varies over more than a few strands is taken
    out.
    """
    side = 2 * round(_REACH_MM / _GRID_MM)
    spectrum = np.fft.rfft2(rng.standard_normal((side, side), dtype=np.float32))
    across, down = np.fft.rfftfreq(side, _GRID_MM), np.fft.fftfreq(side, _GRID_MM)
    square = (2 * np.pi) ** 2 * (down[:, None] ** 2 + across[None, :] ** 2)  # 1 / mm²
    smooth = np.fft.irfft2(spectrum * np.exp(-square * scale_mm**2 / 2), (side, side))
    strands = np.exp(-np.abs(smooth) / smooth.std() * 2.0)
    coarse = np.exp(-square * (1.3 * scale_mm) ** 2 / 2)
    fine = np.fft.irfft2(np.fft.rfft2(strands) * (1.0 - coarse), (side, side))
    return (fine / fine.std()).astype(np.float32)


def _sample(grid: Array, canvas: Canvas) -> Array:
    """The grid at the film's pixels [size, size], bilinear: rows, then columns."""
    for positions in (canvas.v_mm[:, 0], canvas.u_mm[0]):
        at = np.clip((positions + _REACH_MM) / _GRID_MM, 0.0, len(grid) - 1.001)
        low = at.astype(int)
        part = (at - low).astype(np.float32)[:, None]
        grid = (grid[low] * (1.0 - part) + grid[low + 1] * part).T
    return grid
