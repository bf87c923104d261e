"""Linear layers whose products are computed in fewer bits than the model's dtype.

    bfloat16   rows and weights rounded to bfloat16, sums kept in float32 by the processor
    int8       weights 8 bit by output channel, rows 8 bit each by its own largest value; sums are
               integers, so a row's result is the same whatever rows are computed with it
    fp8        the same with float8 (e4m3), for GPUs that multiply it

All others of the pass (residual stream, norms, rotary embedding, softmax, keys and values) stay in
the model's dtype, and so does the output head, whose rounding would decide between tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import nn
from torch.nn import functional

_TINY = 1e-12  # a row of zeros has no scale


class ReducedLinear(nn.Module):
    """Stands for an nn.Linear, or, joined, for several with the same input.

    from_rows: with fewer rows the exact weights are used, which are kept for that; 0 keeps none.
    values: [out, in] reduced. scales: [out] of float32, what a unit of the values is worth; empty
    where values are what they are.
    """

    values: torch.Tensor
    scales: torch.Tensor
    exact: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, linear: nn.Linear, from_rows: int = 0) -> None:
        super().__init__()
        weight = linear.weight.data
        values, scales = self.reduce(weight)
        bias = linear.bias.data if linear.bias is not None else None
        self.from_rows = from_rows
        self._hold(values, scales, weight if from_rows else weight.new_empty(0), bias)

    def _hold(
        self,
        values: torch.Tensor,
        scales: torch.Tensor,
        exact: torch.Tensor,
        bias: torch.Tensor | None,
    ) -> None:
        held = {"values": values, "scales": scales, "exact": exact, "bias": bias}
        for name, tensor in held.items():
            self.register_buffer(name, tensor)

    @staticmethod
    def reduce(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[out, in] to values and scales."""
        raise NotImplementedError

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """The reduced product, bias included, in the rows' dtype."""
        raise NotImplementedError

    @property
    def tensors(self) -> Sequence[torch.Tensor]:
        return [self.values, self.scales, *([] if self.bias is None else [self.bias])]

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        if len(rows) < self.from_rows:
            return functional.linear(rows, self.exact, self.bias)
        return self.multiply(rows)

    def join(self, others: Sequence[ReducedLinear]) -> Self:
        """This with the outputs of others behind; all of them keep views of its tensors."""
        if not others:
            return self
        parts: list[ReducedLinear] = [self, *others]
        joined = self.__new__(type(self))
        nn.Module.__init__(joined)
        joined.from_rows = self.from_rows
        sizes = [len(part.values) for part in parts]
        together = {
            name: torch.cat([getattr(part, name) for part in parts])
            for name in ("values", "scales", "exact")
        }
        biases = [part.bias for part in parts if part.bias is not None]
        joined._hold(**together, bias=torch.cat(biases) if biases else None)
        for name, whole in together.items():
            if len(whole) == sum(sizes):  # else there is none
                for part, own in zip(parts, whole.split(sizes), strict=True):
                    setattr(part, name, own)
        return joined


class BfloatLinear(ReducedLinear):
    """Half the arithmetic on a processor with bfloat16 dot products."""

    @staticmethod
    def reduce(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return weight.bfloat16(), weight.new_empty(0, dtype=torch.float32)

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        product = functional.linear(rows.bfloat16(), self.values).to(rows.dtype)
        return product if self.bias is None else product.add_(self.bias)


class Int8Linear(ReducedLinear):
    """A quarter of the memory of float32 weights."""

    @staticmethod
    def reduce(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        wide = weight.float()
        scales = wide.abs().amax(dim=1).clamp_min_(_TINY) / 127
        return (wide / scales[:, None]).round_().to(torch.int8), scales / 127

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        wide = rows.float()
        largest = wide.abs().amax(dim=1, keepdim=True).clamp_min_(_TINY)
        sums = torch._int_mm((wide * (127 / largest)).round_().to(torch.int8), self.values.t())
        product = (sums * largest).mul_(self.scales)
        if self.bias is not None:
            product.add_(self.bias)
        return product.to(rows.dtype)


class Float8Linear(ReducedLinear):
    """Half the memory of bfloat16 weights, and half the time of reading them.

    Only for sizes in multiples of 16, which is what the GPU's products take.
    """

    @staticmethod
    def reduce(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        wide = weight.float()
        scales = wide.abs().amax(dim=1).clamp_min_(_TINY) / _LARGEST_FLOAT8
        return (wide / scales[:, None]).to(torch.float8_e4m3fn), scales

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        wide = rows.float()
        scales = wide.abs().amax(dim=1, keepdim=True).clamp_min_(_TINY) / _LARGEST_FLOAT8
        product = torch._scaled_mm(
            (wide / scales).to(torch.float8_e4m3fn),
            self.values.t(),
            scales,
            self.scales[None],
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
        ).to(rows.dtype)
        return product if self.bias is None else product.add_(self.bias)


_LARGEST_FLOAT8 = torch.finfo(torch.float8_e4m3fn).max
