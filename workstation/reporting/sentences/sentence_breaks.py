"""White space between sentences that keeps them apart in the text, too.

The rows of a report are sentences of their own whatever they end with. The text that is signed,
printed and typed into is split where sentences end in it: after a row without a full stop that
takes a new line.
"""

from __future__ import annotations

from dataclasses import replace

from inference.report_language import split_sentences
from workstation.reporting.report_state import (
    SECTIONS,
    ReportState,
    Section,
    Sentence,
    join_sentences,
    sentence_spans,
)

_BREAKS = ("\n", "\n\n")  # a line that goes on in lower case counts as wrapped: that takes two


def keep_apart(state: ReportState) -> ReportState:
    """The same sentences, so parted that each begins one in its section's text as well.

    What no line can part stays as it is (a row that is a mere number, "2.", opens the next).
    """
    for section in SECTIONS:
        state = _keep_section_apart(state, section)
    return state


def _keep_section_apart(state: ReportState, section: Section) -> ReportState:
    sentences = state.sentences(section)
    spans = sentence_spans(sentences)
    starts = {start for start, _ in split_sentences(state.text(section))}
    if all(start in starts for start, _ in spans):
        return state
    parted: list[Sentence] = []
    for sentence in sentences:
        ways = (sentence, *(replace(sentence, separator=each) for each in _BREAKS))
        parted.append(next((way for way in ways if _is_apart(parted, way)), sentence))
    return state.with_section(section, parted)


def _is_apart(before: list[Sentence], sentence: Sentence) -> bool:
    """Whether a sentence begins one in the text of those before it and itself."""
    text = join_sentences((*before, sentence))
    return len(text) - len(sentence.text) in {start for start, _ in split_sentences(text)}
