"""Solids, tubes and ellipsoids in millimetres, and how much of them each ray of a view meets.

Body axes: x to the patient's left, y to the feet, z to the front; the origin lies in mid-chest.
Film axes: u to the viewer's right, v down. A frontal film has u = x, rays along z; a lateral one
(LL, left side to the detector, PS3.3 C.8.11.5.1) has u = -z (the front at the viewer's left), rays
along x. So every shape is described once and both films show the same body.

Thickness is linear: what a ray meets adds up as water-equivalent centimetres, and is exponential
only at the detector (Beer–Lambert, ``projection``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from inference.phantom.intervals import Array, Interval

View = Literal["PA", "AP", "LL"]
FIELD_MM = 400.0  # side of the square detector, at the body's mid-plane
# 1 / (source to mid-plane distance): upright Bucky 1.8 m, mobile AP 1.05 m.
_DIVERGENCE_PER_MM = {"PA": 1 / 1800.0, "AP": 1 / 1050.0, "LL": 1 / 1800.0}


def soft_step(distance_mm: Array, edge_mm: float = 2.0) -> Array:
    """0 below, 1 above zero, over about 4 edge_mm."""
    return 1.0 / (1.0 + np.exp(-np.clip(distance_mm / edge_mm, -30.0, 30.0)))


@dataclass(frozen=True)
class Pose:
    """How the body stands before the detector."""

    view: View = "PA"
    rotation_rad: float = 0.0  # about the vertical axis, patient's left side forward
    shift_u_mm: float = 0.0
    shift_v_mm: float = 0.0
    scale: float = 1.0

    @property
    def is_lateral(self) -> bool:
        return self.view == "LL"

    def turn(self, x: Array | float, z: Array | float) -> tuple[Array | float, Array | float]:
        """(across, depth) of body points: depth grows toward the front (frontal) or the left."""
        cos, sin = float(np.cos(self.rotation_rad)), float(np.sin(self.rotation_rad))
        turned_x, turned_z = x * cos + z * sin, z * cos - x * sin
        return (-turned_z, turned_x) if self.is_lateral else (turned_x, turned_z)

    def magnification(self, depth: Array | float) -> Array | float:
        """1 at mid-plane; larger away from the detector."""
        toward_source = depth if self.view == "AP" else -depth
        return 1.0 + _DIVERGENCE_PER_MM[self.view] * toward_source

    def project(self, points: Array) -> tuple[Array, Array]:
        """Body points [n, 3] mm to film points [n, 2] (u, v before shift and scale) and depth."""
        across, depth = self.turn(points[:, 0], points[:, 2])
        growth = self.magnification(depth)
        return np.stack([across * growth, points[:, 1] * growth], axis=1), np.asarray(depth)


@dataclass(frozen=True, eq=False)
class Stack:
    """A solid of horizontal superellipses |x/a|^p + |z/b|^p <= 1; arrays over height y_mm [k]."""

    y_mm: Array
    centre_x_mm: Array
    half_x_mm: Array
    centre_z_mm: Array
    half_z_mm: Array
    power: float = 2.0

    def at(self, y: Array) -> tuple[Array, Array, Array, Array]:
        """(centre x, half x, centre z, half z) at heights y; half widths 0 outside the stack."""
        inside = (y >= self.y_mm[0]) & (y <= self.y_mm[-1])
        centre_x, half_x, centre_z, half_z = (
            np.interp(y, self.y_mm, values).astype(np.float32)
            for values in (self.centre_x_mm, self.half_x_mm, self.centre_z_mm, self.half_z_mm)
        )
        return centre_x, half_x * inside, centre_z, half_z * inside


@dataclass(frozen=True)
class Ellipsoid:
    """Centre and radii (x, y, z) in mm."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]


@dataclass(frozen=True)
class Dome:
    """A hemidiaphragm: all below y = top + drop · (((x-cx)/rx)² + ((z-cz)/rz)²)."""

    top_y_mm: float
    centre_x_mm: float
    centre_z_mm: float
    radius_x_mm: float
    radius_z_mm: float
    drop_mm: float

    def height_at(self, x: Array | float, z: Array | float) -> Array | float:
        across = ((x - self.centre_x_mm) / self.radius_x_mm) ** 2
        along = ((z - self.centre_z_mm) / self.radius_z_mm) ** 2
        return self.top_y_mm + self.drop_mm * (across + along)


