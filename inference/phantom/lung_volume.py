"""The lungs as volumes: their zones, places in them, and how much of a solid lies in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inference.phantom.body import Body
from inference.phantom.curves import sign_of
from inference.phantom.geometry import (
    Array,
    Canvas,
    Ellipsoid,
    Stack,
)
from inference.phantom.intervals import Interval, covered_length_mm, remaining_length_mm
from inference.phantom.patient import Patient
from inference.report_language.statements import Statement

AIR_PER_CM = 0.76  # of inflated lung; the rest is vessels and tissue (0.24 g/cm3)
_ZONES = ("upper", "mid", "lower")
_BETWEEN_ZONES_MM = 6.0  # kept free on both sides of a zone's limit


@dataclass(eq=False)
class LungFields:
    """Lung along each ray, by side: its length in cm and the share of it that holds air, 0..1.

    Both [size, size]. Findings lower air where fluid, solid lung or a pneumothorax takes the place;
    vessels are drawn with ``keep=air``.
    """

    length_cm: dict[str, Array]
    air: dict[str, Array]


def sides_of(statement: Statement) -> tuple[str, ...]:
    """The sides a statement names; both where it names none."""
    return ("left", "right") if statement.side in ("bilateral", None) else (statement.side,)


def dome_top_mm(patient: Patient, side: str) -> float:
    return patient.dome_left_y_mm if side == "left" else patient.dome_right_y_mm


def zone_limits_mm(patient: Patient, side: str, zone: str) -> tuple[float, float]:
    """(upper, lower) y of a third of the lung, from its apex to the top of its dome."""
    third = (dome_top_mm(patient, side) - patient.apex_y_mm) / 3
    top = patient.apex_y_mm + third * _ZONES.index(zone)
    return top, top + third


def medial_border_mm(body: Body, side: str, y: float) -> float:
    """|x| of the edge of heart, great vessels, mediastinum and spine on one side at height y."""
    sign, at = sign_of(side), np.array([y], dtype=np.float32)
    edges = [0.0]
    for stack in _within_cage(body):
        centre_x, half_x, _, _ = stack.at(at)
        if half_x[0] > 0:
            edges.append(float(sign * centre_x[0] + half_x[0]))
    return max(edges)


def _within_cage(body: Body) -> tuple[Stack, ...]:
    return (body.mediastinum, body.spinal_column, body.aortic_stack, body.heart_outline)


def lateral_border_mm(body: Body, side: str, y: float) -> float:
    """|x| of the inner chest wall on one side at height y."""
    centre_x, half_x, _, _ = body.cage.at(np.array([y], dtype=np.float32))
    return float(sign_of(side) * centre_x[0] + half_x[0])


def place_in_zone(
    body: Body, patient: Patient, side: str, zone: str, radius_mm: float, rng: np.random.Generator
) -> Array:
    """A body point [3] whose ball of radius_mm is seen in the zone, clear of heart, dome and wall.

    Where the zone has no such room the point comes as near to it as it can.
    """
    top, bottom = zone_limits_mm(patient, side, zone)
    margin = min(radius_mm + _BETWEEN_ZONES_MM, 0.4 * (bottom - top))
    dome = body.domes[side]
    best, best_room = np.zeros(3), -np.inf
    for _ in range(24):
        y = rng.uniform(top + margin, bottom - margin)
        inner = medial_border_mm(body, side, y) + (16.0 if zone == "mid" else 4.0)
        outer = lateral_border_mm(body, side, y) - 5.0
        room = (outer - inner) / 2 - radius_mm
        x = (inner + outer) / 2 + rng.uniform(-1, 1) * max(room, 0.0)
        centre_x, half_x, centre_z, half_z = (float(a[0]) for a in body.cage.at(np.array([y])))
        across = min(abs(sign_of(side) * x - centre_x) / max(half_x, 1.0), 0.95)
        depth = max(half_z * (1 - across**body.cage.power) ** (1 / body.cage.power), 0.0)
        z = centre_z + rng.uniform(-0.7, 0.7) * max(depth - radius_mm, 0.0)
        silhouette = float(dome.height_at(sign_of(side) * x, dome.centre_z_mm))
        room = min(room, silhouette - 3.0 - y - radius_mm)
        if room > best_room:
            best, best_room = np.array([sign_of(side) * x, y, z]), room
        if room >= 0:
            break
    return best


def crop(
    canvas: Canvas, centre: Array, reach_mm: float | Array
) -> tuple[Canvas, tuple[slice, slice]]:
    """The part of a canvas around a body point; drawing on it draws on the whole (same pixels).

    reach_mm: one number or [3] along the body's axes.
    """
    film, _ = canvas.pose.project(np.asarray(centre, dtype=np.float64)[None])
    reach = np.broadcast_to(np.asarray(reach_mm, dtype=np.float64), (3,))
    across = reach[2] if canvas.pose.is_lateral else reach[0]
    u, v = film[0]
    rows, columns = canvas.window(
        u - across * 1.15 - 4, u + across * 1.15 + 4, v - reach[1] * 1.1 - 4, v + reach[1] * 1.1 + 4
    )
    part = replace(
        canvas,
        u_mm=canvas.u_mm[:, columns],
        v_mm=canvas.v_mm[rows],
        tissue_cm=canvas.tissue_cm[rows, columns],
    )
    return part, (rows, columns)


def crop_to_lung(canvas: Canvas, body: Body, side: str) -> tuple[Canvas, tuple[slice, slice]]:
    """The part of a canvas that one lung projects to."""
    cage, dome = body.cage, body.domes[side]
    half_x, half_z = float(cage.half_x_mm.max()), float(np.abs(cage.half_z_mm).max())
    low = float(cage.y_mm[0]) - 4.0
    high = dome.top_y_mm + 2.2 * dome.drop_mm + 20.0
    centre_z = float(cage.centre_z_mm[np.argmax(cage.half_z_mm)])
    # the far lung's edge reaches over the midline where the spine is bent or the patient turned
    centre = np.array([sign_of(side) * (half_x / 2 - 12.0), (low + high) / 2, centre_z])
    return crop(canvas, centre, np.array([half_x / 2 + 20.0, (high - low) / 2, half_z + 25.0]))


@dataclass(frozen=True, eq=False)
class LungVolume:
    """One lung on one canvas: its hull, and what lies inside the hull but is no lung."""

    canvas: Canvas
    hull: Interval
    obstacles: tuple[Interval, ...]

    @classmethod
    def of(cls, canvas: Canvas, body: Body, side: str, cage: Stack | None = None) -> LungVolume:
        """cage: a smaller chest wall, for a lung that has left the wall."""
        hull = body.lung_interval(canvas, side, cage)
        obstacles = [canvas.dome_interval(body.domes[side])]
        obstacles += [canvas.stack_interval(stack) for stack in _within_cage(body)]
        met = tuple(part for part in obstacles if (part.far > part.near).any())
        return cls(canvas, hull, met)

    @property
    def length_mm(self) -> Array:
        return remaining_length_mm(self.hull, self.obstacles)

    def length_in_mm(self, solid: Interval) -> Array:
        """How much of each ray's way through solid lies in lung."""
        return remaining_length_mm(self.hull & solid, self.obstacles)

    def without(self, *obstacles: Interval) -> LungVolume:
        return replace(self, obstacles=(*self.obstacles, *obstacles))


