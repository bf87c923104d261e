"""The engine: one model, one draft at a time, as a stream of events.

Not thread-safe; the app runs it on one worker thread. A CancelToken may be set from any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.api import (
    DECODING_MODES,
    PROOF_MODES,
    REMASKING_STRATEGIES,
    BlockCommitted,
    CancelToken,
    DecodingMode,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    ModelImage,
    PrefillDone,
    UnsupportedRequest,
)
from inference.checkpoint import Checkpoint, embedded_folder, open_checkpoint
from inference.decoding.adaptive import decode_adaptive
from inference.decoding.answer import Answer
from inference.decoding.autoregressive import decode_autoregressive
from inference.decoding.draft_session import DecodingCancelled, DraftSession
from inference.decoding.multi_step import decode_multi_step
from inference.decoding.one_step import decode_one_step, decode_one_step_unfused
from inference.decoding.open_block import Block
from inference.decoding.pinned_tokens import pinned_tokens
from inference.decoding.prompt_ids import build_prompt_ids, rope_positions
from inference.decoding.prompt_state import PromptState
from inference.decoding.remasking import remasking_of
from inference.decoding.sampling import TokenChooser
from inference.decoding.text_decoder import TextDecoder
from inference.device_fit import choose_dtype
from inference.file_digests import DigestCache
from inference.film_checks import describe_emptiness
from inference.loading_progress import ProgressListener
from inference.prompts import parse_sections
from inference.report_grammar import BrokenRuns
from inference.report_language import LANGUAGES, NOT_A_FRONTAL_CHEST, Language

_PromptKey = tuple[str, bool, Language, tuple[bytes, ...]]  # weights, causal, language, films


class _Weights(NamedTuple):
    model: Qwen2_5_VLForConditionalGeneration
    decoder: TextDecoder


class ReportEngine:
    """Drafts reports with one checkpoint on one device."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device, dtype: str = "auto") -> None:
        self._checkpoint = checkpoint
        self._device = device
        self._dtype = choose_dtype(dtype, device)
        self._weights: dict[str, _Weights] = {}
        self._kept: tuple[_PromptKey, PromptState] | None = None  # None while a draft uses it
        self._weights_for("one-step")

    @classmethod
    def load(
        cls,
        model: str | Path = "embedded",
        device: str = "auto",
        dtype: str = "auto",
        digest_cache: DigestCache | None = None,
        on_progress: ProgressListener | None = None,
        expected_sha256: str = "",
    ) -> ReportEngine:
        """See inference.load_engine."""
        folder = embedded_folder() if model == "embedded" else Path(model)
        checkpoint = open_checkpoint(folder, digest_cache, on_progress, expected_sha256)
        return cls(checkpoint, choose_device(device), dtype)

    @property
    def description(self) -> EngineDescription:
        manifest = self._checkpoint.manifest
        offered = set(manifest.decoding_modes)
        if manifest.autoregressive_weights is None:
            offered.discard("autoregressive")
        if "one-step" in offered:
            offered.add("adaptive")  # the same weights; older manifests don't know the mode
        return EngineDescription(
            model_name=manifest.name,
            model_version=manifest.version,
            model_sha256=self._checkpoint.sha256,
            model_folder=str(self._checkpoint.folder),
            device=str(self._device),
            dtype=str(self._dtype).removeprefix("torch."),
            block_length=manifest.block_length,
            decoding_modes=tuple(mode for mode in DECODING_MODES if mode in offered),
            languages=tuple(lang for lang in LANGUAGES if lang in manifest.languages),
            max_images=manifest.max_images,
            calibration=self._checkpoint.calibration,
        )

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        """Stream one report: PrefillDone, BlockCommitted ..., DraftFinished or DraftCancelled.

        Work happens while the next event is asked for. UnsupportedRequest is raised here, at
        once; EngineError (out of memory, a film that is none) while streaming.

        The prompt stays in memory for the next request on the same films in the same language
        with the same weights, also if the stream is closed before its end: closing it after
        PrefillDone prepares a draft. One prompt is kept; other films replace it.
        """
        self._check_request(request)
        return self._stream(request, cancel or CancelToken(), self._pinned_tokens(request))

    def forget_prompt(self) -> None:
        """Free the kept prompt's memory: the study was closed."""
        self._kept = None

    @torch.inference_mode()
    def _stream(
        self, request: GenerationRequest, cancel: CancelToken, pinned: Mapping[int, int]
    ) -> Iterator[DraftEvent]:
        if emptiness := describe_emptiness(request.images[0]):
            yield _refuse_unseen(request, emptiness)
            return
        began, session = perf_counter(), None
        try:
            key = self._prompt_key(request)
            kept = self._take_kept(key, request, cancel)
            prompt = kept or self._prefill(request, cancel)
            session = self._open_session(prompt, request, cancel, pinned)
            prefill_ms = _elapsed_ms(began)
            try:
                yield PrefillDone(
                    request.request_id,
                    prompt_tokens=len(prompt.prompt_ids),
                    block_length=prompt.block_length,
                    elapsed_ms=prefill_ms,
                    reused=kept is not None,
                )
                yield from self._decode(session, request, pinned, began, prefill_ms)
            finally:
                self._kept = key, prompt
        except DecodingCancelled:
            passes = session.passes if session else 0
            yield DraftCancelled(request.request_id, passes, _elapsed_ms(began))
        except torch.OutOfMemoryError:
            self._kept = None
            raise EngineError(f"{self._device}: out of memory while drafting") from None

    def _decode(
        self,
        session: DraftSession,
        request: GenerationRequest,
        pinned: Mapping[int, int],
        began: float,
        prefill_ms: float,
    ) -> Iterator[BlockCommitted | DraftFinished]:
        checkpoint, last_pinned = self._checkpoint, max(pinned, default=-1)
        answer = Answer(
            checkpoint.tokenizer, checkpoint.stop_ids, request.max_new_tokens, last_pinned + 1
        )
        blocks = self._decode_blocks(session, request)
        index, drafted, decode_ms = 0, 0, 0.0
        while answer.stop_reason is None:
            resumed, offset = perf_counter(), len(answer.token_ids)
            block = next(blocks)
            token_ids, texts = answer.extend(block.token_ids)
            decode_ms += _elapsed_ms(resumed)  # the engine's time, not the listener's
            if not token_ids:  # all of it belongs to a loop
                break
            flags = tuple(offset + place in pinned for place in range(len(token_ids)))
            yield BlockCommitted(
                request.request_id,
                index=index,
                token_ids=tuple(token_ids),
                token_texts=tuple(texts),
                confidences=tuple(block.confidences[: len(token_ids)]),
                passes=session.passes,
                elapsed_ms=_elapsed_ms(began),
                is_pinned=flags if any(flags) else (),
            )
            index += 1
            drafted += not all(flags)
        assert answer.stop_reason is not None
        findings, impression = parse_sections(answer.text)
        yield DraftFinished(
            request.request_id,
            text=answer.text,
            findings=findings,
            impression=impression,
            stop_reason=answer.stop_reason,
            passes=session.passes,
            tokens=len(answer.token_ids),
            prefill_ms=prefill_ms,
            decode_ms=decode_ms,
            extra_passes=session.passes - drafted if request.decoding == "adaptive" else 0,
            refusal=_refusal_in(findings, request.language),
            pinned_tokens=sum(at in pinned for at in range(len(answer.token_ids))),
        )

    def _decode_blocks(self, session: DraftSession, request: GenerationRequest) -> Iterator[Block]:
        match request.decoding:
            case "one-step":
                return decode_one_step(session)
            case "one-step-unfused":
                return decode_one_step_unfused(session)
            case "adaptive":
                return decode_adaptive(
                    session,
                    request.adaptive_threshold,
                    request.adaptive_max_passes,
                    self._checkpoint.stop_ids,
                    self._find_broken(request),
                )
            case "multi-step":
                return decode_multi_step(session, request.denoising_steps, remasking_of(request))
            case "autoregressive":
                return decode_autoregressive(session)

    def _find_broken(self, request: GenerationRequest) -> BrokenRuns | None:
        """Only for a model whose every sentence is known; else confidence alone counts."""
        if not self._checkpoint.manifest.canonical_wording:
            return None
        return BrokenRuns(self._checkpoint.tokenizer, request.language)

    def _prompt_key(self, request: GenerationRequest) -> _PromptKey:
        """What a prompt's K/V follow from."""
        films = tuple(_digest_film(image) for image in request.images)
        name = self._checkpoint.weights_name(request.decoding)
        return name, request.decoding == "autoregressive", request.language, films

    def _take_kept(
        self, key: _PromptKey, request: GenerationRequest, cancel: CancelToken
    ) -> PromptState | None:
        """The kept prompt if it is this request's; else it is freed before another is made."""
        _raise_if_cancelled(cancel)
        kept, self._kept = self._kept, None
        if kept is None or kept[0] != key:
            return None
        prompt = kept[1]
        return prompt if self._capacity(prompt.prompt_ids, request) <= prompt.capacity else None

    def _capacity(self, prompt_ids: list[int], request: GenerationRequest) -> int:
        """Positions of prompt and longest answer, in whole blocks."""
        capacity = len(prompt_ids) + request.max_new_tokens
        return capacity + -capacity % self._checkpoint.manifest.block_length

    def _open_session(
        self,
        prompt: PromptState,
        request: GenerationRequest,
        cancel: CancelToken,
        pinned: Mapping[int, int],
    ) -> DraftSession:
        return DraftSession(
            prompt,
            self._capacity(prompt.prompt_ids, request),
            cancel,
            pinned=pinned,
            stop_ids=self._checkpoint.stop_ids,
            chooser=TokenChooser(request.temperature, request.top_k, request.top_p, request.seed),
            with_entropies=(request.decoding, request.remasking)
            == ("multi-step", "entropy_bounded"),
        )

    def _prefill(self, request: GenerationRequest, cancel: CancelToken) -> PromptState:
        """Vision tower and prompt; the cache then holds all that decoding won't feed again."""
        manifest, processor = self._checkpoint.manifest, self._checkpoint.image_processor
        films = [processor(image) for image in request.images]
        grids = [grid for _, grid in films]
        prompt_ids = build_prompt_ids(
            self._checkpoint.tokenizer,
            request.language,
            tuple(processor.token_count(grid) for grid in grids),
            manifest.block_length,
            manifest.pad_prompt_to_block,
            manifest.system_prompt,
        )
        weights = self._weights_for(request.decoding)
        is_causal = request.decoding == "autoregressive"
        prompt = PromptState(
            weights.decoder,
            prompt_ids,
            rope_positions(weights.model, prompt_ids, grids, self._capacity(prompt_ids, request)),
            1 if is_causal else manifest.block_length,
            manifest.mask_token_id,
        )
        _raise_if_cancelled(cancel)
        ids = torch.tensor(prompt_ids, device=self._device)
        embeddings = weights.decoder.embed(ids)
        pixels = torch.cat([pixels for pixels, _ in films]).to(self._device, self._dtype)
        vision = weights.model.model.visual(pixels, grid_thw=torch.tensor(grids).to(self._device))
        embeddings[ids == weights.model.config.image_token_id] = vision.pooler_output
        _raise_if_cancelled(cancel)
        whole_blocks = len(prompt_ids) // prompt.block_length * prompt.block_length
        prompt.prefill(embeddings, len(prompt_ids) - 1 if is_causal else whole_blocks)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)  # so that prefill_ms is true
        return prompt

    def _weights_for(self, mode: DecodingMode) -> _Weights:
        name = self._checkpoint.weights_name(mode)
        if name not in self._weights:
            try:
                model = self._checkpoint.load_model(name, self._device, self._dtype)
            except torch.OutOfMemoryError:
                raise EngineError(f"{self._device}: out of memory loading {name}") from None
            self._weights[name] = _Weights(model, TextDecoder(model))
        return self._weights[name]

    def _pinned_tokens(self, request: GenerationRequest) -> dict[int, int]:
        checkpoint = self._checkpoint
        return pinned_tokens(
            request,
            checkpoint.tokenizer,
            checkpoint.config.text_config.vocab_size,
            checkpoint.manifest.mask_token_id,
            checkpoint.stop_ids,
        )

    def _check_request(self, request: GenerationRequest) -> None:
        description = self.description
        proofs = PROOF_MODES if "one-step" in description.decoding_modes else ()
        if request.decoding not in (*description.decoding_modes, *proofs):
            offered = ", ".join(description.decoding_modes)
            raise UnsupportedRequest(
                f"decoding {request.decoding!r}: {description.model_name} offers {offered}"
            )
        if request.language not in description.languages:
            raise UnsupportedRequest(
                f"language {request.language!r}: {description.model_name} writes "
                f"{', '.join(description.languages)}"
            )
        if not 1 <= len(request.images) <= description.max_images:
            raise UnsupportedRequest(
                f"{len(request.images)} images: {description.model_name} takes 1 to "
                f"{description.max_images}"
            )
        for name in ("max_new_tokens", "denoising_steps", "adaptive_max_passes"):
            if getattr(request, name) < 1:
                raise UnsupportedRequest(f"{name} must be at least 1")
        for name in ("confidence_threshold", "adaptive_threshold"):
            if not 0.0 <= getattr(request, name) <= 1.0:
                raise UnsupportedRequest(f"{name} must lie in 0..1")
        if request.remasking not in REMASKING_STRATEGIES:
            strategies = ", ".join(REMASKING_STRATEGIES)
            raise UnsupportedRequest(f"remasking {request.remasking!r}: one of {strategies}")
        if not (request.temperature >= 0 and request.top_k >= 0 and request.entropy_bound >= 0):
            raise UnsupportedRequest("temperature, top_k and entropy_bound must not be negative")
        if not 0.0 < request.top_p <= 1.0:
            raise UnsupportedRequest("top_p must lie above 0, up to 1")


