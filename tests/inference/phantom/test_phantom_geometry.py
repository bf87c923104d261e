"""Solids and tubes: both views agree on where a thing is, and its mass is kept at every size."""

from __future__ import annotations

import numpy as np
import pytest

from inference.phantom.geometry import FIELD_MM, Array, Canvas, Ellipsoid, Pose, View
from inference.phantom.intervals import Interval, covered_length_mm
from inference.phantom.strokes import draw_strokes

SIZE = 256
MARKER = (50.0, -70.0, 30.0)


def _centroid_mm(canvas: Canvas) -> tuple[float, float]:
    drawn = canvas.tissue_cm
    u = float((drawn.sum(0) * canvas.u_mm[0]).sum() / drawn.sum())
    return u, float((drawn.sum(1) * canvas.v_mm[:, 0]).sum() / drawn.sum())


def _volume_mm3(drawn_cm: Array, size: int) -> float:
    return float(drawn_cm.sum()) * 10.0 * (FIELD_MM / size) ** 2


@pytest.mark.parametrize(
    ("view", "place"), [("PA", (50.0, -70.0)), ("AP", (50.0, -70.0)), ("LL", (-30.0, -70.0))]
)
def test_marker_projects_where_its_millimetres_say(view: View, place: tuple[float, float]) -> None:
    canvas = Canvas.blank(SIZE, Pose(view))
    canvas.add_ellipsoid(Ellipsoid(MARKER, (6.0, 6.0, 6.0)), 1.0)
    u, v = _centroid_mm(canvas)
    assert u == pytest.approx(place[0], rel=0.05)  # magnified by under 5 %
    assert v == pytest.approx(place[1], rel=0.05)


@pytest.mark.parametrize("view", ["PA", "LL"])
def test_stroke_lies_where_the_ellipsoid_of_its_place_lies(view: View) -> None:
    pose = Pose(view, rotation_rad=0.1, shift_u_mm=7.0, shift_v_mm=-4.0, scale=1.04)
    ball, stroke = Canvas.blank(SIZE, pose), Canvas.blank(SIZE, pose)
    ball.add_ellipsoid(Ellipsoid(MARKER, (6.0, 6.0, 6.0)), 1.0)
    points = np.array(MARKER) + np.array([[0, -5, 0], [0, 5, 0]])
    stroke.tissue_cm += draw_strokes(stroke, [(points, np.full(2, 3.0))], 1.0)
    assert _centroid_mm(stroke) == pytest.approx(_centroid_mm(ball), abs=0.4)


def test_front_of_a_lateral_film_is_at_the_viewers_left() -> None:
    canvas = Canvas.blank(SIZE, Pose("LL"))
    canvas.add_ellipsoid(Ellipsoid((0.0, 0.0, 80.0), (6.0, 6.0, 6.0)), 1.0)
    assert _centroid_mm(canvas)[0] < -70


def test_ap_enlarges_the_front_and_pa_the_back() -> None:
    width = {}
    for view in ("PA", "AP"):
        for z in (-90.0, 90.0):
            film, _ = Pose(view).project(np.array([[-60.0, 0.0, z], [60.0, 0.0, z]]))
            width[view, z] = film[1, 0] - film[0, 0]
    assert width["AP", 90.0] > width["AP", -90.0]
    assert width["PA", 90.0] < width["PA", -90.0]


@pytest.mark.parametrize("view", ["PA", "LL"])
@pytest.mark.parametrize("size", [112, 224, 448])
@pytest.mark.parametrize("radius", [0.6, 2.0, 7.0])
def test_stroke_keeps_its_volume_at_every_size_and_view(
    view: View, size: int, radius: float
) -> None:
    canvas = Canvas.blank(size, Pose(view))
    points = np.array([[10.0, -40.0, -20.0], [30.0, 10.0, 25.0], [45.0, 60.0, 30.0]])
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    drawn = draw_strokes(canvas, [(points, np.full(3, radius))], 1.0)
    assert _volume_mm3(drawn, size) == pytest.approx(np.pi * radius**2 * length, rel=0.04)


def test_stroke_shows_the_chord_of_its_tube() -> None:
    canvas = Canvas.blank(400, Pose("PA"))  # 1 mm a pixel
    points = np.array([[-60.0, 0.5, 0.0], [60.0, 0.5, 0.0]])
    middle = draw_strokes(canvas, [(points, np.full(2, 8.0))], 1.0)[:, 200]
    assert middle.max() == pytest.approx(1.6, rel=0.03)  # cm: twice the radius
    assert middle[200 + 6] == pytest.approx(0.2 * np.sqrt(64 - 36), rel=0.06)


def test_hollow_stroke_is_brightest_at_its_edges() -> None:
    canvas = Canvas.blank(800, Pose("PA"))
    points = np.array([[-60.0, 0.0, 0.0], [60.0, 0.0, 0.0]])
    across = draw_strokes(canvas, [(points, np.full(2, 6.0))], 1.5, wall_mm=1.0, core_density=0.2)[
        :, 400
    ]
    assert across.argmax() != pytest.approx(400, abs=6)
    assert across.max() > 1.3 * across[400]


def test_stroke_beyond_the_film_is_cut_without_wrapping() -> None:
    canvas = Canvas.blank(128, Pose("PA"))
    points = np.array([[-300.0, 20.0, 0.0], [-190.0, 20.0, 0.0]])
    drawn = draw_strokes(canvas, [(points, np.full(2, 5.0))], 1.0)
    assert drawn[:, :4].sum() > 0
    assert drawn[:, 16:].sum() == 0


def test_union_by_inclusion_and_exclusion_equals_union_by_sorting() -> None:
    rng = np.random.default_rng(5)
    parts = []
    for _ in range(4):
        near = rng.uniform(-50, 40, (20, 20))
        parts.append(Interval(near, near + rng.uniform(-10, 60, (20, 20))))
    included = covered_length_mm(parts, few_overlap=True)
    np.testing.assert_allclose(included, covered_length_mm(parts), atol=1e-3)
