"""Drafts with every strategy in turn, over the same films, timed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from types import MappingProxyType

from inference import DraftFinished, ModelImage, Products
from inference.benchmarks.decoding_strategies import Strategy
from inference.benchmarks.memory_figures import PeakMemory
from inference.benchmarks.model_clock import ModelClock
from inference.engine import ReportEngine


@dataclass(frozen=True)
class TimedDraft:
    """One draft; prefill_ms begins with the stored pixels, decode_ms where the prompt is in.

    model_share: of decode_ms, what the model's own layers took; None in drafts that aren't
    clocked (the clock waits for a GPU, which slows the draft). peak_bytes: None where the
    platform won't say.
    """

    strategy: str
    round_number: int
    film: int
    prefill_ms: float
    decode_ms: float
    passes: int
    tokens: int
    has_stopped: bool
    peak_bytes: int | None
    model_share: float | None = None

    @property
    def end_to_end_ms(self) -> float:
        return self.prefill_ms + self.decode_ms

    @property
    def tokens_per_second(self) -> float:
        return 1000.0 * self.tokens / self.decode_ms


def run_rounds(
    engine: ReportEngine,
    films: Sequence[ModelImage],
    strategies: Sequence[Strategy],
    rounds: int,
    max_new_tokens: int,
    now: Callable[[], float] = perf_counter,
    reduced: Mapping[Products, ReportEngine] = MappingProxyType({}),
) -> Iterator[TimedDraft]:
    """An unmeasured round to warm up, then ``rounds`` of every film with every strategy.

    Strategies take turns on each film, beginning with another one each round, so that a slow
    minute of the machine hits all of them. Each round ends with a clocked draft of each. now:
    seconds; time.process_time where other work shares the processor. reduced: the same model with
    other products, for strategies that ask for them.
    """
    engines = {"exact": engine, **reduced}
    for strategy in strategies:
        _draft(engines[strategy.products], films, 0, strategy, 0, max_new_tokens, now)
    for number in range(1, rounds + 1):
        first = number % len(strategies)
        turns = [*strategies[first:], *strategies[:first]]
        for film in range(len(films)):
            for strategy in turns:
                own = engines[strategy.products]
                yield _draft(own, films, film, strategy, number, max_new_tokens, now)
        for strategy in turns:
            own = engines[strategy.products]
            with ModelClock(own, now) as clock:
                yield _draft(own, films, 0, strategy, number, max_new_tokens, now, clock)


def _draft(
    engine: ReportEngine,
    films: Sequence[ModelImage],
    film: int,
    strategy: Strategy,
    round_number: int,
    max_new_tokens: int,
    now: Callable[[], float],
    clock: ModelClock | None = None,
) -> TimedDraft:
    engine.choose_passes(strategy.passes)
    engine.forget_prompt()  # else the next strategy on the same weights would have no prefill
    memory = PeakMemory(engine.description.device)
    begun = now()
    stream = engine.draft(strategy.request(films[film], max_new_tokens))
    next(stream)  # PrefillDone
    if clock is not None:
        clock.restart()
    prefilled = now()
    *_, last = stream
    decode_ms = 1000.0 * (now() - prefilled)
    engine.choose_passes("auto")
    assert isinstance(last, DraftFinished)
    return TimedDraft(
        strategy.name,
        round_number,
        film,
        1000.0 * (prefilled - begun),
        decode_ms,
        last.passes,
        last.tokens,
        last.stop_reason == "stop",
        memory.peak_bytes(),
        clock.elapsed_ms / decode_ms if clock is not None else None,
    )
