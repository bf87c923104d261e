"""Each finding on both films: on its side, in its zone, shaped as readers know it, and visible.

The findings are drawn into one healthy man, upright and centred, so that millimetres on the film
are his millimetres.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from inference.phantom.anatomy import draw_vessels, open_lungs
from inference.phantom.body import build_body
from inference.phantom.case import FINDING_WEIGHTS, PhantomCase
from inference.phantom.exposure import expose
from inference.phantom.findings_pleura import add_pleura
from inference.phantom.geometry import FIELD_MM, Array, Canvas, Ellipsoid, Pose
from inference.phantom.lung_volume import dome_top_mm, fill_lung, zone_limits_mm
from inference.phantom.patient import Build, Patient, draw_patient
from inference.phantom.projection import Projection, draw_chest
from inference.phantom.rib_fracture import break_rib
from inference.report_language.statements import Statement

SIZE = 112
SEED = 12
BUILD = Build(
    sex="M", age=50, half_width_mm=138.0, half_depth_mm=92.0, fat_mm=12.0, breast_mm=0.0,
    dome_right_y_mm=90.0, dome_drop_mm=10.0, heart_ratio=0.44, heart_tilt=0.5,
    mediastinum_half_width_mm=24.0, aortic_knob_mm=14.0, kyphosis_mm=8.0,
)  # fmt: skip
# One statement of each concept, sided and zoned as ``case`` draws them.
EXAMPLES = {
    concept: Statement(concept, "present")
    for concept in FINDING_WEIGHTS
} | {
    "consolidation": Statement("consolidation", "present", "right", "lower"),
    "opacity": Statement("opacity", "present", "left", "mid"),
    "atelectasis": Statement("atelectasis", "present", "left", "lower"),
    "nodule": Statement("nodule", "present", "right", "mid"),
    "mass": Statement("mass", "present", "left", "upper"),
    "granuloma": Statement("granuloma", "present", "right", "upper"),
    "fibrosis": Statement("fibrosis", "present", "left"),
    "pleural_thickening": Statement("pleural_thickening", "present", "right"),
    "pleural_effusion": Statement("pleural_effusion", "present", "right", None, "small"),
    "pneumothorax": Statement("pneumothorax", "present", "left", None, "small"),
    "cardiomegaly": Statement("cardiomegaly", "present", None, None, "mild"),
    "hilar_enlargement": Statement("hilar_enlargement", "present", "right"),
    "diaphragm_elevation": Statement("diaphragm_elevation", "present", "right"),
    "free_air": Statement("free_air", "present", "right"),
    "fracture": Statement("fracture", "present", "left"),
}  # fmt: skip


def upright_patient(*statements: Statement) -> Patient:
    """The man's numbers with these findings, straight before the detector."""
    patient = draw_patient(np.random.default_rng(7), BUILD, statements, "PA")
    return replace(patient, rotation_rad=0.0, shift_u_mm=0.0, shift_v_mm=0.0, scale=1.0)


def case_of(*statements: Statement, seed: int = SEED) -> PhantomCase:
    return PhantomCase(seed, BUILD, upright_patient(*statements), statements)


@cache
def drawn(
    *statements: Statement, view: Projection = "frontal", size: int = SIZE, seed: int = SEED
) -> Canvas:
    return draw_chest(case_of(*statements, seed=seed), size, view)


@cache
def change_cm(statement: Statement, view: Projection = "frontal", seed: int = SEED) -> Array:
    """What the finding itself adds to a body whose numbers it has already changed: [SIZE, SIZE]."""
    case = case_of(statement, seed=seed)
    healthy = draw_chest(replace(case, statements=()), SIZE, view)
    return drawn(statement, view=view, seed=seed).tissue_cm - healthy.tissue_cm


def centres_mm(size: int = SIZE) -> Array:
    return (np.arange(size) + 0.5) * (FIELD_MM / size) - FIELD_MM / 2


def centroid_mm(region: Array) -> tuple[float, float]:
    """(u, v) of a region."""
    at = centres_mm(region.shape[0])
    total = region.sum()
    return float((region.sum(0) * at).sum() / total), float((region.sum(1) * at).sum() / total)


