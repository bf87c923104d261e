"""Every figure of the evaluation as columns over studies (see bootstrap.Figure).

What a report says is measured on chest studies; a draft that is empty, failed or refused has said
nothing there and misses everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np

from inference.evaluation.bootstrap import Figure
from inference.evaluation.calibration import (
    BINS,
    FittedCalibration,
    bin_confidences,
    expected_calibration_error,
)
from inference.evaluation.cider import CiderD
from inference.evaluation.external_metrics import ExternalMetric
from inference.evaluation.scored_study import ScoredStudy
from inference.evaluation.statement_confidence import StatementConfidence
from inference.evaluation.statement_scores import MatchCounts, StatementScores
from inference.evaluation.wording_scores import corpus_bleu


def build_figures(
    studies: Sequence[ScoredStudy], calibration: FittedCalibration | None
) -> list[Figure]:
    """All figures of one decoding and language but text_figures, in the order they are shown."""
    return [
        *statement_figures(studies),
        *wording_figures(studies),
        cider_figure(studies),
        *refusal_figures(studies),
        *calibration_figures(studies, calibration),
        *effort_figures(studies),
    ]


def f1_of(counts: np.ndarray) -> np.ndarray:
    """F1 of [..., 3] hits, false alarms, misses; NaN where there is nothing to find or say."""
    hits, wrong = counts[..., 0], counts[..., 1] + counts[..., 2]
    return divide(2 * hits, 2 * hits + wrong)


def divide(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    """parts / wholes, NaN where the whole is 0."""
    return np.divide(
        parts, wholes, out=np.full(np.shape(wholes), np.nan), where=np.asarray(wholes) != 0
    )


def _macro_f1_of(counts: np.ndarray) -> np.ndarray:
    """The mean F1 of [..., kinds * 3], over the kinds that occur."""
    f1 = f1_of(counts.reshape(*counts.shape[:-1], -1, 3))
    return divide(np.nansum(f1, axis=-1), (~np.isnan(f1)).sum(axis=-1))


def _f1(
    name: str, label: str, studies: Sequence[ScoredStudy],
    count: Callable[[StatementScores], Iterable[MatchCounts]],
) -> Figure:  # fmt: skip
    rows = [
        [
            value if study.outcome.is_chest else 0
            for match in count(study.statements)
            for value in (match.hits, match.false_alarms, match.misses)
        ]
        for study in studies
    ]
    return Figure(name, label, np.array(rows, float), _macro_f1_of, "score", "higher")


def _ratio(
    name: str, label: str, studies: Sequence[ScoredStudy],
    measure: Callable[[ScoredStudy], tuple[float, float]],
    unit: Literal["share", "score", "count"] = "share",
    better: Literal["higher", "lower", ""] = "lower",
    *, of: Literal["chests", "others", "all"] = "chests",
) -> Figure:  # fmt: skip
    """The sum of parts over the sum of wholes."""
    counted = {"chests": (True,), "others": (False,), "all": (True, False)}[of]
    rows = [measure(s) if s.outcome.is_chest in counted else (0.0, 0.0) for s in studies]
    columns = np.array(rows, dtype=float).reshape(-1, 2)
    return Figure(
        name, label, columns, lambda sums: divide(sums[..., 0], sums[..., 1]), unit, better
    )


def statement_figures(studies: Sequence[ScoredStudy]) -> list[Figure]:
    chests = [s.statements for s in studies if s.outcome.is_chest]
    concepts = sorted({n for s in chests for n in (*s.said_sides, *s.true_sides)})
    pairs = sorted({(s.concept, s.status) for c in chests for s in (*c.said, *c.stated)})
    return [
        _f1("micro_f1", "micro-F1, findings present", studies, lambda s: [s.positives]),
        _f1(
            "macro_f1",
            "macro-F1, findings present",
            studies,
            lambda s: [s.concept(name) for name in concepts],
        ),
        _f1(
            "micro_f1_with_side",
            "micro-F1, finding and side",
            studies,
            lambda s: [s.positives_with_side],
        ),
        _ratio(
            "side_accuracy",
            "side accuracy",
            studies,
            lambda s: (len(s.statements.sides_right), len(s.statements.sides_asked)),
            better="higher",
        ),
        _f1("statement_f1", "StatementF1, micro", studies, lambda s: [s.statements]),
        _f1(
            "statement_macro_f1",
            "StatementF1, macro",
            studies,
            lambda s: [s.statement(name, status) for name, status in pairs],
        ),
        _ratio(
            "not_stated",
            "stated in the reference, not in the draft",
            studies,
            lambda s: (len(s.statements.concepts_not_stated), len(s.statements.concepts_stated)),
        ),
    ]


def wording_figures(studies: Sequence[ScoredStudy]) -> list[Figure]:
    return [
        _ratio(
            "contradictions",
            "drafts that contradict themselves",
            studies,
            lambda s: (s.contradicts_itself, 1),
        ),
        _ratio(
            "inconsistencies",
            "drafts that fail any check of consistency",
            studies,
            lambda s: (bool(s.contradictions), 1),
        ),
        _ratio(
            "sentences_outside_grammar",
            "sentences outside the grammar",
            studies,
            lambda s: (len(s.wording.broken), len(s.wording.sentences)),
        ),
        _ratio(
            "four_gram_repetition",
            "4-grams said before in their section",
            studies,
            lambda s: (s.wording.repeated_four_grams, s.wording.four_grams),
        ),
        _ratio(
            "repetition_loops",
            "repetition loops",
            studies,
            lambda s: (s.wording.has_loop, 1),
            of="all",
        ),
        _ratio(
            "exact_findings",
            "findings equal to the reference",
            studies,
            lambda s: (s.is_exact, 1),
            better="higher",
        ),
    ]


def text_figures(studies: Sequence[ScoredStudy]) -> list[Figure]:
    """ROUGE-L and BLEU. Raises ImportError without the extra "evaluation"."""
    bleu_rows = np.zeros((len(studies), 10))
    for row, study in zip(bleu_rows, studies, strict=True):
        if study.outcome.is_chest:
            counts = study.wording.bleu_counts
            row[:] = (*counts.matches, *counts.totals, counts.length, counts.reference_length)
    return [
        _ratio(
            "rouge_l",
            "ROUGE-L",
            studies,
            lambda s: (s.wording.rouge_l, 1),
            "score",
            "higher",
        ),
        Figure(
            "bleu",
            "sacreBLEU (0 to 100)",
            bleu_rows,
            _bleu_of,
            "score",
            "higher",
        ),
    ]


def _bleu_of(counts: np.ndarray) -> np.ndarray:
    """[..., 10] sums of counts to BLEU."""
    flat = counts.reshape(-1, counts.shape[-1])
    return np.array([corpus_bleu(row) for row in flat.tolist()]).reshape(counts.shape[:-1])


def cider_figure(studies: Sequence[ScoredStudy]) -> Figure:
    cider = CiderD([s.wording.reference_tokens for s in studies if s.outcome.is_chest])
    return _ratio(
        "cider_d",
        "CIDEr-D (0 to 10; IDF of this run's references)",
        studies,
        lambda s: (cider.score(s.wording.tokens, s.wording.reference_tokens), cider.is_defined),
        "score",
        "higher",
    )


def external_figure(studies: Sequence[ScoredStudy], metric: ExternalMetric) -> Figure:
    """The mean of a plug-in's scores over chest studies. Raises MetricUnavailable."""
    chests = [s for s in studies if s.outcome.is_chest]
    scores = metric.score(
        [s.wording.text for s in chests], [s.wording.reference for s in chests]
    )  # fmt: skip
    by_study = {s.outcome.key: score for s, score in zip(chests, scores, strict=True)}
    return _ratio(
        metric.name, metric.name, studies, lambda s: (by_study[s.outcome.key], 1), "score", "higher"
    )


