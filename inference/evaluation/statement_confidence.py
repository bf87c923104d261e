"""How sure the model was of each statement it made, and whether the statement is true.

A statement's confidence is the mean, or the minimum, of the confidences of the tokens of its
sentence. It is the model's probability of its own words, never a probability of disease.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.statement_scores import StatementScores
from inference.report_language import Status, split_sentences


@dataclass(frozen=True)
class StatementConfidence:
    """One statement of a draft's findings whose truth is known; mean and minimum in 0..1."""

    status: Status
    mean: float
    minimum: float
    is_right: bool


def rate_statements(
    outcome: StudyOutcome, scores: StatementScores
) -> tuple[StatementConfidence, ...]:
    """The statements of the findings; none where the answer's findings are not in one piece."""
    findings, _ = outcome.sections
    offset = outcome.text.find(findings)
    if not findings or offset < 0:
        return ()
    sentences = split_sentences(findings)
    rated = []
    for statement in scores.said:
        is_right = scores.agrees(statement)
        span = next((s for s in sentences if s[0] <= statement.start < s[1]), None)
        if is_right is None or span is None:
            continue
        values = list(_confidences_in(outcome, span[0] + offset, span[1] + offset))
        if values:
            mean = sum(values) / len(values)
            rated.append(StatementConfidence(statement.status, mean, min(values), is_right))
    return tuple(rated)


def _confidences_in(outcome: StudyOutcome, start: int, end: int) -> Iterator[float]:
    """Of the tokens that put a character into [start, end) of the answer."""
    ends = accumulate(len(text) for text in outcome.token_texts)
    for text, token_end, confidence in zip(
        outcome.token_texts, ends, outcome.confidences, strict=True
    ):
        if text and token_end > start and token_end - len(text) < end:
            yield confidence
