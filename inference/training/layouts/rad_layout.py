"""The RAD layout with one or more noisy copies, and the noise."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from inference.decoding.attention_masks import rad_mask


@dataclass(frozen=True)
class MaskNoise:
    """How RAD masks a block: a rate uniform in [lowest_rate, 1], and some blocks wholly.

    Decoding always begins with a fully masked block, and uniform rates would show few of them.
    """

    lowest_rate: float = 0.05
    full_share: float = 0.25


def multi_copy_rad_mask(
    prompt_length: int, answer_length: int, block_length: int, copies: int
) -> torch.Tensor:
    """[P + (n+1)R]² bool for [context | noisy 1 … noisy n | clean]; noisy copies are unseen.

    With one copy it is ``rad_mask``.
    """
    single = rad_mask(prompt_length, answer_length, block_length)
    context = torch.arange(prompt_length)
    clean = torch.arange(prompt_length + answer_length, prompt_length + 2 * answer_length)
    total = prompt_length + (copies + 1) * answer_length
    mask = torch.zeros(total, total, dtype=torch.bool)
    new_clean = torch.arange(total - answer_length, total)
    for copy in range(copies):
        noisy = torch.arange(prompt_length, prompt_length + answer_length)
        old = torch.cat([context, noisy, clean])
        new = torch.cat([context, noisy + copy * answer_length, new_clean])
        mask[new[:, None], new[None, :]] = single[old[:, None], old[None, :]]
    return mask


def mask_blocks(
    shape: torch.Size, block_length: int, generator: torch.Generator, noise: MaskNoise
) -> torch.Tensor:
    """[B, R] bool on the CPU, True = masked: a rate per block, at least one mask in each block."""
    batch, length = shape
    blocks = length // block_length
    span = 1 - noise.lowest_rate
    rate = noise.lowest_rate + span * torch.rand(batch, blocks, 1, generator=generator)
    full = torch.rand(batch, blocks, 1, generator=generator) < noise.full_share
    draw = torch.rand(batch, blocks, block_length, generator=generator)
    masked = (draw < rate) | full
    masked |= draw == draw.amin(dim=2, keepdim=True)
    return masked.view(batch, length)
