"""The benchmark runs every mode the model offers and counts as the engine does."""

from __future__ import annotations

from inference.api import ModelImage
from inference.benchmarks.bench_decoding import format_table, measure_modes
from inference.engine import ReportEngine


def test_benchmark_measures_each_mode_in_one_run(
    tiny_engine: ReportEngine, tiny_film: ModelImage
) -> None:
    speeds = measure_modes(tiny_engine, [tiny_film], repeats=2, max_new_tokens=8)
    passes = {speed.mode: speed.passes for speed in speeds}
    assert list(passes) == ["one-step", "adaptive", "multi-step", "autoregressive"]
    assert {speed.runs for speed in speeds} == {2}
    assert (passes["one-step"], passes["autoregressive"]) == (2, 8)
    table = format_table(tiny_engine.description, speeds)
    assert "vs AR" in table
    assert "1.00x" in table.splitlines()[-1]
