"""Which layout is quicker follows from what passes take, not from what a pass computes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from inference import decoding_times
from inference.decoding.text_decoder import TextDecoder
from inference.decoding_times import measure_decoding_times
from inference.engine import ReportEngine


@pytest.fixture
def decoder(tiny_engine: ReportEngine) -> TextDecoder:
    return tiny_engine.text_decoders[0]


@pytest.fixture
def clock(decoder: TextDecoder, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Passes take what is said here; gives the rows of every pass."""
    run = decoder.run

    def set_clock(milliseconds: Callable[[int], float]) -> list[int]:
        rows: list[int] = []
        now = [0.0]

        def timed_run(hidden: torch.Tensor, *arguments: object, **settings: object) -> torch.Tensor:
            rows.append(len(hidden))
            now[0] += milliseconds(len(hidden)) / 1000.0
            return run(hidden, *arguments, **settings)  # type: ignore[arg-type]

        monkeypatch.setattr(decoder, "run", timed_run)
        monkeypatch.setattr(decoding_times.time, "perf_counter", lambda: now[0])
        return rows

    return set_clock


def test_regions_are_quicker_where_any_pass_takes_as_long(
    decoder: TextDecoder, clock: Callable[..., list[int]]
) -> None:
    rows = clock(lambda _: 10.0)
    times = measure_decoding_times(decoder, 4)
    assert times.sequence_ms == pytest.approx(90.0)
    assert times.regions_ms == pytest.approx(40.0)
    assert {*rows} == {4, 8, 16, 40, 48}
    assert rows[1:6] != sorted(rows[1:])[:5], "shapes take turns"


def test_sequence_is_quicker_where_rows_take_the_time(
    decoder: TextDecoder, clock: Callable[..., list[int]]
) -> None:
    clock(lambda rows: float(rows))
    times = measure_decoding_times(decoder, 4)
    assert times.sequence_ms < times.regions_ms


def test_a_slow_device_is_not_kept_busy_with_measuring(
    decoder: TextDecoder, clock: Callable[..., list[int]]
) -> None:
    rows = clock(lambda rows: 1000.0 * rows)
    times = measure_decoding_times(decoder, 4)
    assert len(rows) == 2
    assert times.sequence_ms < times.regions_ms


def test_measuring_leaves_drafts_as_they_were(
    tiny_engine: ReportEngine, make_request: Callable[..., object]
) -> None:
    before = list(tiny_engine.draft(make_request()))[-1]  # type: ignore[arg-type]
    assert min(tiny_engine.measure_decoding_times()) > 0
    after = list(tiny_engine.draft(make_request()))[-1]  # type: ignore[arg-type]
    assert getattr(after, "text", None) == getattr(before, "text", "")
