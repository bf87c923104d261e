"""The measurement of Stage I counts what it says, and the rules reach their aims."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.evaluation.measure_normalization import (
    NormalizationScore,
    draw_statements,
    main,
    measure_openi,
    measure_prose,
    score_report,
)
from inference.report_language import Statement
from inference.report_language.statements import LANGUAGES, Language


def test_losses_inventions_and_changed_slots_are_counted() -> None:
    case = (
        Statement("pleural_effusion", "present", "bilateral", None, "small"),
        Statement("mass", "present", "left", "upper"),
    )
    faithful = NormalizationScore()
    score_report(faithful, case, "Small bilateral effusions. Left upper lobe mass.", "en")
    assert (faithful.stated, faithful.preserved, faithful.invented) == (3, 3, 0)
    false = NormalizationScore()
    score_report(false, case, "Small left effusion. Right upper lobe mass. Cardiomegaly.", "en")
    assert (false.stated, false.preserved) == (3, 2)  # the right effusion is lost
    assert (false.attribute_errors, false.invented) == (1, 1)  # the mass' side, the heart


def test_a_finding_that_became_a_denial_is_lost_and_invented() -> None:
    score = NormalizationScore()
    score_report(score, (Statement("mass", "present"),), "No mass.", "en")
    assert (score.preserved, score.invented) == (0, 1)


def test_random_statements_are_a_function_of_the_seed() -> None:
    assert draw_statements(5) == draw_statements(5) != draw_statements(6)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rules_reach_their_aims_on_raw_prose(language: Language) -> None:
    score = measure_prose(200, 77_000, language)
    assert score.preserved / score.stated >= 0.99
    assert score.invented / score.made <= 0.002
    assert score.contradictions == 0


def test_command_prints_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "10", "--language", "zh"]) == 0
    printed = capsys.readouterr().out
    assert "statements preserved" in printed
    assert main(["--openi", "no-such-file.tsv"]) == 2


def test_real_reports_are_accepted_by_the_check(shared_data: Path) -> None:
    score = measure_openi(shared_data / "text" / "openi_development.tsv")
    assert score.reports > 3000
    assert score.rejected / score.reports <= 0.01
    assert score.contradictions == 0
