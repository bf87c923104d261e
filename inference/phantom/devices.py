"""Tubes, lines and metal on a film, drawn along the courses of ``device_courses``.

Densities are relative to water at about 70 keV: steel is near 40 (NIST XCOM), barium-loaded
plastic as drawn here near 20. They are set so that each device keeps a contrast of several
centimetres of water where a model sees 224 pixels of 400 mm (1.8 mm each).
"""

from __future__ import annotations

import numpy as np

from inference.phantom.body import Body
from inference.phantom.case import DEVICE_WEIGHTS, PhantomCase
from inference.phantom.device_courses import (
    arm_line_course,
    chest_tube_course,
    endotracheal_course,
    gastric_course,
    jugular_line_course,
    length_mm,
    pacemaker_leads,
    pacemaker_place,
    part_of,
    sideways,
    sternal_wire_loops,
    surgical_clip_bars,
)
from inference.phantom.geometry import Array, Canvas, soft_step
from inference.report_language.statements import Statement

_STEEL = 42.0
_MARKER = 26.0  # the radiopaque stripe of a tube


def add_devices(canvas: Canvas, body: Body, case: PhantomCase) -> None:
    """Draw each device of the case and record its region."""
    for statement in case.statements:
        if statement.concept in DEVICE_WEIGHTS:
            with canvas.marking(statement.concept):
                _add_device(canvas, body, case, statement)


def _add_device(canvas: Canvas, body: Body, case: PhantomCase, statement: Statement) -> None:
    rng, side = case.rng(statement.concept), str(statement.side)
    match statement.concept:
        case "endotracheal_tube":
            course = endotracheal_course(body, rng)
            _add_hollow_tube(canvas, course, 5.6, 4.2, 4.6)
            canvas.add_tube(sideways(course, 4.6, 1.5), 0.9, _MARKER)
        case "gastric_tube":
            _add_gastric_tube(canvas, gastric_course(body, rng))
        case "central_venous_catheter":
            canvas.add_tube(jugular_line_course(body, side, rng), 1.5, 18.0)
        case "picc":
            canvas.add_tube(arm_line_course(body, side, rng), 0.95, 30.0)
        case "pacemaker":
            _add_pacemaker(canvas, body, side, rng)
        case "chest_tube":
            _add_chest_tube(canvas, chest_tube_course(body, side, case.patient.apex_y_mm, rng))
        case "sternal_wires":
            for loop in sternal_wire_loops(body, rng):
                _add_wire(canvas, loop)
        case "surgical_clips":
            for bar in surgical_clip_bars(body, rng):
                canvas.add_tube(bar, 1.15, _STEEL)
        case _:
            raise ValueError(f"no way to draw {statement.concept}")


def _add_hollow_tube(
    canvas: Canvas, course: Array, outer_mm: float, inner_mm: float, density: float
) -> None:
    """A wall seen from the side is longest along the ray at its edges: two lines."""
    canvas.add_tube(course, outer_mm, density)
    canvas.add_tube(course, inner_mm, -density)


def _add_gastric_tube(canvas: Canvas, course: Array) -> None:
    """One broad dense stripe, interrupted at the side hole 60 mm before the tip."""
    hole = length_mm(course) - 60.0
    canvas.add_tube(part_of(course, 0.0, hole - 6.0), 2.1, 17.0)
    canvas.add_tube(part_of(course, hole - 4.0, hole + 4.0), 2.1, 4.0)
    canvas.add_tube(part_of(course, hole + 6.0, hole + 60.0), 2.1, 17.0)


def _add_chest_tube(canvas: Canvas, course: Array) -> None:
    """A broad tube whose marker line breaks at the last side hole, inside the chest."""
    _add_hollow_tube(canvas, course, 4.6, 3.2, 5.0)
    stripe, hole = sideways(course, 3.0, 1.0), length_mm(course) - 62.0
    canvas.add_tube(part_of(stripe, 0.0, hole - 5.0), 1.0, _MARKER)
    canvas.add_tube(part_of(stripe, hole + 5.0, length_mm(stripe)), 1.0, _MARKER)


def _add_wire(canvas: Canvas, loop: Array) -> None:
    """A closed loop of steel with its twisted ends in front."""
    canvas.add_tube(loop, 1.0, _STEEL)
    front = loop[int(np.argmax(loop[:, 2]))]
    twist = np.array([[-2.0, -1.0, 0.5], [3.0, 4.0, 2.5]])
    canvas.add_tube(front + twist, 1.4, _STEEL)


def _add_pacemaker(canvas: Canvas, body: Body, side: str, rng: np.random.Generator) -> None:
    place = pacemaker_place(body, side, rng)
    leads = pacemaker_leads(body, side, place, rng)
    _add_generator(canvas, place)
    for lead in leads:
        canvas.add_tube(lead, 0.95, 28.0)
        end = length_mm(lead)
        canvas.add_tube(part_of(lead, end - 5.0, end), 1.5, _STEEL)  # tip electrode
        canvas.add_tube(part_of(lead, end - 17.0, end - 13.0), 1.5, _STEEL)  # ring


def _add_generator(canvas: Canvas, place: Array) -> None:
    """A flat titanium can, 46 x 42 x 8 mm; on edge in the lateral film, leaning with the chest."""
    if canvas.pose.is_lateral:
        lean = np.array([0.0, 19.0, 7.0])
        canvas.add_tube(np.stack([place - lean, place + lean]), 4.2, 55.0)
        return
    film, depth = canvas.pose.project(place[None, :])
    growth = float(np.asarray(canvas.pose.magnification(depth[0])))
    u0, v0 = float(film[0, 0]), float(film[0, 1])
    # half width, half height, centre below the middle, cm: can, battery, header
    parts = ((23.0, 18.0, 3.0, 6.5), (17.0, 8.0, 9.0, 3.0), (14.0, 5.0, -18.0, 3.0))
    for half_u, half_v, below, amount_cm in parts:
        half_u, half_v, v = half_u * growth, half_v * growth, v0 + below * growth
        area = canvas.window(u0 - half_u - 8, u0 + half_u + 8, v - half_v - 8, v + half_v + 8)
        across = np.abs(canvas.u_mm[:, area[1]] - u0) / half_u
        along = np.abs(canvas.v_mm[area[0]] - v) / half_v
        distance = (1.0 - (across**4 + along**4) ** 0.25) * min(half_u, half_v)
        canvas.tissue_cm[area] += amount_cm * soft_step(distance, max(0.4, 0.3 * canvas.pixel_mm))
