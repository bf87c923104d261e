"""The drafts of a benchmark as one row a strategy. Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from inference.benchmarks.decoding_strategies import baselines_of

if TYPE_CHECKING:
    from inference.benchmarks.decoding_runs import TimedDraft


@dataclass(frozen=True)
class StrategySpeed:
    """Medians over drafts unless named p5 or p95; passes and tokens are means.

    *_ratio: median of the quotients to ``autoregressive`` on the same film in the same round (with
    reduced products: to the quicker of autoregressive with these and with exact ones), above 1
    where this strategy is faster; None where the model has no such mode. overhead: share of
    decoding spent outside the model's own layers. bandwidth: bytes/s of weights read
    by passes, copy_share that over the device's own copying; both on a GPU only.
    """

    name: str
    drafts: int
    stopped: int
    prefill_ms: float
    ms_per_pass: float
    passes: float
    tokens: float
    tokens_per_second: float
    tokens_per_second_p5: float
    end_to_end_ms: float
    end_to_end_ms_p95: float
    decode_ratio: float | None
    end_to_end_ratio: float | None
    overhead: float
    peak_bytes: int | None
    bandwidth: float | None = None
    copy_share: float | None = None


def summarise(
    drafts: Sequence[TimedDraft],
    bytes_per_pass: int = 0,
    copy_bandwidth: float | None = None,
) -> list[StrategySpeed]:
    """One row a strategy, the fastest first; bandwidths where copying has one."""
    by_name: dict[str, list[TimedDraft]] = {}
    for draft in drafts:
        by_name.setdefault(draft.strategy, []).append(draft)
    rows = [
        _summarise(runs, _baseline(name, by_name), bytes_per_pass, copy_bandwidth)
        for name, runs in by_name.items()
    ]
    return sorted(rows, key=lambda row: -row.tokens_per_second)


def _baseline(name: str, by_name: Mapping[str, list[TimedDraft]]) -> list[TimedDraft]:
    """The quickest autoregressive decoding that a strategy may be compared with."""
    known = [by_name[other] for other in baselines_of(name) if other in by_name]
    return min(known, key=lambda runs: _median([run.end_to_end_ms for run in runs]), default=[])


def _summarise(
    runs: Sequence[TimedDraft],
    baseline: Sequence[TimedDraft],
    bytes_per_pass: int,
    copy_bandwidth: float | None,
) -> StrategySpeed:
    free = [run for run in runs if run.model_share is None]
    clocked = [run.model_share for run in runs if run.model_share is not None]
    rates = [run.tokens_per_second for run in free]
    ms_per_pass = _median([run.decode_ms / run.passes for run in free])
    peaks = [run.peak_bytes for run in free if run.peak_bytes is not None]
    bandwidth = 1000.0 * bytes_per_pass / ms_per_pass if copy_bandwidth else None
    return StrategySpeed(
        name=free[0].strategy,
        drafts=len(free),
        stopped=sum(run.has_stopped for run in free),
        prefill_ms=_median([run.prefill_ms for run in free]),
        ms_per_pass=ms_per_pass,
        passes=float(np.mean([run.passes for run in free])),
        tokens=float(np.mean([run.tokens for run in free])),
        tokens_per_second=_median(rates),
        tokens_per_second_p5=float(np.percentile(rates, 5)),
        end_to_end_ms=_median([run.end_to_end_ms for run in free]),
        end_to_end_ms_p95=float(np.percentile([run.end_to_end_ms for run in free], 95)),
        decode_ratio=_ratio(free, baseline, lambda run: run.tokens_per_second),
        end_to_end_ratio=_ratio(free, baseline, lambda run: 1.0 / run.end_to_end_ms),
        overhead=1.0 - _median(clocked),
        peak_bytes=max(peaks) if peaks else None,
        bandwidth=bandwidth,
        copy_share=bandwidth / copy_bandwidth if bandwidth and copy_bandwidth else None,
    )


def _ratio(
    runs: Sequence[TimedDraft],
    baseline: Sequence[TimedDraft],
    speed: Callable[[TimedDraft], float],
) -> float | None:
    others = {(d.round_number, d.film): d for d in baseline if d.model_share is None}
    if not others:
        return None
    return _median([speed(run) / speed(others[run.round_number, run.film]) for run in runs])


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))
