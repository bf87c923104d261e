"""VOI, polarity and padding against tables worked out by hand from PS3.3 C.11."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.dicom.display_attributes import BADGE_PERCENTILE, BADGE_WINDOW, DisplayAttributes
from workstation.dicom.display_pipeline import grey_lut, modality_values, render_grey
from workstation.dicom.film import Film
from workstation.dicom.model_image import model_image
from workstation.dicom.voi import LookupTable, Window, apply_voi, linear_equivalent
from workstation.dicom.window_choices import badges, chest_windows, default_window, window_choices

MakeFilm = Callable[..., Film]

# (window, {modality value: grey}); every grey by hand from the formula, rounded half up
VOI_TABLES = [
    (Window(50, 11), {44: 0, 45: 13, 49: 115, 50: 140, 54: 242, 55: 255}),
    (Window(0, 100), {-51: 0, -50: 0, 49: 255, 50: 255}),
    (Window(2048, 4096), {0: 0, 4095: 255, 4096: 255}),
    (Window(128, 256), {0: 0, 1: 1, 127: 127, 128: 128, 254: 254, 255: 255}),
    (Window(10, 1), {9: 0, 10: 255, 11: 255}),
    (Window(50, 8, "LINEAR_EXACT"), {46: 0, 47: 32, 50: 128, 53: 223, 54: 255, 60: 255}),
    (Window(50, 4, "SIGMOID"), {49: 69, 50: 128, 51: 186, 52: 225, 1000: 255, -1000: 0}),
    (LookupTable(10, np.array([0, 64, 128, 255]), 8), {-5: 0, 10: 0, 11: 64, 13: 255, 99: 255}),
    (LookupTable(-2, np.array([0, 341, 682, 1023]), 10), {-3: 0, -1: 85, 0: 170, 1: 255}),
]


@pytest.mark.parametrize(("voi", "table"), VOI_TABLES, ids=lambda case: str(case)[:40])
def test_voi_matches_the_hand_computed_table(
    make_film: MakeFilm, voi: Window | LookupTable, table: dict[int, int]
) -> None:
    film = make_film([list(table)])
    assert render_grey(film, voi)[0].tolist() == list(table.values())


def test_monochrome1_is_inverted_exactly_once(make_film: MakeFilm) -> None:
    stored = [[0, 100, 255]]
    bright_high = render_grey(make_film(stored), Window(128, 256))
    bright_low = render_grey(make_film(stored, is_monochrome1=True), Window(128, 256))
    assert bright_high.tolist() == [[0, 100, 255]]
    assert bright_low.tolist() == [[255, 155, 0]]


def test_rescale_comes_before_the_window_and_a_negative_slope_reverses(
    make_film: MakeFilm,
) -> None:
    film = make_film([[0, 100, 255]], rescale_slope=-1.0, rescale_intercept=255.0)
    assert modality_values(film).tolist() == [[255.0, 155.0, 0.0]]
    assert render_grey(film, Window(128, 256)).tolist() == [[255, 155, 0]]


def test_modality_lut_is_used_and_its_ends_hold(make_film: MakeFilm) -> None:
    lut = LookupTable(-1, np.array([7, 8, 90], np.uint16), 16)
    film = make_film([[-5, -1, 0, 1, 9]], modality_lut=lut)
    assert modality_values(film).tolist() == [[7.0, 7.0, 8.0, 90.0, 90.0]]


def test_missing_window_falls_back_to_percentiles_with_a_badge(make_film: MakeFilm) -> None:
    film = make_film(np.arange(1000).reshape(10, 100))
    window = default_window(film)
    assert isinstance(window, Window)
    low, high = film.robust_range
    assert (low, high) == (5.0, 994.0)
    assert grey_lut(film, window).table[[5, 994]].tolist() == [0, 255]
    assert badges(film) == (BADGE_PERCENTILE,)


def test_window_outside_the_image_is_not_used(make_film: MakeFilm) -> None:
    stored = np.arange(1000).reshape(10, 100)
    film = make_film(stored, windows=(Window(40000, 100), Window(-900, 100)))
    assert default_window(film).explanation == BADGE_PERCENTILE
    assert badges(film) == (BADGE_WINDOW, BADGE_PERCENTILE)
    second = make_film(stored, windows=(Window(40000, 100), Window(500, 100)))
    assert default_window(second) == Window(500, 100)
    assert badges(second) == ()


def test_voi_lut_is_the_default_only_where_no_window_is(make_film: MakeFilm) -> None:
    lut = LookupTable(0, np.arange(256, dtype=np.uint16), 8, "HARDER")
    stored = np.arange(256).reshape(16, 16)
    alone = make_film(stored, voi_luts=(lut,))
    both = make_film(stored, voi_luts=(lut,), windows=(Window(128, 256),))
    assert default_window(alone) is lut
    assert default_window(both) == Window(128, 256)
    assert badges(alone) == ()
    assert [name for name, _ in window_choices(both)] == [
        "Window 1",
        "HARDER",
        "Percentile",
        "Full range",
    ]
    assert linear_equivalent(lut) == Window(128, 256, "LINEAR", "HARDER")


def test_radiographs_have_windows_for_what_is_dark_and_what_is_bright(
    make_film: MakeFilm,
) -> None:
    """Of values 0 to 1000, the ends by hand: lung 0 to 600, mediastinum 400 to 1000."""
    stored = np.arange(1001).reshape(7, 143)
    film = make_film(stored)
    assert chest_windows(film) == ()  # no radiograph: its values may mean something
    radiograph = replace(film, header=replace(film.header, modality="DX"))
    low, high = radiograph.robust_range
    lung, bone = (window for _, window in window_choices(radiograph)[-3:-1])
    assert [lung.explanation, bone.explanation] == ["Lung", "Mediastinum, bone"]
    end, start = low + 0.6 * (high - low), low + 0.4 * (high - low)
    grey = render_grey(radiograph, lung)
    assert (grey[stored <= low] == 0).all()
    assert (grey[stored >= end] == 255).all()
    assert (grey[(stored > low + 5) & (stored < end - 5)] % 255 > 0).all()
    grey = render_grey(radiograph, bone)
    assert (grey[stored <= start] == 0).all()
    assert (grey[stored >= high] == 255).all()


def test_lung_window_of_monochrome1_is_at_its_high_values(make_film: MakeFilm) -> None:
    stored = np.arange(1001).reshape(7, 143)
    plain, inverse = make_film(stored), make_film(1000 - stored, is_monochrome1=True)
    for number in (0, 1):
        greys = []
        for film in (plain, inverse):
            radiograph = replace(film, header=replace(film.header, modality="CR"))
            greys.append(render_grey(radiograph, chest_windows(radiograph)[number]).astype(int))
        assert np.abs(greys[0] - greys[1]).max() <= 1


def test_same_explanations_stay_tellable(make_film: MakeFilm) -> None:
    windows = (Window(1, 2, explanation="NORMAL"), Window(3, 4, explanation="NORMAL"))
    names = [name for name, _ in window_choices(make_film([[0, 9]], windows=windows))]
    assert names[:2] == ["NORMAL", "NORMAL (2)"]


def test_padding_is_black_and_out_of_the_auto_window(make_film: MakeFilm) -> None:
    stored = np.full((20, 50), 4000)
    stored[:, :25] = np.arange(500).reshape(20, 25)
    film = make_film(stored, padding_range=(4000, 4095), is_monochrome1=True)
    assert film.robust_range[1] <= 499
    assert render_grey(film)[0, -1] == 0
    assert render_grey(film, inverted=True)[0, -1] == 255
    mask = model_image(film).padding_mask
    assert mask is not None
    assert mask.sum() == 500


def test_model_image_ignores_every_window(make_film: MakeFilm) -> None:
    stored = np.arange(64).reshape(8, 8)
    plain = model_image(make_film(stored, is_monochrome1=True))
    windowed = model_image(make_film(stored, is_monochrome1=True, windows=(Window(3, 2),)))
    assert plain.is_monochrome1
    assert plain.padding_mask is None
    assert plain.pixels.dtype == np.float32
    assert np.array_equal(plain.pixels, windowed.pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint32])
def test_lut_maps_every_stored_type_like_plain_indexing(
    make_film: MakeFilm, dtype: type[np.generic]
) -> None:
    limits = np.iinfo(dtype)  # type: ignore[type-var]
    least, greatest = max(limits.min, -40000), min(limits.max, 70000)
    stored = np.linspace(least, greatest, 64).astype(dtype).reshape(8, 8)
    film = make_film(stored)
    lut = grey_lut(film)
    expected = lut.table[stored.astype(np.int64) - lut.minimum]
    assert np.array_equal(lut.map(stored), expected)
    assert np.array_equal(lut.map(stored[::3, ::2]), expected[::3, ::2])


def test_flat_image_and_tiny_slopes_are_drawn(make_film: MakeFilm) -> None:
    assert render_grey(make_film(np.zeros((4, 4), np.uint8))).shape == (4, 4)
    film = make_film(np.arange(100).reshape(10, 10), rescale_slope=1e-4)
    shown = render_grey(film)
    assert (shown.min(), shown.max()) == (0, 255)


def test_window_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        apply_voi(np.zeros(1), Window(float("nan"), 10))


windows = st.builds(
    Window,
    st.floats(-5000, 5000),
    st.floats(0.001, 10000),
    st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)


@given(windows, st.booleans(), st.floats(0.01, 10), st.floats(-2000, 2000))
def test_grey_never_falls_with_rising_modality_value(
    window: Window, is_monochrome1: bool, slope: float, intercept: float
) -> None:
    display = DisplayAttributes(
        is_monochrome1=is_monochrome1, rescale_slope=slope, rescale_intercept=intercept
    )
    table = grey_lut(_ramp_film(display), window).table.astype(int)
    assert (np.diff(table) <= 0).all() if is_monochrome1 else (np.diff(table) >= 0).all()


@given(windows, st.booleans())
def test_inverting_is_exactly_the_complement(window: Window, is_monochrome1: bool) -> None:
    film = _ramp_film(DisplayAttributes(is_monochrome1=is_monochrome1, padding_range=(5, 9)))
    upright, inverted = grey_lut(film, window), grey_lut(film, window, inverted=True)
    assert (upright.table.astype(int) + inverted.table == 255).all()
    assert np.array_equal(render_grey(film, window), upright.map(film.stored))


@given(windows)
def test_monochrome1_is_the_complement_of_monochrome2(window: Window) -> None:
    first = grey_lut(_ramp_film(DisplayAttributes(is_monochrome1=True)), window).table
    second = grey_lut(_ramp_film(DisplayAttributes()), window).table
    assert np.array_equal(first, 255 - second)


def _ramp_film(display: DisplayAttributes) -> Film:
    stored = np.arange(-1024, 3072, dtype=np.int16).reshape(64, 64)
    return Film(None, None, stored, display, "")  # type: ignore[arg-type]
