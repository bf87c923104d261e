"""Masked diffusion over the whole answer at once, as LLaDA decodes (arXiv 2502.09992).

The canvas is one block, as long as the longest answer: it takes weights trained so. What a pass
takes over from those before it is a strategy of its own: the prompt's keys and values here, which
loses nothing, as the prompt never sees the answer; ``full_sequence_uncached``,
``full_sequence_delayed``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block, OpenBlock, open_blocks
from inference.decoding.remasking import Remask


class WholeLooks(Protocol):
    """Passes over one canvas. Made anew for each draft."""

    def __init__(self, session: DraftSession) -> None: ...

    def look(self, block: OpenBlock, wanted: Sequence[int]) -> Block:
        """One pass; the choice at every position of the block, true at those wanted at least."""


class PromptCachedLooks:
    """Every pass feeds the whole canvas, and takes the prompt from the cache."""

    def __init__(self, session: DraftSession) -> None:
        self._session = session

    def look(self, block: OpenBlock, wanted: Sequence[int]) -> Block:
        return self._session.run_pass(block.ids, block.start, len(block.ids))


def decode_full_sequence(
    session: DraftSession,
    looks: WholeLooks,
    denoising_steps: int,
    remask: Remask,
    stop_ids: Collection[int],
) -> Iterator[Block]:
    """Yield the one canvas, after at most denoising_steps passes.

    Each pass commits what remask chooses, at least its share of the canvas. It ends early where
    all before the first stop is committed; what stands behind that is the stop once more.
    """
    block = next(open_blocks(session))
    minimum = math.ceil(len(block.ids) / denoising_steps)
    while wanted := _masked_before_stop(block, stop_ids):
        guess = looks.look(block, wanted)
        is_wanted = [position in wanted for position in range(len(block.ids))]
        entropies = guess.entropies or [0.0] * len(block.ids)
        block.commit(remask(guess.confidences, entropies, is_wanted, minimum), guess)
    behind = [position for position, masked in enumerate(block.is_masked) if masked]
    if behind:
        stop = min(p for p, token_id in enumerate(block.ids) if token_id in stop_ids)
        filling = Block([block.ids[stop]] * len(block.ids), [1.0] * len(block.ids))
        block.commit(behind, filling)
    yield block.answer


def _masked_before_stop(block: OpenBlock, stop_ids: Collection[int]) -> list[int]:
    wanted = []
    for position, masked in enumerate(block.is_masked):
        if masked:
            wanted.append(position)
        elif block.ids[position] in stop_ids:
            break
    return wanted
