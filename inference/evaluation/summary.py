"""From outcomes to results: every figure with its interval, for each decoding and language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from inference.api import DecodingMode
from inference.evaluation.bootstrap import (
    Figure,
    Interval,
    exact_interval,
    interval,
    resample_weights,
)
from inference.evaluation.calibration import FittedCalibration
from inference.evaluation.external_metrics import ExternalMetric, MetricUnavailable
from inference.evaluation.figures import (
    build_figures,
    confidence_tables,
    external_figure,
    f1_of,
    text_figures,
)
from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.scored_study import ScoredStudy, score_study
from inference.evaluation.wording_scores import NEEDS_LIBRARIES
from inference.report_language.statements import STATUSES, Language


@dataclass(frozen=True)
class Estimate:
    """A figure's value with its 95 % interval; None where it is undefined."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True)
class ConceptRow:
    """One concept's positives. precision and recall are None where there is nothing to divide."""

    concept: str
    true: int
    said: int
    precision: float | None
    recall: float | None
    f1: Estimate


@dataclass(frozen=True, eq=False)
class Reliability:
    """table: [15, 3] statements, sum of confidences, number right."""

    label: str
    table: np.ndarray


@dataclass(frozen=True, eq=False)
class Result:
    """One decoding in one language."""

    decoding: DecodingMode
    language: Language
    studies: tuple[ScoredStudy, ...]
    figures: tuple[Figure, ...]
    estimates: Mapping[str, Estimate]
    concepts: tuple[ConceptRow, ...]
    statement_f1_of: Mapping[str, Estimate]  # by concept, every polarity
    reliability: tuple[Reliability, ...]
    unavailable: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.decoding}/{self.language}"

    @property
    def broken_sentences(self) -> Counter[str]:
        return Counter(sentence for s in self.studies for sentence in s.wording.broken)

    @property
    def failures(self) -> list[str]:
        return [s.outcome.failure for s in self.studies if s.outcome.failure]


@dataclass(frozen=True)
class Difference:
    """first minus second, over the studies both drafted, on the same resamples."""

    first: str
    second: str
    studies: int
    estimates: Mapping[str, Estimate]


def summarise(
    outcomes: Iterable[StudyOutcome],
    calibration: FittedCalibration | None = None,
    external_metrics: Sequence[ExternalMetric] = (),
) -> list[Result]:
    """A result for each language and decoding, in the order they come."""
    groups: dict[tuple[Language, DecodingMode], list[StudyOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.language, outcome.decoding), []).append(outcome)
    return [
        _summarise_group(
            decoding, language, [score_study(o) for o in group], calibration, external_metrics
        )
        for (language, decoding), group in groups.items()
    ]


def _summarise_group(
    decoding: DecodingMode,
    language: Language,
    studies: list[ScoredStudy],
    calibration: FittedCalibration | None,
    external_metrics: Sequence[ExternalMetric],
) -> Result:
    figures, unavailable = build_figures(studies, calibration), {}
    try:
        figures += text_figures(studies)
    except ImportError as error:
        unavailable = dict.fromkeys(("ROUGE-L", "sacreBLEU"), f"{NEEDS_LIBRARIES} ({error})")
    for metric in external_metrics:
        try:
            figures.append(external_figure(studies, metric))
        except MetricUnavailable as error:
            unavailable[metric.name] = str(error)
    weights = resample_weights(len(studies))
    return Result(
        decoding,
        language,
        tuple(studies),
        tuple(figures),
        {figure.name: _estimate(figure, weights) for figure in figures},
        tuple(_concept_rows(studies, weights)),
        _statement_f1_of(studies, weights),
        tuple(_reliability(studies, calibration)),
        unavailable,
    )


def _estimate(figure: Figure, weights: np.ndarray) -> Estimate:
    bounds = exact_interval(figure) or interval(figure.resample(weights))
    return Estimate(_known(figure.value), bounds)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _concept_rows(studies: Sequence[ScoredStudy], weights: np.ndarray) -> list[ConceptRow]:
    chests = [s.statements if s.outcome.is_chest else None for s in studies]
    names = {n for s in chests if s for n in (*s.said_sides, *s.true_sides)}
    rows = []
    for name in sorted(names):
        matches = [s.concept(name) if s else None for s in chests]
        counts = [(m.hits, m.false_alarms, m.misses) if m else (0, 0, 0) for m in matches]
        figure = Figure(name, name, np.array(counts, float), f1_of, "score", "higher")
        hits, false_alarms, misses = (int(total) for total in figure.per_study.sum(axis=0))
        rows.append(
            ConceptRow(
                name,
                true=hits + misses,
                said=hits + false_alarms,
                precision=hits / (hits + false_alarms) if hits + false_alarms else None,
                recall=hits / (hits + misses) if hits + misses else None,
                f1=_estimate(figure, weights),
            )
        )
    return rows


