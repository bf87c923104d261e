"""Films: deterministic, the same body at every size, exposed alike, lung dark and bone bright."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.phantom import render_film, render_lateral, render_study, sample_case
from inference.phantom.case import NOT_FRONTAL_CHEST, Kind, PhantomCase
from inference.phantom.exposure import expose
from inference.phantom.geometry import Array
from inference.phantom.projection import Projection, render_film_and_regions, render_thickness

SIZE = 224
_FULL_SCALE = 4095
CENTRE_MM = (np.arange(SIZE) + 0.5) * (400 / SIZE) - 200


def _healthy(seed: int = 4) -> PhantomCase:
    return replace(sample_case(seed, normal=True, kind="chest"), mimics=())


def _box(film: Array, u: tuple[float, float], v: tuple[float, float]) -> Array:
    columns, rows = (u[0] < CENTRE_MM) & (u[1] > CENTRE_MM), (v[0] < CENTRE_MM) & (v[1] > CENTRE_MM)
    return film[np.ix_(rows, columns)] / _FULL_SCALE


def test_same_seed_gives_the_same_film_to_the_bit_and_another_seed_another() -> None:
    first, second = (render_film(_healthy(9), 112) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (render_film(_healthy(10), 112) != first).mean() > 0.5


@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_film_is_twelve_bit_and_uses_its_range(view: Projection) -> None:
    film, _ = render_film_and_regions(_healthy(), SIZE, view)
    assert film.dtype == np.uint16
    assert film.shape == (SIZE, SIZE)
    assert film.max() <= _FULL_SCALE
    assert film.max() > 0.85 * _FULL_SCALE
    assert film.min() < 0.1 * _FULL_SCALE
    assert (film == _FULL_SCALE).mean() < 0.01


@pytest.mark.parametrize("view", ["frontal", "lateral"])
@pytest.mark.parametrize("seed", [3, 8])
def test_two_sizes_show_the_same_body(seed: int, view: Projection) -> None:
    case = sample_case(seed, normal=False, kind="chest")
    small = render_thickness(case, 224, view)
    large = render_thickness(case, 448, view).reshape(224, 2, 224, 2).mean((1, 3))
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.999
    assert np.abs(small - large).mean() < 0.12  # cm


@pytest.mark.parametrize("seed", range(4))
def test_lung_is_darker_than_heart_and_heart_no_brighter_than_abdomen(seed: int) -> None:
    film = render_film(_healthy(seed), SIZE)
    lung = min(float(_box(film, (s - 15, s + 15), (-70, -20)).mean()) for s in (-85, 85))
    heart = float(_box(film, (0, 30), (20, 60)).mean())
    abdomen = float(_box(film, (-80, -30), (140, 180)).mean())
    assert lung < 0.45
    assert heart > lung + 0.25
    assert abdomen > lung + 0.3


@pytest.mark.parametrize("view", ["AP", "PA"])
def test_processing_makes_up_for_the_exposure(view: str) -> None:
    base = _healthy()
    films = []
    for exposure in (0.75, 1.3):
        patient = replace(base.patient, view=view, exposure=exposure)  # type: ignore[arg-type]
        films.append(render_film(replace(base, patient=patient), SIZE) / _FULL_SCALE)
    assert np.abs(films[0] - films[1]).mean() < 0.01


def test_less_exposure_gives_more_noise() -> None:
    base = _healthy()
    water = np.full((SIZE, SIZE), 18.0, dtype=np.float32)
    water[:20] = 4.0  # so that the processing has something to scale by
    spread = []
    for exposure in (0.4, 3.0):
        patient = replace(base.patient, exposure=exposure)
        film = expose(replace(base, patient=patient), water, "PA")
        spread.append(float(film[120:].std()))
    assert spread[0] > 1.8 * spread[1]


def test_noise_of_a_large_film_is_blurred_as_the_image_and_no_less_at_training_size() -> None:
    case = _healthy()
    size = 5 * SIZE
    water = np.full((size, size), 18.0, dtype=np.float32)
    water[:100] = 4.0
    noise = expose(case, water, "PA")[600:].astype(float)
    noise -= noise.mean(axis=1, keepdims=True)
    beside = float((noise[:, 1:] * noise[:, :-1]).mean() / noise.var())
    assert 0.15 < beside < 0.6  # white noise has none
    small = expose(case, water[::5, ::5], "PA")[120:].astype(float)
    reduced = noise.reshape(-1, 5, SIZE, 5).mean((1, 3))
    assert reduced.std() == pytest.approx(small.std(), rel=0.15)


def test_thicker_tissue_is_never_darker() -> None:
    steps = np.repeat(np.linspace(2, 30, 28), 8).astype(np.float32)
    film = expose(_healthy(), np.tile(steps, (SIZE, 1)), "PA").astype(float)
    columns = film.mean(0).reshape(28, 8).mean(1)
    assert (np.diff(columns) > -0.02 * _FULL_SCALE).all()
    assert columns[-1] > columns[0] + 0.6 * _FULL_SCALE


def test_lateral_film_has_the_spine_at_the_right_and_the_front_at_the_left() -> None:
    film = render_lateral(_healthy(), SIZE) / _FULL_SCALE
    body = film > 0.15
    rows = slice(int(SIZE * 0.45), int(SIZE * 0.62))
    columns = np.flatnonzero(body[rows].mean(0) > 0.5)
    middle = (columns[0] + columns[-1]) // 2

    # vertebrae alternate with discs along the back; the front has no such steps
    def steps(part: Array) -> float:
        return float(np.abs(np.diff(part, axis=0)).mean())

    assert steps(film[rows, middle : columns[-1] - 12]) > steps(
        film[rows, columns[0] + 12 : middle]
    )


def test_study_has_a_lateral_film_only_where_the_case_says_so() -> None:
    case = _healthy()
    assert set(render_study(replace(case, has_lateral=True), 112)) == {"frontal", "lateral"}
    assert set(render_study(replace(case, has_lateral=False), 112)) == {"frontal"}


def test_lateral_kind_shows_the_lateral_film() -> None:
    case = _healthy()
    np.testing.assert_array_equal(
        render_film(replace(case, kind="lateral"), 112), render_lateral(case, 112)
    )


@pytest.mark.parametrize("kind", NOT_FRONTAL_CHEST)
def test_first_film_of_a_case_to_be_refused_is_no_frontal_chest(kind: Kind) -> None:
    case = replace(sample_case(6, normal=False, kind="chest"), kind=kind)
    film, regions = render_film_and_regions(case, 112)
    np.testing.assert_array_equal(film, render_film(case, 112))
    chest = render_film(replace(case, kind="chest"), 112)
    assert np.abs(film.astype(float) - chest).mean() > 0.05 * _FULL_SCALE
    assert bool(regions) == (kind == "lateral")  # the lateral film shows the chest's findings


def test_healthy_film_marks_no_region() -> None:
    assert render_film_and_regions(_healthy(), 112)[1] == {}
