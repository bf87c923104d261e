"""Linear layers whose products are computed in fewer bits than the model's dtype.

    bfloat16   rows and weights rounded to bfloat16, sums kept in float32 by the processor
    int8       weights 8 bit by output channel, rows 8 bit each by its own largest value; sums are
               integers, so a row's result is the same whatever rows are computed with it
    fp8        the same with float8 (e4m3), for GPUs that multiply it

All others of the pass (residual stream, norms, rotary embedding, softmax, keys and values) stay in
the model's dtype, and so does the output head, whose rounding would decide between tokens.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional

_TINY = 1e-12  # a row of zeros has no scale


# (rows [rows, in], values, scales, bias) -> [rows, out] in the rows' dtype.
Multiply = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]


class ReducedProduct:
    """What a ReducedLinear computes, without a module's cost of being called: as much as a third of
    a single row's product.
    """

    def __init__(
        self,
        multiply: Multiply,
        from_rows: int,
        values: torch.Tensor,
        scales: torch.Tensor,
        exact: torch.Tensor,
        bias: torch.Tensor | None,
    ) -> None:
        self._multiply, self._from_rows = multiply, from_rows
        self._values, self._scales, self._exact, self._bias = values, scales, exact, bias

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        if len(rows) < self._from_rows:
            return functional.linear(rows, self._exact, self._bias)
        return self._multiply(rows, self._values, self._scales, self._bias)

    @property
    def tensors(self) -> Sequence[torch.Tensor]:
        return [self._values, self._scales, *([] if self._bias is None else [self._bias])]


class ReducedLinear(nn.Module, ABC):
    """Stands for an nn.Linear; which bits it keeps, a subclass says.

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
        self.from_rows = from_rows
        self.register_buffer("values", values)
        self.register_buffer("scales", scales)
        self.register_buffer("exact", weight if from_rows else weight.new_empty(0))
        self.register_buffer("bias", linear.bias.data if linear.bias is not None else None)

    @staticmethod
    @abstractmethod
    def reduce(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[out, in] to values and scales."""

    @staticmethod
    @abstractmethod
    def multiply(
        rows: torch.Tensor, values: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        """The reduced product, bias included, in the rows' dtype."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.join([])(rows)

    def join(self, others: Sequence[ReducedLinear]) -> ReducedProduct:
        """The product with the outputs of others behind; all layers keep views of its weights."""
        parts: list[ReducedLinear] = [self, *others]
        held = {name: getattr(self, name) for name in ("values", "scales", "exact")}
        bias = self.bias
        if others:
            for name in held:
                own = [getattr(part, name) for part in parts]
                held[name] = torch.cat(own)
                views = held[name].split([len(tensor) for tensor in own])
                for part, view in zip(parts, views, strict=True):
                    setattr(part, name, view)
            biases = [part.bias for part in parts if part.bias is not None]
            bias = torch.cat(biases) if biases else None
        return ReducedProduct(self.multiply, self.from_rows, **held, bias=bias)


class BfloatLinear(ReducedLinear):
    """Half the arithmetic on a processor with bfloat16 dot products."""

    @staticmethod
    def reduce(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return weight.bfloat16(), weight.new_empty(0, dtype=torch.float32)

    @staticmethod
    def multiply(
        rows: torch.Tensor, values: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        product = functional.linear(rows.bfloat16(), values).to(rows.dtype)
        return product if bias is None else product.add_(bias)


class Int8Linear(ReducedLinear):
    """A quarter of the memory of float32 weights."""

    @staticmethod
    def reduce(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        wide = weight.float()
        scales = wide.abs().amax(dim=1).clamp_min_(_TINY) / 127
        return (wide / scales[:, None]).round_().to(torch.int8), scales / 127

    @staticmethod
    def multiply(
        rows: torch.Tensor, values: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        wide = rows.float()
        largest = wide.abs().amax(dim=1, keepdim=True).clamp_min_(_TINY)
        sums = torch._int_mm((wide * (127 / largest)).round_().to(torch.int8), values.t())
        product = (sums * largest).mul_(scales)
        if bias is not None:
            product.add_(bias)
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

    @staticmethod
    def multiply(
        rows: torch.Tensor, values: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        wide = rows.float()
        units = wide.abs().amax(dim=1, keepdim=True).clamp_min_(_TINY) / _LARGEST_FLOAT8
        product = torch._scaled_mm(
            (wide / units).to(torch.float8_e4m3fn),
            values.t(),
            units,
            scales[None],
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
        ).to(rows.dtype)
        return product if bias is None else product.add_(bias)


_LARGEST_FLOAT8 = torch.finfo(torch.float8_e4m3fn).max
