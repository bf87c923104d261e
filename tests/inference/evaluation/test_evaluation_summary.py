"""From outcomes to tables, with counts made by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inference.evaluation.bootstrap import resample_weights
from inference.evaluation.calibration import fit_calibration
from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.statement_confidence import StatementConfidence
from inference.evaluation.summary import (
    Result,
    compare,
    difference_to_json,
    result_to_json,
    summarise,
)
from inference.report_language import NOT_A_FRONTAL_CHEST, Statement
from inference.report_language.template import compose_refusal

MakeOutcome = Callable[..., StudyOutcome]
MakeReport = Callable[..., str]


@pytest.fixture
def outcomes(
    make_outcome: MakeOutcome,
    make_report: MakeReport,
    true_statements: tuple[Statement, Statement],
) -> list[StudyOutcome]:
    """Four chests (right; empty; refused; broken and looping) and two films that are none."""
    effusion, _ = true_statements
    good = make_report(*true_statements)
    refusal = compose_refusal("en")
    loop = "right left pleural effusion " * 5
    other: dict[str, Any] = {"truth": (), "reference": ("", ""), "is_chest": False}
    return [
        make_outcome(good, study="1", passes=6, blocks=5, extra_passes=1),
        make_outcome("", (effusion,), study="2", failure="2: no film"),
        make_outcome(refusal, study="3", passes=2, refusal=NOT_A_FRONTAL_CHEST["en"]),
        make_outcome(
            f"Findings: Nodule in the right upper zone. {loop}", study="4", stop_reason="length"
        ),
        make_outcome("", study="5", refusal="the film is blank", **other),
        make_outcome(good, study="6", **other),
    ]


@pytest.fixture
def result(outcomes: list[StudyOutcome]) -> Result:
    (result,) = summarise(outcomes)
    return result


def test_figures_by_hand(result: Result) -> None:
    values = {name: estimate.value for name, estimate in result.estimates.items()}
    # present: hits 2 (study 1) + 2 (study 4: nodule, effusion); misses 1 (empty) + 2 (refused)
    assert values["micro_f1"] == pytest.approx(2 * 4 / (2 * 4 + 3))
    # effusion: 2 hits, 2 misses; nodule: 2 hits, 1 miss
    assert values["macro_f1"] == pytest.approx((4 / 6 + 4 / 5) / 2)
    # sides asked of the 4 hits; only the looping effusion isn't "left" alone
    assert values["side_accuracy"] == pytest.approx(3 / 4)
    assert values["failures"] == pytest.approx(1 / 6)
    assert values["not_stopped"] == pytest.approx(1 / 6)
    assert values["repetition_loops"] == pytest.approx(1 / 6)
    assert values["false_refusals"] == pytest.approx(1 / 4)
    assert values["refusals"] == values["refused_or_flagged"] == 0.5
    assert values["exact_findings"] == pytest.approx(1 / 4)
    assert values["contradictions"] == 0.0
    assert values["extra_passes"] == pytest.approx(1 / 4)  # four drafts took a pass
    assert values["passes_per_block"] == pytest.approx((6 + 2 + 3 + 3) / (5 + 2 + 2 + 2))
    tokens = sum(len(s.outcome.token_texts) for s in result.studies)
    assert values["tokens_per_pass"] == pytest.approx(tokens / (6 + 2 + 3 + 3))
    sentences = [len(s.wording.sentences) for s in result.studies]
    assert sentences[1] == sentences[2] == 0
    assert values["sentences_outside_grammar"] == pytest.approx(1 / (sentences[0] + sentences[3]))


def test_not_stated_by_hand(result: Result) -> None:
    stated = [len(s.statements.concepts_stated) for s in result.studies[:4]]
    assert stated == [10, 9, 10, 10]
    missing = 9 + 10 + 8  # the empty one, the refused one, all but two of the broken one
    assert result.estimates["not_stated"].value == pytest.approx(missing / sum(stated))


def test_empty_drafts_count_in_likeness_as_zero(result: Result) -> None:
    rouge = [s.wording.rouge_l for s in result.studies[:4]]
    assert rouge[1] == 0.0
    assert result.estimates["rouge_l"].value == pytest.approx(sum(rouge) / 4)


def test_films_that_are_no_chest_take_no_part_in_what_reports_say(
    outcomes: list[StudyOutcome], result: Result
) -> None:
    (chests_only,) = summarise(outcomes[:4])
    for name in ("micro_f1", "macro_f1", "statement_f1", "rouge_l", "cider_d", "bleu", "ece_mean"):
        assert result.estimates[name].value == chests_only.estimates[name].value, name
    assert chests_only.estimates["refusals"].value is None


def test_contradicting_draft_is_counted(make_outcome: MakeOutcome) -> None:
    draft = "Findings: Small left pleural effusion. No pleural effusion. Impression: Scoliosis."
    (result,) = summarise([make_outcome(draft)])
    assert result.estimates["contradictions"].value == 1.0
    assert result.estimates["inconsistencies"].value == 1.0
    untidy = "Findings: Small left pleural effusion. Impression: Scoliosis."
    (result,) = summarise([make_outcome(untidy)])
    assert result.estimates["contradictions"].value == 0.0
    assert result.estimates["inconsistencies"].value == 1.0


def test_concepts_by_hand(result: Result) -> None:
    rows = {row.concept: row for row in result.concepts}
    nodule = rows["nodule"]
    assert (nodule.true, nodule.said) == (3, 2)
    assert nodule.precision == 1.0
    assert nodule.recall == pytest.approx(2 / 3)
    assert nodule.f1.value == pytest.approx(0.8)


def test_statement_f1_of_a_concept_counts_every_polarity(
    make_outcome: MakeOutcome, make_report: MakeReport, true_statements: tuple[Statement, Statement]
) -> None:
    effusion, nodule = true_statements
    (result,) = summarise(
        [
            make_outcome(make_report(effusion, nodule), study="1"),  # both right
            make_outcome(make_report(nodule), study="2"),  # the effusion denied
            make_outcome(make_report(), (), study="3"),  # rightly denied
        ]
    )
    # effusion: two right, one wrong that is both a false alarm (denied) and a miss (present)
    assert result.statement_f1_of["pleural_effusion"].value == pytest.approx(2 * 2 / (2 * 2 + 2))
    assert result.statement_f1_of["pneumothorax"].value == 1.0  # denied in all three
    values = result_to_json(result)["per_concept_statement_f1"]
    assert values["pneumothorax"] == {"f1": 1.0, "interval": [1.0, 1.0]}


def test_difference_is_paired_over_common_studies(outcomes: list[StudyOutcome]) -> None:
    others = [replace(o, decoding="multi-step") for o in outcomes[:3]]
    results = summarise([*outcomes, *others])
    (difference,) = compare(results)
    assert (difference.first, difference.second) == ("one-step/en", "multi-step/en")
    assert difference.studies == 3
    # on those three both said the same: every difference is 0, in every resample
    for name, estimate in difference.estimates.items():
        if estimate.value is not None and name not in ("cider_d", "macro_f1"):
            assert estimate.value == pytest.approx(0.0), name
            assert estimate.interval == pytest.approx((0.0, 0.0)), name


def test_intervals_are_those_of_studies_drawn_again_one_by_one(
    make_outcome: MakeOutcome, make_report: MakeReport
) -> None:
    """Two decodings of 14 studies; micro-F1 from sets, over every resample's list of studies."""
    names = ("pleural_effusion", "cardiomegaly", "pulmonary_edema", "free_air", "scoliosis")
    sides = {"pleural_effusion": "left", "free_air": "right"}
    known = {n: Statement(n, "present", sides.get(n)) for n in names}  # type: ignore[arg-type]
    rng = np.random.default_rng(3)
    truth, *said = (rng.random((3, 14, len(names))) < 0.5).astype(bool)

    def take(row: np.ndarray) -> list[Statement]:
        return [known[name] for name, is_in in zip(names, row, strict=True) if is_in]

    outcomes = [
        make_outcome(make_report(*take(row)), take(true), study=str(n), decoding=decoding)
        for decoding, rows in zip(("one-step", "multi-step"), said, strict=True)
        for n, (row, true) in enumerate(zip(rows, truth, strict=True))
    ]

    def f1(rows: np.ndarray, drawn: np.ndarray) -> float:
        return 2 * (rows & truth)[drawn].sum() / (rows[drawn].sum() + truth[drawn].sum())

    draws = [np.repeat(np.arange(14), times.astype(int)) for times in resample_weights(14)]
    first, second = (np.array([f1(rows, drawn) for drawn in draws]) for rows in said)
    results = summarise(outcomes)
    for result, values, rows in zip(results, (first, second), said, strict=True):
        assert result.estimates["micro_f1"].value == pytest.approx(f1(rows, np.arange(14)))
        expected = np.percentile(values, [2.5, 97.5])
        assert result.estimates["micro_f1"].interval == pytest.approx(tuple(expected))
    (difference,) = compare(results)
    expected = np.percentile(first - second, [2.5, 97.5])
    assert difference.estimates["micro_f1"].interval == pytest.approx(tuple(expected))


