"""Both sides in the findings, one side in the impression: what the impression leaves out.

`inference.report_language.consistency` compares what the impression says with the findings; this is
the other way round. Who reads only the impression would look for one side alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

from inference.report_language import (
    CannotRewrite,
    Language,
    Side,
    Statement,
)
from inference.report_language.rewriting import restate_statement
from inference.report_language.template import NOT_ACUTE, word_statement
from workstation.reporting.checks.report_check import Fix, ReportCheck, make_check, make_fix
from workstation.reporting.report_state import ReportState, Section, Sentence
from workstation.reporting.sentences.sentence_statements import statements_of


class _Said(NamedTuple):
    statement: Statement
    sentence: Sentence


def check_sides_concluded(state: ReportState, words: Language) -> Iterator[ReportCheck]:
    """`side_differs` where one sentence of the findings says "bilateral"; `side_left_out` where
    each side has a sentence of its own, of which the impression may take up the one that counts.

    words: the language of messages; the report is read in its own.
    """
    if not state.findings_text.strip() or not state.impression_text.strip():
        return
    seen, concluded = _read(state, "findings"), _read(state, "impression")
    for concept in dict.fromkeys(said.statement.concept for said in seen):
        ours = [s for s in seen if s.statement.concept == concept]
        theirs = [s for s in concluded if s.statement.concept == concept]
        sides = _sides_of(theirs)
        if len(sides) != 1 or not all(s.statement.side for s in theirs):
            continue  # nothing, both sides, or a side that is left open
        if _sides_of(ours) == {"left", "right"}:
            yield from _word_check(state, ours, theirs[0], words)


def _read(state: ReportState, section: Section) -> list[_Said]:
    """What a section affirms. The findings only as far as they are sure of it."""
    return [
        _Said(said, sentence)
        for sentence in state.sentences(section)
        for said in statements_of(sentence.text, state.language)
        if said.status == "present" or (section == "impression" and said.status != "absent")
    ]


def _sides_of(said: list[_Said]) -> set[Side]:
    sides = {s.statement.side for s in said if s.statement.side is not None}
    return {"left", "right"} if "bilateral" in sides else sides


def _word_check(
    state: ReportState, seen: list[_Said], concluded: _Said, words: Language
) -> Iterator[ReportCheck]:
    side = concluded.statement.side
    assert side is not None
    both = next((s for s in seen if s.statement.side == "bilateral"), None)
    if both is not None:
        fix = _say_both(state, concluded, words)
        yield _make("side_differs", both, concluded, ("bilateral", side), fix, words)
    elif concluded.statement.concept not in NOT_ACUTE:
        other = next(s for s in seen if s.statement.side not in (None, side))
        assert other.statement.side is not None
        fix = _conclude(state, other.statement, words)
        sides = other.statement.side, side
        yield _make("side_left_out", other, concluded, sides, fix, words)


def _make(
    rule: Literal["side_differs", "side_left_out"],
    seen: _Said,
    concluded: _Said,
    sides: tuple[Side, Side],
    fix: Fix | None,
    words: Language,
) -> ReportCheck:
    return make_check(
        rule,
        "impression",
        (concluded.sentence.id, seen.sentence.id),
        (seen.sentence.text, concluded.sentence.text),
        words,
        concept=seen.statement.concept,
        sides=sides,
        fix=fix,
    )


def _say_both(state: ReportState, concluded: _Said, words: Language) -> Fix | None:
    said, sentence = concluded
    try:
        wanted = replace(said, side="bilateral")
        text = restate_statement(sentence.text, said, wanted, state.language)
    except CannotRewrite:
        return None
    return make_fix("take_side", "impression", sentence.id, text, words, side="bilateral")


def _conclude(state: ReportState, said: Statement, words: Language) -> Fix:
    text = word_statement(
        said.concept, said.status, said.side, said.zone, said.severity, state.language
    )
    return make_fix("conclude", "impression", None, text, words)
