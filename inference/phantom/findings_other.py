"""Findings outside lung and pleura. The patient's numbers draw most of them (``patient``): here
their regions are marked, and what numbers can't say is added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import PhantomCase
from inference.phantom.curves import sign_of
from inference.phantom.geometry import Array, Canvas, Dome
from inference.phantom.intervals import remaining_length_mm
from inference.phantom.lung_volume import LungFields, ball, chord_mm, crop, sides_of
from inference.phantom.rib_fracture import add_fracture_swelling, fractured_rib

_CALCIUM_DENSITY = 7.0
_NORMAL_DOME_Y_MM = {"right": 86.0, "left": 95.0}
_DIAPHRAGM_MM = 2.6
_SHEET_DEPTH = 2.8  # air between layers: so many times deeper along the ray than wide


def add_other_findings(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Air and calcium where they don't belong, hilar nodes, the swelling of a fracture."""
    for concept, paint in (
        ("hilar_enlargement", _add_hilar_nodes),
        ("aortic_atherosclerosis", _add_aortic_calcium),
        ("pneumomediastinum", _add_pneumomediastinum),
        ("free_air", _add_free_air),
        ("fracture", _add_fracture),
    ):
        if case.find(concept) is not None:
            with canvas.marking(concept):
                paint(canvas, body, case, lungs)
    _mark_measured(canvas, body, case)


def _mark_measured(canvas: Canvas, body: Body, case: PhantomCase) -> None:
    """Regions [size, size] in cm of what only the patient's numbers draw: the structure's depth."""
    if case.find("cardiomegaly") is not None:
        heart = canvas.stack_interval(body.heart_outline).length_mm
        canvas.regions["cardiomegaly"] = heart / 10.0
    if case.find("mediastinal_widening") is not None:
        upper = canvas.stack_interval(body.mediastinum).length_mm
        within = (canvas.v_mm > case.patient.apex_y_mm + 25.0) & (
            canvas.v_mm < body.carina[1] + 35.0
        )
        canvas.regions["mediastinal_widening"] = upper / 10.0 * within
    if case.find("scoliosis") is not None:
        column = canvas.stack_interval(body.spinal_column).length_mm
        within = (canvas.v_mm > -150.0) & (canvas.v_mm < 150.0)
        canvas.regions["scoliosis"] = column / 10.0 * within
    raised = case.find("diaphragm_elevation")
    if raised is not None:
        canvas.regions["diaphragm_elevation"] = _raised_part_cm(canvas, body, sides_of(raised))


def _raised_part_cm(canvas: Canvas, body: Body, sides: tuple[str, ...]) -> Array:
    """What of the abdomen stands where a healthy dome leaves lung."""
    region = np.zeros_like(canvas.tissue_cm)
    for side in sides:
        dome = body.domes[side]
        healthy = replace(dome, top_y_mm=max(_NORMAL_DOME_Y_MM[side], dome.top_y_mm + 30.0))
        below = canvas.dome_interval(dome) & body.lung_interval(canvas, side)
        region += remaining_length_mm(below, [canvas.dome_interval(healthy)]) / 10.0
    return region


