"""One training process, or several that share each step's micro-batches.

Several are started by ``accelerate launch`` (optional extra ``training``). Each has the whole
model; gradients are summed by hand after the last micro-batch, because the stages call parts of
the model rather than its forward, which a wrapper could not see.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch

from inference.training.config import ConfigError

Made = TypeVar("Made")


class Processes:
    """The only process. device: "auto" is CUDA where there is one."""

    count, rank = 1, 0

    def __init__(self, device: str = "auto") -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Every process ends up with the sum over all of them."""

    def sum(self, value: float) -> float:
        return value

    def wait(self) -> None:
        """Until all processes are here."""

    def first_alone(self, make: Callable[[], Made]) -> Made:
        """make's result; the others call it when the first is done and has written its files."""
        if not self.is_first:
            self.wait()
            return make()
        made = make()
        self.wait()
        return made


class AcceleratedProcesses(Processes):
    """One of several, each with a device of its own."""

    def __init__(self, device: str) -> None:
        try:
            # optional: one process works without it
            from accelerate import Accelerator
        except ImportError as error:
            raise ConfigError(
                f"several processes need the extra 'training' (accelerate): {error}"
            ) from error
        self._accelerator: Any = Accelerator(cpu=device == "cpu")
        self.device = self._accelerator.device
        self.count, self.rank = (
            self._accelerator.num_processes, self._accelerator.process_index,
        )  # fmt: skip

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        for parameter in parameters:
            if parameter.grad is None:  # this process had no film of its kind
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.copy_(self._accelerator.reduce(parameter.grad, reduction="sum"))

    def sum(self, value: float) -> float:
        total = torch.tensor(value, dtype=torch.float64, device="cpu").float().to(self.device)
        return float(self._accelerator.reduce(total, reduction="sum"))

    def wait(self) -> None:
        self._accelerator.wait_for_everyone()


def open_processes(device: str) -> Processes:
    """As ``accelerate launch`` (or torchrun) started us, or alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return AcceleratedProcesses(device)
    return Processes(device)
