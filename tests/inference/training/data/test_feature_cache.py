"""Cached vision features: reused only for the tower and films they are of."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inference.training.data import feature_cache
from inference.training.data.feature_cache import LiveFeatures, cached_features
from inference.training.data.pairs import Draw
from inference.training.data.phantom_pairs import PhantomPairs
from inference.training.data.prompt_frame import PromptFormat
from inference.training.forward import Forwards, ReportForward


def test_features_are_reused_until_the_tower_changes(
    film_folder: Path, prompt: PromptFormat, tmp_path: Path,
    forward: ReportForward, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pairs, path = PhantomPairs(film_folder, prompt), tmp_path / "features.safetensors"
    first = cached_features(forward, pairs, path)
    assert first.frontal.shape == (8, 64, 256)
    assert first.lateral.shape == (4, 64, 256)
    assert first.frontal.dtype == first.lateral.dtype == torch.bfloat16
    computed: list[int] = []
    compute = forward.vision_features

    def count_and_compute(patches: torch.Tensor) -> torch.Tensor:
        computed.append(len(patches) // 256)
        return compute(patches)

    monkeypatch.setattr(forward, "vision_features", count_and_compute)
    stored = cached_features(forward, pairs, path)
    assert torch.equal(stored.frontal, first.frontal)
    assert torch.equal(stored.lateral, first.lateral)
    assert computed == []

    weight = next(forward.model.model.visual.parameters())
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


def test_cached_features_are_the_live_ones(
    film_folder: Path, prompt: PromptFormat, tmp_path: Path, forwards: Forwards,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(feature_cache, "augment", lambda films, _: films)
    pairs = PhantomPairs(film_folder, prompt)
    one, two = (pairs.kind("zh", images) for images in (1, 2))
    cached = cached_features(forwards[one], pairs, tmp_path / "features.safetensors")
    live = LiveFeatures(forwards, pairs, seed=None)
    for draw in (Draw(one, [7, 1]), Draw(two, [7, 1])):
        expected = live.of(draw, 0).bfloat16()
        assert expected.shape == (2, 64 * len(draw.kind.grids), 256)
        torch.testing.assert_close(cached.of(draw, 0), expected, rtol=0, atol=0.05)
    with pytest.raises(AssertionError, match="without a lateral"):
        cached.of(Draw(two, [1, 2]), 0)
