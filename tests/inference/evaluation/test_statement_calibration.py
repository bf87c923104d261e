"""ECE, temperature and isotonic maps, by hand and on simulated statements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.calibration import (
    Calibration,
    UnusableCalibration,
    bin_confidences,
    expected_calibration_error,
    fit_confidence_map,
    fit_isotonic,
    fit_temperature,
    read_calibration,
    write_calibration,
)
from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.statement_confidence import StatementConfidence, rate_statements
from inference.evaluation.statement_scores import StatementScores


def _statements(confidences: np.ndarray, rights: np.ndarray) -> list[StatementConfidence]:
    return [
        StatementConfidence("present", float(c), float(c), bool(r))
        for c, r in zip(confidences, rights, strict=True)
    ]


def test_ece_by_hand() -> None:
    # bins of 1/15: 0.95 and 0.97 fall in the last (mean 0.96, half right), 0.50 in the eighth.
    table = bin_confidences([0.95, 0.97, 0.5], [True, False, True])
    assert table[14].tolist() == pytest.approx([2, 1.92, 1])
    assert table[7].tolist() == pytest.approx([1, 0.5, 1])
    expected = 2 / 3 * abs(0.5 - 0.96) + 1 / 3 * abs(1 - 0.5)
    assert float(expected_calibration_error(table)) == pytest.approx(expected)


def test_certainty_falls_in_the_last_bin() -> None:
    assert bin_confidences([1.0, 0.0], [True, False])[[0, 14], 0].tolist() == [1, 1]


def test_ece_of_no_statements_is_undefined() -> None:
    assert np.isnan(expected_calibration_error(bin_confidences([], [])))


def test_isotonic_pools_adjacent_violators_by_hand() -> None:
    # right shares in order: 0, 1, 0, 1, 1: the middle 1, 0 are pooled to 1/2 at 0.35.
    values = np.array([0.1, 0.3, 0.4, 0.6, 0.9])
    points = fit_isotonic(values, np.array([0, 1, 0, 1, 1.0]))
    assert [y for _, y in points] == [0, 0.5, 1]
    assert [x for x, _ in points] == pytest.approx([0.1, 0.35, 0.75])


def test_isotonic_pools_equal_confidences() -> None:
    assert fit_isotonic(np.array([0.5, 0.5, 0.5, 0.5]), np.array([1, 0, 0, 0.0])) == ((0.5, 0.25),)


def test_temperature_is_found_where_the_truth_is_scaled() -> None:
    # Statements of logit z are right with probability sigmoid(z / 2): the temperature is 2.
    rng = np.random.default_rng(3)
    logits = rng.uniform(-1, 5, 40_000)
    rights = rng.random(logits.size) < 1 / (1 + np.exp(-logits / 2))
    fitted = fit_temperature(1 / (1 + np.exp(-logits)), rights.astype(float))
    assert fitted == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_map_mends_overconfidence_on_statements_it_never_saw(method: str) -> None:
    rng = np.random.default_rng(5)

    def draw(count: int) -> list[StatementConfidence]:
        if method == "temperature":  # logits three times too large
            true = rng.uniform(0.5, 0.95, count)
            said = 1 / (1 + ((1 - true) / true) ** 3)
        else:  # sure, and mostly wrong: no temperature turns 0.9 into 0.1
            true = rng.uniform(0.1, 0.6, count)
            said = 0.9 + (true - 0.1) * 0.2
        return _statements(said, rng.random(count) < true)

    fitted = fit_confidence_map(draw(4000))
    assert fitted is not None
    assert (fitted.temperature is not None) is (method == "temperature")
    fresh = draw(4000)
    rights = [s.is_right for s in fresh]
    raw = expected_calibration_error(bin_confidences([s.mean for s in fresh], rights))
    mended = fitted.apply(np.array([s.mean for s in fresh]))
    ece = expected_calibration_error(bin_confidences(mended.tolist(), rights))
    assert float(raw) > 0.08
    assert float(ece) < 0.03


def test_too_few_statements_give_no_map() -> None:
    assert fit_confidence_map(_statements(np.full(19, 0.5), np.ones(19))) is None


def test_statement_without_a_map_keeps_its_mean() -> None:
    statement = StatementConfidence("uncertain", 0.7, 0.2, True)
    assert Calibration("sha", (), {}).calibrate("one-step", "en", [statement]) == [0.7]


def test_calibration_survives_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    fitted = fit_confidence_map(_statements(rng.random(50), rng.random(50) < 0.5))
    assert fitted is not None
    written = Calibration("sha", ("phantom-1", "phantom-2"), {"one-step/en/present": fitted})
    write_calibration(tmp_path / "calibration.json", written)
    assert read_calibration(tmp_path / "calibration.json") == written


def test_calibration_refuses_its_own_studies_and_other_weights() -> None:
    calibration = Calibration("a" * 64, ("phantom-1",), {})
    calibration.check("a" * 64, ["phantom-2"])
    with pytest.raises(UnusableCalibration, match="phantom-1"):
        calibration.check("a" * 64, ["phantom-1", "phantom-2"])
    with pytest.raises(UnusableCalibration, match="bbbb"):
        calibration.check("b" * 64, [])


@pytest.mark.parametrize("content", ["", "[]", '{"calibration_format": 1}', '{"maps": 3}'])
def test_what_is_no_calibration_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(UnusableCalibration, match=r"broken\.json"):
        read_calibration(path)


def test_confidence_of_a_statement_is_of_its_sentence(
    make_outcome: Callable[..., StudyOutcome],
) -> None:
    # tokens: Findings: | No | pleural | effusion. | Right | upper | nodule.
    outcome = make_outcome(
        "Findings: No pleural effusion. Right upper nodule.",
        confidences=(0.1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4),
    )
    rated = rate_statements(outcome, StatementScores(outcome))
    assert [(r.status, r.is_right) for r in rated] == [("absent", False), ("present", True)]
    assert [r.mean for r in rated] == pytest.approx([0.8, 0.5])
    assert [r.minimum for r in rated] == [0.7, 0.4]
