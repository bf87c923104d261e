"""A prior report beside the one under edit: what is unchanged, changed, gone, new. Qt-free.

Statements are compared, not words, so that a report in Chinese can be read against one in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from inference.report_language import Statement
from workstation.reporting.report_state import SECTIONS, ReportState, Section, Sentence
from workstation.reporting.sentences.sentence_statements import statements_of
from workstation.reporting.sentences.statement_comparison import (
    Assertions,
    assertion_of,
    assertions_of,
)

Mark = Literal["unchanged", "changed", "gone", "not-stated", "new", "unread"]
_GRAVEST: tuple[Mark, ...] = ("gone", "changed", "not-stated", "unchanged")


@dataclass(frozen=True)
class MarkedSentence:
    """mark: of its statements the gravest; "unread" where the grammar reads none in it and it
    does not stand in the other report to the letter."""

    section: Section
    text: str
    mark: Mark


def mark_prior(prior: ReportState, now: ReportState) -> tuple[MarkedSentence, ...]:
    """Every sentence of the prior report, by what the one under edit says of its findings.

    "gone" is denied now; "not-stated" is not spoken of, which is not the same.
    """
    said_now = _said(now)
    texts_now = {sentence.text for sentence in (*now.findings, *now.impression)}
    marked = []
    for section in SECTIONS:
        for sentence in prior.sentences(section):
            marks = {_mark(each, said_now) for each in _statements(sentence, prior)}
            unread: Mark = "unchanged" if sentence.text in texts_now else "unread"
            gravest = next((mark for mark in _GRAVEST if mark in marks), unread)
            marked.append(MarkedSentence(section, sentence.text, gravest))
    return tuple(marked)


def list_new(prior: ReportState, now: ReportState) -> tuple[MarkedSentence, ...]:
    """Sentences of the report under edit with a finding the prior one did not affirm."""
    said_before = _said(prior)
    return tuple(
        MarkedSentence(section, sentence.text, "new")
        for section in SECTIONS
        for sentence in now.sentences(section)
        if any(
            statement.status != "absent" and not _is_affirmed(statement.concept, said_before)
            for statement in _statements(sentence, now)
        )
    )


def _mark(statement: Statement, said: Mapping[str, Assertions]) -> Mark:
    assertions = said.get(statement.concept)
    if assertions is None:
        return "not-stated"
    if statement.status == "absent":
        return "changed" if _is_affirmed(statement.concept, said) else "unchanged"
    if assertion_of(statement) in assertions:
        return "unchanged"
    return "changed" if _is_affirmed(statement.concept, said) else "gone"


def _is_affirmed(concept: str, said: Mapping[str, Assertions]) -> bool:
    return any(each.status != "absent" for each in said.get(concept, ()))


def _said(state: ReportState) -> dict[str, Assertions]:
    sentences = (*state.findings, *state.impression)
    return assertions_of(s for sentence in sentences for s in _statements(sentence, state))


def _statements(sentence: Sentence, state: ReportState) -> tuple[Statement, ...]:
    return statements_of(sentence.text, state.language)
