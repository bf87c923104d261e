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
from inference.report_language.slots import MEASURES, express_statement
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
    findings = [strip_statement(s) for s in before.findings]
    impression = [strip_statement(s) for s in before.impression]
    made = [strip_statement(s) for s in after.statements]
    problems = [
        *_find_lost(findings, impression, made),
        *_find_invented([*findings, *impression], made),
        *_find_unsaid_regions(before, after, language),
        *_find_own_contradictions(normalized, language),
    ]
    return tuple(dict.fromkeys(problems))


def _find_lost(
    findings: list[Statement], impression: list[Statement], made: list[Statement]
) -> Iterator[str]:
    said = [*findings, *impression]
    for section in (findings, impression):
        for statement in section:
            same = [s for s in made if s.concept == statement.concept]
            rivals = [s for s in section if _contradicts(s, statement)]
            if section is impression:  # another place than the findings' gives way
                others = [s for s in findings if s.concept == statement.concept]
                rivals += [s for s in others if _contradicts(s, statement)]
                rivals += [s for s in others if len({None, s.side, statement.side}) == 3]
                rivals += [s for s in others if len({None, s.zone, statement.zone}) == 3]
            if not same:
                yield f"lost: {_name(statement)}"
            elif statement.status == "absent":
                is_denied = all(s.status == "absent" for s in said if s.concept == same[0].concept)
                if is_denied and all(s.status != "absent" for s in same):
                    yield f"status changed: {_name(statement)} became {_name(same[0])}"
            elif not all(
                _covers(same, one) or any(_covers(same, rival) for rival in rivals)
                for one in _split_sides(statement)
            ):
                yield _describe_change(statement, same)


def _split_sides(statement: Statement) -> list[Statement]:
    return [replace(statement, side=side) for side in _SIDES[statement.side]]


def _covers(made: list[Statement], statement: Statement) -> bool:
    """Whether statements made say all of one of the report, its sides perhaps one by one."""
    return all(
        any(
            one.status == s.status
            and one.side in (None, own)
            and one.zone in (None, s.zone)
            and one.severity in (None, s.severity)
            for s in made
            for own in _SIDES[s.side]
        )
        for one in _split_sides(statement)
    )


def _contradicts(rival: Statement, statement: Statement) -> bool:
    """Whether two statements of one section cannot both be kept; two sides are two things."""
    if rival.concept != statement.concept or not share_place(rival, statement):
        return False
    if rival.status != statement.status:
        return True
    is_sized = MEASURES.get(statement.concept) == "size"  # two sizes are two nodules
    severities = {rival.severity, statement.severity}
    return len(severities) == 2 and None not in severities and not is_sized


def _describe_change(statement: Statement, same: list[Statement]) -> str:
    if not any(s.status == statement.status for s in same):
        return f"status changed: {_name(statement)} became {_name(same[0])}"
    if not _covers(same, replace(statement, zone=None, severity=None)):
        return f"side changed: {_name(statement)}"
    slot = "severity" if _covers(same, replace(statement, severity=None)) else "zone"
    return f"{slot} changed: {_name(statement)}"


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
