"""One pass a block, and a second look only where the first one is in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from inference.decoding.block_doubts import BlockDoubts, ReportCheck
from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block, open_blocks


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
            doubts = BlockDoubts(block, first, threshold, stop_ids)
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
