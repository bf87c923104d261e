"""The RAD layout with several noisy copies, and the noise."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.decoding.attention_masks import rad_mask
from inference.training.layouts.rad_layout import MaskNoise, mask_blocks, multi_copy_rad_mask

_BLOCKS = st.integers(1, 3)


@given(prompt=_BLOCKS, answer=_BLOCKS, length=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_one_copy_is_the_rad_mask(prompt: int, answer: int, length: int) -> None:
    sizes = prompt * length, answer * length, length
    assert torch.equal(multi_copy_rad_mask(*sizes, 1), rad_mask(*sizes))


@given(prompt=_BLOCKS, answer=_BLOCKS, length=st.integers(1, 4), copies=st.integers(2, 3))
@settings(max_examples=30, deadline=None)
def test_each_copy_alone_sees_what_rad_allows_and_no_other_copy(
    prompt: int, answer: int, length: int, copies: int
) -> None:
    p, r = prompt * length, answer * length
    mask = multi_copy_rad_mask(p, r, length, copies)
    assert mask.shape == (p + (copies + 1) * r,) * 2
    noisy = [torch.arange(p + n * r, p + (n + 1) * r) for n in range(copies)]
    others = torch.cat([torch.arange(p), torch.arange(p + copies * r, p + (copies + 1) * r)])
    context, clean = others[:p], others[p:]
    for n, rows in enumerate(noisy):
        kept = torch.cat([context, rows, clean])
        assert torch.equal(mask[kept[:, None], kept[None, :]], rad_mask(p, r, length))
        for m, columns in enumerate(noisy):
            if m != n:
                assert not mask[rows[:, None], columns[None, :]].any()
        assert not mask[others[:, None], rows[None, :]].any()  # nobody sees the noise


def test_every_block_has_a_mask_and_a_quarter_or_more_are_all_masks() -> None:
    masked = mask_blocks(torch.Size((64, 40)), 8, torch.Generator().manual_seed(0), MaskNoise())
    by_block = masked.view(64, 5, 8)
    assert by_block.any(2).all()
    assert 0.25 < by_block.all(2).float().mean() < 0.5
    assert 0.5 < masked.float().mean() < 0.8  # 0.25 + 0.75 * 0.525, and the certain ones


def test_noise_is_a_function_of_the_generator() -> None:
    first, again, other = (
        mask_blocks(torch.Size((4, 16)), 8, torch.Generator().manual_seed(seed), MaskNoise())
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