BOTH_VIEWS: tuple[Projection, ...] = ("frontal", "lateral")


@pytest.mark.parametrize("concept", sorted(EXAMPLES))
def test_every_finding_has_a_region_on_both_films(concept: str) -> None:
    for view in BOTH_VIEWS:
        region = drawn(EXAMPLES[concept], view=view).regions[concept]
        assert region.shape == (SIZE, SIZE)
        assert region.max() > 0.2, view
        assert np.isfinite(region).all()


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    "concept",
    ["pleural_effusion", "pneumothorax", "pleural_thickening", "fibrosis", "consolidation",
     "opacity", "nodule", "mass", "granuloma", "atelectasis", "hilar_enlargement", "fracture"],
)  # fmt: skip
def test_finding_of_one_side_leaves_the_other_lung_as_it_was(concept: str, side: str) -> None:
    change = np.abs(change_cm(replace(EXAMPLES[concept], side=side)))  # type: ignore[arg-type]
    on_left = centres_mm() > 5.0  # film right is the patient's left
    on_right = centres_mm() < -5.0
    same, opposite = (on_left, on_right) if side == "left" else (on_right, on_left)
    assert change[:, same].sum() > 20 * change[:, opposite].sum()
    assert change[:, same].max() > 0.3


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("zone", ["upper", "mid", "lower"])
@pytest.mark.parametrize("concept", ["consolidation", "opacity", "nodule", "mass", "granuloma"])
def test_focal_finding_lies_in_its_zone(concept: str, zone: str, side: str) -> None:
    statement = Statement(concept, "present", side, zone)  # type: ignore[arg-type]
    region = np.abs(change_cm(statement))
    top, bottom = zone_limits_mm(upright_patient(statement), side, zone)
    v = centres_mm()
    assert top < centroid_mm(region)[1] < bottom
    # the lowest lung, behind the dome, still belongs to the lower third
    within = (v > top - 4.0) & (v < bottom + (40.0 if zone == "lower" else 4.0))
    assert region[within].sum() > 0.9 * region.sum()


@pytest.mark.parametrize(
    ("concept", "sizes"),
    [("pleural_effusion", ("small", "moderate", "large")), ("pneumothorax", ("small", "large"))],
)
@pytest.mark.parametrize("view", BOTH_VIEWS)
def test_larger_grades_change_more_of_the_film(
    concept: str, sizes: tuple[str, ...], view: Projection
) -> None:
    grades = [replace(EXAMPLES[concept], severity=size) for size in sizes]  # type: ignore[arg-type]
    changed = [np.abs(change_cm(grade, view)).sum() for grade in grades]
    assert all(after > 1.8 * before for before, after in pairwise(changed))


def _fluid_top_mm(change: Array, low_mm: float, high_mm: float) -> float:
    """Height v at which a band of columns becomes half as opaque as its most opaque row."""
    columns = (centres_mm() > low_mm) & (centres_mm() < high_mm)
    profile = change[:, columns].mean(axis=1)
    return float(centres_mm()[np.argmax(profile > 0.5 * profile.max())])


def test_moderate_effusion_has_a_meniscus_that_climbs_the_lateral_wall() -> None:
    change = change_cm(Statement("pleural_effusion", "present", "left", None, "moderate"))
    tops = [_fluid_top_mm(change, low, low + 14) for low in (74, 92, 110)]
    assert tops[0] >= tops[1] >= tops[2]  # ever higher on the film
    assert tops[2] < tops[0] - 12.0


def test_small_effusion_blunts_the_angle_and_leaves_the_dome() -> None:
    change = change_cm(EXAMPLES["pleural_effusion"])
    v = centres_mm()
    top = dome_top_mm(upright_patient(), "right")
    angle = np.ix_((v > top + 10) & (v < top + 35), (v > -132) & (v < -112))
    above_dome = np.ix_((v > top - 30) & (v < top - 5), (v > -75) & (v < -45))
    assert change[angle].mean() > 2.0
    assert change[above_dome].mean() < 0.5


