"""What of a block is still in doubt after a look at it, and where to look again. Torch-free."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from inference.decoding.open_block import Block, OpenBlock

if TYPE_CHECKING:
    from inference.decoding.draft_session import ChooseTokens


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


class Look(NamedTuple):
    """masked: block positions. choose: how to choose at the block's rows, if not as always."""

    masked: frozenset[int]
    choose: ChooseTokens | None = None


class BlockDoubts:
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
    ) -> Look | None:
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
                return Look(rest, choose)
        return self._narrow(doubtful, end) or self._narrow(at_fault, end)

    def _find_faults(self, check: ReportCheck, answer: Sequence[int], end: int) -> set[int]:
        begin, is_end = self._answer_start, end < len(self.token_ids)
        faults = check.find_faults(answer, self.token_ids[begin:end], is_end)
        return {begin + position for position in faults} & self._open

    def _narrow(self, masked: set[int], end: int) -> Look | None:
        """A look at these, or at one less where nothing less would be masked than before."""
        if not masked:
            return None
        again = self._with_followers(masked, end)
        if again and self.canvas(again) in self._canvases:
            masked = masked - {max(masked, key=lambda p: (self.confidences[p], -p))}
            again = self._with_followers(masked, end)
        canvas = self.canvas(again)
        if not again or canvas in self._canvases:
            return None
        self._canvases.add(canvas)
        return Look(again)

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
