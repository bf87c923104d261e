"""One pass a block, and a second look only where the first one is in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, Protocol

from inference.decoding.draft_session import ChooseTokens, DraftSession
from inference.decoding.open_block import Block, OpenBlock, open_blocks


class ReportCheck(Protocol):
    """What is known of the reports a model can write. answer: the tokens before the block."""

    def find_faults(
        self, answer: Sequence[int], block: Sequence[int], is_end: bool
    ) -> Collection[int]:
        """Positions in a run of block, its tokens up to a stop, that can't be right.

        For instance in a sentence outside the report grammar, or one that contradicts the answer.
        is_end: whether there is a stop; its position is len(block): the answer can't end there.
        """

    def mend(self, answer: Sequence[int], canvas: Sequence[int | None]) -> ChooseTokens | None:
        """Chooses what fills the whole block without a fault, None being what is open.

        None where nothing is known of what might follow answer.
        """


class _Look(NamedTuple):
    """masked: block positions. choose: how to choose at the block's rows, if not as always."""

    masked: frozenset[int]
    choose: ChooseTokens | None = None


def decode_adaptive(
    session: DraftSession,
    threshold: float,
    max_passes: int,
    stop_ids: Collection[int],
    check: ReportCheck | None = None,
) -> Iterator[Block]:
    """Yield blocks until the cache is full; each costs 1 to max_passes passes, fixed ones none.

    The first look is one-step's fused pass. Where it leaves no doubt, the next block's first
    look stores this block, as in one-step. Else the doubtful positions are masked again and
    looked at with the others to lean on, until none is left or max_passes is reached. Such a
    pass feeds the current block alone: the one before is stored since the first look. What is
    fixed is in no doubt. What check finds at fault is looked at once more together with what
    follows it in the block, and the likeliest filling is taken that leaves no fault.
    """
    final: list[int] = []
    answer: list[int] = []
    for block in open_blocks(session):
        if block.is_open:
            keep = block.rows_to_keep
            fed, start = final + block.ids, block.start - len(final)
            first = session.run_pass(fed, start, keep, fused=bool(final))
            doubts = _Doubts(block, first, threshold, stop_ids)
            for left in reversed(range(max_passes - 1)):
                look = doubts.choose(check, answer, is_last=left == 0)
                if look is None:
                    break
                canvas = [
                    session.mask_token_id if token_id is None else token_id
                    for token_id in doubts.canvas(look.masked)
                ]
                guess = session.run_pass(canvas, block.start, keep, choose=look.choose)
                doubts.take(guess, look.masked)
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
        self._canvases = {self.canvas(self._open)}
        self._was_mended = False
        self.take(first, self._open)

    def take(self, guess: Block, masked: frozenset[int]) -> None:
        """What a look found at the positions that were masked in it."""
        missing = len(self.token_ids) - len(guess.token_ids)
        for position in masked:
            self.token_ids[position] = guess.token_ids[position - missing]
            self.confidences[position] = guess.confidences[position - missing]
        self._looked_at = masked

    def choose(
        self, check: ReportCheck | None, answer: Sequence[int], is_last: bool
    ) -> _Look | None:
        """Another look; None where it would tell nothing new. is_last: none may follow it.

        At the positions of the last look below the threshold, at least one of that look being
        committed; where there are none, or in the last look, at those at fault. They and what
        follows them in the block are first tried to be mended. What stands behind a stop id
        raises no doubt of its own, and shares the doubt about the stop.
        """
        end = self._first_stop()
        doubtful = {
            position
            for position in self._looked_at
            if position <= end and self.confidences[position] < self._threshold
        }
        if not (self._was_mended or is_last) and (look := self._narrow(doubtful, end)):
            return look
        at_fault = self._find_faults(check, answer, end) if check is not None else set()
        if check is None or not at_fault:
            return None if self._was_mended else self._narrow(doubtful, end)
        if not self._was_mended:
            self._was_mended = True
            rest = frozenset(p for p in self._open if p >= min(at_fault))
            if choose := check.mend(answer, self.canvas(rest)[self._answer_start :]):
                return _Look(rest, choose)
        return self._narrow(doubtful, end) or self._narrow(at_fault, end)

    def _find_faults(self, check: ReportCheck, answer: Sequence[int], end: int) -> set[int]:
        begin, is_end = self._answer_start, end < len(self.token_ids)
        faults = check.find_faults(answer, self.token_ids[begin:end], is_end)
        return {begin + position for position in faults} & self._open

    def _narrow(self, masked: set[int], end: int) -> _Look | None:
        """A look at these, or at one less where nothing less would be masked than before."""
        again = self._with_followers(masked, end)
        if again and self.canvas(again) in self._canvases:
            masked = masked - {max(masked, key=lambda p: (self.confidences[p], -p))}
            again = self._with_followers(masked, end)
        canvas = self.canvas(again)
        if not again or canvas in self._canvases:
            return None
        self._canvases.add(canvas)
        return _Look(again)

    def _with_followers(self, masked: set[int], stop: int) -> frozenset[int]:
        """With what stands behind the stop, if the stop is masked."""
        followers = range(stop, len(self.token_ids)) if stop in masked else ()
        return self._open.intersection(masked.union(followers))

    def _first_stop(self) -> int:
        for position in range(self._answer_start, len(self.token_ids)):
            if self.token_ids[position] in self._stop_ids:
                return position
        return len(self.token_ids)

    def canvas(self, masked: Collection[int]) -> tuple[int | None, ...]:
        """The block's tokens, None where they are masked."""
        return tuple(None if p in masked else token for p, token in enumerate(self.token_ids))
