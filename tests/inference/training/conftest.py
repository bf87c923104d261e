"""The embedded model's tokenizer and a full-size model with random weights; made once each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration

from inference.api import ModelImage
from inference.image_processor import normalise_film
from inference.phantom import render_film, sample_case
from inference.training.dataset import PromptFrame
from inference.training.embedded_config import IMAGE_SIZE, build_model
from inference.training.forward import ReportForward
from inference.training.tokenizer import train_tokenizer


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train_tokenizer()


@pytest.fixture(scope="session")
def build_random_model(tokenizer: Tokenizer) -> Callable[[int], Qwen2_5_VLForConditionalGeneration]:
    """Text weights by seed, large enough that each token depends on film and prefix.

    All values survive float16, which is how models are exported. The tower is always the same,
    as in training, where the stages share it.
    """

    def build(seed: int) -> Qwen2_5_VLForConditionalGeneration:
        model = build_model(tokenizer)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "visual" not in name and parameter.dim() > 1:
                    std = 0.3 if "embed" in name else 0.08
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)
                parameter.copy_(parameter.half().float())
        return model.eval().requires_grad_(False)

    return build


@pytest.fixture(scope="session")
def random_model(
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration],
) -> Qwen2_5_VLForConditionalGeneration:
    return build_random_model(1)


@pytest.fixture(scope="session")
def forward(
    random_model: Qwen2_5_VLForConditionalGeneration, tokenizer: Tokenizer
) -> ReportForward:
    return ReportForward(random_model, PromptFrame(tokenizer))


@pytest.fixture(scope="session")
def film() -> ModelImage:
    return ModelImage(render_film(sample_case(5), IMAGE_SIZE))


@pytest.fixture(scope="session")
def features(forward: ReportForward, film: ModelImage) -> torch.Tensor:
    """[1, tokens, hidden] float32 of the film, unrounded."""
    with torch.inference_mode():
        return forward.vision_features(torch.from_numpy(normalise_film(film))[None])


@pytest.fixture
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training code in float32: equalities are of the method, not of bfloat16."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


@pytest.fixture
def film_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight films in two shards of four; film i is filled with the value 10 * i."""
    monkeypatch.setattr("inference.training.dataset.SHARD", 4)
    folder = tmp_path / "films"
    folder.mkdir()
    # 999,996 is drawn first but sorts last as text
    for first, seed in enumerate((999_996, 1_000_000)):
        values = (np.arange(4, dtype=np.uint8) + 4 * first) * 10
        films = np.broadcast_to(values[:, None, None], (4, IMAGE_SIZE, IMAGE_SIZE))
        np.save(folder / f"films_{seed}.npy", films)
    return folder
