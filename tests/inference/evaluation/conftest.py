"""Outcomes as a run would leave them, with texts and confidences of the test's choosing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from inference.evaluation.outcomes import StudyOutcome
from inference.report_language import Statement, compose_findings, compose_impression

EFFUSION = Statement("pleural_effusion", "present", "left", None, "small")
NODULE = Statement("nodule", "present", "right", "upper")


def outcome_of(
    text: str,
    truth: Sequence[Statement] | None = (EFFUSION, NODULE),
    *,
    reference: tuple[str, str] | None = None,
    confidence: float = 0.9,
    **settings: object,
) -> StudyOutcome:
    """A draft of one token a word; settings as StudyOutcome's."""
    if reference is None:
        assert truth is not None
        reference = compose_findings(truth), compose_impression(truth)
    tokens = tuple(re.findall(r"\S+ ?", text))
    given: dict[str, object] = {
        "study": "phantom-1",
        "language": "en",
        "decoding": "one-step",
        "is_chest": True,
        "truth": None if truth is None else tuple(truth),
        "reference_findings": reference[0],
        "reference_impression": reference[1],
        "token_texts": tokens,
        "confidences": (confidence,) * len(tokens),
        "stop_reason": "stop" if text else "",
        "passes": 3 if text else 0,
        "blocks": 2 if text else 0,
    }
    return StudyOutcome(**(given | settings))  # type: ignore[arg-type]


def report_of(*statements: Statement) -> str:
    """The model's answer for these findings, as it should be."""
    return f"Findings: {compose_findings(statements)} Impression: {compose_impression(statements)}"


@pytest.fixture
def make_outcome() -> Callable[..., StudyOutcome]:
    return outcome_of


@pytest.fixture
def make_report() -> Callable[..., str]:
    return report_of


@pytest.fixture
def true_statements() -> tuple[Statement, Statement]:
    """What make_outcome holds drafts against: a small left effusion, a right upper nodule."""
    return EFFUSION, NODULE
