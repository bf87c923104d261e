"""All regions of a report at once, then the impression, which reads them all.

Each pass feeds one block of every unfinished stream, and stores the block before it (the fused
block cache, stream by stream). A stream's text does not depend on how the others go on: no row of
a region sees another's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from inference.decoding.answer import Answer
from inference.decoding.block_doubts import BlockDoubts, ReportCheck
from inference.decoding.open_block import Block, OpenBlock
from inference.decoding.region_session import PartRows, RegionSession
from inference.decoding.remasking import Remask
from inference.report_parts import PARTS

FillBlocks = Callable[[RegionSession, Sequence["Stream"]], None]
"""Decides the open block of every stream, in as many passes as that takes."""


class PartBlock(NamedTuple):
    """A block as it belongs to its part's text, stop id included."""

    part: str
    token_ids: list[int]
    token_texts: list[str]
    confidences: list[float]
    is_end: bool
    is_given: bool = False
    second_looks: int = 0


class Stream:
    """One part of the report on its way. filler: what stands behind a stop in its block, as in
    training.
    """

    def __init__(
        self, part: int, session: RegionSession, answer: Answer, filler: int,
        check: ReportCheck | None = None,
    ) -> None:  # fmt: skip
        self.part, self.answer, self.check = part, answer, check
        self._session, self._filler = session, filler
        self._number = 0
        session.begin(part)

    @property
    def is_open(self) -> bool:
        return self.answer.stop_reason is None

    def open_block(self) -> None:
        length, mask = self._session.block_length, self._session.mask_token_id
        self.block = OpenBlock(0, [mask] * length, mask, 0)
        self.second_looks = 0

    def rows(self, ids: list[int] | None = None) -> PartRows:
        """The open block as it is fed; ids: in place of its own."""
        return PartRows(self.part, self._number, self.block.ids if ids is None else ids)

    def close_block(self) -> PartBlock:
        """The block is decided: it belongs to the answer, and the next pass stores it."""
        block = self._take(self.block.ids, self.block.confidences)
        return block._replace(second_looks=self.second_looks)

    def give(self, token_ids: Sequence[int]) -> Iterator[PartBlock]:
        """Its whole text, stop id included, is not drafted."""
        length = self._session.block_length
        for start in range(0, len(token_ids), length):
            ids = list(token_ids[start : start + length])
            yield self._take(ids, [1.0] * len(ids))._replace(is_given=True)

    def _take(self, block: list[int], confidences: list[float]) -> PartBlock:
        ids, texts = self.answer.extend(block)
        filled = [*ids, *[self._filler] * (self._session.block_length - len(ids))]
        self._session.store(self.part, self._number, filled)
        self._number += 1
        name = PARTS[self.part]
        return PartBlock(name, ids, texts, confidences[: len(ids)], not self.is_open)


def decode_streams(
    session: RegionSession, streams: Sequence[Stream], fill: FillBlocks, max_new_tokens: int
) -> Iterator[PartBlock]:
    """Yield the blocks of each round in the order of streams, until all are complete.

    Where they hold max_new_tokens together, all end there.
    """
    while still_open := [stream for stream in streams if stream.is_open]:
        for stream in still_open:
            stream.open_block()
        fill(session, still_open)
        for stream in still_open:
            yield stream.close_block()
        if sum(len(stream.answer.token_ids) for stream in streams) >= max_new_tokens:
            for stream in streams:
                stream.answer.stop_reason = stream.answer.stop_reason or "length"


def fill_one_step(session: RegionSession, streams: Sequence[Stream]) -> None:
    found = session.look([stream.rows() for stream in streams])
    for stream, block in zip(streams, found, strict=True):
        stream.block.commit_all(block)


def fill_multi_step(denoising_steps: int, remasks: Sequence[Remask]) -> FillBlocks:
    """At most so many passes a block; remasks: one for each of PARTS."""

    def fill(session: RegionSession, streams: Sequence[Stream]) -> None:
        minimum = math.ceil(session.block_length / denoising_steps)
        while still_open := [stream for stream in streams if stream.block.is_open]:
            found = session.look([stream.rows() for stream in still_open])
            for stream, guess in zip(still_open, found, strict=True):
                block, remask = stream.block, remasks[stream.part]
                chosen = remask(guess.confidences, guess.entropies, block.is_masked, minimum)
                block.commit(chosen, guess)

    return fill


def fill_adaptive(threshold: float, max_passes: int, stop_ids: Collection[int]) -> FillBlocks:
    """A second look only at the streams that are in doubt; see decode_adaptive."""

    def fill(session: RegionSession, streams: Sequence[Stream]) -> None:
        found = session.look([stream.rows() for stream in streams])
        doubts = [
            (stream, BlockDoubts(stream.block, first, threshold, stop_ids))
            for stream, first in zip(streams, found, strict=True)
        ]
        doubtful = doubts
        for left in reversed(range(max_passes - 1)):
            looks = [
                (stream, doubt, look)
                for stream, doubt in doubtful
                if (look := doubt.choose(stream.check, stream.answer.token_ids, left == 0))
            ]
            if not looks:
                break
            fed = []
            for stream, doubt, look in looks:
                canvas = doubt.canvas(look.masked)
                mask = session.mask_token_id
                fed.append(stream.rows([mask if token is None else token for token in canvas]))
            session.extra_passes += 1
            again = session.look(fed, [look.choose for _, _, look in looks])
            for (stream, doubt, look), block in zip(looks, again, strict=True):
                stream.second_looks += 1
                doubt.take(block, look.masked)
            doubtful = [(stream, doubt) for stream, doubt, _ in looks]
        for stream, doubt in doubts:
            stream.block.commit_all(Block(doubt.token_ids, doubt.confidences))

    return fill
