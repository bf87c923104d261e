"""Which parts of an unfinished answer can't belong to a canonical report. Torch-free.

For models trained on the template's wording only: there the set of sentences is finite, so a
broken one is seen in the block that breaks it, and so is one that contradicts what is written
above. Says nothing about whether a sentence is true.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from inference.decoding.answer import IncrementalDetokenizer
from inference.prompts import IMPRESSION_HEADINGS
from inference.report_language import Language, canonical_sentences, split_sentences
from inference.report_parts import HEADINGS, IMPRESSION, region_of
from inference.report_rules.report_conflicts import ReportSoFar, is_conflicting, is_unfounded

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def find_broken_runs(text: str, language: Language, *, is_open: bool) -> list[tuple[int, int]]:
    """(start, end) of every run of text that is neither a canonical sentence nor a heading.

    is_open: text goes on, so that its last run may be the beginning of one.
    """
    spans = split_sentences(text)
    broken = []
    for number, (start, end) in enumerate(spans):
        run, _ = _read_run(text[start:end], ReportSoFar(), language)
        may_go_on = is_open and number == len(spans) - 1
        if run and not (_can_begin if may_go_on else _is_whole)(run, language):
            broken.append((start, end))
    return broken


def find_conflicting_runs(
    text: str, language: Language, begin: int, *, is_open: bool, said: ReportSoFar | None = None
) -> list[tuple[int, int]]:
    """(start, end) of every sentence reaching beyond begin that is at odds with those above.

    is_open: as in find_broken_runs; a sentence that can still become one without conflict is not.
    said: what stands above text, and in other parts of the report where text is of one part.
    """
    spans = split_sentences(text)
    said, conflicting = said or ReportSoFar(), []
    for number, (start, end) in enumerate(spans):
        run, above = _read_run(text[start:end], said, language)
        may_go_on = is_open and number == len(spans) - 1
        judge = _leads_to_conflict if may_go_on else is_conflicting
        if run and end > begin and judge(above, run, language):
            conflicting.append((start, end))
        said = above.with_sentence(run) if run else above
    return conflicting


def _read_run(run: str, said: ReportSoFar, language: Language) -> tuple[str, ReportSoFar]:
    """The run without a heading that leads it, and what stands above its words."""
    for heading in HEADINGS[language]:  # Chinese ones may lead a sentence without a space
        if run.startswith(heading):
            run = run[len(heading) :]
            said = said.with_heading() if heading in IMPRESSION_HEADINGS else said
    return run.strip(), said


class BrokenRuns:
    """Faults in the newest block of one draft in one language: its answer only grows.

    part, said: of a draft of one part of a report (report_parts), which, and what stands in the
    others. Only the text is read that isn't settled: sentences with another behind them are.
    """

    def __init__(
        self, tokenizer: Tokenizer, language: Language, part: str = "",
        said: ReportSoFar = ReportSoFar(),  # noqa: B008 - immutable
    ) -> None:  # fmt: skip
        self._language, self._part, self._said = language, part, said
        self._detokenizer = IncrementalDetokenizer(tokenizer)
        self._settled, self._text, self._tokens_read = "", "", 0

    def __call__(self, answer: Sequence[int], block: Sequence[int], is_end: bool) -> list[int]:
        """Positions of block in a run that is broken or at odds with what is above.

        len(block), the stop, if the last run lacks its end or the answer its impression. is_end:
        the answer stops after block.
        """
        self._read(answer)
        detokenizer, text = self._detokenizer.fork(), self._text
        spans: list[tuple[int, int]] = []
        for token_id in block:
            start = len(text)
            text += detokenizer.push(token_id)
            spans.append((start, len(text)))
        if is_end:
            spans.append((len(text) - 1, len(text)))
        faults = _find_faults(
            text, self._said, self._language, self._part, len(self._text), not is_end
        )
        if not (faults or is_end):
            return []
        return [
            position
            for position, (start, end) in enumerate(spans)
            if any(start < stop and end > begin for begin, stop in faults)
            or (position == len(block) and self._lacks_its_end(self._settled + text))
        ]

    def _read(self, answer: Sequence[int]) -> None:
        """Take up what the answer has grown by, and settle what can't change any more."""
        for token_id in answer[self._tokens_read :]:
            self._text += self._detokenizer.push(token_id)
        self._tokens_read = len(answer)
        settled = split_sentences(self._text)[:-1]
        for start, end in settled:
            run, self._said = _read_run(self._text[start:end], self._said, self._language)
            self._said = self._said.with_sentence(run) if run else self._said
        if settled:
            end = settled[-1][1]
            self._settled, self._text = self._settled + self._text[:end], self._text[end:]

    def _lacks_its_end(self, text: str) -> bool:
        """text: the whole answer."""
        if self._part:
            return self._part == IMPRESSION and not text.strip()
        return not any(heading in text for heading in IMPRESSION_HEADINGS)


@lru_cache(maxsize=4096)  # most films show most regions as other films do
def _find_faults(
    text: str, said: ReportSoFar, language: Language, part: str, begin: int, is_open: bool
) -> tuple[tuple[int, int], ...]:
    """(start, end) of runs of text that are broken or, beyond begin, at odds with what is said."""
    faults = find_broken_runs(text, language, is_open=is_open)
    faults += find_conflicting_runs(text, language, begin, is_open=is_open, said=said)
    if part:
        faults += [
            (start, end)
            for start, end in split_sentences(text)
            if not _may_hold(part, text[start:end].strip(), language)
        ]
    return tuple(faults)


def _may_hold(part: str, run: str, language: Language) -> bool:
    if any(heading in run for heading in HEADINGS[language]):
        return False
    return part in (IMPRESSION, region_of(run, language) or part)


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
