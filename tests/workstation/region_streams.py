"""The events of an engine that fills all regions of a text at the same time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from inference import BlockCommitted, DraftEvent, DraftFinished, PrefillDone
from inference.report_language import REGIONS, Language
from inference.report_parts import join_parts, split_report

PARTS = (*REGIONS, "impression")
BLOCK_LENGTH = 4


def stream_regions(
    name: str, text: str, language: Language = "en", given: Mapping[str, str] | None = None
) -> Iterator[DraftEvent]:
    """A report's text, four words a block, every region's next block in the same pass.

    given: regions that are not drafted.
    """
    parts = split_report(text, language) | dict(given or {})
    words = {part: _split(said, language) for part, said in parts.items()}
    filling = [part for part in PARTS if part not in (given or {})]
    yield PrefillDone(name, 96, BLOCK_LENGTH, 10.0, regions=tuple(filling))
    index = passes = tokens = 0
    for group in ([part for part in filling if part != "impression"], ["impression"]):
        for at in range(0, max((len(words[part]) for part in group), default=0), BLOCK_LENGTH):
            passes += 1
            for part in group:
                block = tuple(words[part][at : at + BLOCK_LENGTH])
                if not block:
                    continue
                confidence = 0.6 if part == "lungs" else 0.9
                yield BlockCommitted(
                    name,
                    index,
                    (5,) * len(block),
                    block,
                    (confidence,) * len(block),
                    passes,
                    10.0 + passes,
                    region=part,
                    is_region_end=at + BLOCK_LENGTH >= len(words[part]),
                )
                index += 1
                tokens += len(block)
    whole = join_parts(parts, language)
    findings = "".join(parts[region] for region in REGIONS).strip()
    yield DraftFinished(
        name, whole, findings, parts["impression"].strip(), "stop", passes, tokens, 10.0, passes
    )


def _split(text: str, language: Language) -> list[str]:
    """Tokens whose texts join to the text, and the stop token."""
    pieces = re.findall(r"\s?\S+", text) if language == "en" else re.findall(r".{1,3}", text)
    return [*pieces, ""]
