"""Who may attend to whom: bool masks, True = may attend, ready for SDPA.

Blocks are anchored at absolute position 0 of the whole sequence, prompt included (ECHO,
arXiv 2604.09450). Training and inference build their masks here, so that they agree.
"""

from __future__ import annotations

import torch

from inference.report_parts import PARTS


def block_causal_mask(
    length: int, block_length: int, device: torch.device | str | None = None
) -> torch.Tensor:
    """[length, length] bool: bidirectional inside a block, causal between blocks.

    Position i attends to j iff j // block_length <= i // block_length.
    """
    block = torch.arange(length, device=device) // block_length
    return block[None, :] <= block[:, None]


def causal_mask(length: int, device: torch.device | str | None = None) -> torch.Tensor:
    """[length, length] bool: position i attends to j iff j <= i (autoregressive decoding)."""
    return block_causal_mask(length, 1, device)


def rad_mask(
    prompt_length: int,
    answer_length: int,
    block_length: int,
    device: torch.device | str | None = None,
) -> torch.Tensor:
    """[P + 2R, P + 2R] bool for Stage II's layout [context | noisy answer | clean answer].

    The union of four masks; everything else is False, so nothing outside noisy block k ever
    sees noisy block k:
      context to context   block-causal, as the prompt is prefilled at inference
      answer to context    all of it, for noisy and clean rows alike
      noisy to noisy       block-diagonal: noisy block k sees itself
      answer to clean      noisy block k sees clean blocks < k (offset block-causal),
                           clean block k sees clean blocks <= k (block-causal)
    One noisy row thus sees exactly what one decoding pass sees: cache plus its own block.
    Both lengths must be multiples of block_length (ValueError otherwise).
    """
    if prompt_length % block_length or answer_length % block_length:
        raise ValueError(
            f"prompt {prompt_length} and answer {answer_length} must be whole blocks "
            f"of {block_length}"
        )
    context = torch.full((prompt_length,), 0, device=device)
    answer = torch.full((answer_length,), 1, device=device)
    part = torch.cat([context, answer, answer + 1])  # 0 context, 1 noisy, 2 clean
    start = prompt_length // block_length
    blocks = torch.arange(answer_length, device=device) // block_length + start
    block = torch.cat([torch.arange(prompt_length, device=device) // block_length, blocks, blocks])

    row, column = block[:, None], block[None, :]
    row_part, column_part = part[:, None], part[None, :]
    to_context = (column_part == 0) & (column <= row)  # the answer's blocks are all later
    noisy_to_itself = (row_part == 1) & (column_part == 1) & (column == row)
    noisy_to_clean = (row_part == 1) & (column_part == 2) & (column < row)
    clean_to_clean = (row_part == 2) & (column_part == 2) & (column <= row)
    return to_context | noisy_to_itself | noisy_to_clean | clean_to_clean


def part_mask(
    row_parts: torch.Tensor, row_blocks: torch.Tensor,
    column_parts: torch.Tensor, column_blocks: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """[..., rows, columns] bool among the parts of a report that are drafted at the same time.

    Parts are places in report_parts.PARTS, blocks numbers within a part (its name is block -1),
    all [..., rows] or [..., columns]. A row sees its own part up to its own block; the impression's
    rows see every region besides. A part below 0 is filling: it sees nothing and is not seen.
    """
    row, column = row_parts[..., :, None], column_parts[..., None, :]
    impression = len(PARTS) - 1
    is_earlier = column_blocks[..., None, :] <= row_blocks[..., :, None]
    reads_all = (row == impression) & (column < impression)
    return (((row == column) & is_earlier) | reads_all) & (column >= 0)
