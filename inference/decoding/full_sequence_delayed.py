"""Full-sequence decoding that stops computing a token soon after it is committed.

The delayed cache of dKV-Cache (arXiv 2505.15781): a token's keys and values change most in the
pass after its commit, so they are computed once more there, and kept from then on although
later passes would still change them a little. Approximate; passes get shorter as tokens settle.
"""

from __future__ import annotations

from collections.abc import Sequence

from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block, OpenBlock


class DelayedCacheLooks:
    """The first pass feeds the whole canvas; a later one what is masked, or was in the last."""

    def __init__(self, session: DraftSession) -> None:
        self._session = session
        self._were_masked: list[bool] | None = None

    def look(self, block: OpenBlock, wanted: Sequence[int]) -> Block:
        size, before = len(block.ids), self._were_masked or [True] * len(block.ids)
        fed = [position for position in range(size) if before[position]]
        self._were_masked = list(block.is_masked)
        places = [block.start + position for position in fed]
        ids = [block.ids[position] for position in fed]
        guess = self._session.run_scattered(ids, places, block.start + size)
        return _spread(guess, fed, size)


def _spread(guess: Block, fed: Sequence[int], size: int) -> Block:
    """Onto the whole block; nothing is known of positions that weren't fed."""
    token_ids, confidences = [-1] * size, [0.0] * size
    entropies = [0.0] * size if guess.entropies else []
    for at, position in enumerate(fed):
        token_ids[position], confidences[position] = guess.token_ids[at], guess.confidences[at]
        if entropies:
            entropies[position] = guess.entropies[at]
    return Block(token_ids, confidences, entropies)
