"""Confidences of tokens as spans of a text, and of a sentence as their mean."""

from __future__ import annotations

from collections.abc import Sequence

ConfidenceSpan = tuple[int, int, float]  # start, end in the section's text, token confidence


def mean_confidence(spans: Sequence[ConfidenceSpan], start: int, end: int) -> float | None:
    """Over the tokens that reach into [start, end); None where there are none."""
    inside = [confidence for begin, stop, confidence in spans if begin < end and stop > start]
    return sum(inside) / len(inside) if inside else None


def locate_confidences(
    raw_text: str,
    section_text: str,
    token_texts: Sequence[str],
    confidences: Sequence[float],
    *,
    last: bool = False,
) -> tuple[ConfidenceSpan, ...]:
    """Token confidences as spans of one section, for ``set_from_draft``.

    token_texts joined are raw_text (BlockCommitted.token_texts over all blocks). last: True looks
    for the section from the end of the raw text (the impression). Empty where it isn't found.
    """
    offset = raw_text.rfind(section_text) if last else raw_text.find(section_text)
    if offset < 0 or not section_text:
        return ()
    spans: list[ConfidenceSpan] = []
    position = -offset
    for token_text, confidence in zip(token_texts, confidences, strict=True):
        start, position = position, position + len(token_text)
        if token_text and position > 0 and start < len(section_text):
            spans.append((max(start, 0), min(position, len(section_text)), confidence))
    return tuple(spans)
