"""Answers as streams, one for each part of the report, that are trained side by side.

Layout [context | names | noisy copy … | clean copy]. A stream is a row that names its part, then
whole blocks; its position ids go on from the prompt. A region's rows see the context, its name and
its own earlier blocks; the impression's see all regions beside. What stands after what in the
sequence means nothing: it is all in positions and mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from tokenizers import Tokenizer

from inference.decoding.attention_masks import block_causal_mask, part_mask
from inference.prompts import END_OF_TEXT, IM_END
from inference.report_parts import PARTS
from inference.training.layouts.rad_layout import multi_copy_rad_mask
from inference.training.tokenizer import special_id

_FILLING = -1


class RegionLayout(NamedTuple):
    """Of each block [B, blocks]: its part's place in PARTS (-1: filling), its number there."""

    parts: torch.Tensor
    numbers: torch.Tensor

    def offsets(self, block_length: int) -> torch.Tensor:
        """[B, R] positions behind the prompt; 0 is the name's."""
        starts = 1 + self.numbers[..., None] * block_length
        return (starts + torch.arange(block_length)).flatten(1)

    def is_part(self, part: str, block_length: int) -> torch.Tensor:
        """[B, R] bool."""
        return (self.parts == PARTS.index(part)).repeat_interleave(block_length, dim=1)


class RegionAnswer(NamedTuple):
    """One answer's blocks in the order of PARTS: ids of whole blocks, and the blocks' parts."""

    ids: list[int]
    parts: list[int]


def region_answer(
    tokenizer: Tokenizer, texts: Mapping[str, str], block_length: int
) -> RegionAnswer:
    """Each part ends in <|im_end|>, then <|endoftext|> to a whole block: all of it supervised."""
    stop, filler = special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT)
    ids: list[int] = []
    parts: list[int] = []
    encoded = tokenizer.encode_batch([texts[part] for part in PARTS], add_special_tokens=False)
    for place, encoding in enumerate(encoded):
        stream = [*encoding.ids, stop]
        stream += [filler] * (-len(stream) % block_length)
        ids += stream
        parts += [place] * (len(stream) // block_length)
    return RegionAnswer(ids, parts)


def stack_layout(parts: Sequence[Sequence[int]]) -> RegionLayout:
    """Of answers' blocks, filled up to the longest."""
    stacked = torch.full((len(parts), max(map(len, parts))), _FILLING)
    for row, own in enumerate(parts):
        stacked[row, : len(own)] = torch.tensor(own)
    return layout_of(stacked)


def layout_of(parts: torch.Tensor) -> RegionLayout:
    """parts: [B, blocks], -1 in filling; a part's blocks stand in their order."""
    parts = parts.long()
    is_same = parts[:, :, None] == parts[:, None, :]
    return RegionLayout(parts, is_same.tril(-1).sum(-1))


def answer_mask(
    prompt_length: int, answer_length: int, block_length: int, copies: int,
    layout: RegionLayout | None,
) -> torch.Tensor:  # fmt: skip
    """Who sees whom, with answers as one sequence [T, T] or as streams [B, T, T]."""
    if layout is None:
        return multi_copy_rad_mask(prompt_length, answer_length, block_length, copies)
    return region_mask(prompt_length, layout, block_length, copies)


def region_mask(
    prompt_length: int, layout: RegionLayout, block_length: int, copies: int
) -> torch.Tensor:
    """[B, T, T] bool, T = prompt + names + (copies + 1) answers: who sees whom.

    One noisy row thus sees exactly what a pass of the decoding ``regions`` sees.
    """
    batch, names = layout.parts.shape[0], len(PARTS)
    part = layout.parts.repeat_interleave(block_length, dim=1)
    number = layout.numbers.repeat_interleave(block_length, dim=1)
    # Stored columns: the names, then the clean copy.
    stored_part = torch.cat([torch.arange(names).expand(batch, -1), part], dim=1)
    stored_number = torch.cat([torch.full((batch, names), -1), number], dim=1)
    length, answer = prompt_length + names, part.shape[1]
    total = length + (copies + 1) * answer
    stored = torch.cat([torch.arange(prompt_length, length), torch.arange(total - answer, total)])
    mask = torch.zeros(batch, total, total, dtype=torch.bool)
    mask[:, prompt_length:, :prompt_length] = True
    mask[:, :prompt_length, :prompt_length] = block_causal_mask(prompt_length, block_length)
    clean = part_mask(stored_part, stored_number, stored_part, stored_number)
    mask[:, stored[:, None], stored[None, :]] = clean
    earlier = part_mask(part, number - 1, stored_part, stored_number)
    is_own = (part[:, :, None] == part[:, None, :]) & (number[:, :, None] == number[:, None, :])
    is_own &= (part >= 0)[:, :, None]
    for copy in range(copies):
        rows = torch.arange(length + copy * answer, length + (copy + 1) * answer)
        mask[:, rows[:, None], stored[None, :]] = earlier
        mask[:, rows[:, None], rows[None, :]] = is_own
    return mask
