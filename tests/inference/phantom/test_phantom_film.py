"""Rendered films: deterministic, the same body at every size, each finding where it is said."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from inference.phantom import PhantomCase, render_film, sample_case
from inference.phantom.anatomy import FIELD_MM
from inference.phantom.projection import render_thickness
from inference.report_language.statements import Statement

SIZE = 112
_FULL_SCALE = 4095
_BASE = sample_case(4, normal=True)
# Upright and centred, so that millimetres on the film are millimetres of the patient.
PATIENT = replace(
    _BASE.patient, sex="M", shift_x_mm=0.0, shift_y_mm=0.0, scale=1.0, rotation_mm=0.0
)
CENTRE_MM = (np.arange(SIZE) + 0.5) * (FIELD_MM / SIZE) - FIELD_MM / 2
ZONE_Y_MM = {"upper": -92.0, "mid": -22.0, "lower": 45.0}
Box = tuple[float, float, float, float]  # x from, x to, y from, y to in mm; +x is patient's left


def _case(*statements: Statement, **anatomy: float) -> PhantomCase:
    return PhantomCase(_BASE.seed, replace(PATIENT, **anatomy), statements)  # type: ignore[arg-type]


@cache
def _normal_film() -> np.ndarray:
    return render_film(_case(), SIZE) / _FULL_SCALE


@cache
def _normal_thickness() -> np.ndarray:
    return render_thickness(_case(), SIZE)


def _box_mean(film: np.ndarray, box: Box, sign: float = 1.0) -> float:
    x, y = sign * CENTRE_MM, CENTRE_MM
    columns, rows = (x > box[0]) & (x < box[1]), (y > box[2]) & (y < box[3])
    return float(film[np.ix_(rows, columns)].mean())


def _change(statement: Statement, box: Box) -> tuple[float, float]:
    """Share of full scale by which the box gets whiter, on the statement's side and opposite."""
    changed = render_film(_case(statement), SIZE) / _FULL_SCALE - _normal_film()
    sign = 1.0 if statement.side == "left" else -1.0
    return _box_mean(changed, box, sign), _box_mean(changed, box, -sign)


def _added_centre(statement: Statement, *, above_mm: float = 95.0) -> tuple[float, float]:
    """Centroid (x, y) in mm of the tissue the statement adds or moves, above the abdomen.

    The gastric bubble's place is drawn after the findings and may differ; it lies lower.
    """
    change = np.abs(render_thickness(_case(statement), SIZE) - _normal_thickness())
    change = np.where(change > 0.4, change, 0.0)
    change[above_mm < CENTRE_MM] = 0.0
    assert change.sum() > 3.0, f"{statement.concept} leaves no trace"
    x = float((change.sum(0) * CENTRE_MM).sum() / change.sum())
    return x, float((change.sum(1) * CENTRE_MM).sum() / change.sum())


def test_same_seed_gives_the_same_film_to_the_bit() -> None:
    first, second = (render_film(sample_case(9), SIZE) for _ in range(2))
    assert first.dtype == np.uint16
    assert first.max() <= _FULL_SCALE
    np.testing.assert_array_equal(first, second)
    assert (render_film(sample_case(10), SIZE) != first).mean() > 0.5


@pytest.mark.parametrize("seed", [3, 8])
def test_two_sizes_show_the_same_body(seed: int) -> None:
    case = sample_case(seed, normal=False)
    small = render_film(case, 224).astype(float)
    large = render_film(case, 448).astype(float).reshape(224, 2, 224, 2).mean((1, 3))
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.995
    assert np.abs(small - large).mean() / _FULL_SCALE < 0.015


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("severity", "box"),
    [
        ("small", (112, 124, 95, 115)),  # the costophrenic angle
        ("moderate", (80, 115, 40, 80)),
        ("large", (60, 110, -10, 60)),
    ],
)
def test_effusion_whitens_the_base_of_its_side(side: str, severity: str, box: Box) -> None:
    effusion = Statement("pleural_effusion", "present", side, None, severity)  # type: ignore[arg-type]
    same, opposite = _change(effusion, box)
    assert same > 0.12
    assert abs(opposite) < 0.05


