"""A request's films and prompt into the cache, and by what such a prompt is known again."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

import numpy as np
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.api import CancelToken, DecodingMode, GenerationRequest, ModelImage
from inference.checkpoint import Checkpoint
from inference.decoding.draft_session import raise_if_cancelled
from inference.decoding.prompt_ids import build_prompt_ids, rope_positions
from inference.decoding.prompt_state import PromptState
from inference.decoding.text_decoder import TextDecoder
from inference.report_language import Language


class LoadedWeights(NamedTuple):
    """One weights file on the device, and its language model as decoding runs it."""

    model: Qwen2_5_VLForConditionalGeneration
    decoder: TextDecoder


class PromptKey(NamedTuple):
    """What a prompt's K/V follow from."""

    weights_name: str
    is_causal: bool
    language: Language
    films: tuple[bytes, ...]  # sha256 of each


def needed_prompts(
    checkpoint: Checkpoint, request: GenerationRequest
) -> dict[PromptKey, GenerationRequest]:
    """The prompts that a draft runs on, and of each the request that would prefill it.

    The first is the one that is drafted on; ``guided`` has the checking model's behind it.
    """
    films = tuple(_digest_film(image) for image in request.images)
    modes: list[DecodingMode] = [request.decoding]
    if request.decoding == "guided":
        modes = ["one-step", "autoregressive"]
    return {
        PromptKey(
            checkpoint.weights_name(mode), mode == "autoregressive", request.language, films
        ): replace(request, decoding=mode)
        for mode in modes
    }


def answer_capacity(checkpoint: Checkpoint, prompt_ids: list[int], max_new_tokens: int) -> int:
    """Positions of prompt and longest answer, in whole blocks."""
    capacity = len(prompt_ids) + max_new_tokens
    return capacity + -capacity % checkpoint.manifest.block_length


def prefill_prompt(
    checkpoint: Checkpoint, weights: LoadedWeights, request: GenerationRequest, cancel: CancelToken
) -> PromptState:
    """Vision tower and prompt; the cache then holds all that decoding won't feed again.

    DecodingCancelled between the two, and before.
    """
    manifest, processor = checkpoint.manifest, checkpoint.image_processor
    device, dtype = weights.decoder.device, weights.decoder.dtype
    films = [processor(image) for image in request.images]
    grids = [grid for _, grid in films]
    prompt_ids = build_prompt_ids(
        checkpoint.tokenizer,
        request.language,
        tuple(processor.token_count(grid) for grid in grids),
        manifest.block_length,
        manifest.pad_prompt_to_block,
        manifest.system_prompt,
    )
    is_causal = request.decoding == "autoregressive"
    capacity = answer_capacity(checkpoint, prompt_ids, request.max_new_tokens)
    prompt = PromptState(
        weights.decoder,
        prompt_ids,
        rope_positions(weights.model, prompt_ids, grids, capacity),
        1 if is_causal else manifest.block_length,
        manifest.mask_token_id,
    )
    raise_if_cancelled(cancel)
    ids = torch.tensor(prompt_ids, device=device)
    embeddings = weights.decoder.embed(ids)
    pixels = torch.cat([pixels for pixels, _ in films]).to(device, dtype)
    vision = weights.model.model.visual(pixels, grid_thw=torch.tensor(grids).to(device))
    embeddings[ids == weights.model.config.image_token_id] = vision.pooler_output
    raise_if_cancelled(cancel)
    whole_blocks = len(prompt_ids) // prompt.block_length * prompt.block_length
    prompt.prefill(embeddings, len(prompt_ids) - 1 if is_causal else whole_blocks)
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # so that prefill_ms is true
    return prompt


def _digest_film(image: ModelImage) -> bytes:
    """All that the model sees of it."""
    digest = sha256(repr((image.pixels.shape, image.pixels.dtype.str)).encode())
    digest.update(repr((image.is_monochrome1, image.padding_mask is not None)).encode())
    digest.update(np.ascontiguousarray(image.pixels).data)
    if image.padding_mask is not None:
        digest.update(np.ascontiguousarray(image.padding_mask).data)
    return digest.digest()
