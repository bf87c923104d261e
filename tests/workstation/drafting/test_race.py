"""The race itself, with an engine whose runs are known, and once with the embedded model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from inference import (
    BlockCommitted,
    CancelToken,
    DecodingMode,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    ModelImage,
    PrefillDone,
)
from workstation.drafting import race
from workstation.drafting.decoding_race import DecodingRace
from workstation.drafting.drafting_service import DraftingService
from workstation.drafting.race import RaceResult, run_race, time_of

DESCRIPTION = EngineDescription(
    "scripted", "1", "a" * 64, "/models/scripted", "cpu", "float32", 4,
    ("one-step", "adaptive"), ("en",), 1,
)  # fmt: skip
IMAGE = ModelImage(np.zeros((8, 8), dtype=np.float32))
MODES: tuple[DecodingMode, ...] = ("autoregressive", "one-step", "adaptive")


def requests(*modes: DecodingMode) -> list[GenerationRequest]:
    return [GenerationRequest(mode, (IMAGE,), decoding=mode) for mode in modes or MODES]


@dataclass
class Clock:
    """Seconds that pass only on the test's word."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(race, "perf_counter", made)
    return made


@dataclass
class ScriptedEngine:
    """Two blocks a run; each pass takes pass_s. Remembers who was asked and what was kept."""

    pass_s: float = 0.0
    spend: Callable[[float], None] = time.sleep
    failing: DecodingMode | None = None
    asked: list[str] = field(default_factory=list)
    description: EngineDescription = DESCRIPTION

    def forget_prompt(self) -> None:
        self.asked.append("forget")

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        name = request.request_id
        self.asked.append(name)
        if request.decoding == self.failing:
            raise EngineError("cpu: out of memory while drafting")
        yield PrefillDone(name, 9, 4, 1.0)
        for index in range(2):
            self.spend(self.pass_s)
            yield BlockCommitted(name, index, (7, 8), ("a ", "b "), (0.9, 0.9), index + 1, 2.0)
        yield DraftFinished(name, "a b a b", "a b a b", "", "stop", 2, 4, 1.0, 1.0)


@dataclass
class Listener:
    """Takes a minute for each event, where it has a clock."""

    clock: Clock | None = None
    runs: list[tuple[str, int, int]] = field(default_factory=list)
    events: list[DraftEvent] = field(default_factory=list)
    cancel_at: tuple[CancelToken, int] | None = None

    def on_run_started(self, decoding: DecodingMode, lap: int, laps: int) -> None:
        self.runs.append((decoding, lap, laps))

    def on_event(self, decoding: DecodingMode, event: DraftEvent) -> None:
        self.events.append(event)
        if self.clock is not None:
            self.clock.advance(60.0)
        if self.cancel_at is not None and len(self.events) == self.cancel_at[1]:
            self.cancel_at[0].cancel()


def run(engine: ScriptedEngine, listener: Listener | None = None) -> RaceResult:
    result = run_race(engine, requests(), CancelToken(), listener or Listener())
    assert result is not None
    return result


def test_each_strategy_runs_alone_in_laps_of_changing_order(clock: Clock) -> None:
    listener = Listener()
    result = run(ScriptedEngine(), listener)
    laps = [[mode for mode, at, _ in listener.runs if at == lap] for lap in range(1, 7)]
    a, b, c = MODES
    assert laps == [[a, b, c], [b, c, a], [c, a, b], [a, b, c], [b, c, a], [c, a, b]]
    assert result.counted_laps == 5
    assert result.has_warm_up
    assert [len(lane.laps_ms) for lane in result.lanes] == [5, 5, 5]
    assert [lane.decoding for lane in result.lanes] == list(MODES)


