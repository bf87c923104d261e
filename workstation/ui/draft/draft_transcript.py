"""The raw answer as it grows: tokens joined to words, with each word's confidence and block."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inference import BlockCommitted, in_report_order
from inference.report_language import Language

# Han characters stand alone, since Chinese text has no spaces to break a line at; but headings
# are whole, and no line begins with a full stop.
_WORD = re.compile(
    r"(?:所见|结论)[:：]|[\u3000-\u9fff\uff00-\uffef][\u3001\u3002\uff0c\uff1a\uff1b]*"
    r"|[^\s\u3000-\u9fff\uff00-\uffef]+"
)
_HEADING = re.compile(r"(findings?|impressions?|所见|结论)\s*[:：]", re.IGNORECASE)

KEPT = -1
"""The block index of words that a redraft leaves as they are."""

LOW_CONFIDENCE = 0.7
"""Below this the reader is asked to look twice; a display threshold, not a calibrated one."""


@dataclass(frozen=True)
class DraftWord:
    """One word of the raw answer; start and end are offsets into it.

    confidence: the least sure token of the word (a word is as sure as its least sure part).
    block_index: the block that completed the word.
    """

    text: str
    start: int
    end: int
    confidence: float
    block_index: int
    has_space_before: bool
    is_heading: bool


@dataclass(frozen=True)
class DraftBlock:
    """One committed block; start and end are offsets into the raw answer.

    mean_confidence is over the tokens with text: what follows the stop token says nothing.
    duration_ms runs from the block before (from the end of prefill for the first); blocks of
    several regions that were filled in one pass share it. passed: passes of the whole draft until
    then.
    second_looks: how often it was looked at again.
    """

    index: int
    start: int
    end: int
    text: str
    tokens: int
    mean_confidence: float
    duration_ms: float
    region: str = ""
    passed: int = 0
    second_looks: int = 0


class DraftTranscript:
    """Everything committed so far of one request; of a draft by regions, in the order it came."""

    def __init__(self) -> None:
        self.raw_text = ""
        self.blocks: list[DraftBlock] = []
        self.token_spans: list[tuple[int, int, float]] = []
        self._elapsed_ms = 0.0
        self._passes = 0
        self._events: list[BlockCommitted] = []
        self._block_at: list[int] = []  # block index of each token span

    def restart(self, text: str) -> None:
        """What stands so far is this text, written before; its words carry the block KEPT."""
        self.raw_text, self.blocks, self._events = text, [], []
        self.token_spans = [(0, len(text), 1.0)] if text else []
        self._block_at = [KEPT] * len(self.token_spans)

    def start_clock(self, elapsed_ms: float) -> None:
        """Blocks are timed from here: the end of prefill."""
        self._elapsed_ms = elapsed_ms

    def add_block(self, event: BlockCommitted) -> DraftBlock:
        """Append one block; returns it with its place in the raw answer."""
        self._events.append(event)
        start = len(self.raw_text)
        for text, confidence in zip(event.token_texts, event.confidences, strict=True):
            self.token_spans.append(
                (len(self.raw_text), len(self.raw_text) + len(text), confidence)
            )
            self._block_at.append(event.index)
            self.raw_text += text
        spoken = [
            confidence
            for text, confidence in zip(event.token_texts, event.confidences, strict=True)
            if text
        ] or list(event.confidences)
        block = DraftBlock(
            index=event.index,
            start=start,
            end=len(self.raw_text),
            text=self.raw_text[start:],
            tokens=len(event.token_ids),
            mean_confidence=sum(spoken) / len(spoken) if spoken else 0.0,
            duration_ms=self._measure(event),
            region=event.region,
            passed=event.passes,
            second_looks=event.second_looks,
        )
        self._elapsed_ms, self._passes = event.elapsed_ms, event.passes
        self.blocks.append(block)
        return block

    def _measure(self, event: BlockCommitted) -> float:
        """Milliseconds of its block."""
        before = self.blocks[-1] if self.blocks else None
        if before is not None and event.region and event.passes == self._passes:
            return before.duration_ms  # another region of the same pass
        return max(0.0, event.elapsed_ms - self._elapsed_ms)

    def answer(self, language: Language) -> tuple[tuple[str, float], ...]:
        """(text, confidence) of every token as the report reads; joined they are its text."""
        return in_report_order(self._events, language)

    def passage_of(self, index: int) -> str:
        """The whole words that a block brought; "" for none."""
        words = [word for word in self.words() if word.block_index == index]
        return self.raw_text[words[0].start : words[-1].end] if words else ""

    def words(self) -> tuple[DraftWord, ...]:
        """The words committed so far; headings ("Findings:") are marked."""
        headings = [match.span() for match in _HEADING.finditer(self.raw_text)]
        words = []
        first_token = 0
        for match in _WORD.finditer(self.raw_text):
            start, end = match.span()
            while self.token_spans[first_token][1] <= start:
                first_token += 1
            confidence, block_index, token = 1.0, 0, first_token
            while token < len(self.token_spans) and self.token_spans[token][0] < end:
                confidence = min(confidence, self.token_spans[token][2])
                block_index = self._block_at[token]
                token += 1
            words.append(
                DraftWord(
                    text=match.group(),
                    start=start,
                    end=end,
                    confidence=confidence,
                    block_index=block_index,
                    has_space_before=start > 0 and self.raw_text[start - 1].isspace(),
                    is_heading=any(a <= start and end <= b for a, b in headings),
                )
            )
        return tuple(words)
