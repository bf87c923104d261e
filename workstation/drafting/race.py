"""A race: the same films decoded by several strategies in turn, each alone, lap after lap.

Nothing runs beside anything else, so each strategy has the whole machine. Every run reads the
films anew, the order of the strategies rotates from lap to lap, and the first lap (which loads
weights and warms caches, and is shown while it runs) is not counted if there is time for more.
A run's clock counts only the engine's own time, not what its listener does. Qt-free.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Protocol, runtime_checkable

from inference import (
    DECODING_MODES,
    REGION_MODES,
    BlockCommitted,
    CancelToken,
    DecodingMode,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    EngineError,
    GenerationRequest,
    PrefillDone,
)
from workstation.drafting.drafting_engine import DraftingEngine, describe_error

_log = logging.getLogger(__name__)

RACING_ORDER: tuple[DecodingMode, ...] = (
    "autoregressive",
    *(mode for mode in DECODING_MODES if mode != "autoregressive"),
    *REGION_MODES,
)
"""What the others are measured against comes first."""

MOST_LANES = 4
MOST_COUNTED_LAPS = 5
COUNTED_LAPS_MS = 6000.0
"""Several laps are counted only as far as they fit into this time."""

LONGEST_WARM_UP_MS = 30_000.0
"""A first lap that took longer is the one that counts; what it warms up is little of it then."""


@runtime_checkable
class KeepsPrompt(Protocol):
    """An engine that would spare a later run on the same films the reading of them."""

    def forget_prompt(self) -> None: ...


class RaceListener(Protocol):
    """Told of the race as it happens, on the thread that runs it."""

    def on_run_started(self, decoding: DecodingMode, lap: int, laps: int) -> None:
        """lap counts from 1; laps is 0 as long as it is not known."""

    def on_event(self, decoding: DecodingMode, event: DraftEvent) -> None:
        """First lap only: afterwards nothing disturbs the timing."""


@dataclass(frozen=True)
class RaceRun:
    """One strategy's run in one lap: the engine's events, timed by the run's own clock [ms]."""

    decoding: DecodingMode
    events: tuple[DraftEvent, ...]

    @property
    def ending(self) -> DraftFinished:
        ending = self.events[-1]
        assert isinstance(ending, DraftFinished)
        return ending

    @property
    def total_ms(self) -> float:
        """From the question to the last word, prefill included."""
        return time_of(self.ending)


@dataclass(frozen=True)
class RaceLane:
    """A strategy's result. shown: its counted run of median time, None where it failed.

    laps_ms: the whole time of every counted run, in the order they were run.
    """

    request: GenerationRequest
    shown: RaceRun | None
    laps_ms: tuple[float, ...] = ()
    failure: str = ""

    @property
    def decoding(self) -> DecodingMode:
        return self.request.decoding


@dataclass(frozen=True)
class RaceResult:
    """counted_laps: how many times each strategy was timed, the warm-up lap not counted."""

    lanes: tuple[RaceLane, ...]
    counted_laps: int
    has_warm_up: bool

    @property
    def duration_ms(self) -> float:
        """Until the slowest is done."""
        return max((lane.shown.total_ms for lane in self.lanes if lane.shown), default=0.0)


def time_of(event: DraftEvent) -> float:
    """When an event happened on its own run's clock [ms]."""
    match event:
        case PrefillDone() | BlockCommitted() | DraftCancelled():
            return event.elapsed_ms
        case DraftFinished():
            return event.prefill_ms + event.decode_ms


def _time_events(events: Iterable[DraftEvent]) -> Iterator[DraftEvent]:
    """The events on one clock, which stands still while the listener has them."""
    stream, own_ms, prefill_ms = iter(events), 0.0, 0.0
    while True:
        began = perf_counter()
        event = next(stream, None)
        own_ms += 1000.0 * (perf_counter() - began)
        if event is None:
            return
        match event:
            case PrefillDone():
                prefill_ms = own_ms
                yield replace(event, elapsed_ms=own_ms)
            case BlockCommitted():
                yield replace(event, elapsed_ms=own_ms)
            case DraftFinished():
                yield replace(event, prefill_ms=prefill_ms, decode_ms=own_ms - prefill_ms)
            case DraftCancelled():
                yield event


