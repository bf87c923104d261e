"""What drafting several studies together gains, by how many are under way at once.

    python -m inference.benchmarks batches [--checkpoint PATH] [--sizes 1 2 4 8] [--json]

One row a decoding mode and size: milliseconds a study from its stored pixels to its report, over
as many films as the largest size, and how many times as fast that is as drafting them one after
the other. Sizes and "one after the other" take turns; ratios are medians over the rounds. The
texts are compared too: in float32 all must be the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from inference import (
    DecodingMode,
    DraftEvent,
    DraftFailed,
    DraftFinished,
    EngineError,
    GenerationRequest,
    ModelImage,
    draft_batch,
    load_engine,
)
from inference.engine import ReportEngine
from inference.phantom import render_film, sample_case

_FIRST_SEED, _FILM_PIXELS = 9_000_000, 1024
_ALONE = 0


@dataclass(frozen=True)
class BatchSpeed:
    """Medians over rounds. same: how many of the texts are those of studies drafted alone."""

    mode: DecodingMode
    at_once: int
    ms_per_study: float
    ratio: float
    same: int
    studies: int


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", default="embedded", help="model folder (embedded)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16, float16")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--modes", nargs="+", default=["one-step", "adaptive", "autoregressive"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="CPU threads (torch's choice)")
    parser.add_argument("--cpu-time", action="store_true", help="not the clock's time")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")


def run(options: argparse.Namespace) -> int:
    """Exit code 2 where something asked for can't be had; the reason is on stderr."""
    if min(options.sizes) < 1:
        print("--sizes: at least 1", file=sys.stderr)
        return 2
    if options.threads:
        torch.set_num_threads(options.threads)
    now = time.process_time if options.cpu_time else time.perf_counter
    try:
        engine = load_engine(options.checkpoint, options.device, options.dtype)
        rows = [
            row
            for mode in options.modes
            for row in _measure(engine, mode, options.sizes, options.rounds, now)
        ]
    except EngineError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        print(_format(rows), end="")
    return 0


def _measure(
    engine: ReportEngine,
    mode: DecodingMode,
    sizes: Sequence[int],
    rounds: int,
    now: Callable[[], float],
) -> Iterator[BatchSpeed]:
    seeds = range(_FIRST_SEED, _FIRST_SEED + max(sizes))
    requests = [
        GenerationRequest(
            f"study {at}",
            (ModelImage(np.ascontiguousarray(render_film(case, _FILM_PIXELS))),),
            decoding=mode,
        )
        for at, case in enumerate(map(sample_case, seeds))
    ]
    ways = [_ALONE, *sizes]
    alone = _draft(engine, requests, _ALONE)  # warms up, too
    same = {way: _count_same(_draft(engine, requests, way), alone) for way in sizes}
    times: dict[int, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        first = number % len(ways)
        for way in [*ways[first:], *ways[:first]]:
            begun = now()
            _draft(engine, requests, way)
            times[way].append(1000.0 * (now() - begun) / len(requests))
    for way in sizes:
        ratio = float(np.median(np.divide(times[_ALONE], times[way])))
        ms = float(np.median(times[way]))
        yield BatchSpeed(mode, way, ms, ratio, same[way], len(requests))


def _draft(
    engine: ReportEngine, requests: Sequence[GenerationRequest], at_once: int
) -> dict[str, str]:
    """The texts by request."""
    events: list[DraftEvent | DraftFailed] = []
    if at_once != _ALONE:
        events += draft_batch(engine, requests, at_once=at_once)
    else:
        for request in requests:
            engine.forget_prompt()
            events += engine.draft(request)
    return {event.request_id: event.text for event in events if isinstance(event, DraftFinished)}


def _count_same(texts: dict[str, str], others: dict[str, str]) -> int:
    return sum(text == others.get(name) for name, text in texts.items())


def _format(rows: Sequence[BatchSpeed]) -> str:
    lines = ["| decoding | at once | ms a study | vs one by one | same text |", "| --- " * 5 + "|"]
    lines += [
        f"| {row.mode} | {row.at_once} | {row.ms_per_study:.1f} | {row.ratio:.2f}× "
        f"| {row.same}/{row.studies} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
