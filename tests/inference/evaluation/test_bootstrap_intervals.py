"""Resampling: right weights, pairing, and intervals that cover what they should."""

from __future__ import annotations

import numpy as np
import pytest

from inference.evaluation.bootstrap import Figure, exact_interval, interval, resample_weights


def _mean_figure(values: np.ndarray, wholes: np.ndarray | None = None) -> Figure:
    columns = np.stack([values, np.ones_like(values) if wholes is None else wholes], axis=1)
    return Figure("mean", "mean", columns, lambda sums: sums[..., 0] / sums[..., 1])


def test_each_resample_draws_as_many_studies_as_there_are() -> None:
    weights = resample_weights(7, 50)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_same_seed_gives_the_same_resamples() -> None:
    assert (resample_weights(9) == resample_weights(9)).all()
    assert (resample_weights(9) != resample_weights(9, seed=1)).any()


def test_figure_on_a_resample_by_hand() -> None:
    figure = _mean_figure(np.array([1.0, 2.0, 6.0]))
    assert figure.value == 3.0
    assert figure.resample(np.array([[1.0, 2, 0], [0, 0, 3]])).tolist() == [5 / 3, 6]


def test_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(11)
    truth, covered = 0.7, 0
    for run in range(300):
        figure = _mean_figure((rng.random(120) < truth).astype(float))
        bounds = interval(figure.resample(resample_weights(120, 400, seed=run)))
        assert bounds is not None
        covered += bounds[0] <= truth <= bounds[1]
    assert 0.90 <= covered / 300 <= 0.98


def test_pairing_cancels_what_studies_share() -> None:
    # Studies differ widely, the second decoding is 0.1 better on each: the paired interval of
    # the difference is a point, the unpaired ones overlap.
    difficulty = np.random.default_rng(2).normal(0, 1, 40)
    weights = resample_weights(40)
    first = _mean_figure(difficulty).resample(weights)
    second = _mean_figure(difficulty + 0.1).resample(weights)
    assert interval(second - first) == pytest.approx((0.1, 0.1))
    low, high = interval(first) or (0, 0)
    assert high - low > 0.4


def test_what_no_study_shows_may_still_happen() -> None:
    # none of 56: the chance of that is 2.5 % where the true share is 6.37 %
    none = exact_interval(_mean_figure(np.zeros(56))) or (1, 0)
    assert none == pytest.approx((0, 0.06375), abs=1e-4)
    assert (1 - none[1]) ** 56 == pytest.approx(0.025)
    assert exact_interval(_mean_figure(np.ones(56))) == pytest.approx((1 - none[1], 1))
    # the two studies that are not asked don't count: one in two of four would be seen
    asked = np.array([1.0, 1, 1, 1, 0, 0])
    few = exact_interval(_mean_figure(np.zeros(6), asked))
    assert few == pytest.approx((0, 1 - 0.025**0.25))


def test_bootstrap_is_kept_where_studies_differ_or_hold_several_events() -> None:
    assert exact_interval(_mean_figure(np.array([0.0, 1, 1]))) is None
    assert exact_interval(_mean_figure(np.zeros(3), np.array([4.0, 2, 9]))) is None
    assert exact_interval(_mean_figure(np.zeros(3), np.zeros(3))) is None


def test_undefined_resamples_are_left_out() -> None:
    assert interval(np.array([np.nan, 1.0, 1.0])) == (1.0, 1.0)
    assert interval(np.array([np.nan])) is None