def run_race(
    engine: DraftingEngine,
    requests: Sequence[GenerationRequest],
    cancel: CancelToken,
    listener: RaceListener,
) -> RaceResult | None:
    """Run all strategies to their end; None where it was stopped.

    A strategy that fails leaves the race with its reason; the others go on.
    """
    race = _Race(engine, requests, cancel, listener)
    began = perf_counter()
    race.run_lap(1, 0)
    lap_ms = 1000.0 * (perf_counter() - began)
    counted_laps = _count_laps(lap_ms)
    if counted_laps and not cancel.is_cancelled:
        race.forget_times()
        for lap in range(2, counted_laps + 2):
            race.run_lap(lap, counted_laps + 1)
    if cancel.is_cancelled:
        return None
    return RaceResult(race.lanes(), max(1, counted_laps), has_warm_up=counted_laps > 0)


def _count_laps(lap_ms: float) -> int:
    """Laps after the first: as many as there is time for, odd, so that one is the median."""
    if lap_ms > LONGEST_WARM_UP_MS:
        return 0
    laps = min(MOST_COUNTED_LAPS, int(COUNTED_LAPS_MS / max(lap_ms, 1.0)))
    return max(1, laps - 1 + laps % 2)


class _Race:
    def __init__(
        self,
        engine: DraftingEngine,
        requests: Sequence[GenerationRequest],
        cancel: CancelToken,
        listener: RaceListener,
    ) -> None:
        self._engine, self._requests = engine, list(requests)
        self._cancel, self._listener = cancel, listener
        self._runs: dict[DecodingMode, list[RaceRun]] = {}
        self._failures: dict[DecodingMode, str] = {}
        self.forget_times()

    def forget_times(self) -> None:
        self._runs = {request.decoding: [] for request in self._requests}

    def run_lap(self, lap: int, laps: int) -> None:
        """Each strategy once; who begins changes from lap to lap."""
        first = (lap - 1) % len(self._requests)
        for request in self._requests[first:] + self._requests[:first]:
            if self._cancel.is_cancelled:
                return
            if request.decoding not in self._failures:
                self._listener.on_run_started(request.decoding, lap, laps)
                self._run(request, is_live=lap == 1)

    def _run(self, request: GenerationRequest, *, is_live: bool) -> None:
        if isinstance(self._engine, KeepsPrompt):
            self._engine.forget_prompt()
        events: list[DraftEvent] = []
        failure = ""
        try:
            for event in _time_events(self._engine.draft(request, self._cancel)):
                events.append(event)
                if is_live:
                    self._listener.on_event(request.decoding, event)
        except Exception as error:  # the other strategies may still run
            if not isinstance(error, EngineError):
                _log.error("racing %s failed:\n%s", request.decoding, traceback.format_exc())
            failure = describe_error(error)
        if self._cancel.is_cancelled:
            return
        if failure or not events or not isinstance(events[-1], DraftFinished):
            self._failures[request.decoding] = failure or "the engine stopped without an answer"
            return
        self._runs[request.decoding].append(RaceRun(request.decoding, tuple(events)))

    def lanes(self) -> tuple[RaceLane, ...]:
        return tuple(self._lane(request) for request in self._requests)

    def _lane(self, request: GenerationRequest) -> RaceLane:
        if failure := self._failures.get(request.decoding, ""):
            return RaceLane(request, None, failure=failure)
        runs = self._runs[request.decoding]
        by_time = sorted(runs, key=lambda run: run.total_ms)
        return RaceLane(request, by_time[len(runs) // 2], tuple(run.total_ms for run in runs))
