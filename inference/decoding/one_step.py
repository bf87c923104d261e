"""One pass a block: the student's decoding, with the fused block cache, and without for proof."""

from __future__ import annotations

from collections.abc import Iterator

from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block, OpenBlock, open_blocks


def decode_one_step(session: DraftSession) -> Iterator[Block]:
    """Yield blocks until the cache is full; N blocks cost N passes, wholly fixed ones none.

    Pass n feeds [block n-1, final | block n, masks]: it stores the K/V of block n-1, which
    can't see block n, and fills block n. The K/V of block n are provisional and overwritten
    by pass n+1; the last block is never stored. Blocks that were fixed (a prefix) are stored
    together by the next pass, as block n-1 is. A prompt that is no whole number of blocks
    leaves its tail in the first block, fixed.
    """
    final: list[int] = []
    for block in open_blocks(session):
        if block.is_open:
            fed, start = final + block.ids, block.start - len(final)
            guess = session.run_pass(fed, start, block.rows_to_keep, fused=bool(final))
            block.commit_all(guess)
            final = []
        final = final + block.ids
        yield block.answer


def decode_one_step_unfused(session: DraftSession) -> Iterator[Block]:
    """The same tokens with the vanilla block cache: one pass fills a block, one more stores it.

    2N - 1 passes for N blocks: the last one is not stored. A fixed block costs the second only.
    """
    for block in open_blocks(session):
        if block.is_open:
            block.commit_all(session.run_pass(block.ids, block.start, block.rows_to_keep))
        yield block.answer
        session.run_pass(block.ids, block.start, keep=0)


def decode_one_step_ahead(session: DraftSession) -> Iterator[Block]:
    """decode_one_step, with the next block under way before this one is read.

    The device goes on while the host reads, judges and shows a block; where that was the answer's
    last, one pass was in vain, and no more. A block that is fixed has nothing to wait for.
    """
    session.begin_ahead()
    unread: OpenBlock | None = None
    unstored: int | None = None
    for block in open_blocks(session):
        unstored = block.start if unstored is None else unstored
        if block.is_open:
            session.enqueue(block.start, unstored)
            unstored = block.start
        if unread is not None:
            yield _read(session, unread)
        unread = block
    if unread is not None:
        yield _read(session, unread)


def _read(session: DraftSession, block: OpenBlock) -> Block:
    if block.is_open:
        block.commit_all(session.read())
    return block.answer