def test_bilateral_effusion_whitens_both_bases() -> None:
    effusion = Statement("pleural_effusion", "present", "bilateral", None, "moderate")
    changed = render_film(_case(effusion), SIZE) / _FULL_SCALE - _normal_film()
    assert _box_mean(changed, (80, 115, 40, 80), 1.0) > 0.12
    assert _box_mean(changed, (80, 115, 40, 80), -1.0) > 0.12


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("severity", "box"), [("small", (114, 124, -75, -45)), ("large", (92, 115, -80, -35))]
)
def test_pneumothorax_blackens_the_rim_of_its_side(side: str, severity: str, box: Box) -> None:
    pneumothorax = Statement("pneumothorax", "present", side, None, severity)  # type: ignore[arg-type]
    same, opposite = _change(pneumothorax, box)
    assert same < -0.03
    assert abs(opposite) < 0.025


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("zone", ["upper", "mid", "lower"])
@pytest.mark.parametrize("concept", ["consolidation", "mass", "nodule"])
def test_focal_finding_lies_in_its_side_and_zone(concept: str, side: str, zone: str) -> None:
    x, y = _added_centre(Statement(concept, "present", side, zone))  # type: ignore[arg-type]
    assert x * (1 if side == "left" else -1) > 20  # left is image right
    assert abs(y - ZONE_Y_MM[zone]) < 35  # half the way to the next zone


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("concept", ["atelectasis", "fracture", "chest_tube"])
def test_lateral_finding_lies_on_its_side(concept: str, side: str) -> None:
    zone = "lower" if concept == "atelectasis" else None
    x, y = _added_centre(Statement(concept, "present", side, zone))  # type: ignore[arg-type]
    assert x * (1 if side == "left" else -1) > 30
    if zone == "lower":
        assert y > 20


@pytest.mark.parametrize("side", ["left", "right"])
def test_pacemaker_and_catheter_enter_on_their_side(side: str) -> None:
    sign = 1 if side == "left" else -1
    for concept in ("pacemaker", "central_venous_catheter"):
        statement = Statement(concept, "present", side)  # type: ignore[arg-type]
        x, _ = _added_centre(statement, above_mm=-75 if concept == "pacemaker" else -140)
        assert x * sign > 25, concept


@pytest.mark.parametrize("concept", ["endotracheal_tube", "sternal_wires", "gastric_tube"])
def test_midline_device_lies_near_the_midline(concept: str) -> None:
    x, _ = _added_centre(Statement(concept, "present"))
    assert abs(x) < 20


def test_edema_whitens_both_perihilar_regions() -> None:
    changed = (
        render_film(_case(Statement("pulmonary_edema", "present")), SIZE) / _FULL_SCALE
        - _normal_film()
    )
    for sign in (1.0, -1.0):
        assert _box_mean(changed, (45, 75, -40, 20), sign) > 0.05


def test_cardiomegaly_widens_the_heart() -> None:
    wide = PATIENT.thorax_half_width_mm * 0.67
    changed = render_film(_case(heart_half_width_mm=wide), SIZE) / _FULL_SCALE - _normal_film()
    border = PATIENT.heart_half_width_mm + PATIENT.heart_centre_x_mm
    beside: Box = (border + 4, border + 20, 25, 60)
    assert _box_mean(changed, beside) > 0.1
    assert abs(_box_mean(changed, (60, 110, -110, -60))) < 0.05  # not the upper lung


@pytest.mark.parametrize("side", ["left", "right"])
def test_raised_dome_whitens_the_base_of_its_side(side: str) -> None:
    field = f"dome_{side}_y_mm"
    raised = _case(**{field: getattr(PATIENT, field) - 50})
    changed = render_film(raised, SIZE) / _FULL_SCALE - _normal_film()
    box: Box = (85, 110, 70, 95)
    sign = 1.0 if side == "left" else -1.0
    assert _box_mean(changed, box, sign) > 0.1
    assert abs(_box_mean(changed, box, -sign)) < 0.05
