"""The healthy body obeys the patient's numbers, and has its left and front where they belong."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from inference.phantom.anatomy import open_lungs
from inference.phantom.body import Body, build_body
from inference.phantom.case import PhantomCase, sample_case
from inference.phantom.geometry import Array, Canvas, Pose
from inference.phantom.projection import (
    Projection,
    pose_of,
    render_lateral,
    render_thickness,
)

SIZE = 224
_BASE = sample_case(4, normal=True, kind="chest")
# Upright and centred, so that millimetres on the film are millimetres of the body.
PATIENT = replace(
    _BASE.patient, view="PA", arms_up=True, rotation_rad=0.0, shift_u_mm=0.0, shift_v_mm=0.0,
    scale=1.0, spine_bow_mm=0.0, flattening=0.05, dome_right_y_mm=88.0, dome_left_y_mm=98.0,
    breast_mm=0.0, cardiothoracic_ratio=0.45,
)  # fmt: skip
CENTRE_MM = Canvas.blank(SIZE, Pose()).u_mm[0]


def _case(**anatomy: object) -> PhantomCase:
    patient = replace(PATIENT, **anatomy)  # type: ignore[arg-type]
    return replace(_BASE, patient=patient, statements=(), mimics=(), kind="chest")


def _body(**anatomy: object) -> Body:
    case = _case(**anatomy)
    return build_body(case.patient, case.rng("body"))


@cache
def _thickness(view: Projection = "frontal", **anatomy: float) -> Array:
    return render_thickness(_case(**anatomy), SIZE, view)


def _box_mean(image: Array, u: tuple[float, float], v: tuple[float, float]) -> float:
    columns, rows = (u[0] < CENTRE_MM) & (u[1] > CENTRE_MM), (v[0] < CENTRE_MM) & (v[1] > CENTRE_MM)
    return float(image[np.ix_(rows, columns)].mean())


@pytest.mark.parametrize("ratio", [0.40, 0.46, 0.56, 0.67])
def test_heart_on_the_film_measures_the_cardiothoracic_ratio(ratio: float) -> None:
    taken = sum(
        _lung_cm(side, cardiothoracic_ratio=0.30) - _lung_cm(side, cardiothoracic_ratio=ratio)
        for side in ("left", "right")
    )
    rows = (CENTRE_MM > 0) & (CENTRE_MM < 78)
    seen = np.flatnonzero((np.asarray(taken)[rows] > 0.35).any(axis=0))
    heart_mm = CENTRE_MM[seen[-1]] - CENTRE_MM[seen[0]]
    canvas = Canvas.blank(SIZE, Pose())
    body = _body(cardiothoracic_ratio=ratio)
    chest = np.flatnonzero((canvas.stack_interval(body.cage).length_mm > 0).any(axis=0))
    chest_mm = CENTRE_MM[chest[-1]] - CENTRE_MM[chest[0]]
    assert heart_mm / chest_mm == pytest.approx(ratio, abs=0.02)


@pytest.mark.parametrize("ratio", [0.42, 0.67])
def test_most_of_the_heart_lies_on_the_left(ratio: float) -> None:
    heart = _body(cardiothoracic_ratio=ratio).heart_outline
    left = (heart.centre_x_mm + heart.half_x_mm).max()
    right = (heart.half_x_mm - heart.centre_x_mm).max()
    assert 1.5 < left / right < 2.4


@pytest.mark.parametrize(("side", "top"), [("right", 60.0), ("right", 92.0), ("left", 75.0)])
def test_dome_stands_at_the_patients_height(side: str, top: float) -> None:
    field = f"dome_{side}_y_mm"
    raised, low = (_lung_cm(side, **{field: height}) for height in (top, top + 40.0))
    dome = _body(**{field: top}).domes[side]
    x = dome.centre_x_mm * 1.65  # lateral of the heart
    column = int(np.argmin(np.abs(CENTRE_MM - x)))
    first = CENTRE_MM[np.flatnonzero((low - raised)[:, column] > 0.8)[0]]
    assert top <= first <= top + 28.0
    assert first == pytest.approx(float(dome.height_at(x, dome.centre_z_mm)), abs=4.0)


def _lung_cm(side: str, **anatomy: float) -> Array:
    return open_lungs(Canvas.blank(SIZE, Pose()), _body(**anatomy)).length_cm[side]


def test_landmarks_keep_their_order_from_above_to_below() -> None:
    body = _body()
    heights = [
        float(body.clavicles["left"][0, 1]), float(body.carina[1]), float(body.hila["left"][1]),
        float(body.hila["right"][1]), body.domes["right"].top_y_mm, body.domes["left"].top_y_mm,
    ]  # fmt: skip
    assert heights == sorted(heights)


def test_left_and_right_landmarks_lie_on_their_sides() -> None:
    body = _body()
    for landmarks in (body.hila, body.clavicles, body.scapulae):
        assert (np.atleast_2d(landmarks["left"])[:, 0] > 0).all()
        assert (np.atleast_2d(landmarks["right"])[:, 0] < 0).all()
    assert body.aorta[-1, 1] > body.aorta[0, 1]
    assert body.aorta[len(body.aorta) // 2 :, 0].mean() > 5  # descends left of the spine
    assert (body.svc[:, 0] < 0).all()


def test_ribs_run_from_the_spine_forward_and_down() -> None:
    body = _body()
    for number in range(1, 11):
        rib = body.ribs["left", number]
        assert rib[-1, 2] > rib[0, 2] + 40
        assert rib[-1, 1] > rib[0, 1] + 30
        np.testing.assert_allclose(rib * [-1, 1, 1], body.ribs["right", number], atol=1e-6)


def test_the_vessel_tree_stays_the_same_when_the_heart_grows() -> None:
    small, large = (_body(cardiothoracic_ratio=ratio).vessels for ratio in (0.42, 0.66))
    of_large = {points[0].tobytes() for points, _, _ in large}
    kept = sum(points[0].tobytes() in of_large for points, _, _ in small)
    assert len(large) < len(small)
    assert kept > 0.6 * len(small)


def test_vessels_stay_in_their_lung_and_taper_outward() -> None:
    body = _body()
    for side in ("left", "right"):
        mine = [(points, radii) for points, radii, of in body.vessels if of == side]
        assert len(mine) > 100
        ends = np.array([points[-1] for points, _ in mine[len(mine) // 4 :]])
        assert body.contains_lung(ends, side).mean() > 0.97
        distance = np.array([np.linalg.norm(p[-1] - body.hila[side]) for p, _ in mine])
        calibre = np.array([radii[-1] for _, radii in mine])
        assert calibre[distance < 45].mean() > 2 * calibre[distance > 90].mean()


@pytest.mark.parametrize("view", ["PA", "LL"])
def test_lungs_hold_liters_of_air_in_both_views(view: str) -> None:
    canvas = Canvas.blank(SIZE, Pose(view))  # type: ignore[arg-type]
    lungs = open_lungs(canvas, _body())
    liters = {
        side: float(cm.sum()) * (400 / SIZE / 10) ** 2 / 1000
        for side, cm in lungs.length_cm.items()
    }
    assert 1.5 < liters["left"] < liters["right"] < 4.0  # the heart takes from the left


def test_both_views_agree_on_the_volume_of_the_lungs() -> None:
    volumes = []
    for view in ("PA", "LL"):
        lungs = open_lungs(Canvas.blank(SIZE, Pose(view)), _body())
        volumes.append(sum(float(cm.sum()) for cm in lungs.length_cm.values()))
    assert volumes[0] == pytest.approx(volumes[1], rel=0.05)


def test_gastric_air_and_aortic_knob_are_at_the_viewers_right() -> None:
    film = _thickness()
    left = film[np.ix_((CENTRE_MM > 105) & (CENTRE_MM < 128), (CENTRE_MM > 20) & (CENTRE_MM < 80))]
    right = film[
        np.ix_((CENTRE_MM > 105) & (CENTRE_MM < 128), (CENTRE_MM < -20) & (CENTRE_MM > -80))
    ]
    assert left.min() < right.min() - 1.5
    assert _box_mean(film, (28, 38), (-88, -72)) > _box_mean(film, (-48, -38), (-88, -72)) + 0.8


@pytest.mark.parametrize("sign", [-1, 1])
def test_rotation_moves_the_clavicle_heads_against_the_spine(sign: int) -> None:
    body = _body()
    pose = Pose(rotation_rad=sign * 0.17)
    heads, _ = pose.project(np.stack([body.clavicles[s][0] for s in ("left", "right")]))
    x, z = (float(v) for v in body.spine(-106.0))
    spine, _ = pose.project(np.array([[x, -106.0, z]]))
    offset = heads[:, 0].mean() - spine[0, 0]
    assert sign * offset > 5


def test_lateral_film_has_clear_spaces_before_and_behind_the_heart() -> None:
    film, body = _thickness("lateral"), _body()
    heart = body.heart[1].centre
    over_heart = _box_mean(film, (-heart[2] - 10, -heart[2] + 10), (heart[1] - 10, heart[1] + 10))
    front = float(body.wall_z(-55.0)[1])
    before = _box_mean(film, (-front + 8, -front + 20), (-62, -48))
    assert over_heart > before + 2.0


@pytest.mark.parametrize("seed", [4, 100, 107, 113, 119, 125])
def test_spine_of_a_lateral_film_darkens_downward(seed: int) -> None:
    """The "spine sign" is its absence: below the shoulders each ray meets more and more lung."""
    case = sample_case(seed, normal=True, kind="chest")
    upper, lower = _spine_brightness(case, (-55.0, -35.0)), _spine_brightness(case, (45.0, 65.0))
    assert lower < upper - 0.005  # of full scale


def _spine_brightness(case: PhantomCase, heights_mm: tuple[float, float]) -> float:
    """Mean of the lateral film, full scale 1, along the vertebral bodies between two heights."""
    film = render_lateral(case, SIZE) / 4095.0
    body, pose = build_body(case.patient, case.rng("body")), pose_of(case, "lateral")
    y = np.linspace(*heights_mm, 8)
    x, z = body.spine(y)
    on_film, _ = pose.project(np.stack([x, y, z], axis=-1))
    boxes = [_box_mean(film, (u - 10, u + 10), (v - 4, v + 4)) for u, v in on_film]
    return float(np.mean(boxes))


def test_arms_at_the_side_bring_the_scapulae_over_the_lungs() -> None:
    width = PATIENT.half_width_mm
    up, down = _body(arms_up=True), _body(arms_up=False)
    assert down.scapulae["left"][0, 0] < 0.7 * width < up.scapulae["left"][0, 0]