def test_languages_are_not_compared(outcomes: list[StudyOutcome]) -> None:
    chinese = replace(outcomes[0], language="zh", token_texts=("所见：未见气胸。",))
    chinese = replace(chinese, confidences=(0.9,), reference_findings="未见气胸。")
    assert compare(summarise([outcomes[0], chinese])) == []


def test_calibration_fitted_on_one_run_is_applied_to_another(
    make_outcome: MakeOutcome, make_report: MakeReport, true_statements: tuple[Statement, Statement]
) -> None:
    good = make_report(*true_statements)

    def run(first: int) -> Result:
        """Every fourth draft invents an effusion, no less sure."""
        (result,) = summarise(
            make_outcome(
                "Findings: Small left pleural effusion." if n % 2 else good,
                true_statements if n % 4 else true_statements[1:],
                study=f"phantom-{n}",
                confidence=0.5,
            )
            for n in range(first, first + 40)
        )
        return result

    rated = [c for study in run(0).studies for c in study.confidences]
    fitted = fit_calibration("a" * 64, [], [], [c.mean for c in rated], [c.is_right for c in rated])
    (result,) = summarise((s.outcome for s in run(100).studies), fitted)
    share_right = sum(c.is_right for c in rated) / len(rated)
    assert share_right > 0.6
    assert result.estimates["ece_mean"].value == pytest.approx(share_right - 0.5)
    assert result.estimates["ece_calibrated"].value == pytest.approx(0.0, abs=1e-9)
    assert result.estimates["ece_calibrated_present"].value == pytest.approx(
        abs(share_right - _share_right_of_present(rated))
    )
    assert [curve.label for curve in result.reliability] == ["mean", "minimum", "calibrated"]


