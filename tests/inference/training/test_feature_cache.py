"""Cached vision features: reused only for the tower and films they are of."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.training import feature_cache
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
    assert first.frontal.shape == (8, 64, 256)
    assert first.lateral.shape == (4, 64, 256)
    assert first.frontal.dtype == first.lateral.dtype == torch.bfloat16
    computed: list[int] = []
    compute = forward.vision_features

    def count_and_compute(films: torch.Tensor) -> torch.Tensor:
        computed.append(len(films))
        return compute(films)

    monkeypatch.setattr(forward, "vision_features", count_and_compute)
    stored = cached_features(forward, pairs, path)
    assert torch.equal(stored.frontal, first.frontal)
    assert torch.equal(stored.lateral, first.lateral)
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
    assert computed == [8, 4]
    assert not torch.equal(other.frontal, first.frontal)


def test_features_of_a_study_are_the_tower_s_of_its_films(
    film_folder: Path, tokenizer: Tokenizer, tmp_path: Path,
    random_model: Qwen2_5_VLForConditionalGeneration, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(feature_cache, "augment", lambda films, _: films)
    pairs = PhantomPairs(film_folder, tokenizer)
    forward = ReportForward(random_model, PromptFrame(tokenizer, "zh", 2))
    cached = cached_features(forward, pairs, tmp_path / "features.safetensors")
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        expected = forward.vision_features(pairs.films([7, 1], 2)).bfloat16()
    torch.testing.assert_close(cached.of([7, 1], 2), expected, rtol=0, atol=0.05)
    torch.testing.assert_close(cached.of([7, 1], 1), expected[:, :64], rtol=0, atol=0.05)
    with pytest.raises(AssertionError, match="without a lateral"):
        cached.of([1, 2], 2)
