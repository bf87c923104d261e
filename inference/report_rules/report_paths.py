"""The canonical reports of a language as paths of tokens, and the likeliest one. Torch-free.

For models trained on the template's wording only. A path is heading, sentences, heading,
sentences, stop; a position in it is a node of the trie of all that may come next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from inference.prompts import IMPRESSION_HEADINGS
from inference.report_language import REGIONS, Language, canonical_sentences
from inference.report_parts import HEADINGS, IMPRESSION, region_of
from inference.report_rules.report_conflicts import ReportSoFar, is_conflicting, is_unfounded

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_WIDTH = 32  # paths kept at each position


@dataclass(eq=False)
class _Node:
    """ends: the sentence or heading that ends here."""

    children: dict[int, _Node] = field(default_factory=dict)
    ends: str = ""

    def add(self, token_ids: Sequence[int], run: str) -> None:
        node = self
        for token_id in token_ids:
            node = node.children.setdefault(token_id, _Node())
        node.ends = run

    def runs(self) -> Iterator[str]:
        """All that may end here or further on."""
        if self.ends:
            yield self.ends
        for child in self.children.values():
            yield from child.runs()


class PathPlace(NamedTuple):
    """Where in a report a path stands. node: None behind the stop."""

    node: _Node | None
    said: ReportSoFar


class ReportPaths:
    """Canonical reports of one language in the tokens of one tokenizer."""

    def __init__(
        self, tokenizer: Tokenizer, language: Language, stop_ids: Collection[int],
        sentences: Collection[str] | None = None,
        part: str = "",
    ) -> None:  # fmt: skip
        """sentences: the template's, unless given. part: paths of that part alone, without headings
        (report_parts); its text may also be empty, as those of a film that is refused are.
        """
        self._language, self._stop_ids, self._part = language, frozenset(stop_ids), part
        self._endings = _tokens_ending_sentences(tokenizer)
        runs = sorted(canonical_sentences(language) if sentences is None else sentences)
        if part not in ("", IMPRESSION):
            runs = [run for run in runs if (region_of(run, language) or REGIONS[0]) == part]
        gap = " " if language == "en" else ""
        heading, conclusion = HEADINGS[language]
        self._begin, self._findings, self._impression = _Node(), _Node(), _Node()
        self._can_become = lru_cache(maxsize=4096)(self._find_ending)
        self._begin.add(_encode(tokenizer, [heading])[0], heading)
        for run, token_ids in zip(runs, _encode(tokenizer, [gap + r for r in runs]), strict=True):
            self._findings.add(token_ids, run)
            self._impression.add(token_ids, run)
        if not part:
            self._findings.add(_encode(tokenizer, [" " + conclusion])[0], conclusion)

    def follow(self, answer: Sequence[int], said: ReportSoFar | None = None) -> PathPlace | None:
        """Where an answer stands; None within a run that no path has.

        Runs that no path has are passed over, up to their full stop. said: what is written in other
        parts, for the paths of a part.
        """
        said = said or ReportSoFar()
        place: PathPlace | None = self._root(said) if self._part else PathPlace(self._begin, said)
        for token_id in answer:
            if place is not None:
                place = self._step(place, token_id)
                said = place.said if place is not None else said
            elif token_id in self._endings:
                place = self._root(said)
        return place

    def fill(
        self, place: PathPlace, canvas: Sequence[int | None], log_probs: Sequence[Sequence[float]]
    ) -> list[int] | None:
        """The likeliest tokens of the block after place along a path without conflicts, or None.

        canvas: the block's tokens, None where one is to be chosen by log_probs [block,
        vocabulary], each position for itself. From the first open position on no sentence
        contradicts or repeats what is above, or concludes on what isn't found, and one that the
        block leaves open can still become such a sentence. Behind a stop anything may stand.
        """
        path = [token_id for token_id in canvas[: _count_fixed(canvas)] if token_id is not None]
        for token_id in path:
            if (following := self._step(place, token_id)) is None:
                return None
            place = following
        beam: list[tuple[float, list[int], PathPlace]] = [(0.0, path, place)]
        for fixed, row in list(zip(canvas, log_probs, strict=True))[len(path) :]:
            likeliest = row.index(max(row)) if fixed is None else fixed
            longer = [
                (score + (row[token_id] if fixed is None else 0.0), [*path, token_id], after)
                for score, path, at in beam
                for token_id in self._choices(at, fixed, likeliest)
                if (after := self._advance(at, token_id)) is not None
            ]
            longer.sort(key=lambda option: -option[0])
            beam = list(islice((way for way in longer if self._can_go_on(way[2])), _WIDTH))
        return beam[0][1] if beam else None

    def _choices(self, place: PathPlace, fixed: int | None, likeliest: int) -> Collection[int]:
        """What may be tried there. likeliest: of all tokens, for where anything may stand."""
        if fixed is not None:
            return (fixed,)
        if place.node is None:
            return (likeliest,)
        return [*place.node.children, *(self._stop_ids if self._may_stop(place) else ())]

    def _advance(self, place: PathPlace, token_id: int) -> PathPlace | None:
        """As _step, but along sentences that may stand there."""
        after = self._step(place, token_id)
        if after is None or after.said is place.said:  # nearly always: no run ends here
            return after
        if after.said.sentence_count == place.said.sentence_count:
            return after
        sentence = (after.said.impression or after.said.findings)[-1]
        return after if self._may_stand(place.said, sentence) else None

    def _step(self, place: PathPlace, token_id: int) -> PathPlace | None:
        if place.node is None:
            return place
        if token_id in self._stop_ids:
            return PathPlace(None, place.said) if self._may_stop(place) else None
        node = place.node.children.get(token_id)
        if node is None or not node.ends:
            return PathPlace(node, place.said) if node is not None else None
        if node.ends in IMPRESSION_HEADINGS:
            return self._root(place.said.with_heading())
        if node.ends in HEADINGS[self._language]:
            return self._root(place.said)
        return self._root(place.said.with_sentence(node.ends))

    def _root(self, said: ReportSoFar) -> PathPlace:
        return PathPlace(self._impression if said.is_concluding else self._findings, said)

    def _may_stop(self, place: PathPlace) -> bool:
        if self._part and self._part != IMPRESSION:
            return place.node is self._findings
        return place.node is self._impression and bool(place.said.impression)

    def _may_stand(self, said: ReportSoFar, sentence: str) -> bool:
        if is_unfounded(said, sentence, self._language):  # the quicker question first
            return False
        return not is_conflicting(said, sentence, self._language)

    def _can_go_on(self, place: PathPlace) -> bool:
        if place.node is None or place.node is self._root(place.said).node:
            return True
        return self._can_become(place.node, place.said)

    def _find_ending(self, node: _Node, said: ReportSoFar) -> bool:
        """Whether anything may stand that goes through node."""
        headings = HEADINGS[self._language]
        return any(run in headings or self._may_stand(said, run) for run in node.runs())


@lru_cache(maxsize=32)
def report_paths(
    tokenizer: Tokenizer, language: Language, stop_ids: frozenset[int], part: str = ""
) -> ReportPaths:
    """Made once: the template has some 1,500 sentences."""
    return ReportPaths(tokenizer, language, stop_ids, part=part)


def _count_fixed(canvas: Sequence[int | None]) -> int:
    """How many tokens stand before the first open place."""
    return next((at for at, token_id in enumerate(canvas) if token_id is None), len(canvas))


def _encode(tokenizer: Tokenizer, runs: Sequence[str]) -> list[list[int]]:
    encoded = tokenizer.encode_batch(list(runs), add_special_tokens=False)
    return [encoding.ids for encoding in encoded]


def _tokens_ending_sentences(tokenizer: Tokenizer) -> frozenset[int]:
    return frozenset(
        token_id
        for token_id in range(tokenizer.get_vocab_size())
        if tokenizer.decode([token_id]).endswith((".", "。"))
    )
