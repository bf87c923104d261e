"""Films go through the vision tower once, and only as long as they are the same films."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from inference.api import DecodingMode, DraftFinished, GenerationRequest, ModelImage
from inference.engine import ReportEngine
from inference.model_folder.checkpoint import list_model_files
from inference.model_folder.manifest import read_manifest, write_manifest
from inference.prompt_prefill import digest_films
from inference.vision.vision_encoder import VisionEncoder

Ask = Callable[..., GenerationRequest]
_AUTOREGRESSIVE = "autoregressive.safetensors"


@pytest.fixture
def towers_run(monkeypatch: pytest.MonkeyPatch) -> list[VisionEncoder]:
    """Grows with each pass through a tower."""
    run, runs = VisionEncoder.__call__, []

    def counted(self: VisionEncoder, *arguments: object) -> object:
        runs.append(self)
        return run(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(VisionEncoder, "__call__", counted)
    return runs


@pytest.fixture
def one_tower_engine(copied_folder: Path) -> ReportEngine:
    """Its autoregressive weights leave out the tower, as the embedded model's do."""
    path = copied_folder / _AUTOREGRESSIVE
    state = {key: tensor for key, tensor in load_file(path).items() if "visual" not in key}
    save_file(state, path)
    manifest = read_manifest(copied_folder)
    assert manifest is not None
    write_manifest(copied_folder, manifest, list_model_files(copied_folder, [_AUTOREGRESSIVE]))
    return ReportEngine.load(copied_folder, "cpu")


def _text(engine: ReportEngine, request: GenerationRequest) -> str:
    *_, last = engine.draft(request)
    assert isinstance(last, DraftFinished)
    return last.text


def test_guided_runs_a_shared_tower_once(
    one_tower_engine: ReportEngine, make_request: Ask, towers_run: list[VisionEncoder]
) -> None:
    list(one_tower_engine.draft(make_request(decoding="guided")))
    assert len(towers_run) == 1


def test_guided_runs_two_towers_where_they_differ(
    tiny_engine: ReportEngine, make_request: Ask, towers_run: list[VisionEncoder]
) -> None:
    tiny_engine.forget_prompt()
    list(tiny_engine.draft(make_request(decoding="guided")))
    assert len(towers_run) == len(set(towers_run)) == 2


@pytest.mark.parametrize("mode", ["one-step", "autoregressive", "guided"])
def test_what_a_tower_saw_before_changes_no_answer(
    tiny_engine: ReportEngine,
    make_request: Ask,
    towers_run: list[VisionEncoder],
    mode: DecodingMode,
) -> None:
    tiny_engine.forget_prompt()
    fresh = _text(tiny_engine, make_request(decoding=mode))
    tiny_engine.forget_prompt()
    _text(tiny_engine, make_request(language="en", decoding="multi-step", max_new_tokens=4))
    longer = make_request(decoding=mode)
    before = len(towers_run)
    assert _text(tiny_engine, longer) == fresh
    assert len(towers_run) == before + (mode != "one-step")  # that tower had seen the films


def test_other_films_are_seen_anew(
    tiny_engine: ReportEngine, make_request: Ask, tiny_film: ModelImage
) -> None:
    other = ModelImage(np.ascontiguousarray(np.asarray(tiny_film.pixels)[::-1]))
    tiny_engine.forget_prompt()
    expected = _text(tiny_engine, make_request(images=(other,)))
    _text(tiny_engine, make_request())
    assert _text(tiny_engine, make_request(images=(other,))) == expected
    assert _text(tiny_engine, make_request()) != expected


def test_pixels_changed_in_place_are_another_film(tiny_film: ModelImage) -> None:
    film = ModelImage(np.array(tiny_film.pixels))
    before = digest_films([film])
    film.pixels[3, 3] += 1
    assert digest_films([film]) != before


def test_every_property_of_a_film_is_in_its_digest(tiny_film: ModelImage) -> None:
    pixels = np.arange(16, dtype=np.uint16).reshape(4, 4)
    films = [
        ModelImage(pixels),
        ModelImage(np.ascontiguousarray(pixels.T)),
        ModelImage(pixels.T.copy(order="K")),
        ModelImage(pixels.reshape(2, 8)),
        ModelImage(pixels.astype(np.int16)),
        replace(ModelImage(pixels), is_monochrome1=True),
        replace(ModelImage(pixels), padding_mask=pixels > 3),
        replace(ModelImage(pixels), padding_mask=pixels > 4),
    ]
    digests = {digest_films([film]) for film in films}
    assert len(digests) == len(films)
    assert digest_films([ModelImage(pixels.copy())]) in digests
