"""The decoding benchmark: every strategy, counted as the engine counts, ratios from pairs."""

from __future__ import annotations

import json
import mmap
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from inference.api import ModelImage
from inference.benchmarks.__main__ import main
from inference.benchmarks.decoding_page import Setting, draw_speeds, format_markdown
from inference.benchmarks.decoding_runs import TimedDraft, run_rounds
from inference.benchmarks.decoding_strategies import Strategy, list_strategies, with_products
from inference.benchmarks.decoding_summary import summarise
from inference.benchmarks.memory_figures import PeakMemory
from inference.benchmarks.random_models import _echo_7b
from inference.decoding.prompt_state import PromptState
from inference.engine import ReportEngine
from inference.model_folder.weight_loading import build_empty_model


def test_each_round_drafts_every_film_with_every_strategy_from_the_pixels_on(
    tiny_engine: ReportEngine, tiny_film: ModelImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefill, prefills = PromptState.prefill, 0

    def counting(self: PromptState, embeddings: torch.Tensor, length: int) -> None:
        nonlocal prefills
        prefills += 1
        prefill(self, embeddings, length)

    monkeypatch.setattr(PromptState, "prefill", counting)
    strategies = [Strategy("one-step", "one-step"), Strategy("autoregressive", "autoregressive")]
    drafts = list(run_rounds(tiny_engine, [tiny_film] * 2, strategies, 2, max_new_tokens=8))
    free = [draft for draft in drafts if draft.model_share is None]
    assert sorted((d.round_number, d.film, d.strategy) for d in free) == [
        (number, film, name)
        for number in (1, 2)
        for film in (0, 1)
        for name in ("autoregressive", "one-step")
    ]
    assert free[0].strategy != free[4].strategy  # another one begins each round
    passes = {draft.strategy: draft.passes for draft in drafts}
    assert passes == {"one-step": 2, "autoregressive": 8}
    clocked = [draft.model_share for draft in drafts if draft.model_share is not None]
    assert len(clocked) == 4
    assert all(0.0 < share < 1.0 for share in clocked)
    for decoder in tiny_engine.text_decoders:
        assert "run" not in vars(decoder)  # the clock is off again
    assert prefills == 2 + 8 + 4  # no prompt was left over from the draft before, nor to warm up


def test_passes_are_the_strategys_and_then_the_engines_own_again(
    tiny_engine: ReportEngine, tiny_film: ModelImage
) -> None:
    (strategy,) = (
        each
        for each in list_strategies(tiny_engine.description)
        if each.name == "one-step, one shape"
    )
    before = tiny_engine.passes
    *_, clocked = run_rounds(tiny_engine, [tiny_film], [strategy], 1, max_new_tokens=8)
    assert clocked.passes == 2
    assert clocked.model_share is not None
    assert 0.0 < clocked.model_share < 1.0
    assert tiny_engine.passes == before == "any-shape"


def test_every_mode_and_remasking_is_a_strategy(tiny_engine: ReportEngine) -> None:
    names = [strategy.name for strategy in list_strategies(tiny_engine.description)]
    assert {"one-step", "one-step-unfused", "adaptive", "autoregressive"} < set(names)
    assert sum(name.startswith("multi-step") for name in names) == 5


def _timed(strategy: str, film: int, decode_ms: float, share: float | None = None) -> TimedDraft:
    return TimedDraft(strategy, 1, film, 50.0, decode_ms, 10, 80, True, None, share)


def test_ratios_are_medians_of_pairs() -> None:
    """A slow minute that hits a film's pair changes no ratio."""
    drafts = [_timed("autoregressive", film, 400.0 * slow) for film, slow in enumerate((1, 9, 1))]
    drafts += [_timed("one-step", film, 100.0 * slow) for film, slow in enumerate((1, 9, 1))]
    drafts += [_timed("one-step", 0, 100.0, 0.9), _timed("autoregressive", 0, 400.0, 0.8)]
    fast, slow = summarise(drafts, bytes_per_pass=10**9, copy_bandwidth=4e11)
    assert (fast.name, fast.decode_ratio, slow.decode_ratio) == ("one-step", 4.0, 1.0)
    assert fast.end_to_end_ratio == pytest.approx(450 / 150)
    assert (fast.drafts, fast.end_to_end_ms) == (3, 150.0)
    assert fast.end_to_end_ms_p95 > 850.0
    assert fast.overhead == pytest.approx(0.1)
    assert fast.bandwidth == pytest.approx(1e11)  # 1 GB in 10 ms
    assert fast.copy_share == pytest.approx(0.25)


@pytest.mark.parametrize(("reduced_ms", "ratio"), [(80.0, 4.0), (200.0, 5.0)])
def test_reduced_products_are_compared_with_the_quicker_baseline(
    reduced_ms: float, ratio: float
) -> None:
    """100 ms autoregressive with exact products, 20 one-step with reduced ones."""
    times = {"autoregressive": 100.0, "autoregressive, int8": reduced_ms, "one-step, int8": 20.0}
    drafts = []
    for name, end_to_end_ms in times.items():
        for share in (None, 0.9):  # of each, a clocked one
            timed = _timed(name, 0, 1.0, share)
            drafts.append(replace(timed, prefill_ms=0.0, decode_ms=end_to_end_ms))
    rows = {row.name: row for row in summarise(drafts)}
    assert rows["one-step, int8"].end_to_end_ratio == pytest.approx(ratio)
    assert rows["autoregressive"].end_to_end_ratio == 1.0


def test_reduced_strategies_run_on_the_reduced_engine(tiny_engine: ReportEngine) -> None:
    strategies = with_products([Strategy("one-step", "one-step")], ["int8"])
    assert [strategy.name for strategy in strategies] == ["one-step", "one-step, int8"]
    asked: list[str] = []

    class Listening(ReportEngine):
        def draft(self, request, cancel=None):  # type: ignore[no-untyped-def]
            asked.append(request.request_id)
            return super().draft(request, cancel)

    reduced = Listening(tiny_engine._checkpoint, tiny_engine.device)
    film = ModelImage(np.arange(4096.0).reshape(64, 64))
    drafts = list(run_rounds(tiny_engine, [film], strategies, 1, 8, reduced={"int8": reduced}))
    assert asked == ["one-step, int8"] * 3  # warmed up, timed, clocked
    assert len(drafts) == 4


def test_without_autoregressive_there_is_no_ratio() -> None:
    (row,) = summarise([_timed("one-step", 0, 1.0), _timed("one-step", 0, 1.0, 0.9)])
    assert (row.decode_ratio, row.end_to_end_ratio, row.bandwidth) == (None, None, None)


def test_page_and_picture_hold_every_strategy() -> None:
    drafts = [_timed("a & b", 0, 10.0), _timed("a & b", 0, 10.0, 0.9)]
    setting = Setting("model", "machine", "command", 1, 1, 8, copy_bandwidth=4e12)
    rows = summarise(drafts, 10**9, 4e12)
    table = [line for line in format_markdown(setting, rows).splitlines() if line[:1] == "|"]
    assert len({line.count("|") for line in table}) == 1
    assert "| a & b | 50.0 | 10.0 | 1.00 | 80.0 | 8000 |" in table[-1]
    assert table[-1].endswith("| 1000 | 25% |")
    texts = [element.text for element in ElementTree.fromstring(draw_speeds(setting, rows)).iter()]
    assert texts.count("a & b") == 2


def test_command_measures_a_random_model_and_writes_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["decoding", "--shape", "embedded", "--random-weights", "--device", "cpu"]
    arguments += ["--films", "1", "--rounds", "1", "--tokens", "16", "--cpu-time", "--json"]
    arguments += ["--only", "one-step", "autoregressive", "--report", str(tmp_path)]
    assert main(arguments) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["strategies"]}
    assert rows["one-step"]["tokens"] == rows["autoregressive"]["tokens"] == 16
    assert (rows["one-step"]["passes"], rows["autoregressive"]["passes"]) == (2, 16)
    assert rows["one-step"]["end_to_end_ratio"] > 0
    names = {"decoding.md", "decoding.svg", "decoding.json"}
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--shape", "embedded"], "--random-weights"),
        (["--only", "sideways"], "sideways.*one-step"),
        (["--checkpoint", "/nowhere"], "/nowhere"),
    ],
)
def test_what_cannot_be_measured_is_named(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decoding", "--device", "cpu", *arguments]) == 2
    error = capsys.readouterr().err
    assert re.search(reason, error)


def test_the_7b_shape_is_the_released_one(tiny_engine: ReportEngine) -> None:
    """8.29 B parameters, of which a pass reads 7.07 B (layers and head)."""
    model = build_empty_model(_echo_7b(tiny_engine._checkpoint.config))
    total = sum(parameter.numel() for parameter in model.parameters())
    assert total == pytest.approx(8.29e9, rel=0.002)
    language = sum(p.numel() for p in model.model.language_model.layers.parameters())
    assert language + model.lm_head.weight.numel() == pytest.approx(7.07e9, rel=0.002)


def test_peak_memory_sees_what_was_taken() -> None:
    memory = PeakMemory("cpu")
    before = memory.peak_bytes()
    if before is None:
        pytest.skip("only Linux tells a process's peak")
    size = 64 << 20
    with mmap.mmap(-1, size) as taken:  # fresh pages: an allocator might have some left
        taken.write(bytes(size))
    after = memory.peak_bytes()
    assert after is not None
    assert after - before > size // 2
