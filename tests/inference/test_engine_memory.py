"""Memory that runs out, and films of extreme sizes: named, freed, and the engine goes on."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from inference.api import (
    BlockCommitted,
    DecodingMode,
    DraftFinished,
    EngineError,
    GenerationRequest,
    ModelImage,
    PrefillDone,
    UnsupportedRequest,
)
from inference.decoding.prompt_state import PromptState
from inference.engine import ReportEngine

MakeRequest = Callable[..., GenerationRequest]


def _on_gpu() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1024.00 GiB.")


def _on_cpu() -> None:
    torch.empty(1 << 55)


def _in_numpy() -> None:
    np.empty(1 << 55, dtype=np.uint8)


@pytest.fixture
def engine(tiny_engine: ReportEngine) -> ReportEngine:
    tiny_engine.forget_prompt()
    return tiny_engine


@pytest.mark.parametrize("run_out", [_on_gpu, _on_cpu, _in_numpy])
@pytest.mark.parametrize(("good_passes", "doing"), [(0, "reading the films"), (3, "drafting")])
def test_memory_that_runs_out_is_named_and_what_was_held_is_freed(
    engine: ReportEngine,
    make_request: MakeRequest,
    monkeypatch: pytest.MonkeyPatch,
    run_out: Callable[[], None],
    good_passes: int,
    doing: str,
) -> None:
    expected = _ids(engine, make_request())
    engine.forget_prompt()
    decoder, made = engine.text_decoders[0], list[weakref.ref[PromptState]]()
    run, begin, passes = decoder.run, PromptState.__init__, 0

    def failing_run(*arguments: object, **named: object) -> torch.Tensor:
        nonlocal passes
        passes += 1
        if passes > good_passes:
            run_out()
        return run(*arguments, **named)  # type: ignore[arg-type]

    def remembering(self: PromptState, *arguments: object) -> None:
        made.append(weakref.ref(self))
        begin(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(decoder, "run", failing_run)
        patched.setattr(PromptState, "__init__", remembering)
        with pytest.raises(EngineError, match=f"the CPU: out of memory while {doing}") as raised:
            list(engine.draft(make_request()))
    assert "Needs less: bfloat16 on the CPU needs" in str(raised.value)
    assert [prompt() for prompt in made] == [None]  # although the error is still held
    assert _ids(engine, make_request()) == expected


def _ids(engine: ReportEngine, request: GenerationRequest) -> list[int]:
    blocks = (event for event in engine.draft(request) if isinstance(event, BlockCommitted))
    return [token_id for block in blocks for token_id in block.token_ids]


@pytest.mark.parametrize(
    ("films", "mode", "smaller"), [(2, "one-step", "first film alone"), (1, "guided", "one-step")]
)
def test_the_nearest_smaller_way_is_named_first(
    engine: ReportEngine,
    make_request: MakeRequest,
    monkeypatch: pytest.MonkeyPatch,
    films: int,
    mode: DecodingMode,
    smaller: str,
) -> None:
    request = make_request(decoding=mode)
    monkeypatch.setattr(engine.text_decoders[0], "run", lambda *_, **__: _on_gpu())
    with pytest.raises(EngineError, match=f"Needs less: .*{smaller}"):
        list(engine.draft(replace(request, images=request.images * films)))


def test_a_draft_by_regions_names_one_block_at_a_time(
    engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = engine.checkpoint.manifest
    modes = (*manifest.decoding_modes, "regions")
    manifest = replace(manifest, decoding_modes=modes, region_name_ids=tuple(range(300, 310)))
    by_regions = ReportEngine(replace(engine.checkpoint, manifest=manifest), engine.device)
    monkeypatch.setattr(by_regions.text_decoders[0], "run", lambda *_, **__: _on_cpu())
    with pytest.raises(EngineError, match="Needs less: decoding 'one-step', which fills one block"):
        list(by_regions.draft(make_request(decoding="regions")))


def test_another_error_stays_what_it_is(
    engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(engine.text_decoders[0], "run", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        list(engine.draft(make_request()))


def test_memory_that_runs_out_for_further_weights_names_what_needs_none(
    engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = ReportEngine(engine.checkpoint, engine.device)
    monkeypatch.setattr(type(engine.checkpoint), "load_model", lambda *_: _on_cpu())
    with pytest.raises(
        EngineError, match=r"memory loading autoregressive\.safetensors.*Needs less: .*'one-step'"
    ):
        list(fresh.draft(make_request(decoding="autoregressive")))
    assert isinstance(list(fresh.draft(make_request()))[-1], DraftFinished)


def test_memory_that_runs_out_while_loading_names_the_weights(
    tiny_engine: ReportEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tiny_engine._checkpoint
    monkeypatch.setattr(type(checkpoint), "load_model", lambda *_: _on_cpu())
    with pytest.raises(EngineError, match=r"out of memory loading model\.safetensors"):
        ReportEngine(checkpoint, tiny_engine._device)


def test_a_dtype_the_processor_lacks_is_refused(tiny_engine: ReportEngine) -> None:
    with pytest.raises(EngineError, match=r"float16.*float32, bfloat16"):
        ReportEngine(tiny_engine._checkpoint, tiny_engine._device, "float16")


@pytest.mark.parametrize("value", [0, 7])
def test_a_film_of_one_pixel_is_refused_unseen(
    engine: ReportEngine, make_request: MakeRequest, value: int
) -> None:
    film = ModelImage(np.full((1, 1), value))
    (refused,) = engine.draft(make_request(images=(film,)))
    assert isinstance(refused, DraftFinished)
    assert "blank" in refused.refusal


@pytest.mark.parametrize("shape", [(1, 900), (900, 1)])
def test_a_film_of_one_line_is_named(
    engine: ReportEngine, make_request: MakeRequest, shape: tuple[int, int]
) -> None:
    film = ModelImage(np.arange(900).reshape(shape))
    with pytest.raises(EngineError, match=rf"{shape[0]}×{shape[1]}.*aspect ratio"):
        list(engine.draft(make_request(images=(film,))))


def test_two_by_two_pixels_are_drafted(engine: ReportEngine, make_request: MakeRequest) -> None:
    film = ModelImage(np.array([[0, 1], [2, 3]]))
    assert isinstance(list(engine.draft(make_request(images=(film,))))[-1], DraftFinished)


@pytest.mark.slow
def test_a_film_of_20000_by_20000_pixels_takes_no_more_tokens(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    """400 million pixels (5 GiB while they are scaled): the model's own limit decides."""
    line = np.arange(20_000, dtype=np.int32) // 80
    film = ModelImage((line[:, None] ^ line[None]).astype(np.uint8))
    first, *_, last = engine.draft(make_request(images=(film,), max_new_tokens=4))
    assert isinstance(first, PrefillDone)
    assert first.prompt_tokens < 100
    assert isinstance(last, DraftFinished)


def test_guided_is_refused_where_its_second_model_is_missing(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    checkpoint = tiny_engine._checkpoint
    alone = replace(checkpoint.manifest, autoregressive_weights=None)
    engine = ReportEngine(replace(checkpoint, manifest=alone), tiny_engine._device)
    with pytest.raises(UnsupportedRequest, match=r"guided.*offers one-step, adaptive, multi-step"):
        engine.draft(make_request(decoding="guided"))