def _share_right_of_present(rated: list[StatementConfidence]) -> float:
    present = [c.is_right for c in rated if c.status == "present"]
    return sum(present) / len(present)


def test_without_the_libraries_the_rest_is_computed(
    outcomes: list[StudyOutcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("rouge_score", "rouge_score.rouge_scorer", "sacrebleu", "sacrebleu.metrics"):
        monkeypatch.setitem(sys.modules, name, None)
    from inference.evaluation import wording_scores

    wording_scores._rouge_scorer.cache_clear()
    (result,) = summarise(outcomes)
    assert "rouge_l" not in result.estimates
    assert result.estimates["micro_f1"].value is not None
    reason = result.unavailable["ROUGE-L"]
    assert reason.startswith("unavailable: pip install echo-workstation[evaluation]")


def test_json_is_json(outcomes: list[StudyOutcome]) -> None:
    others = [replace(o, decoding="multi-step") for o in outcomes]
    results = summarise([*outcomes, *others])
    values = json.loads(json.dumps(result_to_json(results[0]), allow_nan=False))
    assert (values["reports"], values["chests"]) == (6, 4)
    assert values["micro_f1"] == pytest.approx(8 / 11, abs=1e-4)
    low, high = values["intervals"]["micro_f1"]
    assert low < values["micro_f1"] <= high
    assert values["per_concept_f1"]["nodule"] == 0.8
    assert values["failed_studies"] == ["2: no film"]
    assert sum(b["statements"] for b in values["reliability"]["mean"]) == 12
    json.dumps(difference_to_json(compare(results)[0]), allow_nan=False)
