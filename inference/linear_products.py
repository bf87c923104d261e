"""The products of rows with a layer's weights: nearly all that a pass computes.

Norms, rotary embedding, softmax and residual stream are no part of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch.nn import functional


class LinearProduct(Protocol):
    """[rows, in] to [rows, out], in the rows' dtype."""

    def __call__(self, rows: torch.Tensor) -> torch.Tensor: ...

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """What it reads whenever it is called."""
        ...


# (weight [out, in], bias [out] or None) -> the product with them.
ProductMaker = Callable[[torch.Tensor, torch.Tensor | None], LinearProduct]


class ExactProduct:
    """In the weights' own dtype, by torch."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        self._weight, self._bias = weight, bias

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        return functional.linear(rows, self._weight, self._bias)

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return (self._weight,) if self._bias is None else (self._weight, self._bias)
