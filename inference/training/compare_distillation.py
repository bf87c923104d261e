"""Distillation methods side by side: same teacher, trajectories, schedule and held-out phantoms.

    python -m inference.training.compare_distillation --config FILE

Trains what is not trained yet, scores what is not scored yet, and writes table.json and table.md
to the output folder. It may be stopped and started again at any point. The table says which method
wins, and which one ships (``method_choice``).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inference.api import EngineError
from inference.evaluation.__main__ import main as evaluate
from inference.training.config import (
    ConfigError,
    DataConfig,
    DcdWeights,
    ModelConfig,
    RadConfig,
    ScheduleConfig,
    StageConfig,
    TeacherConfig,
    read_config,
)
from inference.training.data.manifest_pairs import UnusableManifest
from inference.training.distill_dcd import distill_dcd
from inference.training.loop import DivergedTraining
from inference.training.method_choice import DECODINGS, describe_choice, score_method
from inference.training.stage_setup import open_stage
from inference.training.start_model import write_model_folder

_NOTHING = DcdWeights(divergence=0.0, hard=0.0, stop=0.0, refine=0.0, by_step=False)
_HALVINGS = 3  # 8 steps a block to 4, 2, 1


@dataclass(frozen=True)
class Method:
    """One row. rounds share the schedule's steps."""

    name: str
    title: str
    weights: DcdWeights
    rounds: int = 1


_KL = replace(_NOTHING, divergence=1.0)
METHODS = (
    Method("halving", "self-distillation, steps halved three times",
           replace(_KL, halve=True), _HALVINGS),
    Method("certainty", "certainty forcing (after dParallel)",
           replace(_NOTHING, hard=1.0, certainty=0.5)),
    Method("kl", "DCD, plain KL", _KL),
    Method("kl_step", "+ step weight", replace(_KL, by_step=True)),
    Method("kl_step_stop", "+ stop cross-entropy (DCD as published)",
           replace(_KL, by_step=True, stop=0.3)),
    Method("kl_step_stop_hard", "+ hard labels",
           replace(_KL, by_step=True, stop=0.3, hard=1.0)),
    Method("kl_step_stop_hard_rad", "+ RAD share",
           replace(_KL, by_step=True, stop=0.3, hard=1.0, refine=0.5)),
)  # fmt: skip
# (row, decoding) of the teacher itself, then what each student is scored in
_TEACHER_MODES = ("multi-step", "one-step")
_STUDENT_MODES = DECODINGS
_FIGURES = (
    "micro_f1", "micro_f1_with_side", "macro_f1", "side_accuracy", "sentences_outside_grammar",
    "contradictions", "repetition_loops", "not_stopped", "rouge_l", "passes_per_report",
    "tokens_per_pass",
)  # fmt: skip


@dataclass(frozen=True)
class EvaluationConfig:
    """Held-out phantoms, both languages. Training seeds start at 1,000,000."""

    phantoms: int = 300
    seed: int = 0
    size: int = 512


@dataclass(frozen=True)
class CompareConfig:
    """model.start is the teacher, a folder. methods: names of METHODS; all where none is given."""

    output: Path
    model: ModelConfig
    data: DataConfig
    schedule: ScheduleConfig
    rad: RadConfig = field(default_factory=RadConfig)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    methods: tuple[str, ...] = tuple(method.name for method in METHODS)


def compare(config: CompareConfig) -> list[dict[str, Any]]:
    """One row a method and decoding; files as said above."""
    if unknown := sorted(set(config.methods) - {method.name for method in METHODS}):
        raise ConfigError(f"methods: unknown {unknown[0]!r}")
    _check_same(config)
    rows = _score_teacher(config)
    for method in METHODS:
        if method.name in config.methods:
            _train(config, method)
            scores = _score(config, method.name, _STUDENT_MODES)
            rows += [_row(method.title, mode, scores) for mode in _STUDENT_MODES]
        _write_table(config, rows)
    return rows