def test_small_effusion_fills_the_posterior_sulcus_on_the_lateral_film() -> None:
    u, v = centroid_mm(change_cm(EXAMPLES["pleural_effusion"], "lateral"))
    assert u > 15.0  # the back is at the viewer's right
    assert v > dome_top_mm(upright_patient(), "right")


@pytest.mark.parametrize("severity", ["small", "large"])
def test_no_vessel_lies_beyond_the_visceral_line_of_a_pneumothorax(severity: str) -> None:
    statement = Statement("pneumothorax", "present", "left", None, severity)  # type: ignore[arg-type]
    case = case_of(statement)
    canvas = Canvas.blank(SIZE, Pose("PA"))
    body = build_body(case.patient, case.rng("body"))
    lungs = open_lungs(canvas, body)
    healthy_air = lungs.air["left"].copy()
    before = canvas.tissue_cm.copy()
    add_pleura(canvas, body, case, lungs)
    beyond = (healthy_air > 0.9) & (lungs.air["left"] == 0)
    assert beyond.sum() > 150
    assert (canvas.tissue_cm - before)[beyond].max() < 0.0  # darker than lung
    with_air = canvas.tissue_cm.copy()
    draw_vessels(canvas, body, lungs)
    vessels = canvas.tissue_cm - with_air
    assert vessels[beyond].max() == 0.0
    assert vessels[lungs.air["left"] > 0.9].max() > 0.2


def test_pneumothorax_has_a_sharp_edge_between_lung_and_air() -> None:
    change = change_cm(Statement("pneumothorax", "present", "left", None, "large"))
    row = change[np.argmin(np.abs(centres_mm() + 40.0))]  # mid-height
    lung = (centres_mm() > 30.0) & (centres_mm() < 125.0)
    edge = int(np.argmin(np.where(lung, row - np.roll(row, 1), 0.0)))
    assert 55.0 < centres_mm()[edge] < 100.0
    assert row[edge] < row[edge - 1] - 1.0  # cm within 3.6 mm
    assert row[edge + 4] < -1.5


def test_consolidation_against_the_heart_hides_its_border() -> None:
    case = case_of()
    canvas = Canvas.blank(2 * SIZE, Pose("PA"))
    body = build_body(case.patient, case.rng("body"))
    open_lungs(canvas, body)
    at_y = 45.0
    centre_x, half_x, z, _ = (float(v[0]) for v in body.heart_outline.at(np.array([at_y])))
    edge_x = centre_x - half_x
    row = int(np.argmin(np.abs(canvas.v_mm[:, 0] - at_y)))
    near = np.abs(canvas.u_mm[0] - edge_x) < 8.0

    def steepness() -> float:
        return float(np.abs(np.diff(canvas.tissue_cm[row, near])).max())

    clear = steepness()
    fill_lung(canvas, body, "right", [Ellipsoid((edge_x - 4.0, at_y, z), (34.0, 26.0, 50.0))], 1.0)
    assert steepness() < 0.4 * clear


def test_air_bronchogram_is_lucent_within_the_consolidation() -> None:
    change = change_cm(EXAMPLES["consolidation"])
    solid = change > 0.6 * change.max()
    rows, columns = np.nonzero(solid)
    inside = change[rows.min() : rows.max(), columns.min() : columns.max()]
    dips = (inside[1:-1, 1:-1] < inside[1:-1, :-2] - 0.1) & (
        inside[1:-1, 1:-1] < inside[1:-1, 2:] - 0.1
    )
    assert dips.sum() >= 3


def test_ground_glass_is_fainter_and_wider_than_consolidation() -> None:
    where = {"side": "left", "zone": "mid"}
    dense, hazy = (
        change_cm(Statement(concept, "present", **where))  # type: ignore[arg-type]
        for concept in ("consolidation", "opacity")
    )
    assert hazy.max() < 0.65 * dense.max()
    assert (hazy > 0.3 * hazy.max()).sum() > 0.8 * (dense > 0.3 * dense.max()).sum()


