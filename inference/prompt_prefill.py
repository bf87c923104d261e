"""A request's films and prompt into the cache, and by what such a prompt is known again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

import numpy as np
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.api import (
    REGION_MODES,
    CancelToken,
    DecodingMode,
    GenerationRequest,
    ModelImage,
)
from inference.decoding.draft_session import raise_if_cancelled
from inference.decoding.prompt_ids import build_prompt_ids, rope_positions
from inference.decoding.prompt_state import PromptState
from inference.decoding.text_decoder import TextDecoder
from inference.model_folder.checkpoint import Checkpoint
from inference.report_language import Language
from inference.report_parts import needed_rows
from inference.vision.image_processor import ImageProcessor
from inference.vision.vision_encoder import VisionEncoder


class LoadedWeights(NamedTuple):
    """One weights file on the device, its language model and its tower as decoding runs them.

    vision: one object for all weights whose towers are equal.
    """

    model: Qwen2_5_VLForConditionalGeneration
    decoder: TextDecoder
    vision: VisionEncoder


class PromptKey(NamedTuple):
    """What a prompt's K/V follow from."""

    weights_name: str
    is_causal: bool
    language: Language
    films: tuple[bytes, ...]  # sha256 of each


class SeenFilms:
    """A study's films through the tower: done once, whichever prompts and weights need it.

    digests: by what the films are known again. Only what the tower makes of them is kept.
    """

    def __init__(
        self,
        processor: ImageProcessor,
        images: Sequence[ModelImage],
        digests: tuple[bytes, ...],
    ) -> None:
        self.digests = digests
        self._processor = processor
        prepared = [processor(image) for image in images]
        self._pixels: list[torch.Tensor] = [pixels for pixels, _ in prepared]
        self.grids = tuple(grid for _, grid in prepared)
        self._features: dict[VisionEncoder, torch.Tensor] = {}

    def features(
        self, images: Sequence[ModelImage], vision: VisionEncoder, decoder: TextDecoder
    ) -> torch.Tensor:
        """[vision tokens, hidden] on the decoder's device and in its dtype. images: the same."""
        if vision not in self._features:
            pixels = self._pixels or [self._processor(image)[0] for image in images]
            self._pixels = []
            patches = torch.cat(pixels).to(decoder.device, decoder.dtype)
            self._features[vision] = vision(patches, self.grids)
        return self._features[vision]


class FilmShelf:
    """The last so many studies' films, for any prompt on them."""

    def __init__(self, processor: ImageProcessor, most: int = 1) -> None:
        self._processor, self._most = processor, most
        self._seen: OrderedDict[tuple[bytes, ...], SeenFilms] = OrderedDict()

    def take(self, images: Sequence[ModelImage], digests: tuple[bytes, ...]) -> SeenFilms:
        """The films with these digests; those taken longest ago make room first."""
        if digests not in self._seen:
            while len(self._seen) >= self._most:
                self._seen.popitem(last=False)
            self._seen[digests] = SeenFilms(self._processor, images, digests)
        self._seen.move_to_end(digests)
        return self._seen[digests]

    def clear(self) -> None:
        self._seen.clear()


def digest_films(images: Sequence[ModelImage]) -> tuple[bytes, ...]:
    """By what films are known again: sha256 of all that the model sees of each."""
    return tuple(_digest_film(image) for image in images)


def needed_prompts(
    checkpoint: Checkpoint, request: GenerationRequest, films: tuple[bytes, ...]
) -> dict[PromptKey, GenerationRequest]:
    """The prompts that a draft runs on, and of each the request that would prefill it.

    The first is the one that is drafted on; ``guided`` has the checking model's behind it.
    films: see digest_films.
    """
    modes: list[DecodingMode] = [request.decoding]
    if request.decoding == "guided":
        modes = ["one-step", "autoregressive"]
    return {
        PromptKey(
            checkpoint.weights_name(mode), mode == "autoregressive", request.language, films
        ): replace(request, decoding=mode)
        for mode in modes
    }


def answer_capacity(
    checkpoint: Checkpoint, prompt_ids: list[int], request: GenerationRequest
) -> int:
    """Positions of prompt and longest answer, in whole blocks."""
    block_length, longest = checkpoint.manifest.block_length, request.max_new_tokens
    if request.decoding in REGION_MODES:
        longest = needed_rows(longest, block_length)
    capacity = len(prompt_ids) + longest
    return capacity + -capacity % block_length


def prefill_prompt(
    checkpoint: Checkpoint,
    weights: LoadedWeights,
    request: GenerationRequest,
    films: SeenFilms,
    cancel: CancelToken,
) -> PromptState:
    """Vision tower and prompt; the cache then holds all that decoding won't feed again.

    DecodingCancelled between the two, and before.
    """
    manifest, processor = checkpoint.manifest, checkpoint.image_processor
    device, grids = weights.decoder.device, list(films.grids)
    prompt_ids = build_prompt_ids(
        checkpoint.tokenizer,
        request.language,
        tuple(processor.token_count(grid) for grid in grids),
        manifest.block_length,
        manifest.pad_prompt_to_block,
        manifest.system_prompt,
    )
    is_causal = request.decoding == "autoregressive"
    capacity = answer_capacity(checkpoint, prompt_ids, request)
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
    features = films.features(request.images, weights.vision, weights.decoder)
    embeddings[ids == weights.model.config.image_token_id] = features
    raise_if_cancelled(cancel)
    whole_blocks = len(prompt_ids) // prompt.block_length * prompt.block_length
    prompt.prefill(embeddings, len(prompt_ids) - 1 if is_causal else whole_blocks)
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # so that prefill_ms is true
    return prompt


def _digest_film(image: ModelImage) -> bytes:
    """Whichever way its pixels lie in memory, no copy of them is made."""
    digest = sha256(repr((image.pixels.shape, image.pixels.dtype.str)).encode())
    digest.update(repr((image.is_monochrome1, image.padding_mask is not None)).encode())
    for array in (image.pixels, image.padding_mask):
        if array is not None:
            by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
            digest.update(b"F" if by_columns else b"C")
            digest.update(np.ascontiguousarray(array.T if by_columns else array).data)
    return digest.digest()
