"""The loop: a killed run goes on as if it had not been; bad losses do no harm."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from inference.training.config import ConfigError, ScheduleConfig
from inference.training.loop import (
    DivergedTraining,
    TrainingRun,
    learning_rate_factor,
    load_weights,
    save_weights,
    step_generator,
)
from inference.training.loss_curves import write_loss_curves
from inference.training.processes import Processes
from inference.training.rounding_adamw import RoundingAdamW

STEPS = 12


class _Killed(Exception):
    pass


class _Task:
    """A small regression with dropout; its data are a function of the micro-batch."""

    def __init__(
        self, folder: Path, checkpoint_minutes: float = 0.0,
        dtype: torch.dtype = torch.float32, accumulation: int = 1,
    ) -> None:  # fmt: skip
        torch.manual_seed(0)
        self.layer = torch.nn.Sequential(torch.nn.Dropout(0.3), torch.nn.Linear(4, 2)).to(dtype)
        schedule = ScheduleConfig(
            STEPS, 0.05, warmup_steps=3, checkpoint_minutes=checkpoint_minutes,
            accumulation=accumulation,
        )  # fmt: skip
        self.run = TrainingRun(folder, "toy", {"layer": self.layer}, schedule, Processes("cpu"))
        self.before_step: list[torch.Tensor] = []

    @property
    def weight(self) -> torch.Tensor:
        linear = self.layer[1]
        assert isinstance(linear, torch.nn.Linear)
        return linear.weight.detach().clone()

    def train(
        self, killed_at: int | None = None, bad_step: int | None = None, bad_from: int = STEPS
    ) -> torch.Tensor:
        def loss_of(step: int) -> torch.Tensor:
            self.before_step.append(self.weight)
            if step == killed_at:
                raise _Killed
            inputs = torch.randn(8, 4, generator=step_generator(0, step)).to(self.weight.dtype)
            loss = (self.layer(inputs) - inputs[:, :2]).square().mean()
            return loss * float("nan") if step == bad_step or step >= bad_from else loss

        self.run.train(loss_of)
        return self.weight


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_resumed_run_ends_in_the_same_weights(tmp_path: Path, dtype: torch.dtype) -> None:
    uninterrupted = _Task(tmp_path / "a", dtype=dtype).train()
    with pytest.raises(_Killed):
        _Task(tmp_path / "b", dtype=dtype).train(killed_at=5)
    with pytest.raises(_Killed):  # this one dies before it saves anything
        _Task(tmp_path / "b", checkpoint_minutes=1e9, dtype=dtype).train(killed_at=8)
    torch.manual_seed(99)
    resumed = _Task(tmp_path / "b", dtype=dtype)
    assert torch.equal(resumed.train(), uninterrupted)
    assert len(resumed.before_step) == STEPS - 5
    logs = [(tmp_path / run / "toy.log.jsonl").read_text() for run in ("a", "b")]
    assert [json.loads(log)["loss"] for log in logs] == [json.loads(logs[0])["loss"]] * 2


def test_log_lines_that_a_kill_outlived_are_not_written_twice(tmp_path: Path) -> None:
    log = tmp_path / "toy.log.jsonl"
    with pytest.raises(_Killed):
        _Task(tmp_path).train(killed_at=5)
    log.write_text('{"step": 4, "loss": 1}\n{"step": 8, "loss": 1}\n{"step": 1', encoding="utf-8")
    _Task(tmp_path).train()
    steps = [json.loads(line)["step"] for line in log.read_text("utf-8").splitlines()]
    assert steps == [4, STEPS]


def test_accumulated_micro_batches_are_one_larger_batch(tmp_path: Path) -> None:
    seen: list[int] = []

    def train(folder: str, accumulation: int, batches: int) -> torch.Tensor:
        torch.manual_seed(0)
        layer = torch.nn.Linear(4, 2)
        schedule = ScheduleConfig(3, 0.05, accumulation=accumulation)
        run = TrainingRun(tmp_path / folder, "toy", {"l": layer}, schedule, Processes("cpu"))

        def loss_of(number: int) -> torch.Tensor:
            seen.append(number)
            numbers = range(number * batches, (number + 1) * batches)
            inputs = torch.cat([torch.randn(8, 4, generator=step_generator(0, n)) for n in numbers])
            return (layer(inputs) - inputs[:, :2]).square().mean()

        run.train(loss_of)
        return layer.weight.detach()

    one = train("one", accumulation=1, batches=4)
    assert seen == [*range(3)]
    four = train("four", accumulation=4, batches=1)
    assert seen[3:] == [*range(12)]
    torch.testing.assert_close(four, one)


def test_processes_share_the_micro_batches_of_a_step(tmp_path: Path) -> None:
    class Second(Processes):
        count, rank = 2, 1

    layer, seen = torch.nn.Linear(4, 2), []
    schedule = ScheduleConfig(2, 0.05, accumulation=4)
    run = TrainingRun(tmp_path, "toy", {"layer": layer}, schedule, Second("cpu"))
    run.train(lambda number: seen.append(number) or layer.weight.square().sum())  # type: ignore[func-returns-value]
    assert seen == [1, 3, 5, 7]
    assert list(tmp_path.iterdir()) == []  # only the first process writes
    with pytest.raises(ConfigError, match="no multiple of 2 processes"):
        TrainingRun(tmp_path, "toy", {"layer": layer}, ScheduleConfig(2, 0.1), Second("cpu"))


def test_bfloat16_weights_keep_small_steps_on_average() -> None:
    weight = torch.nn.Parameter(torch.ones(20_000, dtype=torch.bfloat16))
    optimizer = RoundingAdamW([{"params": [weight]}], 1e-4, (0.9, 0.98), weight_decay=0.0)
    torch.manual_seed(0)
    for _ in range(40):
        weight.grad = torch.ones_like(weight)
        optimizer.step()
    # each step is a fortieth of the spacing below 1 (2^-8): plain rounding would lose them all
    assert float(weight.detach().float().mean()) == pytest.approx(1 - 40 * 1e-4, abs=1e-4)


def test_rounding_adamw_is_adamw_in_float32() -> None:
    weights = [torch.nn.Parameter(torch.linspace(-1, 1, 8)) for _ in range(2)]
    optimizers = [
        RoundingAdamW([{"params": [weights[0]]}], 1e-2, (0.9, 0.98), weight_decay=0.1),
        torch.optim.AdamW([weights[1]], 1e-2, (0.9, 0.98), weight_decay=0.1),
    ]
    for step in range(5):
        for weight, optimizer in zip(weights, optimizers, strict=True):
            weight.grad = weight.detach() * step + 0.1
            optimizer.step()
    torch.testing.assert_close(*weights)


def test_loss_curves_are_a_picture_with_a_panel_for_each_stage(tmp_path: Path) -> None:
    assert write_loss_curves(tmp_path) is None
    for name in ("ar", "rad"):
        lines = [json.dumps({"step": 20 * n, "loss": 3.0 / n}) for n in range(1, 6)]
        (tmp_path / f"{name}.log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    path = write_loss_curves(tmp_path)
    assert path is not None
    root = ElementTree.parse(path).getroot()
    tags = [element.tag.split("}")[1] for element in root.iter()]
    assert tags.count("polyline") == 2
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert "ar: loss 0.6000 after 100 steps" in texts


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


def test_run_that_stays_non_finite_ends_with_its_step_and_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.training.loop._MOST_SKIPPED", 4)
    task = _Task(tmp_path)
    with pytest.raises(DivergedTraining, match=r"toy: no finite gradient in steps 4 to 7.*rate"):
        task.train(bad_step=1, bad_from=3)
    assert task.weight.isfinite().all()


def test_log_ends_with_the_last_step(tmp_path: Path) -> None:
    _Task(tmp_path).train()
    lines = (tmp_path / "toy.log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["step"] == STEPS
    assert json.loads(lines[-1])["loss"] > 0


def test_learning_rate_warms_up_then_falls_to_a_tenth() -> None:
    schedule = ScheduleConfig(1000, 1.0, warmup_steps=10)
    factors = [learning_rate_factor(schedule, step) for step in range(1000)]
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
