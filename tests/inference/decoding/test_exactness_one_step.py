"""One-step, fused and unfused, equals a plain loop over the stock forward, token for token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inference.api import GenerationRequest
from inference.engine import ReportEngine

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


def test_fixture_covers_both_prompt_shapes(
    unpadded_engine: ReportEngine, ask: Ask, recompute: MakePlain
) -> None:
    assert recompute(unpadded_engine, ask("one-step")).tail != 0


def test_one_step_equals_full_recompute(
    engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain, naive_blocks: Decode
) -> None:
    request = ask("one-step")
    fused, plain = decode(engine, request), naive_blocks(recompute(engine, request), 1, 1.0)
    assert fused.ids == plain.ids
    assert fused.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert fused.passes == plain.passes
    assert len(set(fused.ids)) > 5  # the random model does say something


def test_fused_equals_vanilla_cache(engine: ReportEngine, ask: Ask, decode: Decode) -> None:
    fused = decode(engine, ask("one-step"))
    vanilla = decode(engine, ask("multi-step", denoising_steps=1))
    assert fused.ids == vanilla.ids
    assert fused.confidences == pytest.approx(vanilla.confidences, abs=1e-4)
    assert vanilla.passes == 2 * fused.passes - 1


def test_unfused_one_step_is_one_step_in_twice_the_passes(
    engine: ReportEngine, ask: Ask, decode: Decode
) -> None:
    fused = decode(engine, ask("one-step"))
    unfused = decode(engine, ask("one-step-unfused"))
    assert unfused.ids == fused.ids
    assert unfused.confidences == pytest.approx(fused.confidences, abs=1e-4)
    assert unfused.passes == 2 * fused.passes - 1