def choose_device(device: str) -> torch.device:
    """ "auto" is CUDA if there is one, else the CPU. EngineError for one that isn't there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise EngineError(f"device {device!r}: not a device") from error
    if chosen.type not in ("cpu", "cuda"):
        raise EngineError(f"device {device!r}: only cpu and cuda are supported")
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise EngineError(f"device {device!r}: this machine has no such GPU")
    return chosen


def _raise_if_cancelled(cancel: CancelToken) -> None:
    if cancel.is_cancelled:
        raise DecodingCancelled


def _digest_film(image: ModelImage) -> bytes:
    """All that the model sees of it."""
    digest = sha256(repr((image.pixels.shape, image.pixels.dtype.str)).encode())
    digest.update(repr((image.is_monochrome1, image.padding_mask is not None)).encode())
    digest.update(np.ascontiguousarray(image.pixels).data)
    if image.padding_mask is not None:
        digest.update(np.ascontiguousarray(image.padding_mask).data)
    return digest.digest()


def _refuse_unseen(request: GenerationRequest, reason: str) -> DraftFinished:
    """The answer to a film that needs no model to be refused."""
    return DraftFinished(
        request.request_id,
        text="",
        findings="",
        impression="",
        stop_reason="stop",
        passes=0,
        tokens=0,
        prefill_ms=0.0,
        decode_ms=0.0,
        refusal=reason,
    )


def _refusal_in(findings: str, language: Language) -> str:
    """The model's own words that it refuses the film, else ""."""
    refusal = NOT_A_FRONTAL_CHEST[language]
    return refusal if findings.startswith(refusal) else ""


def _elapsed_ms(since: float) -> float:
    return (perf_counter() - since) * 1000.0
