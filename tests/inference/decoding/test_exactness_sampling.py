"""Seeded sampling equals draws made by hand from the stock model's logits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from inference.api import DecodingMode, GenerationRequest
from inference.engine import ReportEngine

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


def _draw_naively(
    temperature: float, top_k: int, top_p: float, seed: int
) -> Callable[[torch.Tensor], list[int]]:
    generator = torch.Generator().manual_seed(seed)

    def draw(logits: torch.Tensor) -> list[int]:
        chosen = []
        for row, luck in zip(logits, torch.rand(len(logits), 1, generator=generator), strict=True):
            likely = sorted(range(len(row)), key=lambda token: (-float(row[token]), token))
            weights = [math.exp(float(row[t] - row.max()) / temperature) for t in likely]
            if top_k:
                weights = weights[:top_k]
            kept, total = 0, 0.0
            while kept < len(weights) and total < top_p * sum(weights):
                total += weights[kept]
                kept += 1
            reached = 0.0
            for weight, token in zip(weights[:kept], likely, strict=False):
                reached += weight
                if reached > float(luck) * total:
                    chosen.append(token)
                    break
        return chosen

    return draw


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 0, 1.0), (2.0, 5, 1.0), (1.5, 0, 0.8), (1.5, 9, 0.7)]
)
@pytest.mark.parametrize(("mode", "steps"), [("one-step", 1), ("multi-step", 2)])
def test_sampling_equals_naive_loop(
    tiny_engine: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    naive_blocks: Decode,
    mode: DecodingMode,
    steps: int,
    temperature: float,
    top_k: int,
    top_p: float,
) -> None:
    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": 11}
    request = ask(mode, denoising_steps=steps, **settings)
    plain = recompute(tiny_engine, request)
    draw = _draw_naively(temperature, top_k, top_p, 11)
    naive = naive_blocks(plain, steps, 0.85, draw=draw)
    cached = decode(tiny_engine, request)
    length = plain.first_stop(naive.ids)
    assert cached.ids == naive.ids[:length]
    assert cached.confidences == pytest.approx(naive.confidences[:length], abs=1e-4)


MODES: tuple[DecodingMode, ...] = (
    "one-step",
    "one-step-unfused",
    "adaptive",
    "multi-step",
    "autoregressive",
)


@pytest.mark.parametrize("mode", MODES)
def test_same_seed_same_tokens(
    tiny_engine: ReportEngine, ask: Ask, decode: Decode, mode: DecodingMode
) -> None:
    runs = [decode(tiny_engine, ask(mode, temperature=2.0, seed=seed)).ids for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
