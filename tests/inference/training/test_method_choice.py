"""Which method wins, which are not told apart from it, and what is said of the one that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.outcomes import OutcomeFile, RunDescription, StudyOutcome
from inference.report_language import Statement, compose_findings, compose_impression
from inference.report_language.statements import LANGUAGES, Language
from inference.training.method_choice import (
    DECODINGS,
    MethodScore,
    describe_choice,
    is_told_apart,
    rank_methods,
    score_method,
)

EFFUSION = Statement("pleural_effusion", "present", "left", None, "small")
HEART = Statement("cardiomegaly", "present", None, None, "mild")


def _score(title: str, strength: float, broken: float, spread: float = 0.02) -> MethodScore:
    """Resampled figures that vary as much as spread, alike in all methods (studies are shared)."""
    noise = np.random.default_rng(0).normal(0, spread, 400)
    return MethodScore(title, strength, broken, strength + noise, broken + noise)


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ((0.80, 0.02), (0.85, 0.09), "b"),  # what is found comes first
        ((0.841, 0.02), (0.85, 0.09), "a"),  # F1 alike: the least broken
        ((0.839, 0.02), (0.85, 0.09), "b"),  # not alike any more
        ((0.841, 0.05), (0.85, 0.05), "b"),
    ],
)
def test_winner_finds_as_much_as_any_and_breaks_least(
    first: tuple[float, float], second: tuple[float, float], winner: str
) -> None:
    assert rank_methods([_score("a", *first), _score("b", *second)])[0].title == winner


def test_methods_are_told_apart_by_what_changes_on_the_same_studies() -> None:
    base = _score("a", 0.80, 0.05)
    assert is_told_apart(base, _score("b", 0.81, 0.05))  # less than the spread, but always so
    other = _score("c", 0.81, 0.05)
    shuffled = np.random.default_rng(1).permutation(other.strength_resampled)
    unpaired = MethodScore("c", 0.81, 0.05, shuffled, other.broken_resampled)
    assert not is_told_apart(base, unpaired)


def test_winner_its_reason_and_what_ships_are_named() -> None:
    good, bad = _score("good", 0.85, 0.034), _score("bad", 0.80, 0.1)
    said = "\n".join(describe_choice([bad, good], 7, "good"))
    assert "**Wins: good (F1 0.850, 0.034 outside the grammar).** 2 of 7 methods" in said
    assert "behind by the rule: bad (F1 0.800" in said
    assert "Ships: good, which wins" in said
    beaten = "\n".join(describe_choice([bad, good], 7, "bad"))
    assert "Ships: bad, told apart from the winner" in beaten
    tied = MethodScore(
        "tied", 0.85, 0.035, good.strength_resampled, good.broken_resampled[::-1]
    )  # fmt: skip
    alike = "\n".join(describe_choice([good, tied], 7, "tied"))
    assert "Not told apart from it: tied" in alike
    assert "Ships: tied, not told apart from the winner" in alike
    assert "Ships: other, not scored yet" in "\n".join(describe_choice([good], 7, "other"))
    assert describe_choice([], 7, "good") == []


def _outcome(study: str, language: Language, decoding: str, said: list[Statement]) -> StudyOutcome:
    truth = [EFFUSION, HEART]
    head = ("Findings: ", " Impression: ") if language == "en" else ("所见：", "结论：")
    text = f"{head[0]}{compose_findings(said, language)}"
    if study == "broken" and decoding == "one-step":
        text += " Left there heart." if language == "en" else "左侧见心。"
    text += f"{head[1]}{compose_impression(said, language)}"
    return StudyOutcome(
        study, language, decoding, True, tuple(truth),  # type: ignore[arg-type]
        compose_findings(truth, language), compose_impression(truth, language), (text,), (0.9,),
    )  # fmt: skip


def test_score_is_the_mean_over_languages_and_decodings(tmp_path: Path) -> None:
    run = RunDescription("tiny", "0", "a" * 64, "cpu", 8, "phantoms")
    for decoding in DECODINGS:
        file = OutcomeFile(tmp_path / f"kl.{decoding}.outcomes.jsonl")
        file.resume(run)
        said = [EFFUSION, HEART] if decoding == "adaptive" else [EFFUSION]
        for language in LANGUAGES:
            file.add(_outcome(study, language, decoding, said) for study in ("whole", "broken"))
    score = score_method(tmp_path, "kl", "plain KL")
    # one-step: of two findings a study, one is found: F1 2/3; adaptive: all
    assert score.strength == pytest.approx((2 / 3 + 1) / 2)
    outcomes = OutcomeFile(tmp_path / "kl.one-step.outcomes.jsonl").read()[1]
    shares = []
    for language in LANGUAGES:
        texts = [o.text for o in outcomes if o.language == language]
        stops = sum(text.count("." if language == "en" else "。") for text in texts)
        shares.append(1 / stops)
    assert score.broken == pytest.approx(sum(shares) / 2)
    assert score.strength_resampled.shape == score.broken_resampled.shape == (1000,)
    assert score.broken_resampled.min() == 0.0  # a resample without the broken study
