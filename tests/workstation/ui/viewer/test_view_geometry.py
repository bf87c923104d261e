from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.ui.viewer.film_sampler import FilmSampler, orient
from workstation.ui.viewer.view_geometry import (
    FIT_MARGIN,
    Orientation,
    SideLetters,
    ViewGeometry,
    side_letters,
)

# A busy machine is no mistake of the code: no deadline.
quick = settings(deadline=None, max_examples=40)

TURNS = {
    "rotate right": lambda seen: seen.rotated(1),
    "rotate left": lambda seen: seen.rotated(-1),
    "flip horizontally": Orientation.flipped_horizontally,
    "flip vertically": Orientation.flipped_vertically,
}
AS_SEEN = {
    "rotate right": lambda picture: np.rot90(picture, k=-1),
    "rotate left": lambda picture: np.rot90(picture, k=1),
    "flip horizontally": np.fliplr,
    "flip vertically": np.flipud,
}
orientations = st.builds(Orientation, st.integers(0, 3), st.booleans())


@quick
@given(st.lists(st.sampled_from(sorted(TURNS)), max_size=6))
def test_turns_act_on_what_is_seen(names: list[str]) -> None:
    seen = np.arange(6).reshape(2, 3)
    stored, orientation = seen, Orientation()
    for name in names:
        seen = AS_SEEN[name](seen)
        orientation = TURNS[name](orientation)
    assert np.array_equal(orient(stored, orientation), seen)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], SideLetters("R", "L", "H", "F")),
        (["flip horizontally"], SideLetters("L", "R", "H", "F")),
        (["flip vertically"], SideLetters("R", "L", "F", "H")),
        (["rotate right"], SideLetters("F", "H", "R", "L")),
        (["rotate left"], SideLetters("H", "F", "L", "R")),
        (["rotate right", "flip horizontally"], SideLetters("H", "F", "R", "L")),
        (["rotate right", "rotate right"], SideLetters("L", "R", "F", "H")),
    ],
)
def test_side_letters_follow_flips_and_turns(names: list[str], expected: SideLetters) -> None:
    orientation = Orientation()
    for name in names:
        orientation = TURNS[name](orientation)
    assert side_letters(("L", "F"), orientation) == expected


@pytest.mark.parametrize("stated", [(), ("L",), ("L", "F", "H"), ("", "")])
def test_no_letter_is_guessed(stated: tuple[str, ...]) -> None:
    assert side_letters(stated, Orientation()) == SideLetters()


def test_oblique_and_partly_known_directions() -> None:
    assert side_letters(("P", "FA"), Orientation()) == SideLetters("A", "P", "HP", "FA")
    assert side_letters(("?", "F"), Orientation()) == SideLetters("", "", "H", "F")


@quick
@given(orientations, st.floats(-50, 250), st.floats(-50, 250), st.floats(0.5, 2.0))
def test_view_and_image_coordinates_are_inverse(
    orientation: Orientation, x: float, y: float, aspect: float
) -> None:
    geometry = ViewGeometry(30, 20, aspect).resized(200, 150).reoriented(orientation)
    there = geometry.image_to_view(*geometry.view_to_image(x, y))
    assert there == pytest.approx((x, y), abs=1e-6)


@quick
@given(orientations)
def test_a_fitted_film_is_whole_and_centred(orientation: Orientation) -> None:
    geometry = ViewGeometry(300, 200).resized(700, 500).reoriented(orientation)
    placement = geometry.placement()
    assert placement is not None
    x, y, width, height = placement.target
    assert placement.source == pytest.approx((0, 0, 300, 200), abs=1.0)
    assert x + width / 2 == pytest.approx(350, abs=1)
    assert y + height / 2 == pytest.approx(250, abs=1)
    assert width == 700 - 2 * FIT_MARGIN or height == 500 - 2 * FIT_MARGIN


@quick
@given(orientations, st.floats(0.2, 5), st.floats(0, 400), st.floats(0, 300))
def test_zoom_keeps_the_point_under_the_pointer(
    orientation: Orientation, factor: float, x: float, y: float
) -> None:
    before = ViewGeometry(4000, 3000).resized(400, 300).reoriented(orientation)
    before = before.zoomed_at(20, 200, 150)
    after = before.zoomed_at(factor, x, y)
    assert after.view_to_image(x, y) == pytest.approx(before.view_to_image(x, y), abs=1e-6)


def test_the_middle_of_the_view_never_leaves_the_film() -> None:
    geometry = ViewGeometry(100, 100).resized(400, 300).panned(1e6, -1e6)
    assert geometry.centre == (0.0, 100.0)
    assert geometry.placement() is not None


def test_a_fitted_film_follows_the_view_a_zoomed_one_does_not() -> None:
    fitted = ViewGeometry(100, 100).resized(200, 200)
    assert fitted.resized(400, 400).zoom > fitted.zoom
    zoomed = fitted.zoomed_at(2, 100, 100)
    assert zoomed.resized(400, 400).zoom == zoomed.zoom


def test_tall_pixels_make_a_tall_picture() -> None:
    geometry = ViewGeometry(100, 100, pixel_aspect_ratio=2.0).resized(1000, 412)
    placement = geometry.placement()
    assert placement is not None
    assert placement.target[2:] == (200, 400)


def test_magnified_pixels_are_the_stored_ones() -> None:
    stored = np.arange(12, dtype=np.uint16).reshape(3, 4) * 100
    sampled = FilmSampler(stored).sample((0, 0, 4, 3), 12, 9, Orientation())
    assert np.array_equal(sampled, np.kron(stored, np.ones((3, 3), dtype=np.uint16)))


def test_one_to_one_is_exact_and_turned_parts_match() -> None:
    stored = np.arange(600, dtype=np.int16).reshape(20, 30) - 300
    sampler = FilmSampler(stored)
    assert np.array_equal(sampler.sample((0, 0, 30, 20), 30, 20, Orientation()), stored)
    turned = sampler.sample((5, 2, 15, 8), 6, 10, Orientation(1))
    assert np.array_equal(turned, np.rot90(stored[2:8, 5:15], k=-1))


def test_shrunk_films_are_averaged_not_skipped() -> None:
    stored = np.zeros((1200, 1600), dtype=np.uint16)
    stored[::2, ::2] = 4000
    sampled = FilmSampler(stored).sample((0, 0, 1600, 1200), 200, 150, Orientation())
    assert sampled.dtype == np.uint16
    assert np.all(np.abs(sampled.astype(int) - 1000) < 60)


@quick
@given(st.integers(1, 90), st.integers(1, 90))
def test_a_flat_film_stays_flat_at_any_size(width: int, height: int) -> None:
    stored = np.full((91, 91), -32768, dtype=np.int16)
    sampled = FilmSampler(stored).sample((0, 0, 91, 91), width, height, Orientation())
    assert sampled.shape == (height, width)
    assert np.all(sampled == -32768)
