"""What a report leaves open: placeholders, empty sections, concepts neither stated nor denied,
and words that speak of films nobody has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inference.report_language import Language, word_statement
from workstation.reporting.checks.report_check import (
    CheckRule,
    ReportCheck,
    ReportContext,
    make_check,
    make_fix,
)
from workstation.reporting.report_state import SECTIONS, ReportState
from workstation.reporting.sentences.sentence_statements import list_statements

# Left by templates and dictation: "[side]", "{size}", "___", "???", "XXXX".
_PLACEHOLDER = re.compile(
    r"\[[^\]]*\]|【[^】]*】|\{[^}]*\}|<[^<>\d]+>|_{2,}|\*{3,}|\?{2,}|？{2,}|\b[Xx]{3,}\b|\bTBD\b"
)
_COMPARISON: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:unchanged|again (?:seen|noted|demonstrated)|(?:compared|comparison) (?:to|with)"
        r"|since (?:the )?(?:prior|previous|last)|interval (?:change|increase|decrease"
        r"|improvement|worsening|development|resolution)|(?:prior|previous) (?:study|film|exam"
        r"|examination|radiographs?))\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"较前|与前(?:片|次)|对比前|前片|同前"),
}
_LATERAL: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:on (?:the )?lateral|lateral (?:view|film|projection|radiograph)"
        r"|(?:pa|frontal) and lateral)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"侧位"),
}


def check_placeholders(state: ReportState, words: Language) -> Iterator[ReportCheck]:
    """What a template or dictation left to be filled in."""
    yield from _find_words("placeholder", _PLACEHOLDER, state, words)


def check_missing(
    state: ReportState, required: tuple[str, ...], words: Language
) -> Iterator[ReportCheck]:
    """Empty sections, and required concepts of which neither section speaks."""
    for section in SECTIONS:
        if not state.sentences(section):
            yield make_check("section_empty", section, (), (), words)
    if not state.findings:
        return
    stated = {said.concept for section in SECTIONS for _, said in list_statements(state, section)}
    for concept in required:
        if concept not in stated:
            text = word_statement(concept, "absent", language=state.language)
            fix = make_fix("deny", "findings", None, text, words)
            yield make_check("not_stated", "findings", (), (), words, concept=concept, fix=fix)


def check_films_named(
    state: ReportState, context: ReportContext, words: Language
) -> Iterator[ReportCheck]:
    """Comparisons without an earlier film, and lateral views that were not taken."""
    if context.has_prior is False:
        pattern = _COMPARISON[state.language]
        yield from _find_words("comparison_without_prior", pattern, state, words)
    if context.has_lateral is False:
        yield from _find_words("view_not_taken", _LATERAL[state.language], state, words)


def _find_words(
    rule: CheckRule, pattern: re.Pattern[str], state: ReportState, words: Language
) -> Iterator[ReportCheck]:
    for section in SECTIONS:
        for sentence in state.sentences(section):
            found = pattern.search(sentence.text)
            if found is not None:
                texts = (sentence.text,)
                yield make_check(rule, section, (sentence.id,), texts, words, quoted=found.group())
