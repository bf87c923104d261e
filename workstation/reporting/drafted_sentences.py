"""Sentences as a finished draft of the model brings them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from inference.report_language import Language
from workstation.reporting.report_state import (
    JOINERS,
    ReportState,
    Sentence,
    SentenceOrigin,
    sentence_spans,
)
from workstation.reporting.sentences.sentence_alignment import split_pieces
from workstation.reporting.token_confidences import ConfidenceSpan, mean_confidence


def draft_sentences(
    text: str,
    confidences: Sequence[ConfidenceSpan],
    language: Language,
    origin: SentenceOrigin | None,
    new_id: Callable[[], int],
) -> tuple[Sentence, ...]:
    """The sentences of a section as the model wrote it, each with the mean of its tokens.

    confidences: offsets into text. origin: the draft they come from.
    """
    sentences = [
        Sentence(new_id(), piece.text, "ai", None, piece.separator)
        for piece in split_pieces(text, JOINERS[language])
    ]
    lead = len(text) - len(text.lstrip())  # a section's text starts at its first word
    drafted: list[Sentence] = []
    for sentence, (start, end) in zip(sentences, sentence_spans(sentences), strict=True):
        confidence = mean_confidence(confidences, lead + start, lead + end)
        known = replace(origin, confidence=confidence) if origin is not None else None
        drafted.append(replace(sentence, confidence=confidence, origin=known))
    return tuple(drafted)


def keep_own_impression(drafted: ReportState, before: ReportState) -> ReportState:
    """The draft, but for an impression that the reader wrote by hand before: it stays, and the
    model's follows as far as it says something else."""
    own = tuple(each for each in before.impression if each.provenance == "human")
    said = {each.text for each in own}
    others = (each for each in drafted.impression if each.text not in said)
    return drafted.with_section("impression", (*own, *others))
