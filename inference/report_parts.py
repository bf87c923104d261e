"""A report as the parts that are drafted at the same time: its regions, then the impression.

Torch-free. The regions are those of ECHO's Stage I order (arXiv 2604.09450), pleura set apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from inference.prompts import parse_sections
from inference.report_language import (
    CONCEPT_BY_NAME,
    REGIONS,
    Language,
    extract_statements,
    split_sentences,
)

if TYPE_CHECKING:
    from inference.api import BlockCommitted

IMPRESSION = "impression"
PARTS: tuple[str, ...] = (*REGIONS, IMPRESSION)
"""In the report's order; the impression reads all that is before it."""

HEADINGS: dict[Language, tuple[str, str]] = {
    "en": ("Findings:", "Impression:"),
    "zh": ("所见：", "结论："),
}
_GAPS = {"en": " ", "zh": ""}


def split_report(text: str, language: Language) -> dict[str, str]:
    """The text of every part of PARTS, "" where nothing is said of it.

    A sentence belongs to the region of the first concept it states; one that states none goes with
    the sentence before it. Texts begin as they do in an answer: in English with a space.
    """
    findings, impression = parse_sections(text)
    gap = _GAPS[language]
    parts: dict[str, str] = dict.fromkeys(PARTS, "")
    region: str = REGIONS[0]
    for start, end in split_sentences(findings):
        sentence = findings[start:end].strip()
        region = region_of(sentence, language) or region
        parts[region] += gap + sentence if sentence else ""
    if impression:
        parts[IMPRESSION] = gap + impression
    return parts


def join_parts(parts: Mapping[str, str], language: Language) -> str:
    """The whole answer, headings included, of texts as split_report gives them."""
    heading, conclusion = HEADINGS[language]
    findings = "".join(parts.get(region, "") for region in REGIONS)
    return f"{heading}{findings} {conclusion}{parts.get(IMPRESSION, '')}"


def in_report_order(
    blocks: Sequence[BlockCommitted], language: Language
) -> tuple[tuple[str, float], ...]:
    """(text, confidence) of every token of an answer, headings included, as the report reads.

    Joined texts are DraftFinished.text. Blocks without a region are in order already.
    """
    if not any(block.region for block in blocks):
        return tuple(pair for block in blocks for pair in _tokens_of(block))
    by_part: dict[str, list[tuple[str, float]]] = {part: [] for part in PARTS}
    for block in blocks:
        by_part[block.region] += _tokens_of(block)
    heading, conclusion = HEADINGS[language]
    ordered = [(heading, 1.0)]
    for part in PARTS:
        if part == IMPRESSION:
            ordered.append((f" {conclusion}", 1.0))
        ordered += by_part[part]
    return tuple(ordered)


def _tokens_of(block: BlockCommitted) -> list[tuple[str, float]]:
    return list(zip(block.token_texts, block.confidences, strict=True))


def needed_rows(max_new_tokens: int, block_length: int) -> int:
    """Rows behind the prompt that a draft part by part may take: names, answer, and two blocks
    more for each part.
    """
    return len(PARTS) + max_new_tokens + 2 * len(PARTS) * block_length


@lru_cache(maxsize=4096)
def region_of(sentence: str, language: Language) -> str | None:
    """The region of the first concept that the sentence states."""
    stated = extract_statements(sentence, language)
    return CONCEPT_BY_NAME[stated[0].concept].region if stated else None