def refusal_figures(studies: Sequence[ScoredStudy]) -> list[Figure]:
    return [
        _ratio(
            "refusals",
            "films that are no frontal chest, refused",
            studies,
            lambda s: (s.is_refused, 1),
            better="higher",
            of="others",
        ),
        _ratio(
            "refused_or_flagged",
            "films that are no frontal chest, refused or flagged",
            studies,
            lambda s: (s.is_flagged, 1),
            better="higher",
            of="others",
        ),
        _ratio("false_refusals", "chests refused", studies, lambda s: (s.is_refused, 1)),
        _ratio(
            "failures",
            "empty or failed drafts",
            studies,
            lambda s: (s.outcome.is_failure, 1),
            of="all",
        ),
        _ratio(
            "not_stopped",
            "drafts ended by length or loop",
            studies,
            lambda s: (s.outcome.stop_reason in ("length", "repetition"), 1),
            of="all",
        ),
    ]


def confidence_tables(
    studies: Sequence[ScoredStudy],
    confidence_of: Callable[[StatementConfidence], float],
    *,
    only_present: bool = False,
) -> np.ndarray:
    """[studies, 15, 3] of calibration.bin_confidences."""
    rated = [
        [c for c in s.confidences if not only_present or c.status == "present"] for s in studies
    ]
    tables = [
        bin_confidences([confidence_of(c) for c in of_study], [c.is_right for c in of_study])
        for of_study in rated
    ]
    return np.array(tables).reshape(-1, BINS, 3)


