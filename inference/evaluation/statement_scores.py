"""Statements of one draft against the truth: counts that add up over studies.

One side a concept: left and right said apart are the same as bilateral. Statements are taken from
the findings; of a reference that has none (a report that is only an impression), from that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from inference.evaluation.outcomes import StudyOutcome
from inference.report_language import Side, Statement, Status, extract_statements
from inference.report_language.slots import express_statement


@dataclass(frozen=True)
class MatchCounts:
    """hits are in both sets, false alarms in the draft's alone, misses in the truth's alone."""

    hits: int
    false_alarms: int
    misses: int

    @classmethod
    def of(cls, said: set[object], true: set[object]) -> MatchCounts:
        return cls(len(said & true), len(said - true), len(true - said))


def present_sides(statements: Iterable[Statement]) -> dict[str, Side | None]:
    """Each present concept with its one side, None where no side is said."""
    sides: dict[str, set[Side]] = {}
    for statement in statements:
        if statement.status == "present":
            known = sides.setdefault(statement.concept, set())
            if statement.side is not None:
                known.add(statement.side)
    return {
        concept: "bilateral" if len(known) > 1 else next(iter(known), None)
        for concept, known in sides.items()
    }


class StatementScores:
    """One outcome's statements beside the true ones."""

    def __init__(self, outcome: StudyOutcome) -> None:
        self._outcome = outcome
        reference = outcome.reference_findings or outcome.reference_impression
        self.said = extract_statements(outcome.sections[0], outcome.language)
        self.stated = extract_statements(reference, outcome.language)
        self.said_sides = present_sides(self.said)
        self.true_sides = present_sides(
            self.stated if outcome.truth is None else map(express_statement, outcome.truth)
        )

    @cached_property
    def positives(self) -> MatchCounts:
        """Concepts present."""
        return MatchCounts.of(set(self.said_sides), set(self.true_sides))

    @cached_property
    def positives_with_side(self) -> MatchCounts:
        """(concept, side) present; a finding without a side counts as one."""
        return MatchCounts.of(set(self.said_sides.items()), set(self.true_sides.items()))

    @cached_property
    def statements(self) -> MatchCounts:
        """(concept, status): findings × polarity, against what the reference states."""
        return MatchCounts.of(
            {(s.concept, s.status) for s in self.said}, {(s.concept, s.status) for s in self.stated}
        )

    def concept(self, name: str) -> MatchCounts:
        """The positives of one concept."""
        said, true = name in self.said_sides, name in self.true_sides
        return MatchCounts(int(said and true), int(said and not true), int(true and not said))

    def statement(self, name: str, status: Status) -> MatchCounts:
        """One concept with one status."""
        said = any((s.concept, s.status) == (name, status) for s in self.said)
        true = any((s.concept, s.status) == (name, status) for s in self.stated)
        return MatchCounts(int(said and true), int(said and not true), int(true and not said))

    @cached_property
    def sides_asked(self) -> tuple[str, ...]:
        """Concepts found that have a side in truth: what side accuracy is measured on."""
        return tuple(
            name for name in self.said_sides if self.true_sides.get(name) is not None
        )  # fmt: skip

    @cached_property
    def sides_right(self) -> tuple[str, ...]:
        return tuple(n for n in self.sides_asked if self.said_sides[n] == self.true_sides[n])

    @cached_property
    def concepts_stated(self) -> frozenset[str]:
        """Concepts the reference affirms, denies or doubts."""
        return frozenset(s.concept for s in self.stated)

    @cached_property
    def concepts_not_stated(self) -> frozenset[str]:
        """Of those, the ones of which the draft says nothing."""
        return self.concepts_stated - {s.concept for s in self.said}

    def agrees(self, statement: Statement) -> bool | None:
        """Whether what the draft says is true: status, and side where it is present.

        None where it can't be told: the reference is a text that doesn't mention the concept.
        """
        name = statement.concept
        if statement.status == "uncertain":
            return any((s.concept, s.status) == (name, "uncertain") for s in self.stated)
        if self._outcome.truth is None and name not in self.concepts_stated:
            return None
        if statement.status == "absent":
            return name not in self.true_sides
        return name in self.true_sides and self.said_sides[name] == self.true_sides[name]
