"""Devices lie where a radiologist looks for them, in millimetres, and show on a model's film."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from inference.phantom.body import Body, build_body
from inference.phantom.case import DEVICE_WEIGHTS, PhantomCase, sample_case
from inference.phantom.curves import depth_in, sign_of
from inference.phantom.device_courses import (
    arm_line_course,
    chest_tube_course,
    endotracheal_course,
    gastric_course,
    heart_box,
    jugular_line_course,
    length_mm,
    pacemaker_leads,
    pacemaker_place,
    part_of,
    sternal_wire_loops,
    surgical_clip_bars,
)
from inference.phantom.devices import add_devices
from inference.phantom.exposure import expose
from inference.phantom.geometry import FIELD_MM, Array, Canvas, Pose
from inference.phantom.projection import draw_chest
from inference.report_language.statements import Side, Statement

SEEDS = range(5)
BOTH: tuple[Side, Side] = ("left", "right")
SIDED = ("central_venous_catheter", "picc", "pacemaker", "chest_tube")
SIZE = 224
CENTRE_MM = (np.arange(SIZE) + 0.5) * (FIELD_MM / SIZE) - FIELD_MM / 2


@cache
def _case(seed: int, concept: str = "", side: Side | None = None) -> PhantomCase:
    healthy = replace(sample_case(seed, normal=True, kind="chest"), mimics=())
    return replace(healthy, statements=(Statement(concept, "present", side),) if concept else ())


@cache
def _body(seed: int) -> Body:
    return build_body(_case(seed).patient, _case(seed).rng("body"))


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _distance_mm(point: Array, course: Array) -> float:
    dense = part_of(course, 0.0, length_mm(course))
    steps = np.linspace(0.0, 1.0, 9)[:, None, None]
    between = dense[:-1] + steps * (dense[1:] - dense[:-1])
    return float(np.linalg.norm(between.reshape(-1, 3) - point, axis=1).min())


def _bare(seed: int, concept: str, side: Side | None, pose: Pose, size: int = SIZE) -> Canvas:
    canvas = Canvas.blank(size, pose)
    add_devices(canvas, _body(seed), _case(seed, concept, side))
    return canvas


# -- where the tips are ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_endotracheal_tube_ends_in_the_trachea_3_to_6_cm_above_the_carina(seed: int) -> None:
    body = _body(seed)
    course = endotracheal_course(body, _rng(seed))
    tip = course[-1]
    assert 30.0 < body.carina[1] - tip[1] < 60.0
    assert _distance_mm(tip, body.trachea) < 5.0
    assert course[0, 1] < -200.0  # from beyond the upper edge of the film


@pytest.mark.parametrize("seed", SEEDS)
def test_gastric_tube_runs_behind_the_heart_and_ends_in_the_stomach(seed: int) -> None:
    body = _body(seed)
    course = gastric_course(body, _rng(seed))
    x, y, z = course[-1]
    assert x > 50.0
    assert y > float(body.domes["left"].height_at(x, z)) + 10.0
    assert y < 195.0  # still on the film
    low, high = heart_box(body)
    beside_heart = course[(course[:, 1] > low[1]) & (course[:, 1] < high[1] - 15.0)]
    assert beside_heart[:, 2].max() < 0.5 * (low[2] + high[2])
    spine_x, _ = body.spine(beside_heart[:, 1])
    assert np.abs(beside_heart[:, 0] - spine_x).max() < 25.0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", BOTH)
@pytest.mark.parametrize("draw", [jugular_line_course, arm_line_course])
def test_central_lines_end_in_the_lower_vena_cava(draw, side: Side, seed: int) -> None:  # type: ignore[no-untyped-def]
    body = _body(seed)
    tip = draw(body, side, _rng(seed))[-1]
    assert _distance_mm(tip, body.svc) < 4.0
    upper, lower = body.svc[:, 1].min(), body.svc[:, 1].max()
    assert upper + 0.5 * (lower - upper) < tip[1] <= lower


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", BOTH)
def test_jugular_line_comes_down_the_neck_of_its_side(side: Side, seed: int) -> None:
    course = jugular_line_course(_body(seed), side, _rng(seed))
    neck = course[course[:, 1] < -150.0]
    assert (neck[:, 0] * sign_of(side) > 25.0).all()
    assert neck[0, 1] < -200.0
    assert (course[:, 0].max() > 0) == (side == "left")  # only the left one crosses the midline


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", BOTH)
def test_arm_line_comes_from_the_arm_of_its_side(side: Side, seed: int) -> None:
    course = arm_line_course(_body(seed), side, _rng(seed))
    assert course[0, 0] * sign_of(side) > 200.0
    clavicle = _body(seed).clavicles[side]
    assert course[:, 1].min() > clavicle[:, 1].min() - 25.0  # never up the neck


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", BOTH)
def test_generator_lies_before_the_ribs_below_its_clavicle(side: Side, seed: int) -> None:
    body = _body(seed)
    place = pacemaker_place(body, side, _rng(seed))
    assert 80.0 < place[0] * sign_of(side) < 105.0
    clavicle = body.clavicles[side]
    at = int(np.argmin(np.abs(clavicle[:, 0] - place[0])))
    assert 25.0 < place[1] - clavicle[at, 1] < 75.0
    assert depth_in(body.cage, place[None])[0] < 0.0
    assert place[2] > 0.0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", BOTH)
def test_leads_pass_the_vena_cava_into_the_right_heart(side: Side, seed: int) -> None:
    body, rng = _body(seed), _rng(seed)
    place = pacemaker_place(body, side, rng)
    leads = pacemaker_leads(body, side, place, rng)
    low, high = heart_box(body)
    assert len(leads) in (1, 2)
    for lead in leads:
        assert np.linalg.norm(lead[0] - place) < 25.0
        middle = body.svc[len(body.svc) // 2]
        assert _distance_mm(middle, lead) < 6.0
        assert (low < lead[-1]).all()
        assert (lead[-1] < high).all()
    ventricular = leads[0][-1]
    assert ventricular[0] > 0.0
    assert ventricular[1] > low[1] + 0.7 * (high[1] - low[1])
    assert all(lead[-1][0] < 0.0 for lead in leads[1:])


def test_some_pacemakers_have_one_lead_and_some_two() -> None:
    counts = set()
    for seed in range(12):
        rng = _rng(seed)
        place = pacemaker_place(_body(0), "left", rng)
        counts.add(len(pacemaker_leads(_body(0), "left", place, rng)))
    assert counts == {1, 2}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", BOTH)
def test_chest_tube_enters_laterally_and_ends_near_the_apex(side: Side, seed: int) -> None:
    body, apex = _body(seed), _case(seed).patient.apex_y_mm
    course = chest_tube_course(body, side, apex, _rng(seed))
    depth = depth_in(body.cage, course)
    assert depth[0] < -20.0  # outside the chest
    assert depth[-1] > 3.0  # inside
    assert 20.0 < course[-1, 1] - apex < 45.0
    assert (course[:, 0] * sign_of(side) > 15.0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_wires_are_six_or_seven_closed_loops_on_the_sternum(seed: int) -> None:
    body = _body(seed)
    loops = sternal_wire_loops(body, _rng(seed))
    assert len(loops) in (6, 7)
    for loop in loops:
        np.testing.assert_allclose(loop[0], loop[-1], atol=1e-6)
        assert _distance_mm(loop.mean(axis=0), body.sternum) < 8.0
    heights = [float(loop[:, 1].mean()) for loop in loops]
    assert np.diff(heights).min() > 12.0


@pytest.mark.parametrize("seed", range(12))
def test_clips_are_a_cluster_of_short_bars(seed: int) -> None:
    bars = np.array(surgical_clip_bars(_body(0), _rng(seed)))  # [clips, 2, 3]
    assert 5 <= len(bars) <= 8
    lengths = np.linalg.norm(bars[:, 1] - bars[:, 0], axis=1)
    assert lengths.min() > 6.0
    assert lengths.max() < 10.0
    middles = bars.mean(axis=1)
    assert np.abs(middles - middles.mean(axis=0)).max() < 30.0
    apart = np.linalg.norm(middles[:, None, :2] - middles[None, :, :2], axis=2)
    assert apart[np.triu_indices(len(bars), 1)].min() > 4.0


# -- what the films show --------------------------------------------------------------------


@pytest.mark.parametrize("side", BOTH)
@pytest.mark.parametrize("concept", SIDED)
def test_film_shows_the_device_on_its_side(concept: str, side: Side) -> None:
    drawn = _bare(1, concept, side, Pose()).regions[concept]
    rows = {"central_venous_catheter": CENTRE_MM < -150.0, "pacemaker": CENTRE_MM < -55.0}
    drawn = drawn[rows.get(concept, np.full(SIZE, True))]
    columns = drawn.sum(axis=0)
    if concept == "picc":  # from the arm: what lies beside the mediastinum
        columns = np.where(np.abs(CENTRE_MM) > 45.0, columns, 0.0)
    centre = float((columns * CENTRE_MM).sum() / columns.sum())
    assert centre * sign_of(side) > 20.0  # left is image right


@pytest.mark.parametrize("concept", list(DEVICE_WEIGHTS))
def test_both_views_show_the_device_at_the_same_height(concept: str) -> None:
    side: Side | None = "left" if concept in SIDED else None
    heights = []
    for pose in (Pose(), Pose("LL")):
        rows = np.flatnonzero(_bare(2, concept, side, pose).regions[concept].max(axis=1) > 0.5)
        heights.append((CENTRE_MM[rows[0]], CENTRE_MM[rows[-1]]))
    np.testing.assert_allclose(heights[0], heights[1], atol=16.0)  # magnification differs by 8 %


@pytest.mark.parametrize("concept", list(DEVICE_WEIGHTS))
def test_two_sizes_show_the_same_device(concept: str) -> None:
    side: Side | None = "right" if concept in SIDED else None
    small = _bare(3, concept, side, Pose()).tissue_cm
    large = _bare(3, concept, side, Pose(), 2 * SIZE).tissue_cm
    large = large.reshape(SIZE, 2, SIZE, 2).mean((1, 3))
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.93
    assert small.sum() == pytest.approx(large.sum(), rel=0.12)


@pytest.mark.parametrize("concept", list(DEVICE_WEIGHTS))
def test_device_stands_out_on_a_frontal_film_of_224_pixels(concept: str) -> None:
    side: Side | None = "left" if concept in SIDED else None
    for seed in (0, 4):
        case = _case(seed, concept, side)
        shown, bare = draw_chest(case, SIZE), draw_chest(_case(seed), SIZE)
        film = expose(case, shown.tissue_cm, shown.pose.view).astype(float)
        without = expose(case, bare.tissue_cm, bare.pose.view).astype(float)
        region = shown.regions[concept]
        core = region > 0.5 * np.percentile(region[region > 0.3], 90)
        contrast = (film - without)[core] / 4095
        assert core.sum() > 25, (concept, seed)
        assert np.percentile(contrast, 75) > 0.12, (concept, seed)


def test_endotracheal_tube_shows_two_walls_and_is_no_solid_line() -> None:
    size = 1024
    canvas = _bare(0, "endotracheal_tube", None, Pose(), size)
    profile = canvas.tissue_cm[round(size * 0.1)]  # 160 mm above the middle
    inside = np.flatnonzero(profile > 0.3)
    width_mm = (inside[-1] - inside[0]) * FIELD_MM / size
    assert 9.0 < width_mm < 14.0
    middle = profile[(inside[0] + inside[-1]) // 2]
    assert middle < 0.5 * profile.max()


def _along(canvas: Canvas, course: Array) -> Array:
    film, _ = canvas.pose.project(course)
    at = np.round((film + FIELD_MM / 2) * canvas.size / FIELD_MM - 0.5).astype(int)
    return canvas.tissue_cm[at[:, 1], at[:, 0]]


def test_gastric_tube_has_a_side_hole_above_its_tip() -> None:
    course = gastric_course(_body(1), _case(1).rng("gastric_tube"))
    canvas = _bare(1, "gastric_tube", None, Pose(), 1024)
    end = length_mm(course)
    line = _along(canvas, part_of(course, end - 90.0, end - 10.0))
    hole = _along(canvas, part_of(course, end - 61.0, end - 59.0))
    assert hole.max() < 0.5 * np.median(line)


def test_arm_line_is_thinner_than_a_jugular_one() -> None:
    def mass_per_mm(concept: str, course: Array) -> float:
        canvas = _bare(0, concept, "right", Pose(), 1024)
        pixel_mm = FIELD_MM / 1024
        shown = course[(np.abs(course[:, :2]) < 199.0).all(axis=1)]
        return float((canvas.tissue_cm > 1.0).sum()) * pixel_mm**2 / length_mm(shown)

    body, case = _body(0), _case(0)
    picc = mass_per_mm("picc", arm_line_course(body, "right", case.rng("picc")))
    line = jugular_line_course(body, "right", case.rng("central_venous_catheter"))
    assert picc < 0.8 * mass_per_mm("central_venous_catheter", line)


def test_same_case_shows_the_same_device_on_a_later_study() -> None:
    first = _case(2, "pacemaker", "left")
    later = replace(first, study=1)
    films = []
    for case in (first, later):
        canvas = Canvas.blank(SIZE, Pose())
        add_devices(canvas, _body(2), case)
        films.append(canvas.tissue_cm)
    np.testing.assert_array_equal(films[0], films[1])
