"""One pass a block: the student's decoding, with the fused block cache."""

from __future__ import annotations

from collections.abc import Iterator

from inference.decoding.draft_session import Block, DraftSession


def decode_one_step(session: DraftSession) -> Iterator[Block]:
    """Yield blocks until the cache is full; N blocks cost N passes.

    Pass n feeds [block n-1, final | block n, masks]: it stores the K/V of block n-1, which
    can't see block n, and fills block n. The K/V of block n are provisional and overwritten
    by pass n+1; the last block is never stored. A prompt that is no whole number of blocks
    leaves its tail in the first block, pinned.
    """
    length = session.block_length
    start = len(session.prompt_ids) // length * length
    pinned = session.prompt_ids[start:]
    final: list[int] = []
    while start + length <= session.capacity:
        masks = [session.mask_token_id] * (length - len(pinned))
        ids = final + pinned + masks
        block = session.run_pass(ids, start - len(final), keep=len(masks), fused=bool(final))
        yield block
        final, pinned = pinned + block.token_ids, []
        start += length
