"""A request's decoding mode and settings into the passes that serve it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from inference.api import CancelToken, GenerationRequest, SequenceCache
from inference.decoding.adaptive import decode_adaptive
from inference.decoding.answer import Answer
from inference.decoding.autoregressive import decode_autoregressive
from inference.decoding.draft_session import DraftSession
from inference.decoding.full_sequence import PromptCachedLooks, WholeLooks, decode_full_sequence
from inference.decoding.full_sequence_delayed import DelayedCacheLooks
from inference.decoding.full_sequence_uncached import UncachedLooks
from inference.decoding.guided import decode_guided
from inference.decoding.multi_step import decode_multi_step
from inference.decoding.one_shape_step import OneShapeStep
from inference.decoding.one_step import (
    decode_one_step,
    decode_one_step_ahead,
    decode_one_step_unfused,
)
from inference.decoding.open_block import Block
from inference.decoding.prompt_state import PromptState
from inference.decoding.remasking import remasking_of
from inference.decoding.sampling import TokenChooser
from inference.draft_events import BegunDraft
from inference.model_folder.checkpoint import Checkpoint
from inference.report_rules.report_check import CanonicalReportCheck


def open_session(
    checkpoint: Checkpoint,
    prompt: PromptState,
    capacity: int,
    request: GenerationRequest,
    cancel: CancelToken,
    pinned: Mapping[int, int],
    step: OneShapeStep | None = None,
) -> DraftSession:
    """The session that the request's passes run in; capacity, step: see DraftSession."""
    return DraftSession(
        prompt,
        capacity,
        cancel,
        pinned=pinned,
        stop_ids=checkpoint.stop_ids,
        chooser=TokenChooser(request.temperature, request.top_k, request.top_p, request.seed),
        with_entropies=request.remasking == "entropy_bounded"
        and request.decoding in ("multi-step", "full-sequence"),
        step=step,
    )


def open_answer(checkpoint: Checkpoint, draft: BegunDraft) -> Answer:
    last_pinned, limit = max(draft.pinned, default=-1), draft.request.max_new_tokens
    return Answer(checkpoint.tokenizer, checkpoint.stop_ids, limit, last_pinned + 1)


def decode_blocks(
    checkpoint: Checkpoint,
    draft: BegunDraft,
    session: DraftSession,
    checking: Sequence[PromptState],
) -> Iterator[Block]:
    """The mode's blocks, one after the other as they are asked for.

    checking: for ``guided``, the prompt in the autoregressive model's cache.
    """
    request = draft.request
    match request.decoding:
        case "one-step":
            return (
                decode_one_step_ahead(session) if session.runs_ahead else decode_one_step(session)
            )
        case "one-step-unfused":
            return decode_one_step_unfused(session)
        case "adaptive":
            return decode_adaptive(
                session,
                request.adaptive_threshold,
                request.adaptive_max_passes,
                checkpoint.stop_ids,
                _report_check(checkpoint, request),
            )
        case "guided":
            causal = DraftSession(checking[0], checking[0].capacity, draft.cancel)
            return decode_guided(
                session,
                partial(_check_draft, session, causal),
                request.guided_ratio,
                request.guided_rounds,
                partial(open_answer, checkpoint, draft),
            )
        case "multi-step":
            return decode_multi_step(session, request.denoising_steps, remasking_of(request))
        case "full-sequence":
            return decode_full_sequence(
                session,
                _LOOKS[request.sequence_cache](session),
                request.denoising_steps,
                remasking_of(request),
                checkpoint.stop_ids,
            )
        case "autoregressive":
            return decode_autoregressive(session)
        case "regions" | "regions-adaptive" | "regions-multi-step":
            raise ValueError(f"{request.decoding} has several answers: see region_drafting")


_LOOKS: dict[SequenceCache, type[WholeLooks]] = {
    "none": UncachedLooks,
    "prompt": PromptCachedLooks,
    "delayed": DelayedCacheLooks,
}


def fit_canvas(request: GenerationRequest, block_length: int) -> GenerationRequest:
    """``full-sequence`` has one canvas, the block; every other mode goes on to the next."""
    if request.decoding != "full-sequence":
        return request
    return replace(request, max_new_tokens=min(request.max_new_tokens, block_length))


def _report_check(
    checkpoint: Checkpoint, request: GenerationRequest
) -> CanonicalReportCheck | None:
    """Only for a model whose every sentence is known; else confidence alone counts."""
    if not checkpoint.manifest.canonical_wording:
        return None
    return CanonicalReportCheck(checkpoint.tokenizer, request.language, checkpoint.stop_ids)


def _check_draft(
    session: DraftSession, causal: DraftSession, token_ids: Sequence[int]
) -> list[float]:
    """See DraftSession.check_answer; the pass counts as the draft's."""
    held = causal.check_answer(token_ids)
    session.passes += 1
    return held
