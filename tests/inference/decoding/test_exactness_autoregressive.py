"""Autoregressive decoding equals one full forward a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inference.api import GenerationRequest
from inference.engine import ReportEngine

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


def _naive_autoregressive(plain: Any) -> Any:
    ids, confidences = list(plain.prompt), {}
    for _ in range(plain.new_tokens):
        probabilities = plain.logits(ids, 1)[-1].softmax(-1)
        ids.append(int(probabilities.argmax()))
        confidences[len(ids) - 1] = float(probabilities.max())
    return plain.answer(ids, confidences, plain.new_tokens)


def test_autoregressive_equals_naive_loop(
    engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain
) -> None:
    request = ask("autoregressive")
    cached, plain = decode(engine, request), _naive_autoregressive(recompute(engine, request))
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert cached.passes == request.max_new_tokens


def test_autoregressive_prefix_equals_naive_loop(
    engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain
) -> None:
    request = ask("autoregressive", prefix_ids=(20, 21, 22))
    plain = recompute(engine, request)
    ids = [*plain.prompt, 20, 21, 22]
    while len(ids) < len(plain.prompt) + plain.new_tokens:
        ids.append(int(plain.logits(ids, 1)[-1].argmax()))
    cached, answer = decode(engine, request), ids[len(plain.prompt) :]
    length = plain.first_stop(answer)
    assert cached.ids == answer[:length]
    assert cached.passes == length - 3
