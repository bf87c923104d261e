"""Whether a model with reduced products still says what it says with exact ones.

Both look at the same passes: the exact model drafts, every pass of its decoder is kept (what is
fed, where, who sees whom, and the likeliest token at each row), and the reduced one is given the
same passes on a prompt of its own. So a token that differs does not derail what follows, and every
row counts as one comparison, whichever way the model decodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from inference import resource_folder
from inference.api import (
    REGION_MODES,
    CancelToken,
    DecodingMode,
    GenerationRequest,
    ModelImage,
    ProductsRefused,
)
from inference.decoding.kv_cache import StaticKvCache
from inference.decoding.text_decoder import DecoderView, Places, RotaryTable, TextDecoder
from inference.decoding_modes import decode_blocks, open_answer, open_session
from inference.draft_events import BegunDraft
from inference.model_folder.checkpoint import Checkpoint
from inference.products.reduced_products import Reduction
from inference.prompt_prefill import (
    LoadedWeights,
    SeenFilms,
    answer_capacity,
    digest_films,
    prefill_prompt,
)
from inference.prompts import END_OF_TEXT
from inference.region_drafting import RegionDraft
from inference.report_language import Language
from inference.stopwatch import Stopwatch
from inference.vision.vision_encoder import VisionEncoder

LEAST_AGREEMENT = 0.98  # the embedded model's is 0.996 and more (benchmarks/README.md)
_MAX_NEW_TOKENS = 160


@dataclass(frozen=True)
class _Pass:
    """The arguments of TextDecoder.run, and the likeliest token at each row kept [keep]."""

    hidden: torch.Tensor
    start: int
    mask: torch.Tensor | None
    keep: int
    places: Places | None
    likeliest: torch.Tensor


@dataclass(frozen=True)
class RecordedDraft:
    """An exact draft, pass by pass."""

    request: GenerationRequest
    passes: list[_Pass] = field(default_factory=list)


class _RecordingDecoder(DecoderView):
    """The same weights; what runs through it behind the prompt is kept."""

    def __init__(self, decoder: TextDecoder, mask_token_id: int, passes: list[_Pass]) -> None:
        super().__init__(decoder)
        self._mask_token_id, self._passes = mask_token_id, passes
        self._last: tuple[torch.Tensor, int, torch.Tensor | None, int, Places | None]

    def run(
        self,
        hidden: torch.Tensor,
        rotary: RotaryTable,
        cache: StaticKvCache,
        start: int,
        mask: torch.Tensor | None,
        keep: int,
        places: Places | None = None,
    ) -> torch.Tensor:
        """See TextDecoder."""
        self._last = (hidden, start, mask, keep, places)
        if keep == 0 and start:  # stores only
            self._passes.append(_Pass(*self._last, torch.empty(0)))
        return super().run(hidden, rotary, cache, start, mask, keep, places)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """See TextDecoder."""
        logits = super().logits(hidden)
        self._passes.append(_Pass(*self._last, _likeliest(logits, self._mask_token_id)))
        return logits


def reduce_checked(
    checkpoint: Checkpoint,
    model: Qwen2_5_VLForConditionalGeneration,
    mode: DecodingMode,
    reduction: Reduction,
    least_agreement: float = LEAST_AGREEMENT,
) -> tuple[LoadedWeights, float]:
    """Reduce a loaded model's products, in place; and its share of equal tokens in this mode.

    ProductsRefused where that is below least_agreement.
    """
    exact = LoadedWeights(model, TextDecoder(model), VisionEncoder(model))
    drafts = record_drafts(checkpoint, exact, mode)
    del exact
    reduction.apply(model)
    reduced = LoadedWeights(model, TextDecoder(model), VisionEncoder(model))
    share = share_of_equal_tokens(checkpoint, reduced, drafts)
    if share < least_agreement:
        raise ProductsRefused(
            f"{checkpoint.manifest.name}: with products {reduction.products!r} only {share:.1%} of "
            f"its tokens ({checkpoint.weights_name(mode)}, {mode}) are those of 'exact', less than "
            f"{least_agreement:.0%}; load it with products 'exact'"
        )
    return reduced, share


@torch.inference_mode()
def record_drafts(
    checkpoint: Checkpoint,
    weights: LoadedWeights,
    mode: DecodingMode,
    films: Sequence[ModelImage] = (),
) -> list[RecordedDraft]:
    """Drafts of these films (the stored ones, if none) in every language, with exact products."""
    mask_token_id = checkpoint.manifest.mask_token_id
    drafts = []
    for film in films or stored_films():
        seen = SeenFilms(checkpoint.image_processor, (film,), digest_films((film,)))
        for language in checkpoint.manifest.languages:
            request = GenerationRequest(
                "token agreement",
                (film,),
                cast("Language", language),
                mode,
                max_new_tokens=_MAX_NEW_TOKENS,
            )
            draft = RecordedDraft(request)
            decoder = _RecordingDecoder(weights.decoder, mask_token_id, draft.passes)
            _run_draft(checkpoint, weights._replace(decoder=decoder), request, seen)
            drafts.append(draft)
    return drafts


@torch.inference_mode()
def share_of_equal_tokens(
    checkpoint: Checkpoint, weights: LoadedWeights, drafts: Sequence[RecordedDraft]
) -> float:
    """Of all rows where a draft says something, how many have the same likeliest token."""
    # Behind an answer's end; checked at load.
    filler: int = checkpoint.tokenizer.token_to_id(END_OF_TEXT)  # type: ignore[assignment]
    mask_token_id = checkpoint.manifest.mask_token_id
    equal = compared = 0
    seen: SeenFilms | None = None
    for draft in drafts:
        images = draft.request.images
        digests = digest_films(images)
        if seen is None or seen.digests != digests:
            seen = SeenFilms(checkpoint.image_processor, images, digests)
        prompt = prefill_prompt(checkpoint, weights, draft.request, seen, CancelToken())
        decoder = weights.decoder
        for each in draft.passes:
            hidden = decoder.run(
                each.hidden, prompt.rotary, prompt.cache, each.start, each.mask, each.keep,
                each.places,
            )  # fmt: skip
            if not each.keep:
                continue
            likeliest = _likeliest(decoder.logits(hidden), mask_token_id)
            says = each.likeliest.ne(filler)
            equal += int(likeliest.eq(each.likeliest)[says].sum())
            compared += int(says.sum())
    return equal / compared if compared else 1.0


@lru_cache(maxsize=1)
def stored_films() -> tuple[ModelImage, ...]:
    """Phantom films shipped for this, so that there is something to be said of them."""
    with np.load(resource_folder() / "models" / "agreement_films.npz") as stored:
        return tuple(ModelImage(film) for film in stored["films"])


def _run_draft(
    checkpoint: Checkpoint, weights: LoadedWeights, request: GenerationRequest, seen: SeenFilms
) -> None:
    cancel = CancelToken()
    prompt = prefill_prompt(checkpoint, weights, request, seen, cancel)
    if request.decoding in REGION_MODES:
        for _ in RegionDraft(checkpoint, prompt, request, {}, cancel).blocks():
            pass
        return
    capacity = answer_capacity(checkpoint, prompt.prompt_ids, request)
    session = open_session(checkpoint, prompt, capacity, request, cancel, {})
    draft = BegunDraft(request, {}, cancel, Stopwatch(), 0.0)
    blocks, answer = decode_blocks(checkpoint, draft, session, ()), open_answer(checkpoint, draft)
    while answer.stop_reason is None:
        answer.extend(next(blocks).token_ids)


def _likeliest(logits: torch.Tensor, mask_token_id: int) -> torch.Tensor:
    """[rows, vocabulary] to token ids [rows]; the mask token is never chosen."""
    logits[:, mask_token_id] = float("-inf")
    return logits.argmax(dim=-1)
