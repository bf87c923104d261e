"""Stage III, first half: a teacher's drafts on disk. Interrupted runs resume at the first missing
part."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from inference.prompts import END_OF_TEXT, IM_END
from inference.training.config import ConfigError, TeacherConfig
from inference.training.data.feature_cache import Features
from inference.training.data.pairs import Draw, Pairs
from inference.training.data.prompt_frame import Kind
from inference.training.forward import Forwards
from inference.training.teacher.batched_teacher import BatchedTeacher, Trajectories
from inference.training.teacher.stream_teacher import StreamTeacher
from inference.training.tokenizer import LANGUAGES, special_id


def keep_row(tokens: list[int], stop_ids: tuple[int, ...], settings: TeacherConfig) -> bool:
    """A draft that stopped, and in which no n-gram stands several times in a row."""
    if not any(stop in tokens for stop in stop_ids):
        return False
    ids = [token for token in tokens if token >= 0]
    size, repeats = settings.loop_tokens, settings.loop_repeats
    return not any(
        ids[start : start + size] * repeats == ids[start : start + size * repeats]
        for start in range(len(ids) - size * repeats + 1)
    )


def collect_trajectories(
    folder: Path, forwards: Forwards, features: Features, pairs: Pairs, settings: TeacherConfig
) -> None:
    """Write the parts that are missing; where all are there, nothing is computed.

    Raises ConfigError where the folder's were drafted with other settings.
    """
    tokenizer = forwards.prompt.tokenizer
    stop_ids = (special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT))
    folder.mkdir(parents=True, exist_ok=True)
    _check_settings(folder, settings)
    started, drafted = time.monotonic(), 0
    for number, draw in enumerate(_cut_plan(pairs.plan(settings.drafts), settings.batch)):
        path = folder / f"part_{number:06d}.safetensors"
        if path.exists():
            continue
        kind_of_teacher = StreamTeacher if forwards.prompt.name_ids else BatchedTeacher
        teacher = kind_of_teacher(forwards[draw.kind], stop_ids, settings, tokenizer)
        with torch.inference_mode():
            seen = features.of(draw, number).float()
        drafts = teacher.draft(seen)
        rows = range(len(draw.indices))
        kept = [r for r in rows if keep_row(drafts.tokens[r].tolist(), stop_ids, settings)]
        _write_part(path, draw, drafts, kept)
        drafted += len(draw.indices)  # since this start: an interrupted run's took no time now
        rate = drafted / (time.monotonic() - started)
        print(
            f"trajectories {path.stem}: {rate:.1f}/s, kept {len(kept)}/{len(rows)}, "
            f"{drafts.passes} passes",
            flush=True,
        )


def _check_settings(folder: Path, settings: TeacherConfig) -> None:
    """Parts are numbered by the plan of one configuration: others' would be mixed with them."""
    path = folder / "settings.json"
    now = asdict(replace(settings, rounds=1, sequential=None))  # which say nothing of the drafts
    if path.exists():
        then = json.loads(path.read_text(encoding="utf-8"))
        for name, value in now.items():
            if then.get(name, value) != value:
                raise ConfigError(
                    f"{folder}: drafted with [teacher] {name} = {then[name]!r}, now {value!r}: "
                    "remove the folder to draft anew"
                )
    else:
        path.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")


def _cut_plan(plan: Iterator[Draw], batch: int) -> Iterator[Draw]:
    for draw in plan:
        for start in range(0, len(draw.indices), batch):
            yield Draw(draw.kind, draw.indices[start : start + batch])


def _write_part(path: Path, draw: Draw, drafts: Trajectories, kept: list[int]) -> None:
    """The kept rows, with their kind: language, then the grids' rows and columns by film."""
    grids = [side for _, *sides in draw.kind.grids for side in sides]
    kind = [LANGUAGES.index(draw.kind.language), *grids, *[0] * (4 - len(grids))]
    part = {
        "indices": torch.tensor(draw.indices)[kept],
        "kinds": torch.tensor([kind]).repeat(len(kept), 1),
        "tokens": drafts.tokens[kept].contiguous(),
        "steps": drafts.steps[kept].contiguous(),
        "top_ids": drafts.top_ids[kept].contiguous(),
        "top_probabilities": drafts.top_probabilities[kept].contiguous(),
    }
    if drafts.parts is not None:
        part["parts"] = drafts.parts[kept].contiguous()
    partial = path.with_suffix(".partial")
    save_file(part, partial)
    os.replace(partial, path)


def read_kind(row: torch.Tensor) -> Kind:
    """A row of "kinds"."""
    language, *sides = row.tolist()
    grids = tuple((1, sides[n], sides[n + 1]) for n in (0, 2) if sides[n])
    return Kind(LANGUAGES[language], grids)


def pad_to_width(part: dict[str, torch.Tensor], width: int) -> dict[str, torch.Tensor]:
    """Widen [N, R, ...] to [N, width, ...] with unused positions (token -1, part -1)."""
    out, own = {}, part["tokens"].shape[1]
    for name, tensor in part.items():
        if name in ("indices", "kinds"):
            out[name] = tensor
            continue
        fill = -1 if name in ("tokens", "parts") else 0
        block_length = own // tensor.shape[1]  # "parts" have one entry a block
        shape = (tensor.shape[0], (width - own) // block_length, *tensor.shape[2:])
        out[name] = torch.cat([tensor, torch.full(shape, fill, dtype=tensor.dtype)], dim=1)
    return out


def load_trajectories(folder: Path) -> dict[str, torch.Tensor]:
    """All parts, padded to the longest. FileNotFoundError where there is no draft at all."""
    parts = [load_file(path) for path in sorted(folder.glob("part_*.safetensors"))]
    if not sum(len(part["indices"]) for part in parts):
        raise FileNotFoundError(
            f"{folder}: no draft of the teacher was kept: each ran on past [teacher] max_blocks, "
            "or looped. Train the teacher longer, or raise max_blocks, and remove the folder"
        )
    width = max(part["tokens"].shape[1] for part in parts)
    padded = [pad_to_width(part, width) for part in parts]
    return {name: torch.cat([part[name] for part in padded]) for name in padded[0]}
