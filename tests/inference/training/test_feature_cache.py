"""Cached vision features: reused only for the tower and films they are of."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.training.dataset import PhantomPairs, PromptFrame
from inference.training.feature_cache import cached_features
from inference.training.forward import ReportForward


def test_features_are_reused_until_the_tower_changes(
    film_folder: Path,
    tokenizer: Tokenizer,
    tmp_path: Path,
    random_model: Qwen2_5_VLForConditionalGeneration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pairs, path = PhantomPairs(film_folder, tokenizer), tmp_path / "features.safetensors"
    forward = ReportForward(random_model, PromptFrame(tokenizer))
    first = cached_features(forward, pairs, path)
    assert first.shape == (8, 64, 256)
    assert first.dtype == torch.bfloat16
    computed: list[int] = []
    compute = forward.vision_features

    def count_and_compute(films: torch.Tensor) -> torch.Tensor:
        computed.append(len(films))
        return compute(films)

    monkeypatch.setattr(forward, "vision_features", count_and_compute)
    assert torch.equal(cached_features(forward, pairs, path), first)
    assert computed == []

    weight = next(random_model.model.visual.parameters())
    before = weight.clone()
    with torch.no_grad():
        weight.mul_(1.5)
    try:
        other = cached_features(forward, pairs, path)
    finally:
        with torch.no_grad():
            weight.copy_(before)
    assert computed == [8]
    assert not torch.equal(other, first)
