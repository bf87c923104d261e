"""A block diffusion draft, checked by the autoregressive model, which sends back what it disputes.

A block filled in one pass decides each of its tokens for itself, and may repeat a word or join
two phrasings. The autoregressive model reads the whole draft in one causal pass: a token that
it finds far less likely than its own choice there is masked and redrafted by the block model,
with the rest pinned. It never chooses a token itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from inference.decoding.answer import Answer
from inference.decoding.draft_session import DraftSession
from inference.decoding.one_step import decode_one_step
from inference.decoding.open_block import Block

# An answer's token ids -> of each, its probability over that of the likeliest token there.
Check = Callable[[Sequence[int]], Sequence[float]]


def decode_guided(
    session: DraftSession,
    check: Check,
    ratio: float,
    rounds: int,
    open_answer: Callable[[], Answer],
) -> Iterator[Block]:
    """Yield blocks until the draft ends; each as soon as no check can change it any more.

    Drafting is one-step's. At most ``rounds`` checks, one pass each: tokens whose probability
    is below ``ratio`` of the likeliest one's are redrafted, one pass a block that holds any,
    and with a stop what follows it in its block. A dispute seen before ends it: the block model
    insists. Blocks before the first disputed token are settled: check and draft see only what
    comes before a block.
    """
    wished = dict(session.pinned)
    draft = _draft(session, {}, open_answer())
    seen: set[tuple[int | None, ...]] = set()
    given = 0
    for _ in range(rounds):
        held = check(draft.token_ids[: draft.length])
        disputed = {at for at, share in enumerate(held) if share < ratio} - wished.keys()
        if draft.has_stopped and draft.length - 1 in disputed:
            disputed.update(range(draft.length, len(draft.token_ids)))
        canvas = tuple(None if at in disputed else t for at, t in enumerate(draft.token_ids))
        if not disputed or canvas in seen:
            break
        seen.add(canvas)
        settled = draft.blocks_before(min(disputed))
        yield from draft.blocks[given:settled]
        given = max(given, settled)
        kept = {at: token_id for at, token_id in enumerate(canvas) if token_id is not None}
        session.pin(kept)
        draft = _draft(session, {at: draft.confidences[at] for at in kept}, open_answer())
    yield from draft.blocks[given:]


@dataclass(frozen=True)
class _Draft:
    """Whole blocks; the answer is the first ``length`` of their tokens."""

    blocks: Sequence[Block]
    length: int
    has_stopped: bool

    @property
    def token_ids(self) -> list[int]:
        return [token_id for block in self.blocks for token_id in block.token_ids]

    @property
    def confidences(self) -> list[float]:
        return [confidence for block in self.blocks for confidence in block.confidences]

    def blocks_before(self, offset: int) -> int:
        """How many blocks end at or before this token of the answer."""
        return sum(end <= offset for end in accumulate(len(b.token_ids) for b in self.blocks))


def _draft(session: DraftSession, confidences: Mapping[int, float], answer: Answer) -> _Draft:
    """One-step around what the session has pinned, until the answer ends.

    confidences: by offset, of pinned tokens that were drafted before; another's is 1. A loop is
    left in: the check may well dispute it.
    """
    blocks: list[Block] = []
    offset = 0
    for block in decode_one_step(session):
        known = [confidences.get(offset + at, new) for at, new in enumerate(block.confidences)]
        blocks.append(Block(block.token_ids, known))
        answer.extend(block.token_ids)
        offset += len(block.token_ids)
        if answer.stop_reason is not None:
            break
    is_loop = answer.stop_reason == "repetition"
    length = offset if is_loop else len(answer.token_ids)
    return _Draft(blocks, length, answer.stop_reason == "stop")
