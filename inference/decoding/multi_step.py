"""Several denoising passes a block: the teacher's decoding, with the vanilla block cache."""

from __future__ import annotations

import math
from collections.abc import Iterator

from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block, open_blocks
from inference.decoding.remasking import Remask


def decode_multi_step(
    session: DraftSession, denoising_steps: int, remask: Remask
) -> Iterator[Block]:
    """Yield blocks until the cache is full; each costs at most denoising_steps passes and one
    more that stores its K/V (not for the last block).

    A position's confidence is the one it had in the pass that committed it; once committed
    it is fixed. Wholly fixed blocks cost no pass: the next block's first one stores them.
    """
    minimum = math.ceil(session.block_length / denoising_steps)
    final: list[int] = []
    for block in open_blocks(session):
        if not block.is_open:
            final = final + block.ids
            yield block.answer
            continue
        while block.is_open:
            fed, start = final + block.ids, block.start - len(final)
            guess = session.run_pass(fed, start, block.rows_to_keep, fused=bool(final))
            confidences, entropies = block.spread(guess.confidences), block.spread(guess.entropies)
            block.commit(remask(confidences, entropies, block.is_masked, minimum), guess)
            final = []
        yield block.answer
        session.run_pass(block.ids, block.start, keep=0)
