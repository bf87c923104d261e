"""Films to be refused: varied, deterministic, and unlike a frontal chest with its two lungs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from inference.phantom.case import Kind, sample_case
from inference.phantom.other_films import render_other
from inference.phantom.projection import render_film

SIZE = 160
DRAWN: tuple[Kind, ...] = ("hand", "knee", "abdomen", "blank", "inverted")


@cache
def _film(seed: int, kind: Kind, size: int = SIZE) -> np.ndarray:
    return render_film(sample_case(seed, kind=kind, normal=True), size).astype(float) / 4095


def _two_lungs(film: np.ndarray) -> bool:
    """A bright middle between two darker fields, dark by lung and not by open air beside a limb."""
    size = len(film)

    def box(x0: float, x1: float, y0: float, y1: float) -> float:
        rows, columns = slice(int(y0 * size), int(y1 * size)), slice(int(x0 * size), int(x1 * size))
        return float(np.median(film[rows, columns]))

    right, left = box(0.22, 0.36, 0.28, 0.52), box(0.64, 0.78, 0.28, 0.52)
    middle, below = box(0.47, 0.55, 0.4, 0.6), box(0.35, 0.65, 0.86, 0.98)
    is_dark = max(left, right) + 0.2 < min(middle, below) and abs(left - right) < 0.2
    return is_dark and min(left, right) > float(np.percentile(film, 1)) + 0.04


@pytest.mark.parametrize("seed", range(8))
def test_a_chest_has_two_lungs(seed: int) -> None:
    assert _two_lungs(_film(seed, "chest"))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", DRAWN)
def test_other_films_have_no_two_lungs(kind: Kind, seed: int) -> None:
    assert not _two_lungs(_film(seed, kind))


@pytest.mark.parametrize("kind", DRAWN)
def test_film_is_12_bit_and_the_same_each_time(kind: Kind) -> None:
    case = sample_case(5, kind=kind)
    first, again = render_other(case, SIZE), render_other(case, SIZE)
    assert first.dtype == np.uint16
    assert first.shape == (SIZE, SIZE)
    assert first.max() <= 4095
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("kind", ["hand", "knee", "abdomen"])
def test_two_sizes_show_the_same_film(kind: Kind) -> None:
    large = _film(3, kind, 2 * SIZE).reshape(SIZE, 2, SIZE, 2).mean((1, 3))
    assert np.corrcoef(_film(3, kind).ravel(), large.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("kind", ["hand", "knee", "abdomen", "blank"])
def test_films_of_a_kind_differ(kind: Kind) -> None:
    films = [_film(seed, kind) for seed in range(4)]
    for index, film in enumerate(films):
        for other in films[:index]:
            assert np.abs(film - other).mean() > 0.02


@pytest.mark.parametrize("seed", range(4))
def test_inverted_film_is_the_negative_of_the_chest(seed: int) -> None:
    np.testing.assert_allclose(_film(seed, "inverted"), 1.0 - _film(seed, "chest"), atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_hand_shows_bone_in_soft_tissue_on_a_dark_plate(seed: int) -> None:
    film = _film(seed, "hand")
    assert (film < 0.1).mean() > 0.4  # open field
    assert 0.03 < (film > 0.5).mean() < 0.35  # bone
    dark = film < 0.12
    gaps = np.abs(np.diff(dark.astype(int), axis=1)).sum(axis=1)
    assert gaps.max() >= 6  # at least two gaps between fingers, somewhere


@pytest.mark.parametrize("seed", range(6))
def test_blank_plate_has_no_structure_but_its_shutter(seed: int) -> None:
    film = _film(seed, "blank")
    inner = film[SIZE * 3 // 8 : SIZE * 5 // 8, SIZE * 3 // 8 : SIZE * 5 // 8]
    smooth = inner.reshape(8, 5, 8, 5).mean((1, 3))
    assert np.ptp(smooth) < 0.12


@pytest.mark.parametrize("kind", ["chest", "lateral"])
def test_kinds_drawn_elsewhere_are_refused(kind: Kind) -> None:
    with pytest.raises(ValueError, match="not one of the other films"):
        render_other(sample_case(1, kind=kind, normal=True), 64)
