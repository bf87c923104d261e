"""A block on its way from masks to tokens. Torch-free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from inference.decoding.draft_session import DraftSession


class Block(NamedTuple):
    """Tokens decided together, with the model's probability of each.

    entropies: of each position's distribution in nats; empty unless the pass was asked for it.
    """

    token_ids: list[int]
    confidences: list[float]
    entropies: Sequence[float] = ()


class OpenBlock:
    """ids: the whole block, the mask token where it is open; what is fixed stays.

    start: absolute position. Fixed are the prompt's tail and what the request pinned.
    """

    def __init__(self, start: int, ids: list[int], mask_token_id: int, answer_start: int) -> None:
        self.start, self.ids = start, ids
        self.is_masked = [token_id == mask_token_id for token_id in ids]
        self.confidences = [1.0] * len(ids)
        self._answer_start = max(0, answer_start - start)

    @property
    def is_open(self) -> bool:
        return any(self.is_masked)

    @property
    def rows_to_keep(self) -> int:
        """How many of the last rows hold all that is masked."""
        return len(self.ids) - self.is_masked.index(True)

    def spread(self, values: Sequence[float]) -> list[float]:
        """Values of the last rows, for all rows; nothing is known of those before."""
        return [0.0] * (len(self.ids) - len(values)) + list(values)

    def commit(self, positions: Iterable[int], guess: Block) -> None:
        """Take the guess (of the last rows, or of all) at masked positions, for good."""
        missing = len(self.ids) - len(guess.token_ids)
        for position in positions:
            assert self.is_masked[position]
            self.ids[position] = guess.token_ids[position - missing]
            self.confidences[position] = guess.confidences[position - missing]
            self.is_masked[position] = False

    def commit_all(self, guess: Block) -> None:
        self.commit([p for p, masked in enumerate(self.is_masked) if masked], guess)

    @property
    def answer(self) -> Block:
        """What of it is no prompt."""
        return Block(self.ids[self._answer_start :], self.confidences[self._answer_start :])


def open_blocks(session: DraftSession) -> Iterator[OpenBlock]:
    """Every block that isn't wholly prompt, up to the session's capacity."""
    length, answer_start = session.block_length, len(session.prompt_ids)
    for start in range(answer_start // length * length, session.capacity - length + 1, length):
        ids = [session.fixed.get(p, session.mask_token_id) for p in range(start, start + length)]
        yield OpenBlock(start, ids, session.mask_token_id, answer_start)
