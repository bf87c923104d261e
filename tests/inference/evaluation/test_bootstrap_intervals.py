"""Resampling: right weights, pairing, and intervals that cover what they should."""

from __future__ import annotations

import numpy as np
import pytest

from inference.evaluation.bootstrap import Figure, interval, resample_weights


def _mean_figure(values: np.ndarray) -> Figure:
    columns = np.stack([values, np.ones_like(values)], axis=1)
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


def test_undefined_resamples_are_left_out() -> None:
    assert interval(np.array([np.nan, 1.0, 1.0])) == (1.0, 1.0)
    assert interval(np.array([np.nan])) is None
