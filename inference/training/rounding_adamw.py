"""AdamW for bfloat16 weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class RoundingAdamW(torch.optim.Optimizer):
    """AdamW with fp32 moments that rounds each new weight up or down at random.

    bfloat16 has 8 significant bits: a step of less than half of the last one, which at usual
    learning rates most steps are, would be lost each time. Rounded at random it is kept on average.
    12 bytes a parameter with the gradient, against 16 of fp32 weights. Draws from the global
    generator, which the loop seeds by step.
    """

    def __init__(
        self, groups: list[dict[str, Any]], lr: float, betas: tuple[float, float],
        weight_decay: float, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        defaults = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "eps": eps}
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """torch's own would cast the moments to the weights' type."""
        super().load_state_dict(state_dict)
        parameters = [p for group in self.param_groups for p in group["params"]]
        for index, saved in state_dict["state"].items():
            parameter = parameters[index]
            for name in ("first", "second"):
                self.state[parameter][name] = saved[name].to(parameter.device, copy=True)

    def _update(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["first"] = torch.zeros_like(parameter, dtype=torch.float32)
            state["second"] = torch.zeros_like(parameter, dtype=torch.float32)
        gradient = parameter.grad.float()  # type: ignore[union-attr]
        state["step"] += 1
        fast, slow = group["betas"]
        state["first"].lerp_(gradient, 1 - fast)
        state["second"].mul_(slow).addcmul_(gradient, gradient, value=1 - slow)
        steps = int(state["step"])
        scale = (state["second"] / (1 - slow**steps)).sqrt_().add_(group["eps"])
        weight = parameter.float() * (1 - group["lr"] * group["weight_decay"])
        weight.addcdiv_(state["first"], scale, value=-group["lr"] / (1 - fast**steps))
        parameter.copy_(_round_at_random(weight) if parameter.dtype == torch.bfloat16 else weight)


def _round_at_random(weight: torch.Tensor) -> torch.Tensor:
    """fp32 to bfloat16, up with the probability of the cut-off part."""
    noise = torch.randint(0, 1 << 16, weight.shape, dtype=torch.int32, device=weight.device)
    bits = weight.view(torch.int32) + noise
    return (bits & -(1 << 16)).view(torch.float32).to(torch.bfloat16)
