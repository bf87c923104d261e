"""Several denoising passes a block: the teacher's decoding, with the vanilla block cache."""

from __future__ import annotations

import math
from collections.abc import Iterator

from inference.decoding.draft_session import Block, DraftSession
from inference.decoding.remasking import choose_low_confidence_dynamic


def decode_multi_step(
    session: DraftSession, denoising_steps: int, confidence_threshold: float
) -> Iterator[Block]:
    """Yield blocks until the cache is full; each costs at most denoising_steps passes and one
    more that stores its K/V (not for the last block).

    A position's confidence is the one it had in the pass that committed it; once committed
    it is pinned.
    """
    length = session.block_length
    minimum = math.ceil(length / denoising_steps)
    start = len(session.prompt_ids) // length * length
    pinned = session.prompt_ids[start:]
    while start + length <= session.capacity:
        ids = pinned + [session.mask_token_id] * (length - len(pinned))
        is_masked = [False] * len(pinned) + [True] * (length - len(pinned))
        confidences = [1.0] * length
        while any(is_masked):
            guess = session.run_pass(ids, start, keep=length)
            for position in choose_low_confidence_dynamic(
                guess.confidences, is_masked, confidence_threshold, minimum
            ):
                ids[position] = guess.token_ids[position]
                confidences[position] = guess.confidences[position]
                is_masked[position] = False
        yield Block(ids[len(pinned) :], confidences[len(pinned) :])
        session.run_pass(ids, start, keep=0)
        pinned = []
        start += length
