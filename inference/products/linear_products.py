"""The products of rows with a layer's weights: nearly all that a pass computes.

Norms, rotary embedding, softmax and residual stream are no part of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import nn
from torch.nn import functional

from inference.products.reduced_linear import ReducedLinear


class LinearProduct(Protocol):
    """[rows, in] to [rows, out], in the rows' dtype."""

    def __call__(self, rows: torch.Tensor) -> torch.Tensor: ...

    @property
    def tensors(self) -> Sequence[torch.Tensor]:
        """What it reads whenever it is called with many rows."""
        ...


class ExactProduct:
    """In the weights' own dtype, by torch."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        self._weight, self._bias = weight, bias

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        return functional.linear(rows, self._weight, self._bias)

    @property
    def tensors(self) -> Sequence[torch.Tensor]:
        return (self._weight,) if self._bias is None else (self._weight, self._bias)


def join_product(*projections: nn.Module) -> LinearProduct:
    """One product with the weights of all, which share their input: outputs side by side.

    The modules keep views of the joined weights, so nothing is held twice.
    """
    if isinstance(projections[0], ReducedLinear):
        return projections[0].join(cast("Sequence[ReducedLinear]", projections[1:]))
    linears = cast("Sequence[nn.Linear]", projections)
    weight = linears[0].weight.data
    if len(linears) > 1:
        weight = torch.cat([linear.weight.data for linear in linears])
        parts = weight.split([linear.out_features for linear in linears])
        for linear, part in zip(linears, parts, strict=True):
            linear.weight.data = part
    return ExactProduct(weight, join_biases([linear.bias for linear in linears]))


def join_biases(biases: Sequence[torch.Tensor | None]) -> torch.Tensor | None:
    present = [bias.data for bias in biases if bias is not None]
    return torch.cat(present) if present else None
