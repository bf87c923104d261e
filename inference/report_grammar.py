"""Which parts of an unfinished answer can't belong to a canonical report. Torch-free.

For models trained on the template's wording only: there the set of sentences is finite, so a
broken one is seen in the block that breaks it. Says nothing about whether a sentence is true.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from inference.decoding.answer import IncrementalDetokenizer
from inference.report_language import Language, canonical_sentences, split_sentences

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_HEADINGS: dict[Language, tuple[str, ...]] = {
    "en": ("Findings:", "Impression:"),
    "zh": ("所见：", "结论："),
}


def find_broken_runs(text: str, language: Language, *, is_open: bool) -> list[tuple[int, int]]:
    """(start, end) of every run of text that is neither a canonical sentence nor a heading.

    is_open: text goes on, so that its last run may be the beginning of one.
    """
    spans = split_sentences(text)
    broken = []
    for number, (start, end) in enumerate(spans):
        for heading in _HEADINGS[language]:  # Chinese ones may lead a sentence without a space
            if text.startswith(heading, start, end):
                start += len(heading)
        run = text[start:end].strip()
        may_go_on = is_open and number == len(spans) - 1
        if run and not (_can_begin if may_go_on else _is_whole)(run, language):
            broken.append((start, end))
    return broken


class BrokenRuns:
    """decode_adaptive's find_broken for one draft in one language: its answer only grows."""

    def __init__(self, tokenizer: Tokenizer, language: Language) -> None:
        self._language = language
        self._detokenizer = IncrementalDetokenizer(tokenizer)
        self._text, self._tokens_read = "", 0

    def __call__(self, answer: Sequence[int], block: Sequence[int], is_end: bool) -> list[int]:
        """Positions of block in a broken run; len(block), the stop, if the last run lacks its end.

        is_end: the answer stops after block.
        """
        for token_id in answer[self._tokens_read :]:
            self._text += self._detokenizer.push(token_id)
        self._tokens_read = len(answer)
        detokenizer, text = self._detokenizer.fork(), self._text
        spans: list[tuple[int, int]] = []
        for token_id in block:
            start = len(text)
            text += detokenizer.push(token_id)
            spans.append((start, len(text)))
        if is_end:
            spans.append((len(text) - 1, len(text)))
        broken = find_broken_runs(text, self._language, is_open=not is_end)
        return [
            position
            for position, (start, end) in enumerate(spans)
            if any(start < stop and end > begin for begin, stop in broken)
        ]


def _is_whole(run: str, language: Language) -> bool:
    return run in canonical_sentences(language)


def _can_begin(run: str, language: Language) -> bool:
    """Whether some sentence or heading begins with run."""
    ordered = _ordered_runs(language)
    place = bisect_left(ordered, run)
    return place < len(ordered) and ordered[place].startswith(run)


@cache
def _ordered_runs(language: Language) -> tuple[str, ...]:
    return tuple(sorted({*canonical_sentences(language), *_HEADINGS[language]}))