def fill_lung(
    canvas: Canvas, body: Body, side: str, solids: list[Ellipsoid], share: float,
    keep: Array | None = None, *, softness: float = 1.0, depth_mm: float = np.inf,
) -> None:  # fmt: skip
    """Replace air by tissue where solids lie in lung: what touches heart or dome hides its edge.

    share: of the air that goes. softness: 0 for sharp edges, 1 for a density that fades outward.
    depth_mm: what no ray meets more of, so that solids on top of each other leave no lumps.
    """
    low = np.min([np.subtract(s.centre, s.radii) for s in solids], axis=0)
    high = np.max([np.add(s.centre, s.radii) for s in solids], axis=0)
    part, area = crop(canvas, (low + high) / 2, (high - low) / 2)
    if part.tissue_cm.size == 0:
        return
    volume = LungVolume.of(part, body, side)
    total = np.zeros(part.tissue_cm.shape, dtype=np.float32)
    for solid in solids:
        chord = part.ellipsoid_interval(solid)
        fullness = np.clip(
            chord.length_mm / (2 * solid.radii[0 if part.pose.is_lateral else 2]), 0, 1
        )
        total += volume.length_in_mm(chord) * fullness**softness
    available = np.clip(volume.length_mm, 1.0, depth_mm)
    filled = available * (1.0 - np.exp(-total / available))
    if keep is not None:
        filled = filled * keep[area]
    part.tissue_cm += (AIR_PER_CM * share / 10.0) * filled


