"""One TOML file per stage, read into frozen dataclasses; an unknown key is an error, never a guess.

Paths are relative to the working directory. Every key is described where it is declared.
"""

from __future__ import annotations

import tomllib
import types
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from inference.training.layouts.rad_layout import MaskNoise

Stage = Literal["vision", "ar", "rad", "dcd"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class ConfigError(Exception):
    """A configuration that can't be used; the message names file, key and reason."""


@dataclass(frozen=True)
class ModelConfig:
    """start: "embedded" (our small architecture, fresh) or any Qwen2.5-VL folder.

    weights: embedded only: go on from this file, with the tokenizer.json beside it.
    vision_from, language_from: embedded only: take only these parts of a weights file; embedding
    rows are matched by token text.
    task_vector: [trained, began with], folders of two stages: the start plus their difference
    (inference.training.task_vector).
    system_prompt: "" for none; stock Qwen2.5-VL has "You are a helpful assistant."
    regions: answers as one stream for each part of the report (region_layout), for the decoding
    modes of regions; stages rad and dcd.
    """

    start: str
    weights: Path | None = None
    vision_from: Path | None = None
    language_from: Path | None = None
    task_vector: tuple[Path, ...] = ()
    freeze_vision: bool = True
    weights_dtype: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = False
    block_length: int = 8
    system_prompt: str = ""
    regions: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class DataConfig:
    """films: folder of render_films. manifest: JSONL of a site's own studies. One or both.

    augment: vary exposure and place of each film. cache_features: where the tower is frozen and
    all data are phantoms, compute its features once.
    """

    films: Path | None = None
    manifest: Path | None = None
    augment: bool = True
    cache_features: bool = True


@dataclass(frozen=True)
class ScheduleConfig:
    """A step is accumulation micro-batches of up to batch studies each, shared among processes."""

    steps: int
    learning_rate: float
    batch: int = 16
    accumulation: int = 1
    warmup_steps: int = 100
    weight_decay: float = 0.01
    vision_learning_rate_scale: float = 0.35
    checkpoint_minutes: float = 2.0
    seed: int = 0


@dataclass(frozen=True)
class RadConfig:
    """copies: noisy copies that share one context and one clean copy.

    swapped_share: of the studies of a batch, how many are shown with another study's film, and then
    learn the impression alone: it has to be read off the findings. With their own films the
    impression can be guessed from the picture as well, and copying is learnt late.
    """

    copies: int = 2
    swapped_share: float = 0.0
    noise: MaskNoise = field(default_factory=MaskNoise)


@dataclass(frozen=True)
class TeacherConfig:
    """Trajectories of the multi-step teacher.

    threshold: confidence from which positions are committed together. top: entries kept of each
    distribution. max_blocks: drafts longer than that are dropped. loop_tokens, loop_repeats: a
    draft in which so many tokens stand so often in a row is dropped. rounds: how often the teacher
    is refreshed: from the second round on the student writes the trajectories itself.
    mends: drafts of adaptive decoding in place of the multi-step teacher's (mended_drafts);
    threshold and max_steps are then its threshold and passes. For canonical wording only.
    sequential: with model.regions, a folder of trajectories of the same pairs in one sequence;
    their texts are laid out by regions, in place of drafts of the start, without distributions.
    """

    drafts: int = 8000
    batch: int = 128
    threshold: float = 0.85
    max_steps: int = 8
    max_blocks: int = 18
    top: int = 8
    loop_tokens: int = 4
    loop_repeats: int = 3
    rounds: int = 1
    mends: bool = False
    sequential: Path | None = None


@dataclass(frozen=True)
class DcdWeights:
    """Weights of the terms; the paper gives none of them. 0 leaves a term out.

    divergence: KL to the recorded distributions; hard: cross-entropy on the committed tokens;
    stop: cross-entropy on stop positions; refine: RAD on the second, partly masked copy.
    certainty: entropy of the student where its argmax is right already (dParallel).
    by_step: KL and hard weigh a position by its commit step (later = depends on more).
    halve: the first copy is masked as after an even number of the teacher's steps, and asks for the
    next two at once, in place of being fully masked: each round halves the teacher's steps.
    """

    divergence: float = 1.0
    hard: float = 1.0
    stop: float = 0.3
    refine: float = 0.5
    certainty: float = 0.0
    by_step: bool = True
    halve: bool = False


@dataclass(frozen=True)
class StageConfig:
    """A whole file. output: the run's folder; the stage's model goes to output/STAGE."""

    output: Path
    model: ModelConfig
    data: DataConfig
    schedule: ScheduleConfig
    rad: RadConfig = field(default_factory=RadConfig)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    dcd: DcdWeights = field(default_factory=DcdWeights)


def read_config(path: Path, kind: type[Any] = StageConfig) -> Any:
    """The file as an instance of kind. Raises ConfigError naming file, key and reason."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return _build(kind, table, str(path))


def _build(kind: type[Any], table: dict[str, Any], place: str) -> Any:
    hints = get_type_hints(kind)
    known = {entry.name: entry for entry in fields(kind)}
    if unknown := sorted(table.keys() - known.keys()):
        raise ConfigError(f"{place}: unknown key {unknown[0]!r}; known are {', '.join(known)}")
    for name, entry in known.items():
        if name not in table and entry.default is MISSING and entry.default_factory is MISSING:
            raise ConfigError(f"{place}: {name!r} is missing")
    return kind(
        **{name: _convert(hints[name], value, f"{place}: {name}") for name, value in table.items()}
    )


def _convert(hint: Any, value: Any, place: str) -> Any:
    if get_origin(hint) in (Union, types.UnionType):  # "X | None": TOML has no null
        hint = next(option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            options = ", ".join(map(repr, get_args(hint)))
            raise ConfigError(f"{place}: {value!r} is not one of {options}")
        return value
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{place}: not a list")
        entry = get_args(hint)[0]
        return tuple(_convert(entry, item, f"{place}[{n}]") for n, item in enumerate(value))
    if isinstance(hint, type) and is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigError(f"{place}: not a table")
        return _build(hint, value, place)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{place}: {value!r} is not of type {hint.__name__}")
    return value