@dataclass(eq=False)
class Canvas:
    """One film being built. tissue_cm: [size, size] float32, water-equivalent centimetres.

    u_mm, v_mm: film coordinates of pixel columns [1, size] and rows [size, 1], shift and scale of
    the pose undone. regions: what was drawn under ``marking``, by concept, in changed cm.
    """

    size: int
    pose: Pose
    u_mm: Array
    v_mm: Array
    tissue_cm: Array
    regions: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def blank(cls, size: int, pose: Pose) -> Canvas:
        centre = (np.arange(size, dtype=np.float32) + 0.5) * (FIELD_MM / size) - FIELD_MM / 2
        u = ((centre - pose.shift_u_mm) / pose.scale)[None, :]
        v = ((centre - pose.shift_v_mm) / pose.scale)[:, None]
        return cls(size, pose, u, v, np.zeros((size, size), dtype=np.float32))

    @property
    def pixel_mm(self) -> float:
        return FIELD_MM / self.size / self.pose.scale

    @contextmanager
    def marking(self, concept: str, is_present: bool = True) -> Iterator[None]:
        """Record as the concept's region [size, size], in cm, what is drawn inside the block."""
        if not is_present:
            yield
            return
        before = self.tissue_cm.copy()
        yield
        changed = np.abs(self.tissue_cm - before)
        self.regions[concept] = np.maximum(self.regions.get(concept, np.float32(0.0)), changed)

    # -- solids: intervals along the rays ---------------------------------------------------

    def stack_interval(self, stack: Stack) -> Interval:
        """The ray's part inside a stack (rotation moves its slices' centres, not their axes)."""
        centre_x, half_x, centre_z, half_z = stack.at(self.v_mm)  # each [size, 1]
        across, depth = (np.asarray(v) for v in self.pose.turn(centre_x, centre_z))
        half_across, half_depth = (half_z, half_x) if self.pose.is_lateral else (half_x, half_z)
        growth = np.asarray(self.pose.magnification(depth))
        half = np.full((self.v_mm.shape[0], self.u_mm.shape[1]), -0.5, dtype=np.float32)
        rows, columns = area = self._area_of(across * growth, half_across * growth)
        distance = np.abs(self.u_mm[:, columns] / growth[rows] - across[rows])
        distance = distance / np.maximum(half_across[rows], 1e-3)
        inside = np.clip(1.0 - distance**stack.power, 0.0, None)
        met = half_depth[rows] * inside ** (1.0 / stack.power)
        half[area] = np.where(met > 0, met, -0.5)
        return Interval(depth - half, depth + half)

    def _area_of(self, middle_mm: Array, half_mm: Array) -> tuple[slice, slice]:
        """Rows and columns that hold middle ± half (each [rows, 1], on the film) and one more."""
        wide = np.flatnonzero(half_mm[:, 0] > 0)
        if not len(wide):
            return slice(0, 0), slice(0, 0)
        rows = slice(int(wide[0]), int(wide[-1]) + 1)
        low, high = (middle_mm - half_mm)[rows].min(), (middle_mm + half_mm)[rows].max()
        first, last = np.searchsorted(self.u_mm[0], (low, high))
        return rows, slice(max(int(first) - 1, 0), int(last) + 1)

    def ellipsoid_interval(self, solid: Ellipsoid) -> Interval:
        x, y, z = solid.centre
        across, depth = self.pose.turn(x, z)
        growth = float(self.pose.magnification(depth))
        along = solid.radii[2 if self.pose.is_lateral else 0]
        through = solid.radii[0 if self.pose.is_lateral else 2]
        square = ((self.u_mm / growth - float(across)) / along) ** 2
        square = square + ((self.v_mm / growth - y) / solid.radii[1]) ** 2
        half = through * np.sqrt(np.clip(1.0 - square, 0.0, None))
        half = np.where(half > 0, half, -0.5)
        return Interval(float(depth) - half, float(depth) + half)

    def dome_interval(self, dome: Dome) -> Interval:
        """The ray's part below a dome."""
        across, depth = self.pose.turn(dome.centre_x_mm, dome.centre_z_mm)
        lateral = self.pose.is_lateral
        along = dome.radius_z_mm if lateral else dome.radius_x_mm
        through = dome.radius_x_mm if lateral else dome.radius_z_mm
        below = self.v_mm - dome.top_y_mm
        below = below - dome.drop_mm * ((self.u_mm - float(across)) / along) ** 2
        half = through * np.sqrt(np.clip(below / dome.drop_mm, 0.0, None))
        half = np.where(half > 0, half, -0.5)
        return Interval(float(depth) - half, float(depth) + half)

    def side_of(self, interval: Interval, side: str, midline_x_mm: Array | float) -> Interval:
        """The interval in the left or right half of the body; midline: number or [size, 1]."""
        sign = 1.0 if side == "left" else -1.0
        if not self.pose.is_lateral:
            return interval.where(sign * (self.u_mm - midline_x_mm) > 0)
        if side == "left":
            return Interval(np.maximum(interval.near, midline_x_mm), interval.far)
        return Interval(interval.near, np.minimum(interval.far, midline_x_mm))

    # -- thin and small things, drawn where they project ------------------------------------

    def window(
        self, u_low: float, u_high: float, v_low: float, v_high: float
    ) -> tuple[slice, slice]:
        """The rows and columns that cover a film rectangle in mm (clipped to the film)."""
        columns = np.searchsorted(self.u_mm[0], (u_low, u_high))
        rows = np.searchsorted(self.v_mm[:, 0], (v_low, v_high))
        return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))

    def add_tube(
        self, points: Array, radius_mm: float | Array, density: float, keep: Array | None = None
    ) -> None:
        """A solid tube along body points [n, 3]; radius: one or per point; density: water is 1.

        Thinner than a pixel it keeps its mass. keep [size, size] in 0..1 scales what is drawn
        (e.g. the aerated share of the lung: no vessel shows inside a consolidation).
        """
        film, _ = self.pose.project(points)
        radii = np.broadcast_to(np.asarray(radius_mm, dtype=np.float64), (len(points),))
        margin = 2.5 * float(radii.max()) + 3 * self.pixel_mm
        low, high = film.min(axis=0) - margin, film.max(axis=0) + margin
        area = self.window(low[0], high[0], low[1], high[1])
        u, v = self.u_mm[:, area[1]], self.v_mm[area[0]]
        if u.size == 0 or v.size == 0:
            return
        drawn = np.zeros((v.shape[0], u.shape[1]), dtype=np.float32)
        for start in range(len(points) - 1):
            length_3d = float(np.linalg.norm(points[start + 1] - points[start]))
            self._draw_segment(
                drawn, u, v, film[start : start + 2], radii[start : start + 2], length_3d
            )
        drawn *= density / 10.0  # mm of chord to cm
        self.tissue_cm[area] += drawn if keep is None else drawn * keep[area]

    def _draw_segment(
        self, drawn: Array, u: Array, v: Array, ends: Array, radii: Array, length_3d: float
    ) -> None:
        """Raise drawn [rows, columns] to the chord in mm of one straight piece."""
        margin = 2.5 * float(radii.max()) + 2 * self.pixel_mm
        low, high = ends.min(axis=0) - margin, ends.max(axis=0) + margin
        columns = np.searchsorted(u[0], (low[0], high[0]))
        rows = np.searchsorted(v[:, 0], (low[1], high[1]))
        part = (slice(rows[0], rows[1]), slice(columns[0], columns[1]))
        along_u, along_v = float(ends[1, 0] - ends[0, 0]), float(ends[1, 1] - ends[0, 1])
        pu, pv = u[:, part[1]] - float(ends[0, 0]), v[part[0]] - float(ends[0, 1])
        length2 = max(along_u**2 + along_v**2, 1e-6)
        t = np.clip((pu * along_u + pv * along_v) / length2, 0.0, 1.0)
        square = (pu - t * along_u) ** 2 + (pv - t * along_v) ** 2
        radius = float(radii.mean())
        steepness = min(length_3d / max(float(np.sqrt(length2)), 1e-3), 3.0)
        if radius > 1.5 * self.pixel_mm:
            chord = 2.0 * np.sqrt(np.clip(radius**2 - square, 0.0, None))
        else:  # a disc's projection as a Gaussian of its mass, no thinner than the pixels
            sigma2 = (radius / 2) ** 2 + (0.45 * self.pixel_mm) ** 2
            peak = np.pi * radius**2 / float(np.sqrt(2 * np.pi * sigma2))
            chord = peak * np.exp(-square / (2 * sigma2))
        np.maximum(drawn[part], chord * steepness, out=drawn[part], casting="unsafe")

    def add_ellipsoid(
        self, solid: Ellipsoid, density: float, edge_mm: float = 1.0, keep: Array | None = None
    ) -> None:
        """An ellipsoid's chord times density; edge_mm softens the outline (0: sharp)."""
        x, y, z = solid.centre
        across, depth = self.pose.turn(x, z)
        growth = float(self.pose.magnification(depth))
        lateral = self.pose.is_lateral
        along = solid.radii[2 if lateral else 0] * growth
        through = solid.radii[0 if lateral else 2]
        height = solid.radii[1] * growth
        u0, v0 = float(across) * growth, y * growth
        margin = 4 * edge_mm + 2 * self.pixel_mm
        wide, high = along + margin, height + margin
        area = self.window(u0 - wide, u0 + wide, v0 - high, v0 + high)
        u, v = self.u_mm[:, area[1]], self.v_mm[area[0]]
        if u.size == 0 or v.size == 0:
            return
        square = ((u - u0) / along) ** 2 + ((v - v0) / height) ** 2
        chord = 2.0 * through * np.sqrt(np.clip(1.0 - square, 0.02, None))
        depth_mm = (1.0 - np.sqrt(square)) * min(along, height)
        inside = soft_step(depth_mm, max(edge_mm, 0.3 * self.pixel_mm))
        drawn = (chord * inside * density / 10.0).astype(np.float32)
        self.tissue_cm[area] += drawn if keep is None else drawn * keep[area]
