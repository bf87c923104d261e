"""Sentences of an unfinished report that can't stand beside what is written above. Torch-free.

`report_language.consistency` judges whole reports; here one sentence is judged at a time, by the
same rules (the tests compare the two). Of two that disagree the earlier one stands: findings are
written first, and are right about the side six times as often as the impression that differs
from them (measured on 944 phantoms of each language: benchmarks/README.md).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from inference.report_language import (
    CONCEPT_BY_NAME,
    Language,
    Side,
    Statement,
    extract_statements,
    split_sentences,
)
from inference.report_language.consistency import find_contradictions

_CONTRADICTIONS = frozenset({"present_and_absent", "normal_beside_finding"})


class ReportSoFar(NamedTuple):
    """The whole sentences above. impression: None before its heading."""

    findings: tuple[str, ...] = ()
    impression: tuple[str, ...] | None = None

    @property
    def is_concluding(self) -> bool:
        return self.impression is not None

    @property
    def sentence_count(self) -> int:
        return len(self.findings) + len(self.impression or ())

    def with_heading(self) -> ReportSoFar:
        return self._replace(impression=self.impression or ())

    def with_sentence(self, sentence: str) -> ReportSoFar:
        if self.impression is None:
            return self._replace(findings=(*self.findings, sentence))
        return self._replace(impression=(*self.impression, sentence))

    def with_text(self, text: str) -> ReportSoFar:
        """With every sentence of text."""
        said = self
        for start, end in split_sentences(text):
            said = said.with_sentence(text[start:end].strip())
        return said


def is_conflicting(said: ReportSoFar, sentence: str, language: Language) -> bool:
    """Whether sentence repeats one of its section, or contradicts one above.

    It contradicts where it affirms what is denied, or denies what is affirmed, and where it
    concludes on a side that the findings don't name for that concept.
    """
    section = said.findings if said.impression is None else said.impression
    if sentence in section:
        return True
    above = (*said.findings, *(said.impression or ()))
    if any(_exclude_each_other(earlier, sentence, language) for earlier in above):
        return True
    return said.is_concluding and _differs_in_side(said.findings, sentence, language)


def is_unfounded(said: ReportSoFar, sentence: str, language: Language) -> bool:
    """Whether sentence concludes on what the findings don't affirm, or on a device.

    The template leaves devices to the findings.
    """
    if not said.is_concluding:
        return False
    concluded = _affirmed((sentence,), language)
    if any(CONCEPT_BY_NAME[concept].is_device for concept in concluded):
        return True
    return not concluded <= _affirmed(said.findings, language)


@lru_cache(maxsize=4096)
def _affirmed(sentences: tuple[str, ...], language: Language) -> frozenset[str]:
    """Concepts that any of them affirms or doubts."""
    return frozenset(
        statement.concept
        for sentence in sentences
        for statement in statements_of(sentence, language)
        if statement.status != "absent"
    )


@lru_cache(maxsize=4096)
def statements_of(sentence: str, language: Language) -> tuple[Statement, ...]:
    return extract_statements(sentence, language)


@lru_cache(maxsize=4096)
def _concepts_of(sentence: str, language: Language) -> frozenset[str]:
    return frozenset(statement.concept for statement in statements_of(sentence, language))


@lru_cache(maxsize=16384)
def _exclude_each_other(first: str, second: str, language: Language) -> bool:
    of_first, of_second = _concepts_of(first, language), _concepts_of(second, language)
    if of_first and of_second and of_first.isdisjoint(of_second):
        return False
    both = f"{first}\n{second}"
    return any(c.kind in _CONTRADICTIONS for c in find_contradictions(both, "", language))


def _differs_in_side(findings: tuple[str, ...], sentence: str, language: Language) -> bool:
    for statement in statements_of(sentence, language):
        if statement.side is None or statement.status == "absent":
            continue
        seen = {
            found.side
            for finding in findings
            for found in statements_of(finding, language)
            if found.concept == statement.concept and found.side and found.status != "absent"
        }
        if seen and not _single_sides({statement.side}) <= _single_sides(seen):
            return True
    return False


def _single_sides(sides: set[Side]) -> set[Side]:
    return {"left", "right"} if "bilateral" in sides else sides