def ball(centre: Array, radius_mm: float) -> Ellipsoid:
    x, y, z = (float(value) for value in centre)
    return Ellipsoid((x, y, z), (radius_mm, radius_mm, radius_mm))


def chord_mm(canvas: Canvas, solids: list[Ellipsoid]) -> Array:
    """How much of each ray lies in any of the solids."""
    return covered_length_mm([canvas.ellipsoid_interval(solid) for solid in solids])


def add_cloud(
    canvas: Canvas, centres: Array, sigma_mm: Array, peak_cm: Array, keep: Array,
    ceiling_cm: float = np.inf,
) -> None:  # fmt: skip
    """Haze: Gaussian balls around body points [n, 3], peak_cm [n] thick at their middle.

    ceiling_cm: what the sum of them comes near to but never passes.
    """
    film, depth = canvas.pose.project(centres)
    growth = np.broadcast_to(np.asarray(canvas.pose.magnification(depth)), (len(centres),))
    haze = np.zeros_like(canvas.tissue_cm)
    for (u0, v0), spread, peak in zip(film, sigma_mm * growth, peak_cm, strict=True):
        area = canvas.window(
            u0 - 2.8 * spread, u0 + 2.8 * spread, v0 - 2.8 * spread, v0 + 2.8 * spread
        )
        across = np.exp(-((canvas.u_mm[:, area[1]] - float(u0)) ** 2) / (2 * float(spread) ** 2))
        down = np.exp(-((canvas.v_mm[area[0]] - float(v0)) ** 2) / (2 * float(spread) ** 2))
        haze[area] += (float(peak) * down) * across
    if np.isfinite(ceiling_cm):
        haze = ceiling_cm * (1.0 - np.exp(-haze / ceiling_cm))
    canvas.tissue_cm += haze * keep


def add_strokes(
    canvas: Canvas, starts: Array, ends: Array, width_mm: float, amount_cm: Array,
    keep: Array | None = None,
) -> None:  # fmt: skip
    """Many short straight lines at once: body points [n, 3] to [n, 3], thickness [n] at full size.

    A line thinner than the pixels keeps its mass, so that every size shows the same.
    """
    first, _ = canvas.pose.project(starts)
    second, _ = canvas.pose.project(ends)
    pixel = canvas.pixel_mm
    sigma = float(np.hypot(width_mm / 2, 0.45 * pixel))
    peak = amount_cm * (width_mm / 2) / sigma
    reach = float(np.abs(second - first).max()) / 2 + 3 * sigma
    half = int(np.ceil(reach / pixel))
    middle = (first + second) / 2
    column = np.searchsorted(canvas.u_mm[0], middle[:, 0])
    row = np.searchsorted(canvas.v_mm[:, 0], middle[:, 1])
    offset = np.arange(-half, half + 1)
    size = canvas.size
    columns = np.clip(column[:, None] + offset, 0, size - 1)  # [n, k]
    rows = np.clip(row[:, None] + offset, 0, size - 1)
    start, along = first.astype(np.float32), (second - first).astype(np.float32)
    pu = (canvas.u_mm[0][columns] - start[:, :1])[:, None, :]
    pv = (canvas.v_mm[:, 0][rows] - start[:, 1:])[:, :, None]
    along_u, along_v = along.T[:, :, None, None]
    t = np.clip((pu * along_u + pv * along_v) / np.maximum(along_u**2 + along_v**2, 1e-6), 0, 1)
    square = (pu - t * along_u) ** 2 + (pv - t * along_v) ** 2
    drawn = np.exp(square * np.float32(-1 / (2 * sigma**2)))
    drawn *= peak.astype(np.float32)[:, None, None]
    inside = (rows > 0) & (rows < size - 1)
    drawn *= inside[:, :, None] & ((columns > 0) & (columns < size - 1))[:, None, :]
    layer = np.zeros_like(canvas.tissue_cm)
    np.maximum.at(layer, (rows[:, :, None], columns[:, None, :]), drawn)
    canvas.tissue_cm += layer if keep is None else layer * keep