def _check_same(config: CompareConfig) -> None:
    """Rows of one table must be comparable: a folder takes one configuration, but for methods."""
    path = config.output / "configuration.txt"
    text = f"{replace(config, methods=())}\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise ConfigError(f"{config.output} holds a comparison of another configuration")
    config.output.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _score_teacher(config: CompareConfig) -> list[dict[str, Any]]:
    folder = config.output / "teacher"
    if not (folder / "echo_manifest.json").exists():
        write_model_folder(open_stage("dcd", _stage(config, METHODS[0])).start, folder, "rad", "0")
    scores = _score(config, "teacher", _TEACHER_MODES)
    titles = dict(zip(_TEACHER_MODES, ("teacher", "teacher, native one-step"), strict=True))
    return [_row(titles[mode], mode, scores) for mode in _TEACHER_MODES]


def _train(config: CompareConfig, method: Method) -> None:
    if not (config.output / method.name / "echo_manifest.json").exists():
        distill_dcd(open_stage("dcd", _stage(config, method)), method.name)


def _stage(config: CompareConfig, method: Method) -> StageConfig:
    steps = max(1, config.schedule.steps // method.rounds)
    return StageConfig(
        config.output, config.model, config.data, replace(config.schedule, steps=steps),
        config.rad, replace(config.teacher, rounds=method.rounds), method.weights,
    )  # fmt: skip


def _score(config: CompareConfig, name: str, modes: Sequence[str]) -> dict[str, Any]:
    """Results of inference.evaluation by "decoding/language"; kept in NAME.scores.json."""
    path = config.output / f"{name}.scores.json"
    results: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for mode in modes:
        if not any(key.startswith(f"{mode}/") for key in results):
            results |= _evaluate(config, name, mode)
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
            os.replace(partial, path)
    return results


def _evaluate(config: CompareConfig, name: str, mode: str) -> dict[str, Any]:
    asked = config.evaluation
    arguments = [
        "--checkpoint", str(config.output / name), "--decoding", mode, "--language", "both",
        "--phantoms", str(asked.phantoms), "--seed", str(asked.seed), "--size", str(asked.size),
        "--device", config.model.device, "--json",
        "--resume", str(config.output / f"{name}.{mode}.outcomes.jsonl"),
    ]  # fmt: skip
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = evaluate(arguments)
    if code:
        raise EngineError(f"{name}, {mode}: evaluation ended with code {code}")
    results: dict[str, Any] = json.loads(printed.getvalue())["results"]
    return results


def _row(title: str, mode: str, results: dict[str, Any]) -> dict[str, Any]:
    """The mean over languages of each figure, None where it is undefined in all."""
    of_mode = [result for key, result in results.items() if key.startswith(f"{mode}/")]
    row: dict[str, Any] = {"method": title, "decoding": mode, "reports": of_mode[0]["reports"]}
    for figure in _FIGURES:
        values = [v for result in of_mode if (v := result.get(figure)) is not None]
        row[figure] = round(sum(values) / len(values), 4) if values else None
    return row


def _write_table(config: CompareConfig, rows: list[dict[str, Any]]) -> None:
    (config.output / "table.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    columns = list(rows[0])
    lines = [
        f"Teacher {config.model.start}; {config.schedule.steps} steps of "
        f"{config.schedule.batch}; figures are means over English and Chinese.\n",
        f"| {' | '.join(name.replace('_', ' ') for name in columns)} |",
        f"|{' --- |' * len(columns)}",
        *(f"| {' | '.join(_show(row[name]) for name in columns)} |" for row in rows),
        *_describe_choice(config, rows),
    ]
    (config.output / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _describe_choice(config: CompareConfig, rows: Sequence[dict[str, Any]]) -> list[str]:
    """The methods in rows against each other, and the one that [dcd] means unless told."""
    titled = {row["method"] for row in rows}
    scored = [method for method in METHODS if method.title in titled]
    shipped = next(method.title for method in METHODS if method.weights == DcdWeights())
    scores = [score_method(config.output, method.name, method.title) for method in scored]
    return describe_choice(scores, len(METHODS), shipped)


def _show(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 2 where configuration, data or teacher can't be used, or training diverged."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training.compare_distillation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        compare(read_config(options.config, CompareConfig))
    except (
        ConfigError, DivergedTraining, EngineError, FileNotFoundError, UnusableManifest,
    ) as error:  # fmt: skip
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
