"""Findings against impression and against themselves: contradictions as checks with fixes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from inference.report_language import CannotRewrite, Language, Statement
from inference.report_language.consistency import Contradiction, compare_sentences
from inference.report_language.rewriting import restate_statement
from inference.report_language.template import NOT_ACUTE, word_statement
from workstation.reporting.checks.report_check import (
    Fix,
    FixKind,
    ReportCheck,
    make_check,
    make_fix,
)
from workstation.reporting.report_state import SECTIONS, ReportState, Section, Sentence
from workstation.reporting.sentences.sentence_statements import statements_of

_Place = tuple[Section, Sentence]
_FINDINGS: tuple[Section, ...] = ("findings",)
_IMPRESSION: tuple[Section, ...] = ("impression",)
# Where a contradiction's first and second sentence are; any other kind may be in both sections.
_WHERE: dict[str, tuple[tuple[Section, ...], tuple[Section, ...]]] = {
    "side_differs": (_FINDINGS, _IMPRESSION),
    "finding_without_impression": (_FINDINGS, ()),
    "impression_without_finding": (_IMPRESSION, ()),
}


def check_contradictions(state: ReportState, words: Language) -> Iterator[ReportCheck]:
    """words: the language of messages; the report is read in its own."""
    findings, impression = ([each.text for each in state.sentences(name)] for name in SECTIONS)
    for found in compare_sentences(findings, impression, state.language):
        if _is_worth_saying(found, state.language):
            yield _word_check(state, found, words)


def _is_worth_saying(found: Contradiction, language: Language) -> bool:
    """What is old, harmless or only possible need not be repeated in the impression."""
    if found.kind != "finding_without_impression":
        return True
    said = _statement(found.first, found.concept, language)
    return found.concept not in NOT_ACUTE and said is not None and said.status == "present"


def _word_check(state: ReportState, found: Contradiction, words: Language) -> ReportCheck:
    first, second = _locate(state, found)
    places = (*second, *first)
    return make_check(
        found.kind,
        places[0][0],
        tuple(dict.fromkeys(sentence.id for _, sentence in places)),
        (found.first, found.second),
        words,
        concept=found.concept,
        sides=found.sides,
        fix=_find_fix(state, found, second, words),
    )


def _locate(state: ReportState, found: Contradiction) -> tuple[list[_Place], list[_Place]]:
    of_first, of_second = _WHERE.get(found.kind, (SECTIONS, SECTIONS))
    if found.kind == "repeated_sentence":
        return _find_repeated(state, found.first)
    second = _find(state, found.second, of_second) if found.second else []
    return _find(state, found.first, of_first), second


def _find(state: ReportState, text: str, sections: tuple[Section, ...]) -> list[_Place]:
    return [
        (section, sentence)
        for section in sections
        for sentence in state.sentences(section)
        if text in sentence.text
    ]


def _find_repeated(state: ReportState, text: str) -> tuple[list[_Place], list[_Place]]:
    """The sentence's first place, and its others in the same section."""
    for section in SECTIONS:
        same = [s for s in state.sentences(section) if _plain(s.text) == _plain(text)]
        if len(same) > 1:
            return [(section, same[0])], [(section, each) for each in same[1:]]
    return _find(state, text, SECTIONS), []


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()


def _find_fix(
    state: ReportState, found: Contradiction, second: list[_Place], words: Language
) -> Fix | None:
    """The obvious mending, None where only the reader can know which sentence is right."""
    match found.kind:
        case "side_differs":
            return _take_side_over(state, found, second, words)
        case "finding_without_impression":
            return _say_in("impression", state, found, words)
        case "impression_without_finding":
            return _say_in("findings", state, found, words)
        case "repeated_sentence" if second:
            section, sentence = second[-1]
            return make_fix("delete_second", section, sentence.id, "", words)
        case "present_and_absent" | "normal_beside_finding" if len(second) == 1:
            return _drop_denial(state, found, second[0], words)
    return None


def _take_side_over(
    state: ReportState, found: Contradiction, second: list[_Place], words: Language
) -> Fix | None:
    """The impression takes the side of the findings."""
    if found.sides is None or len(second) != 1:
        return None
    side, other = found.sides
    section, sentence = second[0]
    for said in statements_of(sentence.text, state.language):
        if said.concept == found.concept and said.side == other:
            try:
                wanted = replace(said, side=side)
                text = restate_statement(sentence.text, said, wanted, state.language)
            except CannotRewrite:
                return None
            return make_fix("take_side", section, sentence.id, text, words, side=side)
    return None


def _say_in(
    section: Section, state: ReportState, found: Contradiction, words: Language
) -> Fix | None:
    """The other section says it too, in canonical words."""
    said = _statement(found.first, found.concept, state.language)
    if said is None:
        return None
    kind: FixKind = "conclude" if section == "impression" else "state"
    return make_fix(kind, section, None, _word(said, state.language), words)


def _drop_denial(
    state: ReportState, found: Contradiction, place: _Place, words: Language
) -> Fix | None:
    """The denial goes where it says nothing else; a normal impression becomes the finding."""
    section, sentence = place
    said = statements_of(sentence.text, state.language)
    if any(each.concept != found.concept for each in said):
        return None
    if section == "impression" and len(state.impression) == 1:
        finding = _statement(found.first, found.concept, state.language)
        if finding is None:
            return None
        text = _word(finding, state.language)
        return make_fix("replace", section, sentence.id, text, words)
    return make_fix("delete", section, sentence.id, "", words, quoted=sentence.text)


def _statement(sentence: str, concept: str, language: Language) -> Statement | None:
    """The affirmation of a concept in a sentence."""
    said = [s for s in statements_of(sentence, language) if s.concept == concept]
    return next((s for s in said if s.status != "absent"), None)


def _word(said: Statement, language: Language) -> str:
    return word_statement(said.concept, said.status, said.side, said.zone, said.severity, language)
