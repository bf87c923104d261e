"""Whether a normalised report still says what the raw one said: nothing lost, nothing invented.

Compares what the extraction reads from both texts; it does not know how the normalised one was
made, so that a language model's answer is judged as the rules' own is. A denial of what the raw
report does not mention is reporting by exception made explicit, not an invention, as long as it
is one of those every normalised report states (``template.DENIED``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inference.report_language.consistency import find_contradictions
from inference.report_language.raw_reading import RawReading, read_raw_report
from inference.report_language.raw_sections import split_raw_sections
from inference.report_language.slots import express_statement
from inference.report_language.statement_merging import share_place, strip_statement
from inference.report_language.statements import Language, Side, Statement
from inference.report_language.template import DENIED, compose_findings, word_statement
from inference.report_language.vocabulary import CONCEPT_BY_NAME

_SIDES: dict[Side | None, tuple[Side | None, ...]] = {
    None: (None,),
    "left": ("left",),
    "right": ("right",),
    "bilateral": ("left", "right"),
}


def check_normalization(raw: str, normalized: str, language: Language) -> tuple[str, ...]:
    """What is wrong with a normalised report (its whole text), one line a problem.

    Of two raw statements that contradict each other, one may give way. Raises ValueError for a
    language without rules.
    """
    before, after = read_raw_report(raw, language), read_raw_report(normalized, language)
    if before.is_refusal or after.is_refusal:
        return () if before.is_refusal == after.is_refusal else ("a refusal on one side only",)
    said = [strip_statement(s) for s in before.statements]
    made = [strip_statement(s) for s in after.statements]
    problems = [
        *_find_lost(said, made),
        *_find_invented(said, made),
        *_find_unsaid_regions(before, after, language),
        *_find_own_contradictions(normalized, language),
    ]
    return tuple(dict.fromkeys(problems))


def _find_lost(said: list[Statement], made: list[Statement]) -> Iterator[str]:
    for statement in said:
        same = [s for s in made if s.concept == statement.concept]
        others = [s for s in said if s.concept == statement.concept and s != statement]
        if statement.status == "absent":
            if not same:
                yield f"lost: {_name(statement)}"
            elif all(s.status != "absent" and share_place(s, statement) for s in same) and all(
                s.status == "absent" for s in others
            ):
                yield f"status changed: {_name(statement)} became {_name(same[0])}"
            continue
        alike = [s for s in same if s.status == statement.status]
        if _covers(alike, statement) or _gave_way(statement, others, same):
            continue
        if not same:
            yield f"lost: {_name(statement)}"
        elif not alike:
            yield f"status changed: {_name(statement)} became {_name(same[0])}"
        else:
            yield f"{_changed_slot(statement, alike)} changed: {_name(statement)}"


def _covers(made: list[Statement], statement: Statement) -> bool:
    """Whether the statements made say all of one, its two sides perhaps in two sentences."""
    return all(
        any(
            side in (None, own)
            and statement.zone in (None, s.zone)
            and statement.severity in (None, s.severity)
            for s in made
            for own in _SIDES[s.side]
        )
        for side in _SIDES[statement.side]
    )


def _gave_way(statement: Statement, others: list[Statement], made: list[Statement]) -> bool:
    """Whether another raw statement of the concept contradicts this one and was kept instead."""
    for other in others:
        contradicts = (
            other.status != statement.status
            or (other.side != statement.side and None not in (other.side, statement.side))
            or (other.zone != statement.zone and None not in (other.zone, statement.zone))
            or (
                other.severity != statement.severity
                and None not in (other.severity, statement.severity)
            )
        )
        if contradicts and _covers([s for s in made if s.status == other.status], other):
            return True
    return False


def _changed_slot(statement: Statement, alike: list[Statement]) -> str:
    if not _covers(alike, replace(statement, zone=None, severity=None)):
        return "side"
    return "severity" if _covers(alike, replace(statement, severity=None)) else "zone"


def _find_invented(said: list[Statement], made: list[Statement]) -> Iterator[str]:
    for statement in made:
        sources = [s for s in said if s.concept == statement.concept]
        if statement.status == "absent":
            if not sources and statement.concept not in DENIED:
                yield f"invented: {_name(statement)}"
            elif sources and all(s.status != "absent" for s in sources):
                yield f"status changed: {_name(sources[0])} became {_name(statement)}"
            continue
        positives = [s for s in sources if s.status != "absent"]
        if not any(s.status == statement.status for s in positives):
            yield f"invented: {_name(statement)}"
            continue
        for slot in ("side", "zone", "severity"):
            if not _is_slot_said(statement, slot, positives):
                yield f"{slot} invented: {_name(statement)}"


def _is_slot_said(statement: Statement, slot: str, sources: list[Statement]) -> bool:
    value = getattr(statement, slot)
    if value is None:
        return True
    said = {getattr(s, slot) for s in sources}
    said |= {getattr(express_statement(s), slot) for s in sources}
    if slot == "side":
        return set(_SIDES[value]) <= {side for s in said for side in _SIDES[s]}
    return value in said


def _find_unsaid_regions(
    before: RawReading, after: RawReading, language: Language
) -> Iterator[str]:
    stated = {s.concept for s in after.statements}
    expected = compose_findings(after.statements, language)
    for concept in DENIED:
        is_expected = word_statement(concept, "absent", language=language) in expected
        if is_expected and concept not in stated | before.unassessed:
            yield f"not explicit: {CONCEPT_BY_NAME[concept].label}"


def _find_own_contradictions(normalized: str, language: Language) -> Iterator[str]:
    bodies = {"findings": "", "impression": "", "other": ""}
    for section, start, end in split_raw_sections(normalized, language):
        bodies[section] += normalized[start:end]
    for contradiction in find_contradictions(bodies["findings"], bodies["impression"], language):
        yield f"contradicts itself: {contradiction.message}"


def _name(statement: Statement) -> str:
    label = CONCEPT_BY_NAME[statement.concept].label
    slots = (statement.severity, statement.side, statement.zone)
    return " ".join([*(slot for slot in slots if slot), label, f"({statement.status})"])
