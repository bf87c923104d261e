"""The masks, against the sentences of echo.md spelt out as loops."""

from __future__ import annotations

import pytest
import torch

from inference.decoding.attention_masks import block_causal_mask, causal_mask, rad_mask


@pytest.mark.parametrize(("length", "block_length"), [(1, 4), (8, 4), (11, 4), (24, 8)])
def test_block_causal_mask_sees_its_block_and_all_before(length: int, block_length: int) -> None:
    mask = block_causal_mask(length, block_length)
    assert mask.dtype == torch.bool
    for i in range(length):
        for j in range(length):
            assert bool(mask[i, j]) == (j // block_length <= i // block_length)


def test_causal_mask_is_lower_triangular() -> None:
    assert torch.equal(causal_mask(7), torch.ones(7, 7, dtype=torch.bool).tril())


def _rad_allows(i: int, j: int, prompt: int, answer: int, block_length: int) -> bool:
    """Stage II in words: who is (i), who is (j), and which block each belongs to."""

    def place(position: int) -> tuple[str, int]:
        if position < prompt:
            return "context", position // block_length
        if position < prompt + answer:
            return "noisy", (position - prompt) // block_length
        return "clean", (position - prompt - answer) // block_length

    (who, k), (whom, other) = place(i), place(j)
    if who == "context":
        return whom == "context" and other <= k
    if whom == "context":
        return True
    if who == "noisy":
        return other == k if whom == "noisy" else other < k
    return whom == "clean" and other <= k


@pytest.mark.parametrize(
    ("prompt", "answer", "block_length"), [(8, 8, 4), (16, 24, 8), (4, 12, 4), (0, 8, 4)]
)
def test_rad_mask_equals_its_description(prompt: int, answer: int, block_length: int) -> None:
    mask = rad_mask(prompt, answer, block_length)
    size = prompt + 2 * answer
    expected = [
        [_rad_allows(i, j, prompt, answer, block_length) for j in range(size)] for i in range(size)
    ]
    assert torch.equal(mask, torch.tensor(expected))


def test_context_and_clean_rows_are_the_inference_mask() -> None:
    prompt, answer, block_length = 8, 16, 4
    mask = rad_mask(prompt, answer, block_length)
    keep = torch.cat([torch.arange(prompt), torch.arange(prompt + answer, prompt + 2 * answer)])
    assert torch.equal(mask[keep][:, keep], block_causal_mask(prompt + answer, block_length))


@pytest.mark.parametrize(("prompt", "answer"), [(7, 8), (8, 9)])
def test_ragged_lengths_are_refused(prompt: int, answer: int) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        rad_mask(prompt, answer, 4)
