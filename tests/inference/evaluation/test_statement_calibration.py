"""ECE and the isotonic curve, by hand and on simulated statements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.calibration import (
    FittedCalibration,
    UnusableCalibration,
    bin_confidences,
    expected_calibration_error,
    fit_calibration,
    fit_isotonic,
    read_calibration,
    write_calibration,
)
from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.statement_confidence import rate_statements
from inference.evaluation.statement_scores import StatementScores
from inference.model_folder import manifest


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


def test_curve_mends_overconfidence_on_statements_it_never_saw() -> None:
    rng = np.random.default_rng(5)

    def draw(count: int) -> tuple[list[float], list[bool]]:
        true = rng.uniform(0.1, 0.95, count)
        said = 0.9 + (true - 0.1) * 0.1  # sure of everything
        return said.tolist(), (rng.random(count) < true).tolist()

    fitted = fit_calibration("a" * 64, [], [], *draw(4000))
    said, rights = draw(4000)
    raw = float(expected_calibration_error(bin_confidences(said, rights)))
    mended = [fitted.apply(confidence) for confidence in said]
    assert raw > 0.3
    assert float(expected_calibration_error(bin_confidences(mended, rights))) < 0.05


def test_too_few_statements_are_refused() -> None:
    with pytest.raises(UnusableCalibration, match="19 statements are too few"):
        fit_calibration("a" * 64, [], [], [0.5] * 19, [True] * 19)


@pytest.fixture
def fitted() -> FittedCalibration:
    rng = np.random.default_rng(0)
    confidences = rng.random(50)
    rights = rng.random(50) < confidences
    studies = ("phantom-1", "phantom-2")
    return fit_calibration(
        "a" * 64, studies, ["one-step/en"], confidences.tolist(), rights.tolist()
    )


def test_calibration_survives_its_file(tmp_path: Path, fitted: FittedCalibration) -> None:
    write_calibration(tmp_path / "calibration.json", fitted)
    assert read_calibration(tmp_path / "calibration.json") == fitted


def test_engine_reads_the_same_curve(tmp_path: Path, fitted: FittedCalibration) -> None:
    write_calibration(tmp_path / manifest.CALIBRATION_NAME, fitted)
    assert manifest.read_calibration(tmp_path) == fitted.curve


def test_calibration_refuses_its_own_studies_and_other_weights(fitted: FittedCalibration) -> None:
    fitted.check("a" * 64, ["phantom-3"])
    with pytest.raises(UnusableCalibration, match="phantom-1"):
        fitted.check("a" * 64, ["phantom-1", "phantom-3"])
    with pytest.raises(UnusableCalibration, match="bbbb"):
        fitted.check("b" * 64, [])


@pytest.mark.parametrize("content", ["", "[]", '{"method": "isotonic"}', '{"method": "guess"}'])
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
