"""Grouped windows give the stock tower's features, in fp32, whatever the shape of the films."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.engine import ReportEngine
from inference.vision.vision_encoder import Grid, VisionEncoder


@pytest.fixture(scope="module")
def model(tiny_engine: ReportEngine) -> Qwen2_5_VLForConditionalGeneration:
    """Its windows are two merged patches wide, so that most films end in smaller ones."""
    return tiny_engine._weights_for("one-step").model


@pytest.mark.parametrize(
    "grids",
    [((1, 8, 8),), ((1, 6, 10),), ((1, 2, 2),), ((1, 14, 4), (1, 6, 6)), ((1, 8, 8), (1, 8, 8))],
)
@torch.inference_mode()
def test_features_are_the_stock_towers(
    model: Qwen2_5_VLForConditionalGeneration, grids: tuple[Grid, ...]
) -> None:
    patches = sum(rows * columns for _, rows, columns in grids)
    pixels = torch.randn(patches, 3 * 2 * 14 * 14, generator=torch.Generator().manual_seed(3))
    stock = model.model.visual(pixels, grid_thw=torch.tensor(grids)).pooler_output
    ours = VisionEncoder(model)(pixels, grids)
    assert stock.abs().max() > 0.1
    torch.testing.assert_close(ours, stock, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_features_in_bfloat16_are_near_the_stock_towers(
    tiny_engine: ReportEngine,
) -> None:
    checkpoint = replace(tiny_engine._checkpoint, digest_cache=None)
    model = checkpoint.load_model("model.safetensors", torch.device("cpu"), torch.bfloat16)
    pixels = torch.randn(64, 3 * 2 * 14 * 14, generator=torch.Generator().manual_seed(3))
    stock = model.model.visual(pixels.bfloat16(), grid_thw=torch.tensor([[1, 8, 8]])).pooler_output
    ours = VisionEncoder(model)(pixels.bfloat16(), ((1, 8, 8),))
    assert ours.dtype == torch.bfloat16
    difference = (ours - stock).float().norm() / stock.float().norm()
    assert difference < 0.03


def test_towers_are_told_apart(tiny_engine: ReportEngine) -> None:
    ours, theirs = (
        VisionEncoder(tiny_engine._weights_for(mode).model)
        for mode in ("one-step", "autoregressive")
    )
    assert ours.has_weights_of(VisionEncoder(tiny_engine._weights_for("one-step").model))
    assert not ours.has_weights_of(theirs)
