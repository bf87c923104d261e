"""Report metrics against counts made by hand."""

from __future__ import annotations

import pytest

from inference.evaluation.metrics import F1Counts, ReportScores
from inference.phantom import sample_case
from inference.report_language.statements import Statement
from inference.report_language.template import compose_findings, compose_impression

EFFUSION = Statement("pleural_effusion", "present", "left", None, "small")
NODULE = Statement("nodule", "present", "right", "upper")
TRUTH = (EFFUSION, NODULE)
REFERENCE = compose_findings(TRUTH)


def _score(findings: str, impression: str = "") -> ReportScores:
    scores = ReportScores()
    scores.add(findings, impression, TRUTH, REFERENCE)
    return scores


def test_f1_by_hand() -> None:
    counts = F1Counts()
    counts.add({"a", "b", "c"}, {"b", "c", "d", "e"})
    assert (counts.hits, counts.false_alarms, counts.misses) == (2, 1, 2)
    assert counts.f1 == pytest.approx(2 * 2 / (2 * 2 + 1 + 2))
    assert F1Counts().f1 == 1.0  # nothing to find, nothing said
    assert F1Counts(misses=1).f1 == 0.0


def test_perfect_report_scores_one() -> None:
    scores = _score(REFERENCE, compose_impression(TRUTH))
    assert scores.positives.f1 == scores.positives_with_side.f1 == scores.statements.f1 == 1.0
    assert scores.broken_share == 0.0
    assert scores.exact_reports == 1


def test_wrong_side_hits_the_concept_only() -> None:
    said = (Statement("pleural_effusion", "present", "right", None, "small"), NODULE)
    scores = _score(compose_findings(said))
    assert scores.positives.f1 == 1.0
    side = scores.positives_with_side
    assert (side.hits, side.false_alarms, side.misses) == (1, 1, 1)
    assert scores.side_accuracy == 0.5
    assert scores.exact_reports == 0


def test_miss_and_false_alarm_by_hand() -> None:
    mass = Statement("mass", "present", "left", "lower")
    scores = _score(compose_findings((EFFUSION, mass)))  # the nodule is missed, a mass invented
    positives = scores.positives
    assert (positives.hits, positives.false_alarms, positives.misses) == (1, 1, 1)
    assert positives.f1 == 0.5
    assert scores.per_concept["pleural_effusion"].f1 == 1.0
    assert scores.per_concept["nodule"].misses == 1
    assert scores.per_concept["mass"].false_alarms == 1
    assert scores.macro_f1 == pytest.approx(1 / 3)


def test_denial_of_a_present_finding_is_a_miss_and_a_wrong_statement() -> None:
    scores = _score("No pleural effusion. Nodule in the right upper zone.")
    assert (scores.positives.hits, scores.positives.misses) == (1, 1)
    assert scores.positives.false_alarms == 0
    assert scores.statements.false_alarms == 1  # effusion absent
    assert scores.statements.hits == 1


def test_broken_sentence_is_counted_in_findings_and_impression() -> None:
    scores = _score(
        "The thorax is symmetric. A there large pleural is effusion left.", "Iac silhouette."
    )
    assert scores.sentences == 3
    assert set(scores.broken) == {
        "A there large pleural is effusion left.",
        "Iac silhouette.",
    }
    assert scores.broken_share == pytest.approx(2 / 3)


def test_empty_report_misses_everything() -> None:
    scores = _score("")
    assert (scores.positives.hits, scores.positives.misses) == (0, 2)
    assert scores.positives.f1 == scores.statements.f1 == scores.macro_f1 == 0.0
    assert scores.sentences == 0
    assert scores.reports == 1


def test_counts_add_up_over_reports_as_micro_not_mean() -> None:
    scores = _score(REFERENCE)
    scores.add("", "", (EFFUSION,), compose_findings((EFFUSION,)))
    assert (scores.positives.hits, scores.positives.misses) == (2, 1)
    summary = scores.summary()
    assert summary["micro_f1"] == 0.8
    assert summary["reports"] == 2
    assert summary["exact_findings"] == 0.5


def test_truth_of_sampled_cases_scores_perfectly() -> None:
    scores = ReportScores()
    for seed in range(40):
        truth = sample_case(seed).statements
        findings = compose_findings(truth)
        scores.add(findings, compose_impression(truth), truth, findings)
    assert scores.positives_with_side.f1 == scores.statements.f1 == scores.macro_f1 == 1.0
    assert not scores.broken
