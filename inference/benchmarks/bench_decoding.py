"""Speed of every decoding mode, interleaved in one run over the same films.

    python -m inference.benchmarks.bench_decoding [--checkpoint PATH] [--repeats N]

Valid tokens only (nothing after the first stop id); times are the engine's own and end to
end: prefill begins with the stored pixels. The ratio is to autoregressive in the same run.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from inference import (
    DecodingMode,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    ModelImage,
    load_engine,
)
from inference.engine import ReportEngine
from inference.phantom import render_film, sample_case

_FILM_PIXELS = 1024
_FIRST_SEED = 9_000_000


@dataclass(frozen=True)
class ModeSpeed:
    """One mode's runs. Percentiles are over runs; *_rate are tokens/s of decoding alone."""

    mode: DecodingMode
    runs: int
    prefill_ms: float
    decode_ms: float
    passes: float
    tokens: float
    median_rate: float
    slowest_rate: float  # 5th percentile
    end_to_end_ms: float
    reached_stop: int


def measure_modes(
    engine: ReportEngine,
    films: Sequence[ModelImage],
    repeats: int,
    denoising_steps: int = 8,
    max_new_tokens: int = 512,
) -> list[ModeSpeed]:
    """One unmeasured round to warm up, then repeats rounds of every film in every mode."""
    modes = engine.description.decoding_modes
    runs: dict[DecodingMode, list[DraftFinished]] = {mode: [] for mode in modes}
    for round_number in range(repeats + 1):
        for index, film in enumerate(films[:1] if round_number == 0 else films):
            for mode in modes:
                request = GenerationRequest(
                    f"{mode}-{index}",
                    (film,),
                    decoding=mode,
                    denoising_steps=denoising_steps,
                    max_new_tokens=max_new_tokens,
                )
                *_, last = engine.draft(request)
                assert isinstance(last, DraftFinished)
                if round_number:
                    runs[mode].append(last)
    return [_summarise(mode, runs[mode]) for mode in modes]


def _summarise(mode: DecodingMode, runs: list[DraftFinished]) -> ModeSpeed:
    rates = [run.tokens_per_second for run in runs]
    return ModeSpeed(
        mode=mode,
        runs=len(runs),
        prefill_ms=float(np.median([run.prefill_ms for run in runs])),
        decode_ms=float(np.median([run.decode_ms for run in runs])),
        passes=float(np.mean([run.passes for run in runs])),
        tokens=float(np.mean([run.tokens for run in runs])),
        median_rate=float(np.median(rates)),
        slowest_rate=float(np.percentile(rates, 5)),
        end_to_end_ms=float(np.median([run.prefill_ms + run.decode_ms for run in runs])),
        reached_stop=sum(run.stop_reason == "stop" for run in runs),
    )


def format_table(description: EngineDescription, speeds: Sequence[ModeSpeed]) -> str:
    """The machine and model in two lines, then one row a mode."""
    accelerator = (
        torch.cuda.get_device_name(torch.device(description.device))
        if description.device.startswith("cuda")
        else f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} thread(s)"
    )
    lines = [
        f"{description.model_name} {description.model_version} "
        f"({description.model_sha256[:12]}), block length {description.block_length}, "
        f"{description.dtype}",
        f"{accelerator}; torch {torch.__version__}, Python {platform.python_version()}",
        "",
        f"{'mode':<15}{'runs':>5}{'prefill ms':>11}{'passes':>8}{'tokens':>8}{'tok/pass':>9}"
        f"{'ms/pass':>9}{'tok/s p50':>11}{'p5':>8}{'vs AR':>8}{'draft ms':>10}{'stops':>7}",
    ]
    baseline = next((s.median_rate for s in speeds if s.mode == "autoregressive"), None)
    for speed in speeds:
        ratio = f"{speed.median_rate / baseline:.2f}x" if baseline else "-"
        lines.append(
            f"{speed.mode:<15}{speed.runs:>5}{speed.prefill_ms:>11.1f}{speed.passes:>8.1f}"
            f"{speed.tokens:>8.1f}{speed.tokens / speed.passes:>9.2f}"
            f"{speed.decode_ms / speed.passes:>9.2f}{speed.median_rate:>11.0f}"
            f"{speed.slowest_rate:>8.0f}{ratio:>8}{speed.end_to_end_ms:>10.1f}"
            f"{speed.reached_stop:>7}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--checkpoint", default="embedded", help="model folder (embedded)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N")
    parser.add_argument("--films", type=int, default=4, help="phantom films (4)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds over the films (5)")
    parser.add_argument("--steps", type=int, default=8, help="multi-step: denoising steps (8)")
    parser.add_argument("--tokens", type=int, default=512, help="max_new_tokens (512)")
    parser.add_argument("--threads", type=int, help="CPU threads (torch's choice)")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        engine = load_engine(options.checkpoint, options.device)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    films = [
        ModelImage(render_film(sample_case(_FIRST_SEED + number), _FILM_PIXELS))
        for number in range(options.films)
    ]
    speeds = measure_modes(engine, films, options.repeats, options.steps, options.tokens)
    print(format_table(engine.description, speeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
