"""Findings of both lungs: edema, congestion, interstitial net, emphysema."""

from __future__ import annotations

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import PhantomCase
from inference.phantom.curves import SIDES, sign_of
from inference.phantom.geometry import Array, Canvas, Ellipsoid, soft_step
from inference.phantom.lung_volume import (
    LungFields,
    add_cloud,
    add_strokes,
    dome_top_mm,
    medial_border_mm,
    place_in_zone,
)
from inference.phantom.strokes import draw_strokes

_KERLEY_LINES = 8
_KNOTS, _KNOT_DRAWS = 190, 480  # of the net in one lung
_KNOT_DISTANCE_MM = 6.0
_NEIGHBOURS = 3
_LONGEST_SEPTUM_MM = 16.0
_SEPTUM_CM = 1.15


def add_edema(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Perihilar haze like a bat's wings, vessels blurred by cuffs of fluid, Kerley B lines."""
    rng = case.rng("pulmonary_edema")
    strength = rng.uniform(0.85, 1.1)
    for side in SIDES:
        sign, hilum = sign_of(side), body.hila[side]
        keep = lungs.air[side]
        angle = np.linspace(-1.25, 1.35, 11) + rng.normal(0, 0.1, 11)
        reach = rng.uniform(16.0, 44.0, 11)
        centres = hilum + np.stack(
            [
                sign * (6.0 + reach * np.cos(angle)),
                1.15 * reach * np.sin(angle) + 6.0,
                rng.normal(0, 16.0, 11),
            ],
            axis=1,
        )
        add_cloud(canvas, centres, rng.uniform(15.0, 22.0, 11), np.full(11, 0.8 * strength), keep)
        _add_cuffs(canvas, body, side, keep)
        _add_kerley_lines(canvas, body, case, side, keep, rng)


def _add_cuffs(canvas: Canvas, body: Body, side: str, keep: Array) -> None:
    """Fluid around the larger vessels within 75 mm of the hilum: their edges are lost."""
    cuffs = [
        (points, 2.5 * np.asarray(radii))
        for points, radii, vessel_side in body.vessels
        if vessel_side == side
        and radii[0] > 1.5
        and np.linalg.norm(points[0] - body.hila[side]) < 75.0
    ]
    canvas.tissue_cm += draw_strokes(canvas, cuffs, 0.06) * keep


def _add_kerley_lines(
    canvas: Canvas, body: Body, case: PhantomCase, side: str, keep: Array, rng: np.random.Generator
) -> None:
    """Thick septa: short lines, level and square to the pleura at the lateral base."""
    y = dome_top_mm(case.patient, side) - 6.0 - 9.5 * np.arange(_KERLEY_LINES)
    y = y + rng.uniform(-1.5, 1.5, _KERLEY_LINES)
    length = rng.uniform(14.0, 20.0, _KERLEY_LINES)
    outer = np.stack([body.wall_point(side, at, 0.0, -2.0) for at in y])
    inward = np.stack(
        [-sign_of(side) * length, rng.uniform(-1, 1, _KERLEY_LINES), np.zeros(_KERLEY_LINES)], 1
    )
    add_strokes(canvas, outer, outer + inward, 1.5, np.full(_KERLEY_LINES, 1.1), keep)
    # the same septa at the back and the front wall, for the lateral film
    for angle in (-1.1, 1.0):
        wall = np.stack([body.wall_point(side, at, angle, -2.0) for at in y[::2]])
        end = wall - np.array([0.0, 0.0, np.sign(angle) * 15.0])
        add_strokes(canvas, wall, end, 1.5, np.full(len(wall), 0.5), keep)


def add_congestion(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Hilar haze and hazy upper vessels; the patient's numbers make the vessels wide."""
    rng = case.rng("vascular_congestion")
    for side in SIDES:
        hilum, keep = body.hila[side], lungs.air[side]
        out = np.array([sign_of(side), 0.0, 0.0])
        centres = np.stack(
            [hilum + 8 * out, hilum + 14 * out + (0, 16, 0), hilum + 12 * out + (0, -18, 0)]
        )
        add_cloud(canvas, centres, np.array([13.0, 13.0, 13.0]), rng.uniform(0.8, 1.0, 3), keep)
        upper = [
            (points, 1.2 * np.asarray(radii))
            for points, radii, vessel_side in body.vessels
            if vessel_side == side and radii[0] > 1.4 and points[-1, 1] < hilum[1] - 14.0
        ]
        canvas.tissue_cm += draw_strokes(canvas, upper, 0.1) * keep


def add_interstitial_pattern(
    canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields
) -> None:
    """A net of thick septa through both lungs, densest at the base and toward the pleura."""
    rng = case.rng("interstitial_pattern")
    across = 2 if canvas.pose.is_lateral else 0
    for side in SIDES:
        knots = _draw_knots(body, case, side, rng)
        strength = rng.uniform(0.7, 1.2, (len(knots), _NEIGHBOURS))
        # Each film shows the septa that lie along its rays: neighbours as that film sees them.
        seen = knots[:, [across, 1]]
        nearest = np.argsort(_square_distances(seen), axis=1)[:, 1 : _NEIGHBOURS + 1]
        starts = np.repeat(knots, _NEIGHBOURS, axis=0)
        ends = starts.copy()
        ends[:, [across, 1]] = seen[nearest.ravel()]
        near = np.linalg.norm(ends - starts, axis=1) < _LONGEST_SEPTUM_MM
        amount = _SEPTUM_CM * strength.ravel()
        add_strokes(canvas, starts[near], ends[near], 1.4, amount[near], lungs.air[side])


def _draw_knots(body: Body, case: PhantomCase, side: str, rng: np.random.Generator) -> Array:
    """Points [n, 3] where septa meet, more of them low and lateral; apart on the frontal film."""
    patient = case.patient
    top, bottom = patient.apex_y_mm + 60.0, dome_top_mm(patient, side) + 20.0
    y = bottom - (bottom - top) * rng.random(_KNOT_DRAWS) ** 1.8
    x = sign_of(side) * patient.half_width_mm * (0.2 + 0.78 * rng.random(_KNOT_DRAWS) ** 0.7)
    z = rng.uniform(-0.8, 0.8, _KNOT_DRAWS) * patient.half_depth_mm
    points = np.stack([x, y, z], axis=1)
    points = points[body.contains_lung(points, side, 3.0)]
    apart = _square_distances(points[:, :2]) > _KNOT_DISTANCE_MM**2
    kept: list[int] = []
    for index in range(len(points)):
        if apart[index, kept].all():
            kept.append(index)
    return points[kept[:_KNOTS]]


def _square_distances(points: Array) -> Array:
    """[n, n] of points [n, 2]."""
    across, down = points.astype(np.float32).T
    return (across[:, None] - across) ** 2 + (down[:, None] - down) ** 2


def add_emphysema(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Tissue lost, most in the upper zones, and bullae with hair-thin walls."""
    rng = case.rng("emphysema")
    middle = case.patient.apex_y_mm + 110.0
    lost = 0.05 + 0.12 * soft_step(middle - canvas.v_mm, 18.0)
    for side in SIDES:
        canvas.tissue_cm -= lost * lungs.length_cm[side] * lungs.air[side]
        for _ in range(4):
            radius = rng.uniform(14.0, 22.0)
            x, y, z = place_in_zone(body, case.patient, side, "upper", radius, rng)
            outer = medial_border_mm(body, side, y) + radius
            x = sign_of(side) * max(abs(float(x)), outer)
            bulla = (float(x), float(y), float(z))
            keep = lungs.air[side]
            canvas.add_ellipsoid(Ellipsoid(bulla, (radius, 1.1 * radius, radius)), -0.12, 0.8, keep)
            _add_wall(canvas, np.array(bulla), radius, keep)


def _add_wall(canvas: Canvas, centre: Array, radius: float, keep: Array) -> None:
    angle = np.linspace(0, 2 * np.pi, 25)
    ring = np.repeat(centre[None], 25, axis=0)
    ring[:, 2 if canvas.pose.is_lateral else 0] += radius * np.cos(angle)
    ring[:, 1] += 1.1 * radius * np.sin(angle)
    add_strokes(canvas, ring[:-1], ring[1:], 1.2, np.full(24, 0.42), keep)
