"""Which parts of an unfinished answer can't belong to a canonical report. Torch-free.

For models trained on the template's wording only: there the set of sentences is finite, so a
broken one is seen in the block that breaks it, and so is one that contradicts what is written
above. Says nothing about whether a sentence is true.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from inference.decoding.answer import IncrementalDetokenizer
from inference.prompts import IMPRESSION_HEADINGS
from inference.report_conflicts import ReportSoFar, is_conflicting, is_unfounded
from inference.report_language import Language, canonical_sentences, split_sentences
from inference.report_parts import HEADINGS, IMPRESSION, region_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def find_broken_runs(text: str, language: Language, *, is_open: bool) -> list[tuple[int, int]]:
    """(start, end) of every run of text that is neither a canonical sentence nor a heading.

    is_open: text goes on, so that its last run may be the beginning of one.
    """
    spans = split_sentences(text)
    broken = []
    for number, (start, end) in enumerate(spans):
        for heading in HEADINGS[language]:  # Chinese ones may lead a sentence without a space
            if text.startswith(heading, start, end):
                start += len(heading)
        run = text[start:end].strip()
        may_go_on = is_open and number == len(spans) - 1
        if run and not (_can_begin if may_go_on else _is_whole)(run, language):
            broken.append((start, end))
    return broken


def find_conflicting_runs(
    text: str, language: Language, begin: int, *, is_open: bool, said: ReportSoFar | None = None
) -> list[tuple[int, int]]:
    """(start, end) of every sentence reaching beyond begin that is at odds with those above.

    is_open: as in find_broken_runs; a sentence that can still become one without conflict is not.
    said: what stands in other parts of the report, where text is one of its parts.
    """
    spans = split_sentences(text)
    said, conflicting = said or ReportSoFar(), []
    for number, (start, end) in enumerate(spans):
        for heading in HEADINGS[language]:
            if text.startswith(heading, start, end):
                start += len(heading)
                said = said.with_heading() if heading in IMPRESSION_HEADINGS else said
        run = text[start:end].strip()
        if not run:
            continue
        may_go_on = is_open and number == len(spans) - 1
        judge = _leads_to_conflict if may_go_on else is_conflicting
        if end > begin and judge(said, run, language):
            conflicting.append((start, end))
        said = said.with_sentence(run)
    return conflicting


class BrokenRuns:
    """Faults in the newest block of one draft in one language: its answer only grows."""

    def __init__(self, tokenizer: Tokenizer, language: Language) -> None:
        self._language = language
        self._detokenizer = IncrementalDetokenizer(tokenizer)
        self._text, self._tokens_read = "", 0

    def __call__(self, answer: Sequence[int], block: Sequence[int], is_end: bool) -> list[int]:
        """Positions of block in a run that is broken or at odds with what is above.

        len(block), the stop, if the last run lacks its end or the answer its impression. is_end:
        the answer stops after block.
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
        broken = self._find_faults(text, len(self._text), is_end)
        return [
            position
            for position, (start, end) in enumerate(spans)
            if any(start < stop and end > begin for begin, stop in broken)
            or (position == len(block) and self._lacks_its_end(text))
        ]

    def _find_faults(self, text: str, begin: int, is_end: bool) -> list[tuple[int, int]]:
        """begin: of the newest block."""
        broken = find_broken_runs(text, self._language, is_open=not is_end)
        return broken + find_conflicting_runs(text, self._language, begin, is_open=not is_end)

    def _lacks_its_end(self, text: str) -> bool:
        return not any(heading in text for heading in IMPRESSION_HEADINGS)


class BrokenPartRuns(BrokenRuns):
    """As BrokenRuns, of one part of a report (report_parts). said: what stands in the others."""

    def __init__(
        self, tokenizer: Tokenizer, language: Language, part: str, said: ReportSoFar
    ) -> None:
        super().__init__(tokenizer, language)
        self._part, self._said = part, said

    def _find_faults(self, text: str, begin: int, is_end: bool) -> list[tuple[int, int]]:
        broken = find_broken_runs(text, self._language, is_open=not is_end)
        broken += find_conflicting_runs(
            text, self._language, begin, is_open=not is_end, said=self._said
        )
        return broken + [
            (start, end)
            for start, end in split_sentences(text)
            if not self._may_hold(text[start:end].strip())
        ]

    def _lacks_its_end(self, text: str) -> bool:
        return self._part == IMPRESSION and not text.strip()

    def _may_hold(self, run: str) -> bool:
        if any(heading in run for heading in HEADINGS[self._language]):
            return False
        return self._part in (IMPRESSION, region_of(run, self._language) or self._part)


def _is_whole(run: str, language: Language) -> bool:
    return run in canonical_sentences(language)


def _can_begin(run: str, language: Language) -> bool:
    """Whether some sentence or heading begins with run."""
    return any(True for _ in _runs_from(run, language))


def _runs_from(run: str, language: Language) -> Iterator[str]:
    """Every sentence and heading that begins with run."""
    ordered = _ordered_runs(language)
    for place in range(bisect_left(ordered, run), len(ordered)):
        if not ordered[place].startswith(run):
            return
        yield ordered[place]


def _leads_to_conflict(said: ReportSoFar, run: str, language: Language) -> bool:
    """Whether no sentence that begins with run can stand, and one because of a conflict."""
    has_conflict = False
    for whole in _runs_from(run, language):
        if whole in HEADINGS[language]:
            return False
        if is_conflicting(said, whole, language):
            has_conflict = True
        elif not is_unfounded(said, whole, language):
            return False
    return has_conflict


@cache
def _ordered_runs(language: Language) -> tuple[str, ...]:
    return tuple(sorted({*canonical_sentences(language), *HEADINGS[language]}))
