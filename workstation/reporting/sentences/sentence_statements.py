"""What each sentence of a report states: the one reading, for screen, checks and exports alike.

Always sentence by sentence: an edit then can't change what its neighbours say. Read as one text,
"no nodule" and "Left rib fracture." without a full stop between them would deny the fracture.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from inference.report_language import Language, Statement, extract_statements
from workstation.reporting.report_state import ReportState, Section, Sentence, sentence_spans


@lru_cache(maxsize=8192)
def statements_of(sentence: str, language: Language) -> tuple[Statement, ...]:
    """In text order; offsets are into the sentence, or the text if it is a draft's section."""
    return extract_statements(sentence, language)


@lru_cache(maxsize=8192)
def concepts_of(sentence: str, language: Language) -> frozenset[str]:
    """Names of the findings a sentence speaks of."""
    return frozenset(statement.concept for statement in statements_of(sentence, language))


def list_statements(state: ReportState, section: Section) -> tuple[tuple[Sentence, Statement], ...]:
    """Every statement with its sentence, in text order; offsets are into the section's text."""
    sentences = state.sentences(section)
    return tuple(
        (sentence, _shift(statement, start))
        for sentence, (start, _) in zip(sentences, sentence_spans(sentences), strict=True)
        for statement in statements_of(sentence.text, state.language)
    )


def find_in_sentence(
    state: ReportState, section: Section, sentence: Sentence, listed: Statement
) -> Statement | None:
    """A statement of ``list_statements`` with offsets into its sentence; None where the sentence
    does not make it any more."""
    sentences = state.sentences(section)
    start, _ = sentence_spans(sentences)[sentences.index(sentence)]
    local = _shift(listed, -start)
    return local if local in statements_of(sentence.text, state.language) else None


def _shift(statement: Statement, by: int) -> Statement:
    return replace(
        statement,
        start=statement.start + by,
        end=statement.end + by,
        trigger_start=statement.trigger_start + by,
        trigger_end=statement.trigger_end + by,
    )
