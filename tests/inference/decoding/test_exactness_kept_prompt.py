"""A kept prompt, and a prefix of the model's own, change no token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from inference.api import (
    BlockCommitted,
    DecodingMode,
    DraftFinished,
    GenerationRequest,
    PrefillDone,
    redraft_span,
)
from inference.engine import ReportEngine

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


MODES: tuple[DecodingMode, ...] = (
    "one-step",
    "one-step-unfused",
    "adaptive",
    "multi-step",
    "autoregressive",
)


@pytest.mark.parametrize("mode", MODES)
def test_its_own_answer_as_prefix_gives_the_same_answer(
    engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain, mode: DecodingMode
) -> None:
    free = decode(engine, ask(mode)).ids
    tail = recompute(engine, ask(mode)).tail
    for kept in (4 - tail, 12 - tail):  # whole blocks
        request = ask(mode, prefix_ids=tuple(free[:kept]))
        assert decode(engine, request).ids == free


@pytest.mark.parametrize("mode", MODES)
def test_reused_prompt_gives_what_a_fresh_one_gives(
    engine: ReportEngine, ask: Ask, mode: DecodingMode
) -> None:
    request = ask(mode, adaptive_threshold=0.6)
    engine.forget_prompt()
    first, second = list(engine.draft(request)), list(engine.draft(request))
    assert isinstance(first[0], PrefillDone)
    assert isinstance(second[0], PrefillDone)
    assert (first[0].reused, second[0].reused) == (False, True)
    assert [e.token_ids for e in first if isinstance(e, BlockCommitted)] == [
        e.token_ids for e in second if isinstance(e, BlockCommitted)
    ]


def test_redrafted_span_stands_between_what_was_kept(
    tiny_engine: ReportEngine, ask: Ask, decode: Decode
) -> None:
    request = ask("one-step")
    free = decode(tiny_engine, request).ids
    again = redraft_span(replace(request, temperature=2.0, seed=5), free, 8, 12)
    events = list(tiny_engine.draft(again))
    assert isinstance(events[0], PrefillDone)
    assert events[0].reused
    finished = events[-1]
    assert isinstance(finished, DraftFinished)
    assert (finished.passes, finished.pinned_tokens) == (1, len(free) - 4)
    ids = [t for e in events if isinstance(e, BlockCommitted) for t in e.token_ids]
    assert ids[:8] + ids[12:] == free[:8] + free[12:]
    assert ids[8:12] != free[8:12]