def calibration_figures(
    studies: Sequence[ScoredStudy], calibration: FittedCalibration | None
) -> list[Figure]:
    """Expected calibration errors; statements of chest studies only."""

    def figure(name: str, label: str, tables: np.ndarray) -> Figure:
        return Figure(name, label, tables.reshape(len(studies), -1), _ece_of, "score", "lower")

    figures = [
        figure(
            "ece_mean",
            "ECE, mean token confidence",
            confidence_tables(studies, lambda c: c.mean),
        ),
        figure(
            "ece_minimum",
            "ECE, least token confidence",
            confidence_tables(studies, lambda c: c.minimum),
        ),
    ]
    if calibration is not None:
        figures += [
            figure(
                "ece_calibrated",
                "ECE, calibrated",
                confidence_tables(studies, lambda c: calibration.apply(c.mean)),
            ),
            figure(
                "ece_calibrated_present",
                "ECE, calibrated, findings present only",
                confidence_tables(studies, lambda c: calibration.apply(c.mean), only_present=True),
            ),
        ]
    return figures


def _ece_of(counts: np.ndarray) -> np.ndarray:
    return expected_calibration_error(counts.reshape(*counts.shape[:-1], BINS, 3))


def effort_figures(studies: Sequence[ScoredStudy]) -> list[Figure]:
    """Counts of the engine, over drafts that ended."""

    def ratio(name: str, label: str, part: str, whole: str) -> Figure:
        def measure(study: ScoredStudy) -> tuple[float, float]:
            outcome = study.outcome
            known = {
                "reports": int(outcome.passes > 0),
                "tokens": outcome.tokens or len(outcome.confidences),
                "blocks": outcome.blocks,
                "passes": outcome.passes,
                "extra_passes": outcome.extra_passes,
            }
            return known[part], known[whole]

        return _ratio(name, label, studies, measure, "count", "", of="all")

    return [
        ratio("tokens_per_pass", "tokens a pass", "tokens", "passes"),
        ratio("passes_per_block", "passes a block", "passes", "blocks"),
        ratio("passes_per_report", "passes a report", "passes", "reports"),
        ratio("extra_passes", "extra passes a report", "extra_passes", "reports"),
        ratio("tokens_per_report", "tokens a report", "tokens", "reports"),
    ]
