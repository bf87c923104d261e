"""The detector and its processing: Beer–Lambert, scatter, blur, noise and the display curve."""

from __future__ import annotations

import numpy as np

from inference.phantom.case import PhantomCase
from inference.phantom.geometry import FIELD_MM, Array, View

BITS_STORED = 12
_MU_PER_CM = 0.19  # water at about 70 keV effective (NIST tables)
_SCATTER_SHARE = 0.30  # of the primary, behind a grid, spread over centimetres
_SCATTERING_CM = 20.0  # of tissue: full scatter
_QUANTA_PER_MM2 = 120_000  # detected in the open field
_ELECTRONIC_NOISE = 4.0  # quanta, as variance
_BLUR_MM = 0.16  # of a caesium iodide detector, as sigma
_OPEN_FIELD = 0.6  # signal below it has not passed through the body
_LATITUDE = 0.42  # of the coarse signal taken out, as a film's processing does


def expose(case: PhantomCase, tissue_cm: Array, view: View) -> Array:
    """The stored film [size, size] uint16 of a thickness map in water-equivalent cm."""
    size = tissue_cm.shape[0]
    rng = np.random.default_rng((case.seed, case.study, size, view == "LL"))
    transmitted = np.exp(-_MU_PER_CM * np.clip(tissue_cm, 0.0, None)).astype(np.float32)
    pixel_mm = FIELD_MM / size
    blur_px = _BLUR_MM / pixel_mm
    transmitted = _blur(transmitted, blur_px)
    scattering = transmitted * np.clip(tissue_cm / _SCATTERING_CM, 0.0, 1.0)  # none in open air
    arriving = transmitted + _SCATTER_SHARE * blur_coarsely(scattering, 16)
    quanta = _QUANTA_PER_MM2 * case.patient.exposure * pixel_mm**2
    counts = arriving * quanta / (1 + _SCATTER_SHARE)
    noise = rng.standard_normal(counts.shape, dtype=np.float32)
    # Light spreads in the scintillator whatever it came from: quantum noise is blurred as well.
    counts = counts + _blur(noise * np.sqrt(counts + _ELECTRONIC_NOISE), blur_px)
    signal = -np.log(np.clip(counts / quanta, 1e-4, None))
    return _store(_present(signal))


def _present(signal: Array) -> Array:
    """Display values about 0..1: coarse contrast lowered, then an S-shaped curve."""
    coarse = blur_coarsely(np.clip(signal, 0.8, 4.2), 16)
    flat = signal - _LATITUDE * (coarse - 2.0)
    step = max(signal.shape[0] // 112, 1)
    measured = flat[::step, ::step][signal[::step, ::step] > _OPEN_FIELD]
    dark, bright = np.percentile(measured, [7.0, 94.0])
    scaled = (flat - dark) / max(bright - dark, 0.5)
    return 1.0 / (1.0 + np.exp(-(3.9 * scaled - 1.95)))


def _store(values: Array) -> Array:
    full = 2**BITS_STORED - 1
    return np.clip(values * full, 0, full).astype(np.uint16)


def _blur(image: Array, sigma_px: float) -> Array:
    """A three-point or wider binomial blur along both axes; nothing below a quarter pixel."""
    if sigma_px < 0.25:
        return image
    side = 0.5 * min(sigma_px**2, 0.6)  # variance of [side, 1 - 2 side, side] is 2 side
    padded = np.pad(image, 1, mode="edge")
    rows = (1 - 2 * side) * padded[1:-1] + side * (padded[:-2] + padded[2:])
    return (1 - 2 * side) * rows[:, 1:-1] + side * (rows[:, :-2] + rows[:, 2:])


def blur_coarsely(image: Array, cells: int) -> Array:
    """Averaged over cells × cells, smoothed and interpolated back: [size, size]."""
    size = image.shape[0]
    edges = np.linspace(0, size, cells + 1).astype(int)
    means = np.add.reduceat(np.add.reduceat(image, edges[:-1], 0), edges[:-1], 1)
    counts = np.diff(edges)
    means = means / (counts[:, None] * counts[None, :])
    padded = np.pad(means, 2, mode="edge")
    for axis in (0, 1):
        for _ in range(2):
            padded = 0.5 * padded + 0.25 * (np.roll(padded, 1, axis) + np.roll(padded, -1, axis))
    means = padded[2:-2, 2:-2]
    at = (np.arange(size) + 0.5) / size * cells - 0.5
    low = np.clip(np.floor(at).astype(int), 0, cells - 1)
    high = np.clip(low + 1, 0, cells - 1)
    part = np.clip(at - low, 0, 1).astype(np.float32)
    part = part * part * (3 - 2 * part)  # no creases at the cells' centres
    rows = means[low] * (1 - part)[:, None] + means[high] * part[:, None]
    return (rows[:, low] * (1 - part) + rows[:, high] * part).astype(np.float32)
