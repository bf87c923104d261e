"""The loop: a killed run goes on as if it had not been; bad losses do no harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from inference.training.loop import (
    Schedule,
    TrainingRun,
    load_weights,
    save_weights,
    step_generator,
)

STEPS = 12


class _Killed(Exception):
    pass


class _Task:
    """A small regression with dropout; its data are a function of the step."""

    def __init__(self, folder: Path, checkpoint_every_s: float = 0.0) -> None:
        torch.manual_seed(0)
        self.layer = torch.nn.Sequential(torch.nn.Dropout(0.3), torch.nn.Linear(4, 2))
        schedule = Schedule(STEPS, 0.05, warmup_steps=3, checkpoint_every_s=checkpoint_every_s)
        self.run = TrainingRun(folder, "toy", {"layer": self.layer}, schedule)
        self.before_step: list[torch.Tensor] = []

    @property
    def weight(self) -> torch.Tensor:
        linear = self.layer[1]
        assert isinstance(linear, torch.nn.Linear)
        return linear.weight.detach().clone()

    def train(self, killed_at: int | None = None, bad_step: int | None = None) -> torch.Tensor:
        def loss_of(step: int) -> torch.Tensor:
            self.before_step.append(self.weight)
            if step == killed_at:
                raise _Killed
            inputs = torch.randn(8, 4, generator=step_generator(0, step))
            loss = (self.layer(inputs) - inputs[:, :2]).square().mean()
            return loss * float("nan") if step == bad_step else loss

        self.run.train(loss_of)
        return self.weight


def test_resumed_run_ends_in_the_same_weights(tmp_path: Path) -> None:
    uninterrupted = _Task(tmp_path / "a").train()
    with pytest.raises(_Killed):
        _Task(tmp_path / "b").train(killed_at=5)
    with pytest.raises(_Killed):  # this one dies before it saves anything
        _Task(tmp_path / "b", checkpoint_every_s=1e9).train(killed_at=8)
    torch.manual_seed(99)
    resumed = _Task(tmp_path / "b")
    assert torch.equal(resumed.train(), uninterrupted)
    assert len(resumed.before_step) == STEPS - 5


def test_finished_run_started_again_trains_no_further(tmp_path: Path) -> None:
    first = _Task(tmp_path).train()
    again = _Task(tmp_path)
    assert torch.equal(again.train(), first)
    assert again.before_step == []


@pytest.mark.parametrize("bad_step", [0, 4])
def test_non_finite_loss_changes_nothing(tmp_path: Path, bad_step: int) -> None:
    task = _Task(tmp_path)
    weight = task.train(bad_step=bad_step)
    assert torch.equal(task.before_step[bad_step], task.before_step[bad_step + 1])
    assert not torch.equal(task.before_step[bad_step + 1], task.before_step[bad_step + 2])
    assert weight.isfinite().all()


def test_log_ends_with_the_last_step(tmp_path: Path) -> None:
    _Task(tmp_path).train()
    lines = (tmp_path / "toy.log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["step"] == STEPS
    assert json.loads(lines[-1])["loss"] > 0


def test_learning_rate_warms_up_then_falls_to_a_tenth() -> None:
    schedule = Schedule(1000, 1.0, warmup_steps=10)
    factors = [schedule.factor(step) for step in range(1000)]
    assert factors[0] == pytest.approx(0.1, abs=0.01)
    assert max(factors) == pytest.approx(1.0, abs=0.01)
    assert factors[-1] == pytest.approx(0.1, abs=0.01)
    assert factors[10:] == sorted(factors[10:], reverse=True)


def test_step_generators_differ_by_seed_and_step() -> None:
    draws = [torch.rand(1, generator=step_generator(*key)) for key in ((1, 2), (2, 1), (1, 3))]
    assert len({float(draw) for draw in draws}) == 3


def test_weights_come_back_and_strangers_are_named(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    source, target = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    save_weights(source, path)
    load_weights(target, path)
    assert torch.equal(source.weight, target.weight)
    with pytest.raises(RuntimeError, match=r"w\.safetensors: missing \['0\.weight'"):
        load_weights(torch.nn.Sequential(torch.nn.Linear(3, 2)), path)
