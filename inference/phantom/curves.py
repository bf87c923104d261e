"""Smooth courses and profiles, and points on or in a stack of slices."""

from __future__ import annotations

import numpy as np

from inference.phantom.geometry import Array, Stack

SIDES = ("left", "right")


def sign_of(side: str) -> float:
    """+1 for the patient's left (x grows), -1 for the right."""
    return 1.0 if side == "left" else -1.0


def course(*points: Array | tuple[float, float, float], steps: int = 16) -> Array:
    """A smooth curve [steps, 3] through body points, as many steps from each to the next."""
    knots = np.array(points, dtype=np.float64)
    at = np.linspace(0.0, len(knots) - 1.0, steps)
    index = np.minimum(at.astype(int), len(knots) - 2)
    return _catmull_rom(knots, index, at - index)


def smooth_course(controls: Array, step_mm: float = 8.0) -> Array:
    """A smooth curve [n, 3] through controls [k, 3], a point about each step_mm."""
    knots = np.asarray(controls, dtype=np.float64)
    apart = [float(np.linalg.norm(step)) for step in np.diff(knots, axis=0)]
    counts = [max(2, int(np.ceil(mm / step_mm))) for mm in apart]
    index = np.repeat(np.arange(len(counts)), counts)
    t = np.concatenate([np.arange(count) / count for count in counts])
    return np.concatenate([_catmull_rom(knots, index, t), knots[-1:]])


def _catmull_rom(knots: Array, index: Array, t: Array) -> Array:
    """Points [n, 3] at shares t [n] of the way from knots [k, 3] number index [n] to the next."""
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    p0, p1, p2, p3 = (padded[index + k] for k in range(4))
    t = t[:, None]
    return 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )


def ease(y: Array, heights: tuple[float, ...], values: tuple[float, ...]) -> Array:
    """A smooth profile through (height, value) pairs: monotone cubic, flat beyond the ends."""
    h, v = np.array(heights), np.array(values)
    slope = np.diff(v) / np.diff(h)
    inner = np.where(slope[1:] * slope[:-1] > 0, (slope[1:] + slope[:-1]) / 2, 0.0)
    tangent = np.concatenate([slope[:1], inner, slope[-1:]])
    at = np.clip(y, h[0], h[-1])
    k = np.clip(np.searchsorted(h, at, side="right") - 1, 0, len(h) - 2)
    step = h[k + 1] - h[k]
    t = (at - h[k]) / step
    return (
        (2 * t**3 - 3 * t**2 + 1) * v[k]
        + (t**3 - 2 * t**2 + t) * step * tangent[k]
        + (-2 * t**3 + 3 * t**2) * v[k + 1]
        + (t**3 - t**2) * step * tangent[k + 1]
    )


def depth_in(stack: Stack, points: Array) -> Array:
    """About how deep in mm points [n, 3] lie inside a stack; negative outside."""
    centre_x, half_x, centre_z, half_z = stack.at(points[:, 1])
    half_x, half_z = np.maximum(half_x, 1e-3), np.maximum(half_z, 1e-3)
    power = stack.power
    radius = np.abs((points[:, 0] - centre_x) / half_x) ** power
    radius = (radius + np.abs((points[:, 2] - centre_z) / half_z) ** power) ** (1 / power)
    return (1.0 - radius) * np.minimum(half_x, half_z)


def points_on_wall(cage: Stack, sign: float, y: Array, angle: Array, outward_mm: float) -> Array:
    """Points [n, 3] on the cage at heights y and angles, outward_mm outside it."""
    centre_x, half_x, centre_z, half_z = cage.at(y)
    cos, sin = np.cos(angle), np.sin(angle)
    across = np.abs(cos) ** (2 / cage.power)
    along = np.sign(sin) * np.abs(sin) ** (2 / cage.power)
    x = centre_x + sign * (half_x + outward_mm) * across
    return np.stack([x, y, centre_z + (half_z + outward_mm) * along], axis=1)
