"""Multi-step with every remasking strategy equals a naive loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from inference.api import GenerationRequest, Remasking
from inference.decoding.draft_session import DraftSession
from inference.engine import ReportEngine
from tests.inference.decoding.naive_loops import pick_named

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


@pytest.mark.parametrize(
    ("steps", "threshold"), [(4, 1.0), (4, 0.3), (3, 0.6), (2, 0.5), (1, 0.9), (8, 0.0)]
)
def test_multi_step_equals_naive_loop(
    engine: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    naive_blocks: Decode,
    steps: int,
    threshold: float,
) -> None:
    request = ask("multi-step", denoising_steps=steps, confidence_threshold=threshold)
    cached = decode(engine, request)
    plain = naive_blocks(recompute(engine, request), steps, threshold)
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    blocks = math.ceil((request.max_new_tokens + recompute(engine, request).tail) / 4)
    assert cached.passes == plain.passes + blocks - 1


@pytest.mark.parametrize("steps", [4, 2])
@pytest.mark.parametrize(
    "remasking", ["low_confidence_static", "sequential", "random", "entropy_bounded"]
)
def test_each_remasking_equals_naive_loop(
    engine: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    naive_blocks: Decode,
    remasking: Remasking,
    steps: int,
) -> None:
    request = ask(
        "multi-step",
        denoising_steps=steps,
        remasking=remasking,
        seed=3,
        entropy_bound=1.0,
    )
    cached, plain = decode(engine, request), recompute(engine, request)
    naive = naive_blocks(plain, steps, 1.0, pick_named(remasking, 3, 1.0))
    assert cached.ids == naive.ids
    assert cached.confidences == pytest.approx(naive.confidences, abs=1e-4)
    blocks = math.ceil((request.max_new_tokens + len(plain.prompt) % 4) / 4)
    assert cached.passes == naive.passes + blocks - 1


def test_committed_positions_stay_and_each_mask_is_revealed_once(
    tiny_engine: ReportEngine, ask: Ask, decode: Decode, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = tiny_engine._checkpoint.manifest.mask_token_id
    run_pass, canvases = DraftSession.run_pass, {}

    def recording(
        self: DraftSession, ids: list[int], start: int, keep: int, *, fused: bool = False
    ) -> object:
        canvases.setdefault(start, []).append(list(ids))
        return run_pass(self, ids, start, keep, fused=fused)

    monkeypatch.setattr(DraftSession, "run_pass", recording)
    decode(tiny_engine, ask("multi-step", confidence_threshold=0.4))
    for history in canvases.values():
        for earlier, later in pairwise(history):
            assert all(a in (mask, b) for a, b in zip(earlier, later, strict=True))
            assert earlier.count(mask) > later.count(mask)
