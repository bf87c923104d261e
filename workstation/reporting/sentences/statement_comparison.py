"""What several texts state of each finding, and where they differ. Qt-free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference import DraftFinished
from inference.report_language import (
    CONCEPTS,
    Concept,
    Language,
    Severity,
    Side,
    Statement,
    Status,
    Zone,
)
from workstation.reporting.sentences.sentence_statements import statements_of


@dataclass(frozen=True, order=True)
class Assertion:
    """What is said of a finding, wherever it is said."""

    status: Status
    severity: Severity | None = None
    side: Side | None = None
    zone: Zone | None = None


Assertions = frozenset[Assertion]
"""All that one text says of one finding; empty: it isn't stated."""


@dataclass(frozen=True)
class ComparedFinding:
    """One finding in every text, in the order of the texts."""

    concept: Concept
    said: tuple[Assertions, ...]

    @property
    def is_agreed(self) -> bool:
        return len(set(self.said)) == 1

    def is_alone(self, rank: int) -> bool:
        """Whether this text differs from most others; all do where there is no majority."""
        commonest, count = Counter(self.said).most_common(1)[0]
        has_majority = count * 2 > len(self.said)
        return not self.is_agreed and not (has_majority and self.said[rank] == commonest)


def compare_statements(
    endings: Sequence[DraftFinished], language: Language
) -> tuple[ComparedFinding, ...]:
    """Every finding that one of the texts states, in report order; refusals state nothing."""
    by_text = [_assertions(ending, language) for ending in endings]
    return tuple(
        ComparedFinding(concept, tuple(said.get(concept.name, frozenset()) for said in by_text))
        for concept in CONCEPTS
        if any(concept.name in said for said in by_text)
    )


def assertions_of(statements: Iterable[Statement]) -> dict[str, Assertions]:
    """What is said of each concept; a concept without a statement is missing."""
    found: dict[str, set[Assertion]] = {}
    for statement in statements:
        found.setdefault(statement.concept, set()).add(assertion_of(statement))
    return {name: frozenset(said) for name, said in found.items()}


def assertion_of(statement: Statement) -> Assertion:
    """Without its place in the text and its finding."""
    return Assertion(statement.status, statement.severity, statement.side, statement.zone)


def _assertions(ending: DraftFinished, language: Language) -> dict[str, Assertions]:
    if ending.refused:
        return {}
    sections = (ending.findings, ending.impression)
    return assertions_of(s for text in sections for s in statements_of(text, language))
