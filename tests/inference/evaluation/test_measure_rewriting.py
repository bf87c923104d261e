"""The measurement of rewriting counts what it says, and the rules reach their aims."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from inference.evaluation.measure_rewriting import (
    main,
    measure_status_f1,
    measure_toggles,
    read_real_reports,
    write_reports,
)
from inference.report_language import Language, Statement, Status, rewrite_statement
from inference.report_language.statements import LANGUAGES

REWRITE = "inference.evaluation.measure_rewriting.rewrite_statement"


def test_a_side_effect_and_a_change_elsewhere_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(text: str, statement: Statement, status: Status, language: Language) -> str:
        return rewrite_statement(text, statement, status, language) + " Small mass."

    assert measure_toggles(["No effusion."], 1, 0, "en").side_effects == 0
    monkeypatch.setattr(REWRITE, spoil)
    assert measure_toggles(["No effusion."], 1, 0, "en").side_effects == 1
    monkeypatch.setattr(REWRITE, lambda text, *_: text.replace("Stable", "stable"))
    assert measure_toggles(["Stable. No effusion."], 1, 0, "en").elsewhere == 1


def test_refusals_are_counted_by_code_and_leave_the_text() -> None:
    score = measure_toggles(["Opacity may reflect atelectasis."], 10, 0, "en")
    assert score.refused == {"entangled": 10}
    assert (score.toggles, score.side_effects) == (10, 0)


def test_reports_are_a_function_of_the_seed() -> None:
    first, again, other = (
        list(islice(write_reports(seed, "en", free_text=True), 3)) for seed in (5, 5, 8)
    )
    assert first == again != other


@pytest.mark.parametrize("language", LANGUAGES)
def test_statuses_of_canonical_sentences_are_read(language: Language) -> None:
    sentences, f1 = measure_status_f1(language)
    assert sentences > 1000
    assert f1 >= 0.97


@pytest.mark.parametrize("free_text", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_toggles_have_no_side_effect(language: Language, free_text: bool) -> None:
    score = measure_toggles(write_reports(61, language, free_text=free_text), 300, 61, language)
    assert score.toggles == 300
    assert (score.side_effects, score.elsewhere) == (0, 0)
    assert score.refused.total() <= (3 if free_text else 0)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_ten_thousand_toggles_of_free_text_have_no_side_effect(language: Language) -> None:
    score = measure_toggles(write_reports(62, language, free_text=True), 10_000, 62, language)
    assert score.toggles == 10_000
    assert (score.side_effects, score.elsewhere) == (0, 0)
    assert score.refused.total() <= 100


def test_real_reports_are_rewritten_or_left_alone(shared_data: Path) -> None:
    reports = read_real_reports(shared_data / "text" / "openi_development.tsv")
    score = measure_toggles(reports[:40], 400, 0, "en")
    assert score.toggles > 350
    assert (score.side_effects, score.elsewhere) == (0, 0)


def test_command_prints_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--toggles", "20"]) == 0
    assert "status F1" in capsys.readouterr().out
    assert main(["--openi", "no-such-file.tsv"]) == 2
