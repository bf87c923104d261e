"""Two ways to compute the same attention, and which of them is the faster one here.

What is faster depends on device, dtype, shape and torch's build: two plain products took a third
less than the fused kernel for a block of the 7B shape in bfloat16, and half as much again for a
single row (one core, AVX-512; inference/benchmarks/README.md). So both are tried at load.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import torch
from torch.nn import functional

# (queries [1, heads, rows, head_dim], keys and values [1, heads, columns, head_dim], additive
# mask [rows, columns] or None) -> [1, heads, rows, head_dim]
AttentionPath = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor
]

_COLUMNS, _TRIES = 1024, 7
_WORTH_IT = 0.8  # of the fused kernel's time: less gain than that may be noise


def attend_fused(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """torch's kernel."""
    return functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)


def attend_by_products(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """All scores at once: for few rows only, as they take heads * rows * columns numbers."""
    scores = (queries @ keys.transpose(-1, -2)) * queries.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + mask
    return scores.softmax(dim=-1) @ values


def choose_attention(
    heads: int,
    rows: int,
    head_dim: int,
    dtype: torch.dtype,
    device: torch.device,
    now: Callable[[], float] = perf_counter,
) -> AttentionPath:
    """The path to take for so many rows: the fused kernel, unless the other clearly beats it.

    Both take turns on random numbers, and the best time of each counts, so that other work on the
    machine decides nothing. Some milliseconds. now: seconds.
    """
    drawn = torch.Generator(device).manual_seed(0)
    queries, keys, values = (
        torch.randn(1, heads, length, head_dim, generator=drawn, device=device, dtype=dtype)
        for length in (rows, _COLUMNS, _COLUMNS)
    )
    mask = torch.zeros(rows, _COLUMNS, dtype=dtype, device=device)
    best = dict.fromkeys((attend_fused, attend_by_products), float("inf"))
    for turn in range(_TRIES + 1):
        for path in best:
            begun = now()
            path(queries, keys, values, mask)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn:  # the first one warms up
                best[path] = min(best[path], now() - begun)
    is_worth_it = best[attend_by_products] < _WORTH_IT * best[attend_fused]
    return attend_by_products if is_worth_it else attend_fused
