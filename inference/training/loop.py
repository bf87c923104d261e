"""One training loop for every stage: schedule, progress line, checkpoints, exact resume.

A micro-batch's data and noise are functions of (seed, number) alone, so that a run resumed after
a kill goes on as if it had not been stopped: bitwise on one thread, up to floating-point order
across thread counts.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from inference.training.config import ConfigError, ScheduleConfig
from inference.training.processes import Processes
from inference.training.rounding_adamw import RoundingAdamW

_LOG_EVERY = 20
_MOST_SKIPPED = 50
_PATCH_EMBEDDING = "model.visual.patch_embed.proj.weight"


class DivergedTraining(Exception):
    """Gradients stayed non-finite; the message says from which step on, and what to change."""


def learning_rate_factor(schedule: ScheduleConfig, step: int) -> float:
    """Linear warm-up, then a cosine to a tenth of the peak."""
    warm = min(1.0, (step + 1) / schedule.warmup_steps)
    return warm * (0.1 + 0.45 * (1 + math.cos(math.pi * step / schedule.steps)))


class TrainingRun:
    """Trains the given modules with loss_of(micro-batch); everything resumable lives in folder."""

    def __init__(
        self, folder: Path, name: str, modules: dict[str, torch.nn.Module],
        schedule: ScheduleConfig, processes: Processes,
        learning_rate_scale: dict[str, float] | None = None,
    ) -> None:  # fmt: skip
        self._name, self._schedule, self._processes = name, schedule, processes
        if schedule.accumulation % processes.count:
            raise ConfigError(
                f"accumulation {schedule.accumulation} is no multiple of "
                f"{processes.count} processes: they share the micro-batches of a step"
            )
        self._modules = torch.nn.ModuleDict(modules)
        scale = learning_rate_scale or {}
        groups = []
        for key, module in modules.items():
            trained = [p for p in module.parameters() if p.requires_grad]
            if trained:
                groups.append({"params": trained, "scale": scale.get(key, 1.0)})
        self._trained: list[torch.nn.Parameter] = [p for g in groups for p in g["params"]]  # type: ignore[attr-defined]
        is_bfloat16 = any(p.dtype == torch.bfloat16 for p in self._trained)
        self._optimizer = (RoundingAdamW if is_bfloat16 else torch.optim.AdamW)(
            groups, lr=schedule.learning_rate, betas=(0.9, 0.98),
            weight_decay=schedule.weight_decay,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self._state_path = resume_path(folder, name)
        self._log_path = folder / f"{name}.log.jsonl"

    def train(self, loss_of: Callable[[int], torch.Tensor]) -> None:
        """Run to the last step; loss_of gets a micro-batch's number and returns a scalar loss.

        Raises DivergedTraining after 50 steps in a row that could not be taken.
        """
        first, elapsed_s, average = self._resume()
        skipped = 0
        started = saved = time.monotonic()
        for step in range(first, self._schedule.steps):
            value = self._take_step(step, loss_of)
            skipped = skipped + 1 if value is None else 0
            if skipped == _MOST_SKIPPED:
                raise DivergedTraining(
                    f"{self._name}: no finite gradient in steps {step + 2 - skipped} to "
                    f"{step + 1}: lower the learning rate, lengthen the warm-up"
                )
            if value is not None:
                average = value if average is None else 0.98 * average + 0.02 * value
            now = time.monotonic()
            spent = elapsed_s + now - started
            is_last = step + 1 == self._schedule.steps
            if self._processes.is_first and average is not None:
                self._report(step + 1, average, spent, (now - started) / (step + 1 - first))
            if is_last or now - saved > self._schedule.checkpoint_minutes * 60:
                self._save(step + 1, spent, average)
                saved = now
        if self._processes.is_first:
            print(f"{self._name}: done", flush=True)
        self._processes.wait()

    def _take_step(self, step: int, loss_of: Callable[[int], torch.Tensor]) -> float | None:
        """The step's mean loss, or None where it was not finite and nothing was changed."""
        factor = learning_rate_factor(self._schedule, step) * self._schedule.learning_rate
        for group in self._optimizer.param_groups:
            group["lr"] = factor * group["scale"]
        accumulation, total = self._schedule.accumulation, 0.0
        for number in range(step * accumulation, (step + 1) * accumulation):
            torch.manual_seed(number)  # dropout draws from the global generator
            if number % self._processes.count == self._processes.rank:
                loss = loss_of(number) / accumulation
                loss.backward()
                total += float(loss.detach())
        self._processes.sum_gradients(self._trained)
        norm = torch.nn.utils.clip_grad_norm_(self._trained, 1.0)
        is_finite = bool(torch.isfinite(norm))
        if is_finite:
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        total = self._processes.sum(total)
        return total if is_finite else None

    def _report(self, step: int, average: float, spent: float, seconds_a_step: float) -> None:
        left = (self._schedule.steps - step) * seconds_a_step / 60
        line = (
            f"{self._name} step {step}/{self._schedule.steps} loss {average:.4f} "
            f"{seconds_a_step:.2f} s/step, {left:.1f} min left"
        )
        is_logged = step % _LOG_EVERY == 0 or step == self._schedule.steps
        if sys.stdout.isatty():  # a bar that is drawn over, and a line for each logged step
            done = 30 * step // self._schedule.steps
            end = "\n" if is_logged else ""
            print(f"\r[{'#' * done}{'.' * (30 - done)}] {line}  ", end=end, flush=True)
        elif is_logged:
            print(line, flush=True)
        if is_logged:
            entry = {"step": step, "loss": average, "seconds": round(spent, 1)}
            with self._log_path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")

    def _save(self, step: int, elapsed_s: float, average: float | None) -> None:
        if not self._processes.is_first:
            return
        partial = self._state_path.with_suffix(".partial")
        state = {
            "step": step,
            "elapsed_s": elapsed_s,
            "average": average,
            "modules": self._modules.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        torch.save(state, partial)
        os.replace(partial, self._state_path)

    def _resume(self) -> tuple[int, float, float | None]:
        """(next step, seconds spent, running loss); log lines of steps to come again are cut."""
        if not self._state_path.exists():
            self._log_path.unlink(missing_ok=True)
            return 0, 0.0, None
        state = torch.load(self._state_path, weights_only=True, map_location="cpu")
        self._modules.load_state_dict(state["modules"])
        self._optimizer.load_state_dict(state["optimizer"])
        step = int(state["step"])
        if self._processes.is_first:
            _cut_log(self._log_path, step)
            print(f"{self._name}: resumed at step {step}", flush=True)
        return step, float(state["elapsed_s"]), state["average"]


def resume_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.resume.pt"


def _cut_log(path: Path, last_step: int) -> None:
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        kept = [line for line in whole if json.loads(line)["step"] <= last_step]
        path.write_text("".join(kept), encoding="utf-8")


def step_generator(seed: int, step: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def save_weights(model: torch.nn.Module, path: Path) -> None:
    """All parameters but tied copies, as safetensors in their own type, written atomically."""
    tensors = {
        name: parameter.detach().cpu().contiguous().clone()
        for name, parameter in model.named_parameters()
    }
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"format": "pt"})
    os.replace(partial, path)