def _statement_f1_of(studies: Sequence[ScoredStudy], weights: np.ndarray) -> dict[str, Estimate]:
    """StatementF1 of each concept that draft or reference states: affirmed, denied or doubted."""
    chests = [s.statements if s.outcome.is_chest else None for s in studies]
    names = {said.concept for s in chests if s for said in (*s.said, *s.stated)}
    estimates = {}
    for name in sorted(names):
        matches = [[s.statement(name, status) for status in STATUSES] if s else [] for s in chests]
        counts = [
            [sum(getattr(m, part) for m in of_study) for part in ("hits", "false_alarms", "misses")]
            for of_study in matches
        ]
        figure = Figure(name, name, np.array(counts, float), f1_of, "score", "higher")
        estimates[name] = _estimate(figure, weights)
    return estimates


def _reliability(
    studies: Sequence[ScoredStudy], calibration: FittedCalibration | None
) -> list[Reliability]:
    """Pooled over studies."""
    curves = {
        "mean": confidence_tables(studies, lambda c: c.mean),
        "minimum": confidence_tables(studies, lambda c: c.minimum),
    }
    if calibration is not None:
        curves["calibrated"] = confidence_tables(studies, lambda c: calibration.apply(c.mean))
    return [Reliability(label, tables.sum(axis=0)) for label, tables in curves.items()]


def compare(results: Sequence[Result]) -> list[Difference]:
    """Each pair of decodings of one language, on the studies both drafted."""
    return [
        _compare_pair(first, second)
        for first, second in combinations(results, 2)
        if first.language == second.language
    ]


def _compare_pair(first: Result, second: Result) -> Difference:
    rows = {s.outcome.study: index for index, s in enumerate(second.studies)}
    pairs = [
        (index, rows[s.outcome.study])
        for index, s in enumerate(first.studies)
        if s.outcome.study in rows
    ]
    if not pairs:
        return Difference(first.name, second.name, 0, {})
    ours, theirs = (list(indices) for indices in zip(*pairs, strict=True))
    weights = resample_weights(len(pairs))
    others = {figure.name: figure for figure in second.figures}
    estimates = {}
    for figure in first.figures:
        if (other := others.get(figure.name)) is None:
            continue
        mine, yours = figure.per_study[ours], other.per_study[theirs]
        value = figure.combine(mine.sum(0)) - other.combine(yours.sum(0))
        resampled = figure.combine(weights @ mine) - other.combine(weights @ yours)
        estimates[figure.name] = Estimate(_known(float(value)), interval(resampled))
    return Difference(first.name, second.name, len(pairs), estimates)


def result_to_json(result: Result) -> dict[str, Any]:
    """Every figure by its name, rounded; `intervals` by the same names."""
    estimates = result.estimates
    return {
        "reports": len(result.studies),
        "chests": sum(s.outcome.is_chest for s in result.studies),
        **{name: _rounded(estimate.value) for name, estimate in estimates.items()},
        "intervals": {name: _bounds(estimate) for name, estimate in estimates.items()},
        "per_concept_f1": {row.concept: _rounded(row.f1.value) for row in result.concepts},
        "per_concept_statement_f1": {
            name: {"f1": _rounded(estimate.value), "interval": _bounds(estimate)}
            for name, estimate in result.statement_f1_of.items()
        },
        "per_concept": {
            row.concept: {
                "true": row.true,
                "said": row.said,
                "precision": _rounded(row.precision),
                "recall": _rounded(row.recall),
                "f1": _rounded(row.f1.value),
                "f1_interval": _bounds(row.f1),
            }
            for row in result.concepts
        },
        "reliability": {
            curve.label: [
                {
                    "statements": int(count),
                    "confidence": _rounded(confidence / count),
                    "right": _rounded(right / count),
                }
                for count, confidence, right in curve.table
                if count
            ]
            for curve in result.reliability
        },
        "failed_studies": result.failures,
        "unavailable": dict(result.unavailable),
    }


def difference_to_json(difference: Difference) -> dict[str, Any]:
    """first minus second for every figure, with the paired interval."""
    return {
        "first": difference.first,
        "second": difference.second,
        "studies": difference.studies,
        "differences": {
            name: {"value": _rounded(estimate.value), "interval": _bounds(estimate)}
            for name, estimate in difference.estimates.items()
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def _bounds(estimate: Estimate) -> list[float] | None:
    return None if estimate.interval is None else [round(bound, 4) for bound in estimate.interval]
