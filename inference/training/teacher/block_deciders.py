"""How a teacher decides many masked blocks at once, and what it knew of each token.

In steps: all masked positions are queried; those with confidence >= threshold are committed (the
best one if none), each with its argmax, and the distribution at the step of commitment is kept (its
largest entries): the paper's teacher.

By mending: adaptive decoding, for models of canonical wording. Where a film lies between two
reports, the teacher's text is one of them by chance, and a student that learns it mixes both in one
pass. Adaptive decoding ends in the report that the model leans to: no word of it is at odds with
another, so that one pass can learn to say it. Kept is the first look's distribution where it
stands, and else the token alone; a token's step is the look that decided it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from inference.decoding.block_doubts import BlockDoubts, Look, ReportCheck
from inference.decoding.open_block import Block, OpenBlock
from inference.training.config import TeacherConfig

QueryBlocks = Callable[[torch.Tensor], torch.Tensor]
"""ids [N, L] to logits [N, L, vocabulary]; the mask token's are -inf."""


class DecidedBlocks(NamedTuple):
    """Of N blocks of L positions. steps: 1-based, 0 where a block was none to decide."""

    ids: torch.Tensor  # [N, L]
    steps: torch.Tensor  # [N, L] uint8
    top_ids: torch.Tensor  # [N, L, top] int32
    top_probabilities: torch.Tensor  # [N, L, top] float16
    passes: int


class Draft(NamedTuple):
    """What stands before a block. check: None where nothing is known of the model's wording."""

    answer: list[int]
    check: ReportCheck | None = None


def decide_in_steps(
    query: QueryBlocks, is_open: torch.Tensor, mask_id: int, length: int, settings: TeacherConfig
) -> DecidedBlocks:
    """is_open: [N] bool, the blocks meant."""
    shape, top, device = (len(is_open), length), settings.top, is_open.device
    ids = torch.full(shape, mask_id, device=device)
    steps = torch.zeros(shape, dtype=torch.uint8, device=device)
    top_ids = torch.zeros((*shape, top), dtype=torch.int32, device=device)
    top_p = torch.zeros((*shape, top), dtype=torch.float16, device=device)
    passes = 0
    for step in range(1, settings.max_steps + 1):
        masked = (ids == mask_id) & is_open[:, None]
        if not masked.any():
            break
        passes += 1
        probabilities = query(ids).softmax(-1)
        confidence, best = probabilities.max(-1)
        commit = _choose(confidence.masked_fill(~masked, -1.0), masked, step, settings)
        values, indices = probabilities.topk(top, dim=-1)
        ids = torch.where(commit, best, ids)
        steps[commit] = step
        top_ids[commit] = indices[commit].int()
        top_p[commit] = values[commit].to(torch.float16)
    return DecidedBlocks(ids, steps, top_ids, top_p, passes)


def _choose(
    confidence: torch.Tensor, masked: torch.Tensor, step: int, settings: TeacherConfig
) -> torch.Tensor:
    """[N, L] bool: what is committed now. All that is left at the last step."""
    if step == settings.max_steps:
        return masked
    commit = masked & (confidence >= settings.threshold)
    surest = torch.zeros_like(commit)
    surest.scatter_(1, confidence.argmax(1, keepdim=True), value=True)
    return commit | (surest & masked & ~commit.any(1, keepdim=True))


def decide_by_mending(
    query: QueryBlocks, drafts: Sequence[Draft | None], mask_id: int, length: int,
    stop_ids: frozenset[int], settings: TeacherConfig, device: torch.device,
) -> DecidedBlocks:  # fmt: skip
    """drafts: of each block, None where there is none to decide."""
    canvas = torch.full((len(drafts), length), mask_id, device=device)
    values, indices = query(canvas).softmax(-1).topk(settings.top, dim=-1)
    top_ids, top_p = indices.int(), values.to(torch.float16)
    steps = torch.zeros(canvas.shape, dtype=torch.uint8, device=device)
    doubts: dict[int, BlockDoubts] = {}
    for row, draft in enumerate(drafts):
        if draft is not None:
            block = OpenBlock(0, [mask_id] * length, mask_id, 0)
            first = Block(indices[row, :, 0].tolist(), values[row, :, 0].tolist())
            doubts[row] = BlockDoubts(block, first, settings.threshold, stop_ids)
            steps[row] = 1
    passes, doubtful = 1, list(doubts)
    for number in range(2, settings.max_steps + 1):
        looks = _look_again(drafts, doubts, doubtful, number == settings.max_steps)
        if not looks:
            break
        passes += 1
        for row, look in looks.items():
            seen = doubts[row].canvas(look.masked)
            fed = [mask_id if token is None else token for token in seen]
            canvas[row] = torch.tensor(fed, device=device)
            steps[row, sorted(look.masked)] = number
        logits = query(canvas)
        for row, look in looks.items():
            doubts[row].take(_take_from(logits[row], look), look.masked)
        doubtful = list(looks)
    ids = canvas.clone()
    for row, doubt in doubts.items():
        ids[row] = torch.tensor(doubt.token_ids, device=device)
    decided_later = steps > 1
    top_ids[decided_later], top_p[decided_later] = ids[decided_later, None].int(), 0.0
    top_p[..., 0][decided_later] = 1.0
    return DecidedBlocks(ids, steps, top_ids, top_p, passes)


def _look_again(
    drafts: Sequence[Draft | None], doubts: dict[int, BlockDoubts], doubtful: Sequence[int],
    is_last: bool,
) -> dict[int, Look]:  # fmt: skip
    looks = {}
    for row in doubtful:
        draft = drafts[row]
        assert draft is not None
        if look := doubts[row].choose(draft.check, draft.answer, is_last):
            looks[row] = look
    return looks


def _take_from(logits: torch.Tensor, look: Look) -> Block:
    """logits: [L, V] of one block's rows."""
    choice = look.choose(logits) if look.choose is not None else None
    if choice is None:
        choice = logits.argmax(-1)
    chosen = logits.softmax(-1).gather(-1, choice[:, None])[:, 0]
    return Block(choice.tolist(), chosen.tolist())
