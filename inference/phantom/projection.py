"""The films of a case: body and findings drawn from the outside in, then exposed."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from inference.phantom.anatomy import (
    draw_airway,
    draw_breasts,
    draw_gastric_bubble,
    draw_hila,
    draw_torso,
    draw_vessels,
    open_lungs,
)
from inference.phantom.body import build_body
from inference.phantom.bones import add_skeleton
from inference.phantom.case import PhantomCase
from inference.phantom.devices import add_devices
from inference.phantom.exposure import expose
from inference.phantom.findings_lung import add_parenchyma
from inference.phantom.findings_other import add_other_findings
from inference.phantom.findings_pleura import add_pleura
from inference.phantom.fine_structure import add_fine_structure, is_resolved
from inference.phantom.geometry import Array, Canvas, Pose
from inference.phantom.mimics import add_mimics
from inference.phantom.other_films import render_other

Projection = Literal["frontal", "lateral"]


def render_film(case: PhantomCase, size: int) -> Array:
    """The frontal film (or what a case of another kind shows): [size, size] uint16.

    12 bits as a detector stores them, MONOCHROME2 (thick is white). The same case at two sizes
    shows the same body; only noise differs.
    """
    return render_film_and_regions(case, size)[0]


def render_lateral(case: PhantomCase, size: int) -> Array:
    """The lateral film of the same body, left side to the detector: [size, size] uint16."""
    return render_film_and_regions(case, size, "lateral")[0]


def render_study(case: PhantomCase, size: int) -> dict[str, Array]:
    """The films of a study by projection: "frontal", and "lateral" where there is one."""
    films = {"frontal": render_film(case, size)}
    if case.has_lateral:
        films["lateral"] = render_lateral(case, size)
    return films


def render_film_and_regions(
    case: PhantomCase, size: int, view: Projection = "frontal"
) -> tuple[Array, dict[str, Array]]:
    """The film and, by concept, where it shows what is present: [size, size] changed cm.

    The first ("frontal") film of a case of another kind shows that kind; only chests have regions.
    """
    if view == "frontal" and case.kind == "lateral":
        view = "lateral"
    elif view == "frontal" and case.kind != "chest":
        return render_other(case, size), {}
    canvas = draw_chest(case, size, view)
    return expose(case, canvas.tissue_cm, canvas.pose.view), canvas.regions


def render_thickness(case: PhantomCase, size: int, view: Projection = "frontal") -> Array:
    """Water-equivalent thickness along each ray: [size, size] float32, centimetres."""
    return draw_chest(case, size, view).tissue_cm


def pose_of(case: PhantomCase, view: Projection) -> Pose:
    """How the patient stands; for the lateral film straighter, having turned by the side."""
    patient = case.patient
    if view == "frontal":
        return Pose(
            patient.view,
            patient.rotation_rad,
            patient.shift_u_mm,
            patient.shift_v_mm,
            patient.scale,
        )
    return Pose(
        "LL",
        0.6 * patient.rotation_rad,
        0.5 * patient.shift_u_mm,
        patient.shift_v_mm,
        patient.scale,
    )


def draw_chest(case: PhantomCase, size: int, view: Projection = "frontal") -> Canvas:
    """Everything on one film, drawn from the outside in; both views run the same code."""
    if view == "lateral":
        case = replace(case, patient=replace(case.patient, arms_up=True))
    canvas = Canvas.blank(size, pose_of(case, view))
    body = build_body(case.patient, case.rng("body"))
    draw_torso(canvas, body)
    lungs = open_lungs(canvas, body)
    add_pleura(canvas, body, case, lungs)
    draw_hila(canvas, body)
    bone_cm = -canvas.tissue_cm if is_resolved(canvas) else None
    add_skeleton(canvas, body, case)
    if bone_cm is not None:
        bone_cm += canvas.tissue_cm
    draw_airway(canvas, body)
    draw_vessels(canvas, body, lungs)
    draw_breasts(canvas, body, case)
    draw_gastric_bubble(canvas, body, case)
    add_parenchyma(canvas, body, case, lungs)
    if bone_cm is not None:
        add_fine_structure(canvas, case, bone_cm, lungs)
    add_other_findings(canvas, body, case, lungs)
    add_devices(canvas, body, case)
    add_mimics(canvas, body, case)
    return canvas
