"""The prompt as token ids and mRoPE positions; training and inference both come here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from inference.prompts import END_OF_TEXT, render_prompt

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import Qwen2_5_VLForConditionalGeneration


def build_prompt_ids(
    tokenizer: Tokenizer,
    language: str,
    image_token_counts: tuple[int, ...],
    block_length: int,
    pad: bool,
    system: str | None = None,
) -> list[int]:
    """Token ids of everything before the answer.

    pad: fill up to a multiple of block_length with <|endoftext|> at the very start (left), as
    ordinary attended tokens: answer blocks then start exactly where the prompt ends, and no
    block mixes prompt and answer. Raises KeyError for a language without a prompt.
    """
    text = render_prompt(language, image_token_counts, system)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    padding = -len(ids) % block_length if pad else 0
    filler: int = tokenizer.token_to_id(END_OF_TEXT)  # type: ignore[assignment]  # checked at load
    return [filler] * padding + ids


def rope_positions(
    model: Qwen2_5_VLForConditionalGeneration,
    prompt_ids: list[int],
    grids: list[tuple[int, int, int]],
    length: int,
) -> torch.Tensor:
    """[3, length] mRoPE positions on the CPU: the prompt's, then the answer's.

    Answer positions go on from the prompt with the rope delta, equal in all three rows.
    grids: one (1, patch rows, patch columns) per image. length >= len(prompt_ids).
    """
    ids = torch.tensor([prompt_ids])
    positions, delta = model.model.get_rope_index(
        ids,
        mm_token_type_ids=(ids == model.config.image_token_id).int(),
        image_grid_thw=torch.tensor(grids) if grids else None,
    )
    answer = torch.arange(len(prompt_ids), length) + int(delta)
    return torch.cat([positions[:, 0], answer.expand(3, -1)], dim=1)
