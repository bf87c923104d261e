"""What a request fixes of its answer stays, and the rest equals a naive loop around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inference.api import DecodingMode, GenerationRequest
from inference.engine import ReportEngine

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


PINS: list[dict[int, int]] = [
    dict(enumerate(range(20, 25))),  # a prefix that ends inside a block
    dict(enumerate(range(20, 28))),  # of whole blocks
    {6: 30},
    {0: 30, 5: 31, 7: 32, 12: 33, 13: 34, 14: 35, 15: 36, 20: 37},  # one block wholly pinned
]


def _pinned_request(
    ask: Ask, mode: DecodingMode, pins: dict[int, int], **settings: object
) -> GenerationRequest:
    prefix = tuple(pins[at] for at in range(len(pins)) if all(n in pins for n in range(at + 1)))
    rest = tuple(pins.items())[len(prefix) :]
    return ask(mode, prefix_ids=prefix, pinned=rest, **settings)


@pytest.mark.parametrize("pins", PINS)
@pytest.mark.parametrize(
    ("mode", "steps"),
    [("one-step", 1), ("one-step-unfused", 1), ("adaptive", 1), ("multi-step", 4)],
)
def test_pinned_tokens_equal_naive_loop(
    engine: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    naive_blocks: Decode,
    pins: dict[int, int],
    mode: DecodingMode,
    steps: int,
) -> None:
    request = _pinned_request(ask, mode, pins, adaptive_threshold=0.0, denoising_steps=steps)
    cached, plain = decode(engine, request), recompute(engine, request)
    stop_ids = engine._checkpoint.stop_ids
    naive = naive_blocks(plain, steps, 0.85, pinned=pins, stop_ids=stop_ids)
    assert cached.ids == naive.ids
    assert cached.confidences == pytest.approx(naive.confidences, abs=1e-4)
    assert all(cached.ids[at] == token_id for at, token_id in pins.items())
    if mode in ("one-step", "adaptive"):
        assert cached.passes == naive.passes


@pytest.mark.parametrize("pins", PINS)
def test_second_looks_leave_pinned_tokens_alone(
    engine: ReportEngine, ask: Ask, decode: Decode, pins: dict[int, int]
) -> None:
    one_step = decode(engine, _pinned_request(ask, "one-step", pins))
    looked = decode(engine, _pinned_request(ask, "adaptive", pins, adaptive_threshold=1.0))
    assert all(looked.ids[at] == token_id for at, token_id in pins.items())
    assert looked.passes > one_step.passes
