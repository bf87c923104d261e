"""Speed of every decoding strategy, interleaved in one run over the same films.

    python -m inference.benchmarks decoding [--checkpoint PATH] [--report DIR] [--json]
    python -m inference.benchmarks decoding --shape echo-7b --random-weights --device cuda

Prints a Markdown table; --report also writes decoding.md, decoding.svg and decoding.json.
Valid tokens only (nothing after the first stop id). With random weights answers are of full
length, and say nothing of quality. On a machine that is busy with other work, --cpu-time takes the
processor's time for this process instead of the clock's (of all its threads: use one).
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from inference import PRODUCTS, EngineDescription, EngineError, ModelImage, Products, load_engine
from inference.benchmarks.decoding_page import Setting, draw_speeds, format_markdown, to_json
from inference.benchmarks.decoding_runs import run_rounds
from inference.benchmarks.decoding_strategies import list_strategies, with_products
from inference.benchmarks.decoding_summary import StrategySpeed, summarise
from inference.benchmarks.memory_figures import measure_copy_bandwidth
from inference.benchmarks.random_models import SHAPES, random_engine
from inference.engine import ReportEngine
from inference.phantom import render_film, sample_case

_FIRST_SEED = 9_000_000
_FILM_PIXELS = {"embedded": 1024, "echo-7b": 2048}
_RANDOM_TOKENS, _TOKENS = 160, 512


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", default="embedded", help="model folder (embedded)")
    parser.add_argument("--shape", choices=SHAPES, help="with --random-weights: no folder")
    parser.add_argument("--random-weights", action="store_true")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16, float16")
    parser.add_argument(
        "--products", nargs="+", choices=PRODUCTS[1:], default=[], help="these too, beside exact"
    )
    parser.add_argument("--films", type=int, default=4, help="phantom films (4)")
    parser.add_argument("--rounds", type=int, default=5, help="over the films (5)")
    parser.add_argument("--steps", type=int, default=8, help="multi-step: denoising steps (8)")
    parser.add_argument("--tokens", type=int, help="max_new_tokens (512; random weights 160)")
    parser.add_argument("--threads", type=int, help="CPU threads (torch's choice)")
    parser.add_argument("--cpu-time", action="store_true", help="not the clock's time")
    parser.add_argument("--only", nargs="+", metavar="STRATEGY", help="these, by their names")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write table, picture, JSON")


def run(options: argparse.Namespace) -> int:
    """Exit code 2 where something asked for can't be had; the reason is on stderr."""
    if bool(options.shape) != options.random_weights:
        print("--shape and --random-weights go together", file=sys.stderr)
        return 2
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        engine = _load(options, "exact")
        reduced = {products: _load(options, products) for products in options.products}
        setting, rows = _measure(engine, reduced, options)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 2
    if options.report:
        _write_report(options.report, setting, rows)
    if options.json:
        print(json.dumps(to_json(setting, rows), indent=2))
    else:
        print(format_markdown(setting, rows), end="")
    return 0


def _load(options: argparse.Namespace, products: Products) -> ReportEngine:
    if options.shape:
        return random_engine(options.shape, options.device, options.dtype, products)
    return load_engine(options.checkpoint, options.device, options.dtype, products=products)


def _measure(
    engine: ReportEngine, reduced: Mapping[Products, ReportEngine], options: argparse.Namespace
) -> tuple[Setting, list[StrategySpeed]]:
    description = engine.description
    if options.cpu_time and description.device != "cpu":
        raise EngineError(f"--cpu-time: {description.device} works while the processor waits")
    tokens = options.tokens or (_RANDOM_TOKENS if options.random_weights else _TOKENS)
    size = _FILM_PIXELS[options.shape or "embedded"]
    films = [
        # By rows, as a DICOM file's: the renderer's own order would be turned in every draft.
        ModelImage(np.ascontiguousarray(render_film(sample_case(_FIRST_SEED + number), size)))
        for number in range(options.films)
    ]
    strategies = list_strategies(description, options.steps)
    if options.only:
        if unknown := set(options.only) - {strategy.name for strategy in strategies}:
            known = ", ".join(strategy.name for strategy in strategies)
            raise EngineError(f"--only {sorted(unknown)[0]}: this model offers {known}")
        strategies = [strategy for strategy in strategies if strategy.name in options.only]
    strategies = with_products(strategies, list(reduced))
    bandwidth = measure_copy_bandwidth(description.device)
    now = time.process_time if options.cpu_time else time.perf_counter
    drafts = list(run_rounds(engine, films, strategies, options.rounds, tokens, now, reduced))
    setting = Setting(
        model=_name_model(description),
        machine=_name_machine(description),
        command=shlex.join(["python", "-m", "inference.benchmarks", *sys.argv[1:]]),
        rounds=options.rounds,
        films=len(films),
        max_new_tokens=tokens,
        is_cpu_time=options.cpu_time,
        copy_bandwidth=bandwidth,
    )
    return setting, summarise(drafts, engine.text_decoders[0].bytes_per_pass, bandwidth)


def _write_report(folder: Path, setting: Setting, rows: Sequence[StrategySpeed]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page = format_markdown(setting, rows) + "\n![speeds](decoding.svg)\n"
    (folder / "decoding.md").write_text(page, encoding="utf-8")
    (folder / "decoding.svg").write_text(draw_speeds(setting, rows), encoding="utf-8")
    text = json.dumps(to_json(setting, rows), indent=2) + "\n"
    (folder / "decoding.json").write_text(text, encoding="utf-8")


def _name_model(model: EngineDescription) -> str:
    name = " ".join(part for part in (model.model_name, model.model_version) if part)
    digest = f" ({model.model_sha256[:12]})" if model.model_sha256 else ""
    return f"{name}{digest}, block length {model.block_length}, {model.dtype}"


def _name_machine(model: EngineDescription) -> str:
    place = (
        torch.cuda.get_device_name(torch.device(model.device))
        if model.device.startswith("cuda")
        else f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} thread(s)"
    )
    return f"{place}; torch {torch.__version__}, Python {platform.python_version()}"
