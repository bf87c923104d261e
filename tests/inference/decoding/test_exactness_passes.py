"""Every pass of every mode gives the logits that the stock model gives; none after a cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from inference.api import CancelToken, DecodingMode, GenerationRequest
from inference.decoding.draft_session import DecodingCancelled, DraftSession
from inference.decoding.prompt_state import PromptState
from inference.engine import ReportEngine

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


@pytest.mark.parametrize("mode", ["one-step", "adaptive", "multi-step", "autoregressive"])
def test_each_pass_gives_the_stock_models_logits(
    engine: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    monkeypatch: pytest.MonkeyPatch,
    mode: DecodingMode,
) -> None:
    request = ask(mode)
    plain = recompute(engine, request)
    block_length = 1 if mode == "autoregressive" else plain.block_length
    decoder = engine._weights_for(mode).decoder
    run_pass, logits = DraftSession.run_pass, decoder.logits
    sequence, seen, worst = list(plain.prompt), [], 0.0

    def recording_logits(hidden: torch.Tensor) -> torch.Tensor:
        seen.append(logits(hidden).clone())
        return logits(hidden)

    def checking_pass(
        self: DraftSession, ids: list[int], start: int, keep: int, **named: Any
    ) -> object:
        nonlocal worst
        block = run_pass(self, ids, start, keep, **named)
        sequence[start:] = ids
        if keep:
            expected = plain.logits(sequence, block_length)[-keep:]
            actual = seen[-1]
            actual[:, plain.mask_token_id] = expected[:, plain.mask_token_id] = 0.0
            worst = max(worst, float((actual - expected).abs().max()))
        return block

    monkeypatch.setattr(decoder, "logits", recording_logits)
    monkeypatch.setattr(DraftSession, "run_pass", checking_pass)
    assert len(decode(engine, request).ids) == request.max_new_tokens
    assert 0.0 < worst < 1e-4


def test_session_refuses_to_pass_after_cancel(tiny_engine: ReportEngine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    decoder = tiny_engine._weights_for("one-step").decoder
    prompt = PromptState(decoder, [0], torch.zeros(3, 8, dtype=torch.long), 4, 1)
    session = DraftSession(prompt, 8, cancel)
    with pytest.raises(DecodingCancelled):
        session.run_pass([1], 0, keep=1)
    assert session.passes == 0
