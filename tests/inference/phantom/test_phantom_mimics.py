"""Mimics change the film and no region; they have what tells them from the finding."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from inference.phantom.case import Mimic, PhantomCase, sample_case
from inference.phantom.geometry import FIELD_MM, Canvas
from inference.phantom.projection import draw_chest, render_film

SIZE = 224
CENTRE_MM = (np.arange(SIZE) + 0.5) * (FIELD_MM / SIZE) - FIELD_MM / 2
DRAWN: tuple[Mimic, ...] = ("nipple_shadow", "skin_fold", "ecg_leads")


def _case(seed: int, *mimics: Mimic) -> PhantomCase:
    healthy = sample_case(seed, normal=True, kind="chest")
    patient = replace(healthy.patient, rotation_rad=0.0, shift_u_mm=0.0, shift_v_mm=0.0, scale=1.0)
    return replace(healthy, patient=patient, mimics=mimics)


@cache
def _change(seed: int, mimic: Mimic, size: int = SIZE) -> np.ndarray:
    """What the mimic adds along each ray: [size, size] cm."""
    drawn: Canvas = draw_chest(_case(seed, mimic), size)
    return drawn.tissue_cm - draw_chest(_case(seed), size).tissue_cm


@pytest.mark.parametrize("mimic", DRAWN)
@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_mimic_adds_no_region(mimic: Mimic, view: str) -> None:
    regions = draw_chest(_case(3, mimic), SIZE, view).regions  # type: ignore[arg-type]
    assert regions.keys() == draw_chest(_case(3), SIZE, view).regions.keys()  # type: ignore[arg-type]


@pytest.mark.parametrize("mimic", DRAWN)
@pytest.mark.parametrize("seed", range(3))
def test_mimic_shows_at_224_pixels(mimic: Mimic, seed: int) -> None:
    change = render_film(_case(seed, mimic), SIZE).astype(float)
    change -= render_film(_case(seed), SIZE)
    where = np.abs(_change(seed, mimic)) > 0.5
    assert where.sum() > 20
    assert np.median(change[where]) / 4095 > 0.015


@pytest.mark.parametrize("seed", range(4))
def test_nipples_are_small_symmetric_and_low(seed: int) -> None:
    change = _change(seed, "nipple_shadow") > 0.5
    rows, columns = np.nonzero(change)
    assert CENTRE_MM[rows].min() > 25.0
    left, right = columns[CENTRE_MM[columns] > 0], columns[CENTRE_MM[columns] < 0]
    assert len(left) > 8
    assert len(right) > 8
    assert abs(CENTRE_MM[left].mean() + CENTRE_MM[right].mean()) < 6.0
    for columns_of_one in (left, right):  # far smaller than a nodule's 18 mm and more
        assert np.ptp(CENTRE_MM[columns_of_one]) < 14.0


@pytest.mark.parametrize("seed", range(4))
def test_skin_fold_is_an_edge_that_runs_beyond_the_chest_and_no_line(seed: int) -> None:
    change = _change(seed, "skin_fold")
    rows = np.flatnonzero(change.max(axis=1) > 0.5)
    assert np.ptp(CENTRE_MM[rows]) > 200.0
    assert CENTRE_MM[rows[0]] < -158.0  # above the apex: outside the lung
    for row in rows[len(rows) // 4 : -len(rows) // 4 : 8]:
        profile = change[row]
        peak = int(profile.argmax())
        toward_midline = 1 if CENTRE_MM[peak] < 0 else -1
        beyond = profile[peak - 3 * toward_midline]
        before = profile[peak + 3 * toward_midline]
        assert beyond < 0.15 * profile[peak]  # a step
        assert before > 0.6 * profile[peak]  # and a slow ramp: no pleural line


@pytest.mark.parametrize("seed", range(4))
def test_electrode_wires_leave_the_film_below(seed: int) -> None:
    change = _change(seed, "ecg_leads")
    assert (change[-1] > 0.2).any()
    buttons = change > 3.0
    assert 3 * 8 < buttons.sum() < 5 * 60


@pytest.mark.parametrize("mimic", DRAWN)
def test_mimic_is_the_same_at_both_sizes(mimic: Mimic) -> None:
    large = _change(1, mimic, 2 * SIZE).reshape(SIZE, 2, SIZE, 2).mean((1, 3))
    assert np.corrcoef(_change(1, mimic).ravel(), large.ravel())[0, 1] > 0.9


def test_unknown_mimic_is_refused() -> None:
    with pytest.raises(ValueError, match="no way to draw"):
        draw_chest(_case(0, "cloud"), 64)  # type: ignore[arg-type]