def load_weights(model: torch.nn.Module, path: Path) -> None:
    """Strict, but for the tied head; raises RuntimeError naming the keys."""
    missing, unexpected = model.load_state_dict(load_file(path), strict=False)
    missing = [key for key in missing if key != "lm_head.weight"]
    if missing or unexpected:
        raise RuntimeError(f"{path}: missing {missing}, unexpected {unexpected}")


def load_vision(model: torch.nn.Module, path: Path) -> None:
    """Only the vision tower's tensors of a weights file.

    A tower of fewer input channels can go on with more: the new ones begin at zero, so that it
    sees at first what it saw.
    """
    tensors = {n: t for n, t in load_file(path).items() if n.startswith("model.visual.")}
    stored = tensors.get(_PATCH_EMBEDDING)
    if stored is not None:
        new = model.state_dict()[_PATCH_EMBEDDING].shape[1] - stored.shape[1]
        zeros = stored.new_zeros((stored.shape[0], max(0, new), *stored.shape[2:]))
        tensors[_PATCH_EMBEDDING] = torch.cat([stored, zeros], dim=1)
    _, unexpected = model.load_state_dict(tensors, strict=False)
    if unexpected or not tensors:
        raise RuntimeError(f"{path}: no vision tower of this shape ({unexpected})")


def load_language(
    model: torch.nn.Module, tokenizer: Tokenizer, path: Path, old_tokenizer: Tokenizer
) -> int:
    """The language model of a weights file with another vocabulary; returns how many rows it gave.

    Embedding rows go to the tokens of the same text; new tokens keep their fresh rows. RuntimeError
    if the file holds no language model of this shape.
    """
    stored = {n: t for n, t in load_file(path).items() if not n.startswith("model.visual.")}
    name = "model.language_model.embed_tokens.weight"
    old_rows, rows = stored.pop(name), model.state_dict()[name]
    with torch.no_grad():
        shared = 0
        for token, old_id in old_tokenizer.get_vocab(with_added_tokens=True).items():
            new_id = tokenizer.token_to_id(token)
            if new_id is not None:
                rows[new_id] = old_rows[old_id]
                shared += 1
    _, unexpected = model.load_state_dict(stored, strict=False)
    if unexpected:
        raise RuntimeError(f"{path}: not a language model of this shape ({unexpected})")
    return shared
