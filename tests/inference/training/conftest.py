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
from inference.phantom import PhantomCase, sample_case
from inference.training.dataset import PromptFrame
from inference.training.embedded_config import IMAGE_SIZE, build_model
from inference.training.forward import ReportForward
from inference.training.region_labels import CONCEPT_NAMES
from inference.training.render_films import shard_path
from inference.training.tokenizer import train_tokenizer

SHARD = 4
FIRST_SEEDS = (999_996, 1_000_000)  # the first is drawn first but sorts last as text


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
                    std = 0.3 if "embed" in name else 0.11
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


def _draw_stand_in(
    case: PhantomCase, size: int, view: str = "frontal"
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A film that is no body: a patch for each finding, by concept and side. Drawn in no time."""
    rng = np.random.default_rng((case.seed, view == "lateral"))
    film = rng.normal(1500, 200, (size, size))
    regions = {}
    for said in case.statements:
        rows, columns = np.mgrid[:size, :size] * 8 // size
        place = CONCEPT_NAMES.index(said.concept)
        column = place % 4 + (4 if said.side == "left" and view == "frontal" else 0)
        regions[said.concept] = np.where((rows == place // 4) & (columns == column), 2.0, 0.0)
        film += 400 * regions[said.concept]
    return film.clip(0, 4095).astype(np.uint16), regions


@pytest.fixture
def stand_in_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.training.render_films.render_film_and_regions", _draw_stand_in)


@pytest.fixture(scope="session")
def film() -> ModelImage:
    return ModelImage(_draw_stand_in(sample_case(5), IMAGE_SIZE)[0])


@pytest.fixture(scope="session")
def lateral() -> ModelImage:
    return ModelImage(_draw_stand_in(sample_case(5), IMAGE_SIZE, "lateral")[0])


@pytest.fixture(scope="session")
def both_features(forward: ReportForward, film: ModelImage, lateral: ModelImage) -> torch.Tensor:
    """[1, 2 * tokens, hidden] float32 of film and lateral."""
    films = np.stack([normalise_film(image) for image in (film, lateral)])
    with torch.inference_mode():
        return forward.vision_features(torch.from_numpy(films)[None])


@pytest.fixture(scope="session")
def features(forward: ReportForward, film: ModelImage) -> torch.Tensor:
    """[1, tokens, hidden] float32 of the film, unrounded."""
    with torch.inference_mode():
        return forward.vision_features(torch.from_numpy(normalise_film(film))[None, None])


@pytest.fixture
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training code in float32: equalities are of the method, not of bfloat16."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


@pytest.fixture
def film_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight studies in two shards of four; the film of study i is filled with 10 * i.

    Its lateral, where it has one, with 10 * i + 5.
    """
    for name in ("dataset", "vision_labels"):
        monkeypatch.setattr(f"inference.training.{name}.SHARD", SHARD)
    folder = tmp_path / "films"
    folder.mkdir()
    for shard, first in enumerate(FIRST_SEEDS):
        films = np.arange(SHARD, dtype=np.uint8) + SHARD * shard
        has_lateral = [sample_case(first + i).has_lateral for i in range(SHARD)]
        for values, name in ((films * 10, "films"), (films[has_lateral] * 10 + 5, "laterals")):
            shape = (len(values), IMAGE_SIZE, IMAGE_SIZE)
            filled = np.broadcast_to(values[:, None, None], shape)
            np.save(shard_path(folder, first, name), filled)
    return folder
