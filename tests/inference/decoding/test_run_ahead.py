"""The next block is under way before this one is read: at most one pass in vain, nothing leaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from inference.api import (
    BlockCommitted,
    DraftCancelled,
    DraftFinished,
    GenerationRequest,
)
from inference.decoding.one_shape_step import OneShapeStep
from inference.engine import ReportEngine
from tests.inference.decoding.cancel_after import CancelAfter

Ask = Callable[..., GenerationRequest]


@pytest.fixture
def ahead(tiny_engine: ReportEngine) -> Iterator[ReportEngine]:
    tiny_engine.choose_passes("one-shape")
    yield tiny_engine
    tiny_engine.choose_passes("any-shape")


def _stopping_at(engine: ReportEngine, token_id: int) -> ReportEngine:
    checkpoint = replace(engine._checkpoint, stop_ids=frozenset({token_id}))
    return ReportEngine(checkpoint, engine.device, passes="one-shape")


def _tell(engine: ReportEngine, request: GenerationRequest) -> tuple[list[int], DraftFinished]:
    *_, finished = events = list(engine.draft(request))
    assert isinstance(finished, DraftFinished)
    blocks = [event for event in events if isinstance(event, BlockCommitted)]
    return [token_id for block in blocks for token_id in block.token_ids], finished


def test_a_block_is_read_when_the_next_is_under_way(
    ahead: ReportEngine, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("enqueue", "read"):
        method = getattr(OneShapeStep, name)

        def recording(
            self: OneShapeStep, *given: int, method: Any = method, name: str = name
        ) -> Any:
            calls.append(name)
            return method(self, *given)

        monkeypatch.setattr(OneShapeStep, name, recording)
    _tell(ahead, ask("one-step"))
    assert calls == ["enqueue", *["enqueue", "read"] * 5, "read"]


def test_one_pass_is_in_vain_after_a_stop_and_none_where_the_answer_is_full(
    ahead: ReportEngine, ask: Ask
) -> None:
    request = ask("one-step")
    full, finished = _tell(ahead, request)
    assert (len(full), finished.passes, finished.stop_reason) == (24, 6, "length")
    stop = next(at for at in range(8, 16) if full[at] not in full[:at])
    drafted, finished = _tell(_stopping_at(ahead, full[stop]), request)
    assert drafted == full[: stop + 1]
    assert finished.stop_reason == "stop"
    assert finished.tokens == stop + 1
    assert finished.passes == stop // 4 + 1 + 1


def test_no_answer_stops_before_its_last_pinned_token(ahead: ReportEngine, ask: Ask) -> None:
    request = replace(ask("one-step"), pinned=((9, 30),))
    free, _ = _tell(ahead, request)
    engine = _stopping_at(ahead, free[2])
    drafts = []
    for path in ("one-shape", "any-shape"):
        engine.choose_passes(path)
        drafts.append(_tell(engine, request)[0])
    one_shape, any_shape = drafts
    assert one_shape == any_shape
    assert free[2] not in one_shape[:9]
    assert one_shape[9] == 30


def test_what_one_draft_pinned_lets_the_next_one_stop(ahead: ReportEngine, ask: Ask) -> None:
    adaptive = ask("adaptive", adaptive_threshold=0.0)
    free, _ = _tell(ahead, adaptive)
    engine = _stopping_at(ahead, free[2])
    _tell(engine, replace(ask("one-step"), pinned=((9, 30),)))
    stopped, finished = _tell(engine, adaptive)
    assert stopped == free[: free.index(free[2]) + 1]
    assert finished.stop_reason == "stop"


@pytest.mark.parametrize("looks", range(7))
def test_cancel_is_looked_at_before_every_pass(ahead: ReportEngine, ask: Ask, looks: int) -> None:
    request = ask("one-step")
    whole, _ = _tell(ahead, request)  # so that the prompt is kept, and looked at once less
    events = list(ahead.draft(request, CancelAfter(looks)))
    *blocks, cancelled = events
    assert isinstance(cancelled, DraftCancelled)
    assert cancelled.passes == max(0, looks - 1)
    told = [t for event in blocks if isinstance(event, BlockCommitted) for t in event.token_ids]
    assert told == whole[: 4 * max(0, cancelled.passes - 1)]
    assert _tell(ahead, request)[0] == whole


def test_a_draft_that_is_left_in_the_middle_spoils_none_after_it(
    ahead: ReportEngine, ask: Ask
) -> None:
    request = ask("one-step")
    whole, _ = _tell(ahead, request)
    stream = ahead.draft(request)
    assert [type(next(stream)).__name__ for _ in range(3)][1:] == ["BlockCommitted"] * 2
    stream.close()  # type: ignore[attr-defined]  # a generator, as every stream of the engine
    assert _tell(ahead, request)[0] == whole