def test_free_air_is_dark_under_a_thin_line_of_diaphragm() -> None:
    statement = EXAMPLES["free_air"]
    change = change_cm(statement)
    column = int(np.argmin(change.min(axis=0)))
    top = dome_top_mm(upright_patient(statement), "right")
    darkest = centres_mm()[int(np.argmin(change[:, column]))]
    assert top < darkest < top + 22.0
    assert change[:, column].min() < -2.0


def test_both_films_show_a_nodule_at_the_same_height() -> None:
    frontal, lateral = (centroid_mm(change_cm(EXAMPLES["nodule"], view))[1] for view in BOTH_VIEWS)
    assert abs(frontal - lateral) < 8.0  # magnification differs with depth


@pytest.mark.parametrize("concept", ["nodule", "consolidation", "interstitial_pattern", "fibrosis"])
def test_two_sizes_show_the_same_finding(concept: str) -> None:
    small = drawn(EXAMPLES[concept]).regions[concept]
    large = drawn(EXAMPLES[concept], size=2 * SIZE).regions[concept]
    halved = large.reshape(SIZE, 2, SIZE, 2).mean((1, 3))
    np.testing.assert_allclose(centroid_mm(small), centroid_mm(large), atol=3.0)
    assert halved.sum() == pytest.approx(small.sum(), rel=0.2)  # crossing lines merge


def test_broken_rib_has_a_gap_and_a_step() -> None:
    rib = build_body(upright_patient(), np.random.default_rng(0)).ribs["left", 6]
    back, front = break_rib(rib, np.random.default_rng(5))
    again, _ = break_rib(rib, np.random.default_rng(5))
    np.testing.assert_array_equal(back, again)
    jump = front[0] - back[-1]
    assert 8.0 < np.linalg.norm(jump) < 25.0
    assert jump[1] > 6.0  # down
    np.testing.assert_allclose(front[-1], rib[-1], atol=1e-6)  # hinged at the cartilage
    np.testing.assert_allclose(back[0], rib[0])


# Anatomical clutter, not quanta, hides findings; it is correlated over some 5 x 5 pixels (a rib's
# or a vessel's width at 224 px). Rose's criterion asks for five standard deviations.
_ROSE = 5.0
_CLUTTER_PIXELS = 25


@pytest.mark.parametrize("concept", sorted(set(EXAMPLES) - {
    "cardiomegaly", "mediastinal_widening", "diaphragm_elevation", "scoliosis",
    "aortic_atherosclerosis"}))  # fmt: skip
def test_finding_stands_out_of_the_anatomy_at_the_models_resolution(concept: str) -> None:
    statement, size = EXAMPLES[concept], 224
    case = case_of(statement)
    canvas = drawn(statement, size=size)
    healthy = draw_chest(replace(case, statements=()), size)
    film, plain = (expose(case, c.tissue_cm, "PA") / 4095.0 for c in (canvas, healthy))
    region = canvas.regions[concept]
    seen = region > 0.3 * np.percentile(region[region > 0], 98)
    clutter = float((plain - _box_mean(plain, 9))[seen].std())
    contrast = float(np.abs(film - plain)[seen].mean())
    independent = max(seen.sum() / _CLUTTER_PIXELS, 1.0)
    assert contrast / clutter * np.sqrt(independent) > _ROSE


def test_calcium_lines_the_knob_of_an_atherosclerotic_aorta() -> None:
    statement = EXAMPLES["aortic_atherosclerosis"]
    canvas = drawn(statement, size=224)
    calcium = canvas.regions["aortic_atherosclerosis"]
    assert (calcium > 1.0).sum() >= 25  # pixels of the model's film
    body = build_body(upright_patient(statement), np.random.default_rng(0))
    u, v = centroid_mm(calcium)
    knob_y = float(body.aortic_stack.y_mm[0]) + body.aorta_radius_mm
    assert u > 15.0
    assert abs(v - knob_y) < 1.2 * body.aorta_radius_mm


def _box_mean(image: Array, width: int) -> Array:
    padded = np.pad(image, width // 2 + 1, mode="edge").cumsum(0).cumsum(1)
    size = image.shape[0]
    high, low = slice(width, width + size), slice(0, size)
    total = padded[high, high] - padded[low, high] - padded[high, low] + padded[low, low]
    return total / width**2