def _add_hilar_nodes(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Lymph nodes: a lobulated, sharply outlined hilum."""
    rng = case.rng("hilar_enlargement")
    statement = case.find("hilar_enlargement")
    assert statement is not None
    for side in ("left", "right"):
        shifts = rng.normal(0, (3.0, 3.0, 4.0), (5, 3))
        radii = rng.uniform(9.5, 14.0, 5)
        if side not in sides_of(statement):
            continue
        places = np.array([[4, -16, 2], [12, -4, -4], [15, 10, 6], [7, 22, -2], [2, 4, 0]], float)
        centres = body.hila[side] + (places + shifts) * (sign_of(side), 1, 1)
        nodes = [ball(centre, radius) for centre, radius in zip(centres, radii, strict=True)]
        part, area = crop(canvas, body.hila[side], 45.0)
        part.tissue_cm += 0.1 * chord_mm(part, nodes) * lungs.air[side][area]


def _add_aortic_calcium(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Flakes in the wall of the arch: round the knob, and along the top for the lateral film."""
    rng = case.rng("aortic_atherosclerosis")
    radius = body.aorta_radius_mm
    knob_y = float(body.aortic_stack.y_mm[0]) + radius
    x, half_x, z, half_z = (float(v[0]) for v in body.aortic_stack.at(np.array([knob_y])))
    first, last = -1.9, rng.uniform(0.5, 0.9)
    for start in np.linspace(first, last, 4)[:-1]:
        angle = np.linspace(start, start + 0.75 * (last - first) / 3, 6)
        arc = np.zeros((6, 3))
        if canvas.pose.is_lateral:
            angle = -np.pi / 2 + 0.8 * (angle + 0.55)
            arc[:, 0], arc[:, 2] = x, z + (half_z - 1.5) * np.cos(angle)
        else:
            arc[:, 0], arc[:, 2] = x + (half_x - 1.5) * np.cos(angle), z
        arc[:, 1] = knob_y + (radius - 1.5) * np.sin(angle)
        # seen along the wall: the flake is some 8 mm deep where the ray grazes it
        canvas.add_tube(arc, rng.uniform(1.5, 2.0), _CALCIUM_DENSITY)


def _add_pneumomediastinum(
    canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields
) -> None:
    """Air along the borders of the mediastinum under a thin bright pleura, streaks in the neck."""
    rng = case.rng("pneumomediastinum")
    lateral = canvas.pose.is_lateral
    y = np.linspace(case.patient.apex_y_mm + 22.0, body.heart_outline.y_mm[-1] - 34.0, 30)
    for side in ("left", "right"):
        sign = sign_of(side)
        border, depth = _mediastinal_border(body, sign, y)
        width = rng.uniform(2.0, 2.6) * (1.0 + 0.25 * np.sin(y / 11.0 + rng.uniform(0, 6)))
        inside = np.stack([sign * (border - 0.6), y, depth], axis=1)
        pleura = inside + sign * np.array([1.0, 0.0, 0.0]) * (width[:, None] + 1.6)
        if not lateral:
            canvas.add_tube(inside, width, -_SHEET_DEPTH)
            canvas.add_tube(pleura, 0.9, 5.0)
    for x, z, low in (
        (-22, 4, -128),
        (-13, 14, -120),
        (15, 12, -118),
        (24, 2, -130),
        (33, -6, -140),
    ):
        streak_y = np.linspace(-206.0, low + rng.uniform(-6, 6), 7)
        lean = (streak_y - low) * rng.uniform(-0.12, 0.12)
        streak = np.stack([x + lean + rng.normal(0, 0.8, 7), streak_y, np.full(7, z)], axis=1)
        canvas.add_tube(streak, rng.uniform(1.8, 2.4), -_SHEET_DEPTH)
    if lateral:
        for face in (1.0, -1.0):  # before the great vessels, and before the trachea
            canvas.add_tube(_sagittal_edge(body, face), 2.2, -_SHEET_DEPTH)


def _sagittal_edge(body: Body, face: float) -> Array:
    """Points [n, 3] down the front of mediastinum and heart (face 1) or behind the trachea (-1)."""
    y = np.linspace(-100.0, 40.0 if face > 0 else -40.0, 14)
    if face < 0:
        z = np.interp(y, body.trachea[:, 1], body.trachea[:, 2]) - 11.0
        return np.stack([np.zeros_like(y), y, z], axis=1)
    fronts = []
    for stack in (body.mediastinum, body.heart_outline):
        _, half_x, centre, half = stack.at(y)
        fronts.append(np.where(half_x > 0, centre + half, -np.inf))
    return np.stack([np.zeros_like(y), y, np.maximum(*fronts)], axis=1)


def _mediastinal_border(body: Body, sign: float, y: Array) -> tuple[Array, Array]:
    """(sign · x, z) of the outermost of vessels and heart on one side at heights y [n]."""
    reach, depth = np.full(len(y), -np.inf), np.zeros(len(y))
    for stack in (body.mediastinum, body.aortic_stack, body.heart_outline):
        centre_x, half_x, centre_z, _ = stack.at(y)
        edge = np.where(half_x > 0, sign * centre_x + half_x, -np.inf)
        depth = np.where(edge > reach, centre_z, depth)
        reach = np.maximum(reach, edge)
    return reach, depth


def _add_free_air(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    """Air between the diaphragm, left as a thin line, and liver or stomach: a crescent."""
    rng = case.rng("free_air")
    statement = case.find("free_air")
    assert statement is not None
    for side in ("right", "left"):
        thick, reach = rng.uniform(11.0, 16.0), rng.uniform(0.35, 0.5)
        if side not in sides_of(statement):
            continue
        dome = body.domes[side]
        under = replace(dome, top_y_mm=dome.top_y_mm + _DIAPHRAGM_MM)
        # flatter than the dome, so that the two meet where the crescent ends
        organ = _flattened(under, thick, thick / reach)
        air = canvas.dome_interval(under) & body.lung_interval(canvas, side)
        air_mm = remaining_length_mm(air, [canvas.dome_interval(organ)])
        canvas.tissue_cm -= np.minimum(air_mm / 10.0, 0.7 * np.maximum(canvas.tissue_cm, 0.0))


def _flattened(dome: Dome, lower_mm: float, less_drop_mm: float) -> Dome:
    drop = max(dome.drop_mm - less_drop_mm, 4.0)
    return replace(dome, top_y_mm=dome.top_y_mm + lower_mm, drop_mm=drop)


def _add_fracture(canvas: Canvas, body: Body, case: PhantomCase, lungs: LungFields) -> None:
    broken = fractured_rib(case)
    if broken is not None:
        add_fracture_swelling(canvas, body.ribs[broken], case.rng("fracture"))
