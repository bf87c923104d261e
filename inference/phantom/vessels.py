"""The pulmonary arteries and veins: a tree grown from each hilum into its lung."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inference.phantom.curves import sign_of
from inference.phantom.geometry import Array
from inference.phantom.patient import Patient

Vessel = tuple[Array, Array, str]
_STEPS = 5  # points along one branch
_GENERATIONS = 6
# Direction of the trunks from the hilum: (angle in the frontal plane, 0 lateral, + down; forward).
_TRUNKS = (
    (-1.45, -0.1), (-1.25, -0.3), (-1.0, 0.35), (-0.75, -0.5), (-0.45, 0.55), (-0.10, 0.15),
    (0.25, -0.6), (0.40, 0.6), (0.62, -0.15), (0.85, 0.4), (0.95, -0.5), (1.15, -0.35),
    (1.35, -0.55), (1.5, -0.6),
)  # fmt: skip


def grow_vessels(
    patient: Patient,
    hilum: Array,
    side: str,
    is_in_lung: Callable[[Array], Array],
    rng: np.random.Generator,
) -> list[Vessel]:
    """Branches (points [5, 3], radii [5], side), each generation thinner, none outside the lung."""
    sign = sign_of(side)
    angle = np.array([a for a, _ in _TRUNKS]) + rng.normal(0, 0.06, len(_TRUNKS))
    forward = np.array([f for _, f in _TRUNKS]) + rng.normal(0, 0.1, len(_TRUNKS))
    heading = np.stack([sign * np.cos(angle), np.sin(angle), forward], axis=1)
    heading = _turn_aside(heading)
    start = hilum + heading * 4.0
    radius = rng.uniform(3.4, 4.6, len(_TRUNKS))
    length = rng.uniform(30, 40, len(_TRUNKS))
    grown: list[Vessel] = []
    # Branches that leave the lung are walked on unseen, so that the rest of the tree stays the same
    # when a dome or the heart of the patient's next study stands elsewhere.
    alive = np.ones(len(_TRUNKS), dtype=bool)
    for generation in range(_GENERATIONS):
        points = _walk(start, heading, length, rng)
        reach = np.zeros(len(points), dtype=int)
        if generation == 0:  # the first stretch crosses the mediastinum's border
            reach[:] = _STEPS
        else:
            inside = is_in_lung(points[alive, 1:].reshape(-1, 3)).reshape(-1, _STEPS - 1)
            reach[alive] = 1 + np.cumprod(inside, axis=1).sum(axis=1)
        calibre = radius[:, None] * np.linspace(1.0, 0.84, _STEPS)
        calibre = calibre * _gain_at(patient, points[..., 1], hilum)
        for branch in np.flatnonzero(reach >= 2):
            line = slice(0, reach[branch])
            grown.append((points[branch, line], calibre[branch, line], side))
        alive = np.tile(reach == _STEPS, 2)
        start, heading, radius, length = _branch(points, radius, length, rng)
    return grown


def _walk(start: Array, heading: Array, length: Array, rng: np.random.Generator) -> Array:
    """Gently bent courses [n, steps, 3]."""
    step = (length / (_STEPS - 1))[:, None]
    points = [start]
    for _ in range(_STEPS - 1):
        heading = _turn_aside(heading + rng.normal(0, 0.10, heading.shape))
        points.append(points[-1] + heading * step)
    return np.stack(points, axis=1)


def _branch(
    points: Array, radius: Array, length: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array, Array]:
    """Starts, headings, radii and lengths of the next generation: two children each, unequal."""
    count = len(points)
    heading = points[:, -1] - points[:, -2]
    heading /= np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-6)
    aside = np.cross(heading, rng.normal(0, 1, (count, 3)))
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-6)
    narrow, wide = rng.uniform(0.2, 0.4, count), rng.uniform(0.5, 0.9, count)
    share = rng.uniform(0.62, 0.8, count)  # of calibre: Murray's law r1^3 + r2^3 = r^3
    other = np.cbrt(1 - share**3) * 0.86
    headings = np.concatenate(
        [heading + aside * np.tan(narrow)[:, None], heading - aside * np.tan(wide)[:, None]]
    )
    headings = _turn_aside(headings)
    radii = 0.86 * np.concatenate([radius * (share + 0.15), radius * other])
    lengths = np.concatenate([length * 0.84, length * 0.74]) * rng.uniform(0.85, 1.15, 2 * count)
    return np.concatenate([points[:, -1]] * 2), headings, radii, lengths


def _gain_at(patient: Patient, y: Array, hilum: Array) -> Array:
    """Calibre against normal at heights y."""
    upper = np.clip((hilum[1] - 8.0 - y) / 20.0, 0.0, 1.0)
    return patient.vessel_gain * (1.0 + (patient.upper_vessel_gain - 1.0) * upper)


def _turn_aside(heading: Array) -> Array:
    """Unit headings [n, 3] kept off the frontal rays: end on, a vessel would look like a nodule."""
    heading = heading / np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-6)
    heading[:, 2] = np.clip(heading[:, 2], -0.62, 0.62)
    return heading / np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-6)
