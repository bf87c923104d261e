from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workstation.conftest import HEADER
from workstation.dicom.display_attributes import DisplayAttributes
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.voi import Window
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.view_linking import fit_together, follow_geometry, follow_window

STORED = np.linspace(0, 4095, 60 * 40).astype(np.uint16).reshape(60, 40)


@pytest.fixture
def open_picture(write_film: Callable[..., Path]) -> Callable[..., FilmPicture]:
    """open_picture(stored, view size, **elements)."""
    numbers = itertools.count()

    def make(
        stored: np.ndarray = STORED, size: tuple[int, int] = (400, 300), **elements: object
    ) -> FilmPicture:
        film = read_film(write_film(f"{next(numbers)}.dcm", stored, **elements))
        return FilmPicture(film, *size)

    return make


def spaced(spacing: float) -> dict[str, object]:
    return {"ImagerPixelSpacing": [str(spacing), str(spacing)]}


def test_followers_have_the_same_millimetres_a_pixel_and_the_same_place(open_picture) -> None:
    source = open_picture(**spaced(0.2))
    target = open_picture(STORED[:, :30], (200, 500), **spaced(0.1))
    source.geometry = source.geometry.zoomed_at(1.2, 190, 140)
    followed = follow_geometry(source, target)
    assert followed.zoom * 0.2 == pytest.approx(source.geometry.zoom * 0.1)
    for axis, (size, other) in enumerate(((40, 30), (60, 60))):
        from_middle_mm = (source.geometry.centre[axis] - size / 2) * 0.2
        assert (followed.centre[axis] - other / 2) * 0.1 == pytest.approx(from_middle_mm)
    assert not followed.is_fitted


def test_without_millimetres_a_share_of_the_film_counts(open_picture) -> None:
    source, target = open_picture(), open_picture(np.repeat(STORED, 2, axis=0).repeat(2, axis=1))
    source.geometry = source.geometry.zoomed_at(2.0, 200, 150)
    followed = follow_geometry(source, target)
    assert followed.zoom / target.geometry.fitted().zoom == pytest.approx(2.0)
    assert followed.centre == pytest.approx(tuple(2 * v for v in source.geometry.centre))


def test_a_lateral_film_follows_in_height_only(open_picture) -> None:
    source = open_picture(**spaced(0.2))
    lateral = open_picture(ViewPosition="LL", **spaced(0.2))
    source.geometry = source.geometry.zoomed_at(4.0, 20, 30)
    followed = follow_geometry(source, lateral)
    assert followed.centre[0] == lateral.geometry.centre[0]
    assert followed.centre[1] == pytest.approx(source.geometry.centre[1])


def test_films_fitted_together_are_whole_and_at_one_scale(open_picture) -> None:
    small = open_picture(STORED[:30], **spaced(0.2))
    large = open_picture(**spaced(0.2))
    plain = open_picture(STORED[:20])
    one, two, three = fit_together([small, large, plain])
    assert one.zoom == two.zoom == large.geometry.fitted().zoom
    assert three == plain.geometry.fitted()
    assert one.is_fitted
    assert fit_together([]) == []


def test_window_steps_are_taken_over_not_values(open_picture) -> None:
    source = open_picture(WindowCenter="2000", WindowWidth="1000")
    target = open_picture(WindowCenter="500", WindowWidth="400")
    assert follow_window(source, target) == target.opening_window
    source.window = Window(2500, 2000)
    assert follow_window(source, target) == Window(700, 800)
    mirrored = open_picture(
        WindowCenter="500", WindowWidth="400", PhotometricInterpretation="MONOCHROME1"
    )
    assert follow_window(source, mirrored) == Window(300, 800)


def test_a_choice_of_the_header_is_followed_by_name(open_picture) -> None:
    named = {"WindowCenterWidthExplanation": ["NORMAL", "HARDER"]}
    source = open_picture(WindowCenter=["2000", "1"], WindowWidth=["1000", "2"], **named)
    target = open_picture(WindowCenter=["500", "90"], WindowWidth=["400", "50"], **named)
    source.window = source.choices[1][1]
    assert follow_window(source, target) == Window(90, 50, explanation="HARDER")


@given(zoom=st.floats(0.2, 2), x=st.floats(0, 400), y=st.floats(0, 300), ratio=st.floats(0.5, 2))
def test_following_back_is_where_one_came_from(
    zoom: float, x: float, y: float, ratio: float
) -> None:
    """What blinking does: there and back changes nothing while the middle is on both films."""
    one, other = picture_of(STORED, 0.2), picture_of(STORED, 0.2 * ratio)
    one.geometry = one.geometry.zoomed_at(zoom, x, y)
    other.geometry = follow_geometry(one, other)
    back = follow_geometry(other, one)
    assert back.zoom == pytest.approx(one.geometry.zoom)
    if all(0 < v < s for v, s in zip(other.geometry.centre, (40, 60), strict=True)):
        assert back.centre == pytest.approx(one.geometry.centre, abs=1e-6)


def picture_of(stored: np.ndarray, spacing: float) -> FilmPicture:
    display = DisplayAttributes(pixel_spacing_mm=(spacing, spacing), spacing_kind="calibrated")
    return FilmPicture(Film(HEADER, Path("plain.dcm"), stored, display, ""), 400, 300)
