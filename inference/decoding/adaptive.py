"""One pass a block, and a second look only where the first one is in doubt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block, OpenBlock, open_blocks

# (answer before the block, the block's tokens up to a stop, whether there is a stop) -> the
# positions that stand in a run which can't be right whatever follows, for instance a sentence
# outside the report grammar. The stop's own position: the answer can't end there.
FindBroken = Callable[[Sequence[int], Sequence[int], bool], Collection[int]]


def decode_adaptive(
    session: DraftSession,
    threshold: float,
    max_passes: int,
    stop_ids: Collection[int],
    find_broken: FindBroken | None = None,
) -> Iterator[Block]:
    """Yield blocks until the cache is full; each costs 1 to max_passes passes, fixed ones none.

    The first look is one-step's fused pass. Where it leaves no doubt, the next block's first
    look stores this block, as in one-step. Else the doubtful positions are masked again and
    looked at with the others to lean on, until none is left or max_passes is reached. Such a
    pass feeds the current block alone: the one before is stored since the first look. What is
    fixed is in no doubt.
    """
    final: list[int] = []
    answer: list[int] = []
    for block in open_blocks(session):
        if block.is_open:
            keep = block.rows_to_keep
            fed, start = final + block.ids, block.start - len(final)
            first = session.run_pass(fed, start, keep, fused=bool(final))
            doubts = _Doubts(block, first, threshold, stop_ids)
            for _ in range(max_passes - 1):
                masked = doubts.choose(find_broken, answer)
                if not masked:
                    break
                canvas = [
                    session.mask_token_id if position in masked else token_id
                    for position, token_id in enumerate(doubts.token_ids)
                ]
                doubts.take(session.run_pass(canvas, block.start, keep), masked)
            block.commit_all(Block(doubts.token_ids, doubts.confidences))
            final = []
        yield block.answer
        answer += block.answer.token_ids
        final = final + block.ids


class _Doubts:
    """One block between its looks: the newest token and confidence of every open position."""

    def __init__(
        self, block: OpenBlock, first: Block, threshold: float, stop_ids: Collection[int]
    ) -> None:
        self.token_ids, self.confidences = list(block.ids), list(block.confidences)
        self._threshold, self._stop_ids = threshold, stop_ids
        self._answer_start = len(block.ids) - len(block.answer.token_ids)
        self._open = frozenset(p for p, masked in enumerate(block.is_masked) if masked)
        self._canvases = {self._canvas(self._open)}
        self.take(first, self._open)

    def take(self, guess: Block, masked: frozenset[int]) -> None:
        """What a look found at the positions that were masked in it."""
        missing = len(self.token_ids) - len(guess.token_ids)
        for position in masked:
            self.token_ids[position] = guess.token_ids[position - missing]
            self.confidences[position] = guess.confidences[position - missing]
        self._looked_at = masked

    def choose(self, find_broken: FindBroken | None, answer: Sequence[int]) -> frozenset[int]:
        """Positions to mask for another look; none where another look would tell nothing new.

        Those of the last look below the threshold, at least one of that look being committed;
        where there are none, those in a broken run. What stands behind a stop id raises no
        doubt of its own, and shares the doubt about the stop.
        """
        end = self._first_stop()
        masked = {
            position
            for position in self._looked_at
            if position <= end and self.confidences[position] < self._threshold
        }
        if not masked and find_broken is not None:
            begin, is_end = self._answer_start, end < len(self.token_ids)
            broken = find_broken(answer, self.token_ids[begin:end], is_end)
            masked = {begin + position for position in broken} & self._open
        again = self._with_followers(masked, end)
        if self._canvas(again) in self._canvases:  # nothing less is masked than before
            masked.remove(max(masked, key=lambda p: (self.confidences[p], -p)))
            again = self._with_followers(masked, end)
        canvas = self._canvas(again)
        if not again or canvas in self._canvases:
            return frozenset()
        self._canvases.add(canvas)
        return again

    def _with_followers(self, masked: set[int], stop: int) -> frozenset[int]:
        """With what stands behind the stop, if the stop is masked."""
        followers = range(stop, len(self.token_ids)) if stop in masked else ()
        return self._open.intersection(masked.union(followers))

    def _first_stop(self) -> int:
        for position in range(self._answer_start, len(self.token_ids)):
            if self.token_ids[position] in self._stop_ids:
                return position
        return len(self.token_ids)

    def _canvas(self, masked: Collection[int]) -> tuple[int | None, ...]:
        return tuple(None if p in masked else token for p, token in enumerate(self.token_ids))
