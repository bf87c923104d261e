"""Statements of a draft against the truth, counted by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.statement_scores import MatchCounts, StatementScores, present_sides
from inference.phantom import sample_case
from inference.report_language import Statement, compose_findings

MakeOutcome = Callable[..., StudyOutcome]
MakeReport = Callable[..., str]


def _statement(concept: str, side: str | None = None, status: str = "present") -> Statement:
    return Statement(concept, status, side)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (["left"], "left"),
        (["left", "right"], "bilateral"),
        (["bilateral"], "bilateral"),
        ([None, "right"], "right"),
        ([None], None),
    ],
)
def test_a_concept_has_one_side(sides: list[str | None], expected: str | None) -> None:
    assert present_sides(_statement("nodule", side) for side in sides) == {"nodule": expected}


def test_matches_by_hand() -> None:
    assert MatchCounts.of({"a", "b", "c"}, {"b", "c", "d", "e"}) == MatchCounts(2, 1, 2)


def test_true_report_has_no_error(
    make_outcome: MakeOutcome,
    make_report: MakeReport,
    true_statements: tuple[Statement, Statement],
) -> None:
    scores = StatementScores(make_outcome(make_report(*true_statements)))
    assert scores.positives == scores.positives_with_side == MatchCounts(2, 0, 0)
    # 8 denials beside the 2 findings: 9 are denied unless affirmed, effusion is
    assert scores.statements == MatchCounts(10, 0, 0)
    assert scores.sides_asked == scores.sides_right
    assert not scores.concepts_not_stated
    assert all(scores.agrees(statement) for statement in scores.said)


def test_wrong_side_hits_the_concept_only(
    make_outcome: MakeOutcome,
    make_report: MakeReport,
    true_statements: tuple[Statement, Statement],
) -> None:
    effusion, nodule = true_statements
    said = Statement("pleural_effusion", "present", "right", None, effusion.severity)
    scores = StatementScores(make_outcome(make_report(said, nodule)))
    assert scores.positives == MatchCounts(2, 0, 0)
    assert scores.positives_with_side == MatchCounts(1, 1, 1)
    assert (len(scores.sides_asked), scores.sides_right) == (2, ("nodule",))
    wrong = [s.concept for s in scores.said if not scores.agrees(s)]
    assert wrong == ["pleural_effusion"]


def test_side_accuracy_is_asked_only_where_truth_has_a_side(
    make_outcome: MakeOutcome, make_report: MakeReport
) -> None:
    truth = (_statement("cardiomegaly"), _statement("fracture", "left"))
    scores = StatementScores(make_outcome(make_report(*truth), truth))
    assert scores.sides_asked == ("fracture",)


def test_miss_and_false_alarm_by_hand(
    make_outcome: MakeOutcome,
    make_report: MakeReport,
    true_statements: tuple[Statement, Statement],
) -> None:
    mass = Statement("mass", "present", "left", "lower")  # invented; the nodule is missed
    scores = StatementScores(make_outcome(make_report(true_statements[0], mass)))
    assert scores.positives == MatchCounts(1, 1, 1)
    assert scores.concept("pleural_effusion") == MatchCounts(1, 0, 0)
    assert scores.concept("nodule") == MatchCounts(0, 0, 1)
    assert scores.concept("mass") == MatchCounts(0, 1, 0)
    assert scores.concept("fracture") == MatchCounts(0, 0, 0)
    assert scores.concepts_not_stated == {"nodule"}


def test_denial_of_a_finding_is_a_miss_and_a_wrong_statement(make_outcome: MakeOutcome) -> None:
    draft = "Findings: No pleural effusion. Nodule in the right upper zone."
    scores = StatementScores(make_outcome(draft))
    assert scores.positives == MatchCounts(1, 0, 1)
    assert scores.statement("pleural_effusion", "absent") == MatchCounts(0, 1, 0)
    assert scores.statement("pleural_effusion", "present") == MatchCounts(0, 0, 1)
    assert scores.statements == MatchCounts(1, 1, 9)
    assert [scores.agrees(s) for s in scores.said] == [False, True]


def test_empty_draft_misses_everything(make_outcome: MakeOutcome) -> None:
    scores = StatementScores(make_outcome(""))
    assert scores.positives == MatchCounts(0, 0, 2)
    assert scores.statements == MatchCounts(0, 0, 10)
    assert len(scores.concepts_not_stated) == 10


def test_text_reference_leaves_open_what_it_does_not_mention(make_outcome: MakeOutcome) -> None:
    reference = ("There is a moderate right pleural effusion. No pneumothorax.", "")
    draft = "Findings: Moderate right pleural effusion. Left pneumothorax. No scoliosis."
    scores = StatementScores(make_outcome(draft, None, reference=reference))
    assert scores.positives == MatchCounts(1, 1, 0)
    verdicts = {s.concept: scores.agrees(s) for s in scores.said}
    assert verdicts == {"pleural_effusion": True, "pneumothorax": False, "scoliosis": None}


def test_reference_of_an_impression_only_is_used(make_outcome: MakeOutcome) -> None:
    scores = StatementScores(
        make_outcome("Findings: Scoliosis.", None, reference=("", "Scoliosis."))
    )
    assert scores.positives == MatchCounts(1, 0, 0)


def test_chinese_draft_is_read_as_chinese(
    make_outcome: MakeOutcome, true_statements: tuple[Statement, Statement]
) -> None:
    findings = compose_findings(true_statements, "zh")
    outcome = make_outcome(f"所见：{findings}", language="zh", reference=(findings, ""))
    assert StatementScores(outcome).positives_with_side == MatchCounts(2, 0, 0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_canonical_reports_of_sampled_cases_score_perfectly(
    make_outcome: MakeOutcome, language: str
) -> None:
    heading = {"en": "Findings: ", "zh": "所见："}[language]
    for seed in range(30):
        truth = sample_case(seed).statements
        findings = compose_findings(truth, language)  # type: ignore[arg-type]
        outcome = make_outcome(
            heading + findings, truth, language=language, reference=(findings, "")
        )
        scores = StatementScores(outcome)
        for counts in (scores.positives, scores.positives_with_side, scores.statements):
            assert (counts.false_alarms, counts.misses) == (0, 0), truth
