"""One training loop for every stage: schedule, progress line, checkpoints, exact resume.

A step's data and noise are functions of (seed, step) alone, so that a run resumed after a kill
goes on as if it had not been stopped (up to floating-point order across thread counts).
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer


@dataclass(frozen=True)
class Schedule:
    """AdamW with linear warm-up and cosine decay to a tenth of the peak."""

    steps: int
    learning_rate: float
    warmup_steps: int = 100
    weight_decay: float = 0.01
    checkpoint_every_s: float = 120.0

    def factor(self, step: int) -> float:
        warm = min(1.0, (step + 1) / self.warmup_steps)
        return warm * (0.1 + 0.45 * (1 + math.cos(math.pi * step / self.steps)))


class TrainingRun:
    """Trains the given parameters with loss_of(step); everything resumable lives in folder."""

    def __init__(
        self, folder: Path, name: str, modules: dict[str, torch.nn.Module], schedule: Schedule,
        learning_rate_scale: dict[str, float] | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._name, self._schedule = folder, name, schedule
        self._modules = torch.nn.ModuleDict(modules)
        scale = learning_rate_scale or {}
        groups = []
        for key, module in modules.items():
            trained = [p for p in module.parameters() if p.requires_grad]
            groups.append({"params": trained, "scale": scale.get(key, 1.0)})
        self._optimizer = torch.optim.AdamW(
            groups, lr=schedule.learning_rate, betas=(0.9, 0.98),
            weight_decay=schedule.weight_decay,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self._state_path = folder / f"{name}.resume.pt"
        self._log_path = folder / f"{name}.log.jsonl"

    def train(self, loss_of: Callable[[int], torch.Tensor]) -> None:
        """Run to the last step; loss_of gets the step number and returns a scalar loss."""
        first, elapsed_s = self._resume()
        started = saved = time.monotonic()
        average: float | None = None
        for step in range(first, self._schedule.steps):
            for group in self._optimizer.param_groups:
                group["lr"] = (
                    self._schedule.learning_rate * self._schedule.factor(step) * group["scale"]
                )
            torch.manual_seed(step)  # dropout draws from the global generator
            loss = loss_of(step)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(self._modules.parameters(), 1.0)
            if not torch.isfinite(norm):
                self._optimizer.zero_grad(set_to_none=True)
                continue
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            value = float(loss.detach())
            average = value if average is None else 0.98 * average + 0.02 * value
            now = time.monotonic()
            spent = elapsed_s + now - started
            if (step + 1) % 20 == 0 or step + 1 == self._schedule.steps:
                self._report(step + 1, average, spent, (now - started) / (step + 1 - first))
            if now - saved > self._schedule.checkpoint_every_s:
                self._save(step + 1, spent)
                saved = now
        self._save(self._schedule.steps, elapsed_s + time.monotonic() - started)
        print(f"\n{self._name}: done", flush=True)

    def _report(self, step: int, average: float, spent: float, seconds_a_step: float) -> None:
        left = (self._schedule.steps - step) * seconds_a_step / 60
        print(
            f"{self._name} step {step}/{self._schedule.steps} loss {average:.4f} "
            f"{seconds_a_step:.2f} s/step, {left:.1f} min left",
            flush=True,
        )
        with self._log_path.open("a", encoding="utf-8") as log:
            log.write(
                json.dumps({"step": step, "loss": average, "seconds": round(spent, 1)}) + "\n"
            )

    def _save(self, step: int, elapsed_s: float) -> None:
        partial = self._state_path.with_suffix(".partial")
        state = {
            "step": step,
            "elapsed_s": elapsed_s,
            "modules": self._modules.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        torch.save(state, partial)
        os.replace(partial, self._state_path)

    def _resume(self) -> tuple[int, float]:
        if not self._state_path.exists():
            return 0, 0.0
        state = torch.load(self._state_path, weights_only=True)
        self._modules.load_state_dict(state["modules"])
        self._optimizer.load_state_dict(state["optimizer"])
        print(f"{self._name}: resumed at step {state['step']}", flush=True)
        return int(state["step"]), float(state["elapsed_s"])


def step_generator(seed: int, step: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def save_weights(model: torch.nn.Module, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """All parameters but tied copies, as safetensors, written atomically."""
    tensors = {
        name: parameter.detach().to(dtype).contiguous().clone()
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
    """Only the vision tower's tensors of a weights file."""
    tensors = {n: t for n, t in load_file(path).items() if n.startswith("model.visual.")}
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
