"""A report in the other language, sentence by sentence, as far as the grammar understands it all.

A sentence is rewritten only where its whole meaning is its statements and the new sentence makes
the very same ones; every other sentence stays as it is and is named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from inference.report_language import (
    Language,
    Statement,
    compose_findings,
    compose_impression,
    is_canonical,
    split_sentences,
    word_statement,
)
from workstation.reporting.report_state import (
    JOINERS,
    SECTIONS,
    Provenance,
    ReportState,
    Sentence,
)
from workstation.reporting.sentences.sentence_statements import statements_of
from workstation.reporting.sentences.statement_comparison import assertion_of

# Words that carry no meaning of their own beside a statement's.
_FRAME_WORDS = frozenset(
    (
        *("a", "an", "the", "there", "is", "are", "was", "were", "of", "in", "on", "at", "to"),
        *("and", "no", "not", "without", "any", "evidence", "seen", "noted", "identified"),
        "present",
    )
)
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


@dataclass(frozen=True)
class SwitchedReport:
    """left: the sentences that stay in the old language, in order."""

    state: ReportState
    left: tuple[Sentence, ...]


def switch_language(state: ReportState, language: Language) -> SwitchedReport:
    """The report in a language; locked sentences are left, byte for byte.

    A rewritten sentence keeps its id. The model's becomes "edited": its words are the template's.
    """
    left: list[Sentence] = []
    switched = replace(state, language=language)
    for section in SECTIONS:
        sentences: list[Sentence] = []
        for sentence in state.sentences(section):
            text = None if sentence.locked else _translate(sentence.text, state.language, language)
            if text is None:
                left.append(sentence)
                sentences.append(sentence)
                continue
            provenance: Provenance = "human" if sentence.provenance == "human" else "edited"
            is_paragraph = "\n" in sentence.separator
            sentences.append(
                replace(
                    sentence,
                    text=text,
                    provenance=provenance,
                    confidence=None,
                    accepted=False,
                    origin=sentence.rewritten_origin(),
                    separator=sentence.separator if is_paragraph else JOINERS[language],
                )
            )
        switched = switched.with_section(section, sentences)
    return SwitchedReport(switched, tuple(left))


def switch_with(language: Language) -> Callable[[ReportState, Callable[[], int]], ReportState]:
    """The switch as a change of ``DraftReport.change_state``."""
    return lambda state, _new_id: switch_language(state, language).state


def _translate(text: str, old: Language, new: Language) -> str | None:
    stock = _stock_sentences(old, new).get(text)
    if stock is not None:
        return stock
    statements = statements_of(text, old)
    if not statements or not _is_whole(text, statements, old):
        return None
    translated = JOINERS[new].join(dict.fromkeys(_word(each, new) for each in statements))
    same = Counter(map(_key, statements_of(translated, new))) == Counter(map(_key, statements))
    return translated if same else None


def _is_whole(text: str, statements: tuple[Statement, ...], language: Language) -> bool:
    """Whether the sentence says nothing beside its statements."""
    if is_canonical(text, language):
        return True
    if language == "zh":
        return False
    worded = " ".join(_word(each, language) for each in statements).lower()
    return set(_WORD.findall(text.lower())) - _FRAME_WORDS <= set(_WORD.findall(worded)) and not (
        re.search(r"\d", text)
    )


def _word(said: Statement, language: Language) -> str:
    return word_statement(said.concept, said.status, said.side, said.zone, said.severity, language)


def _key(statement: Statement) -> tuple[object, ...]:
    return statement.concept, assertion_of(statement)


@cache
def _stock_sentences(old: Language, new: Language) -> dict[str, str]:
    """The normal report's sentences, among them those that state no finding."""
    pairs: dict[str, str] = {}
    for compose in (compose_findings, compose_impression):
        texts = [compose((), language) for language in (old, new)]
        one, two = [[text[a:b] for a, b in split_sentences(text)] for text in texts]
        pairs |= dict(zip(one, two, strict=True))
    return pairs
