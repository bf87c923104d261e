"""Both ways to attend say the same; the faster one is taken, by the clock it is given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from inference.api import BlockCommitted, GenerationRequest
from inference.decoding import attention_paths
from inference.decoding.attention_paths import (
    AttentionPath,
    attend_by_products,
    attend_fused,
    choose_attention,
)
from inference.engine import ReportEngine

CPU = torch.device("cpu")


@pytest.mark.parametrize("is_masked", [False, True])
def test_both_paths_attend_alike(is_masked: bool) -> None:
    drawn = torch.Generator().manual_seed(1)
    queries, keys, values = (
        torch.randn(1, 2, length, 16, generator=drawn) for length in (12, 40, 40)
    )
    mask = torch.zeros(12, 40).masked_fill_(torch.arange(40) > 30, float("-inf"))
    taken = mask if is_masked else None
    torch.testing.assert_close(
        attend_by_products(queries, keys, values, taken),
        attend_fused(queries, keys, values, taken),
        atol=1e-5,
        rtol=1e-5,
    )


def _clock(monkeypatch: pytest.MonkeyPatch, fused_ms: list[float], products_ms: float) -> None:
    """Each path takes the time it is told; the fused one another each time."""
    told = iter(fused_ms * 99)
    for name, cost in (("attend_fused", lambda: next(told)), ("attend_by_products", None)):
        path: AttentionPath = getattr(attention_paths, name)

        def slow(
            *tensors: torch.Tensor, path: AttentionPath = path, cost: object = cost
        ) -> torch.Tensor:
            _time.append(cost() if callable(cost) else products_ms)
            return path(*tensors)

        monkeypatch.setattr(attention_paths, name, slow)


_time: list[float] = []


@pytest.mark.parametrize(
    ("fused_ms", "products_ms", "chosen"),
    [
        ([1.0], 0.7, "attend_by_products"),
        ([1.0], 0.9, "attend_fused"),  # a tenth may be noise
        ([1.0], 1.4, "attend_fused"),
        ([9.0, 9.0, 1.0, 9.0], 0.9, "attend_fused"),  # a machine that is busy now and then
    ],
)
def test_the_fused_kernel_yields_to_what_clearly_beats_it(
    monkeypatch: pytest.MonkeyPatch, fused_ms: list[float], products_ms: float, chosen: str
) -> None:
    _time.clear()
    _clock(monkeypatch, fused_ms, products_ms)
    path = choose_attention(2, 8, 16, torch.float32, CPU, now=lambda: sum(_time))
    assert path is getattr(attention_paths, chosen)


@pytest.fixture(params=["fused for all", "products for few rows"])
def engine(
    request: pytest.FixtureRequest, tiny_engine: ReportEngine, monkeypatch: pytest.MonkeyPatch
) -> ReportEngine:
    path = attend_fused if request.param == "fused for all" else attend_by_products
    engine = ReportEngine(tiny_engine._checkpoint, tiny_engine._device)
    for mode in ("one-step", "autoregressive"):
        decoder = engine._weights_for(mode).decoder
        monkeypatch.setattr(decoder, "few_rows_path", path)
        monkeypatch.setattr(decoder, "one_row_path", path)
    return engine


@pytest.mark.parametrize("mode", ["one-step", "autoregressive", "guided", "multi-step"])
def test_a_draft_says_the_same_by_either_path(
    engine: ReportEngine,
    tiny_engine: ReportEngine,
    make_request: Callable[..., GenerationRequest],
    mode: str,
) -> None:
    told = [
        [
            event.token_ids
            for event in drafting.draft(make_request(decoding=mode))
            if isinstance(event, BlockCommitted)
        ]
        for drafting in (engine, tiny_engine)
    ]
    assert told[0] == told[1]