def test_no_run_spares_itself_the_film_that_another_has_read() -> None:
    engine = ScriptedEngine()
    run(engine)
    assert engine.asked[::2] == ["forget"] * (len(engine.asked) // 2)
    assert "forget" not in engine.asked[1::2]


def test_only_the_warm_up_lap_is_told_event_by_event() -> None:
    listener = Listener()
    run(ScriptedEngine(), listener)
    assert len(listener.events) == len(MODES) * 4


def test_shown_is_the_run_of_median_time(clock: Clock) -> None:
    passes = iter([0.1, 0.3, 0.2, 0.5, 0.4, 0.1] * 6)
    engine = ScriptedEngine(spend=lambda _: clock.advance(next(passes) / 10))
    for lane in run(engine).lanes:
        assert lane.shown is not None
        assert lane.shown.total_ms == sorted(lane.laps_ms)[2]


def test_clock_stands_still_while_the_listener_has_the_event(clock: Clock) -> None:
    listener = Listener(clock)
    run(ScriptedEngine(pass_s=0.25, spend=clock.advance), listener)
    assert [time_of(event) for event in listener.events[:4]] == [0.0, 250.0, 500.0, 500.0]


def test_all_figures_are_on_the_runs_own_clock(clock: Clock) -> None:
    shown = run(ScriptedEngine(pass_s=0.25, spend=clock.advance)).lanes[0].shown
    assert shown is not None
    assert shown.total_ms == shown.ending.decode_ms == 500.0
    assert shown.ending.tokens_per_second == 8.0


@pytest.mark.parametrize(
    ("pass_s", "counted", "has_warm_up"),
    [(0.1, 5, True), (0.3, 3, True), (1.0, 1, True), (4.0, 1, True), (6.0, 1, False)],
)
def test_laps_are_counted_as_there_is_time_for_them(
    clock: Clock, pass_s: float, counted: int, has_warm_up: bool
) -> None:
    """A lap of the three strategies is six passes long."""
    result = run(ScriptedEngine(pass_s=pass_s, spend=clock.advance))
    assert (result.counted_laps, result.has_warm_up) == (counted, has_warm_up)
    assert [len(lane.laps_ms) for lane in result.lanes] == [counted] * 3


def test_strategy_that_fails_leaves_and_the_others_go_on() -> None:
    engine = ScriptedEngine(failing="one-step")
    first, failed, last = run(engine).lanes
    assert failed.shown is None
    assert failed.failure == "cpu: out of memory while drafting"
    assert first.shown is not None
    assert last.shown is not None
    assert engine.asked.count("one-step") == 1


def test_stopped_race_has_no_result() -> None:
    cancel = CancelToken()
    listener = Listener(cancel_at=(cancel, 2))
    assert run_race(ScriptedEngine(), requests(), cancel, listener) is None
    assert listener.runs == [("autoregressive", 1, 0)]


# -- on the drafting thread --------------------------------------------------------------------


def test_embedded_model_races_and_drafts_again_afterwards(qtbot: QtBot) -> None:
    service = DraftingService()
    with qtbot.waitSignal(service.engine_ready, timeout=120_000):
        service.start("embedded", "cpu")
    rng = np.random.default_rng(7)
    film = ModelImage(rng.normal(1000, 200, (96, 96)).astype(np.float32))
    asked = [
        replace(each, images=(film,), max_new_tokens=24)
        for each in requests("one-step", "adaptive")
    ]
    running = DecodingRace(asked)
    with qtbot.waitSignal(running.finished, timeout=120_000) as finished:
        service.run_task(running)
    result = finished.args[0]
    texts = {lane.decoding: lane.shown.ending.text for lane in result.lanes}
    with qtbot.waitSignal(service.draft_finished, timeout=120_000) as drafted:
        service.request_draft(asked[0])
    assert drafted.args[0].text == texts["one-step"]
    assert service.shutdown(30_000)


def test_race_without_a_model_fails_with_words(qtbot: QtBot) -> None:
    service = DraftingService()
    running = DecodingRace(requests())
    with qtbot.waitSignal(running.failed, timeout=120_000) as failed:
        service.run_task(running)
    assert failed.args == ["No model is loaded."]
    assert service.shutdown(120_000)


def test_shutdown_stops_a_race(qtbot: QtBot) -> None:
    service = DraftingService(lambda _model, _device: ScriptedEngine(pass_s=0.01))
    with qtbot.waitSignal(service.engine_ready, timeout=120_000):
        service.start("scripted", "cpu")
    running = DecodingRace(requests())
    with qtbot.waitSignal(running.event_happened, timeout=120_000):
        service.run_task(running)
    with qtbot.waitSignal(running.stopped, timeout=120_000):
        assert service.shutdown(120_000)
