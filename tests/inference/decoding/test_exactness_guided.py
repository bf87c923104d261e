"""Guided decoding equals a naive loop of drafts and checks over the stock forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from inference.api import (
    BlockCommitted,
    DraftCancelled,
    DraftFinished,
    GenerationRequest,
    PrefillDone,
)
from inference.engine import ReportEngine
from tests.inference.decoding.cancel_after import CancelAfter
from tests.inference.decoding.naive_loops import naive_guided

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


def _both(
    engine: ReportEngine,
    recompute: MakePlain,
    decode: Decode,
    request: GenerationRequest,
    pins: Mapping[int, int] = {},
) -> tuple[Any, tuple[list[int], int]]:
    plain, judge = (
        recompute(engine, replace(request, decoding=mode))
        for mode in ("one-step", "autoregressive")
    )
    stop_ids = engine._checkpoint.stop_ids
    naive = naive_guided(plain, judge, request.guided_ratio, request.guided_rounds, stop_ids, pins)
    return decode(engine, request), naive


@pytest.mark.parametrize(("ratio", "rounds"), [(1e-8, 3), (1e-6, 1), (1e-4, 5), (1.0, 2)])
def test_guided_equals_naive_loop(
    engine: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    ratio: float,
    rounds: int,
) -> None:
    request = ask("guided", guided_ratio=ratio, guided_rounds=rounds)
    cached, (ids, passes) = _both(engine, recompute, decode, request)
    assert cached.ids == ids
    last = list(engine.draft(request))[-1]
    assert isinstance(last, DraftFinished)
    assert last.passes == passes


def test_guided_cases_do_redraft(engine: ReportEngine, ask: Ask, decode: Decode) -> None:
    one_step = decode(engine, ask("one-step"))
    guided = decode(engine, ask("guided", guided_ratio=1e-6))
    assert 0 < sum(a != b for a, b in zip(one_step.ids, guided.ids, strict=True)) < 24


def test_without_a_dispute_guided_is_one_step_and_a_check(
    engine: ReportEngine, ask: Ask, decode: Decode
) -> None:
    one_step, guided = (
        decode(engine, ask("one-step")),
        decode(engine, ask("guided", guided_ratio=0.0)),
    )
    assert guided.ids == one_step.ids
    assert guided.confidences == pytest.approx(one_step.confidences, abs=1e-4)
    assert guided.passes == one_step.passes + 1


def test_guided_equals_naive_loop_around_a_stop(
    tiny_engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain
) -> None:
    """Stops that are disputed, kept, and found anew."""
    request = ask("guided", guided_ratio=1e-4)
    free = decode(tiny_engine, ask("one-step")).ids
    for position in (1, 6, 11):
        stop_ids = frozenset({free[position]})
        stopping = ReportEngine(
            replace(tiny_engine._checkpoint, stop_ids=stop_ids), tiny_engine._device
        )
        cached, (ids, _) = _both(stopping, recompute, decode, request)
        assert cached.ids == ids


def test_what_the_request_pinned_is_never_disputed(
    engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain
) -> None:
    pins = {0: 20, 1: 21, 9: 30}
    request = ask("guided", guided_ratio=1.0, prefix_ids=(20, 21), pinned=((9, 30),))
    cached, (ids, _) = _both(engine, recompute, decode, request, pins)
    assert cached.ids == ids
    assert all(cached.ids[at] == token_id for at, token_id in pins.items())


def test_guided_stops_between_any_two_passes(tiny_engine: ReportEngine, ask: Ask) -> None:
    request = ask("guided", guided_ratio=1.0)
    expected = list(tiny_engine.draft(request))
    total = expected[-1].passes  # type: ignore[union-attr]
    ends = [
        list(tiny_engine.draft(request, CancelAfter(looks)))[-1] for looks in range(1, total + 2)
    ]
    passes = [end.passes for end in ends if isinstance(end, DraftCancelled)]
    assert passes == list(range(total))  # the first look comes before the prompt is taken
    assert isinstance(ends[-1], DraftFinished)


def test_settled_blocks_come_before_the_last_check(tiny_engine: ReportEngine, ask: Ask) -> None:
    events = list(tiny_engine.draft(ask("guided", guided_ratio=1e-8)))
    blocks = [event for event in events if isinstance(event, BlockCommitted)]
    last = events[-1]
    assert isinstance(last, DraftFinished)
    assert blocks[0].passes < blocks[-1].passes == last.passes
    assert last.extra_passes == last.passes - len(blocks)


def test_guided_keeps_the_prompts_of_both_models(tiny_engine: ReportEngine, ask: Ask) -> None:
    tiny_engine.forget_prompt()
    reused = []
    for mode in ("guided", "guided", "autoregressive", "guided", "one-step"):
        first, *_ = tiny_engine.draft(ask(mode))
        assert isinstance(first, PrefillDone)
        reused.append(first.reused)
    assert reused == [False, True, True, True, True]


def test_guided_needs_both_weights(tiny_engine: ReportEngine) -> None:
    checkpoint = tiny_engine._checkpoint
    alone = replace(checkpoint.manifest, autoregressive_weights=None)
    engine = ReportEngine(replace(checkpoint, manifest=alone), tiny_engine._device)
    assert "guided" in tiny_engine.description.decoding_modes
    assert "guided" not in engine.description.decoding_modes
