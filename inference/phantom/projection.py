"""From thickness to film: attenuation, scatter, detector blur and noise, 12-bit storage."""

from __future__ import annotations

import numpy as np

from inference.phantom.anatomy import (
    Canvas,
    add_airway,
    add_heart,
    add_skeleton,
    add_soft_parts,
    add_vessels,
    build_chest,
)
from inference.phantom.case import PhantomCase
from inference.phantom.findings import add_devices, add_parenchyma, add_pleura

_MU_PER_CM = 0.19  # water at about 70 keV effective (NIST tables)
_BITS_STORED = 12
_FILM_GAMMA = 1.35  # the toe of a chest film's characteristic curve: lungs dark, bone bright


def render_film(case: PhantomCase, size: int) -> np.ndarray:
    """The film as a detector stores it: [size, size] uint16, 12 bit, MONOCHROME2 (thick is white).

    The same case at two sizes shows the same body; only noise differs.
    """
    return _expose(case, render_thickness(case, size))


def render_film_and_regions(
    case: PhantomCase, size: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """render_film and render_regions from one drawing."""
    canvas = _draw(case, size)
    return _expose(case, canvas.tissue_cm), canvas.regions


def _expose(case: PhantomCase, thickness: np.ndarray) -> np.ndarray:
    size = thickness.shape[0]
    rng = np.random.default_rng((case.seed, size))
    transmitted = np.exp(-_MU_PER_CM * np.clip(thickness, 0.0, None))
    scattered = 0.35 * _blur_coarsely(transmitted)
    quanta = 160_000 * case.patient.exposure * (224 / size) ** 2  # photons a pixel in open field
    counts = (transmitted + scattered) / 1.35 * quanta
    counts = counts + rng.standard_normal(counts.shape, dtype=np.float32) * np.sqrt(counts + 4.0)
    signal = -np.log(np.clip(counts / quanta, 1e-5, None))
    low, high = np.percentile(signal[::4, ::4], [0.2, 99.8])
    stored = np.clip((signal - low) / (high - low), 0, 1.1) ** _FILM_GAMMA * 0.86 + 0.05
    return np.clip(stored * (2**_BITS_STORED - 1), 0, 2**_BITS_STORED - 1).astype(np.uint16)


def render_thickness(case: PhantomCase, size: int) -> np.ndarray:
    """Water-equivalent thickness along each ray: [size, size] float32, centimetres."""
    return _draw(case, size).tissue_cm


def render_regions(case: PhantomCase, size: int) -> dict[str, np.ndarray]:
    """Where the film shows each finding and device: concept to [size, size] changed cm.

    Findings of the whole film (emphysema, a raised dome, a wide mediastinum) have no region.
    """
    return _draw(case, size).regions


def _draw(case: PhantomCase, size: int) -> Canvas:
    patient = case.patient
    rng = np.random.default_rng((case.seed, 7))  # details only; never depends on size
    canvas = Canvas.blank(size, patient)
    chest = build_chest(canvas, patient)
    air = add_pleura(canvas, chest, case, rng)
    add_heart(canvas, chest, patient, air.left + air.right)
    fracture = case.find("fracture")
    add_skeleton(canvas, patient, str(fracture.side) if fracture else None, int(rng.integers(4, 7)))
    add_airway(canvas, patient)
    gain = 1.45 if case.find("pulmonary_edema") else 0.7 if case.find("emphysema") else 1.0
    add_vessels(canvas, chest, patient, rng, air.left, air.right, gain)
    add_parenchyma(canvas, chest, case, air, rng)
    add_soft_parts(canvas, patient, rng)
    add_devices(canvas, case, rng)
    return canvas


def _blur_coarsely(image: np.ndarray) -> np.ndarray:
    """Scatter is broad: averaged over an 8×8 grid of cells and interpolated back."""
    size = image.shape[0]
    cells = 8
    edges = np.linspace(0, size, cells + 1).astype(int)
    means = np.add.reduceat(np.add.reduceat(image, edges[:-1], 0), edges[:-1], 1)
    counts = np.diff(edges)
    means = means / (counts[:, None] * counts[None, :])
    at = (np.arange(size) + 0.5) / size * cells - 0.5
    low = np.clip(np.floor(at).astype(int), 0, cells - 1)
    high = np.clip(low + 1, 0, cells - 1)
    part = np.clip(at - low, 0, 1).astype(np.float32)
    rows = means[low] * (1 - part)[:, None] + means[high] * part[:, None]
    return (rows[:, low] * (1 - part) + rows[:, high] * part).astype(np.float32)
