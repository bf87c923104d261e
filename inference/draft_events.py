"""Blocks as they are decided into the events of a draft. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.api import (
    BlockCommitted,
    CancelToken,
    DraftFinished,
    GenerationRequest,
    StopReason,
)
from inference.decoding.answer import Answer
from inference.prompts import parse_sections
from inference.report_language import NOT_A_FRONTAL_CHEST, Language
from inference.stopwatch import Stopwatch

if TYPE_CHECKING:
    from inference.decoding.draft_session import DraftSession
    from inference.decoding.open_block import Block


@dataclass(frozen=True)
class BegunDraft:
    """A draft whose prompt is in the cache. pinned: by offset, what the request fixed."""

    request: GenerationRequest
    pinned: Mapping[int, int]
    cancel: CancelToken
    clock: Stopwatch  # since the request was taken up
    prefill_ms: float


def stream_answer(
    draft: BegunDraft, session: DraftSession, blocks: Iterator[Block], answer: Answer
) -> Iterator[BlockCommitted | DraftFinished]:
    """Each block as it belongs to the answer, until that ends; no block is asked for after."""
    request, pinned = draft.request, draft.pinned
    index, drafted, decode_ms = 0, 0, 0.0
    is_adaptive = request.decoding == "adaptive"
    while answer.stop_reason is None:
        resumed, offset, passes = Stopwatch(), len(answer.token_ids), session.passes
        block = next(blocks)
        token_ids, texts = answer.extend(block.token_ids)
        decode_ms += resumed.elapsed_ms  # the engine's time, not the listener's
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
            elapsed_ms=draft.clock.elapsed_ms,
            is_pinned=flags if any(flags) else (),
            second_looks=max(0, session.passes - passes - 1) if is_adaptive else 0,
        )
        index += 1
        drafted += not all(flags)
    looks_again = is_adaptive or request.decoding == "guided"
    extra_passes = session.passes - drafted if looks_again else 0
    assert answer.stop_reason is not None
    kept = sum(at in pinned for at in range(len(answer.token_ids)))
    yield finish_draft(
        draft, answer.text, answer.stop_reason, session.passes, len(answer.token_ids), kept,
        extra_passes, decode_ms,
    )  # fmt: skip


def finish_draft(
    draft: BegunDraft, text: str, stop_reason: StopReason, passes: int, tokens: int,
    pinned_tokens: int, extra_passes: int, decode_ms: float,
) -> DraftFinished:  # fmt: skip
    """The last event, with the text taken apart."""
    findings, impression = parse_sections(text)
    return DraftFinished(
        draft.request.request_id,
        text=text,
        findings=findings,
        impression=impression,
        stop_reason=stop_reason,
        passes=passes,
        tokens=tokens,
        prefill_ms=draft.prefill_ms,
        decode_ms=decode_ms,
        extra_passes=extra_passes,
        refusal=_refusal_in(findings, draft.request.language),
        pinned_tokens=pinned_tokens,
    )


def refuse_unseen(request: GenerationRequest, reason: str) -> DraftFinished:
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
