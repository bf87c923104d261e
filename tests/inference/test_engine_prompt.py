"""The kept prompt, and what a request may fix of its answer."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from inference.api import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftFinished,
    GenerationRequest,
    ModelImage,
    PrefillDone,
    UnsupportedRequest,
)
from inference.engine import ReportEngine

MakeRequest = Callable[..., GenerationRequest]


@pytest.fixture
def engine(tiny_engine: ReportEngine) -> Iterator[ReportEngine]:
    tiny_engine.forget_prompt()
    yield tiny_engine
    tiny_engine.forget_prompt()


def _is_reused(engine: ReportEngine, request: GenerationRequest) -> bool:
    first, *_ = engine.draft(request)
    assert isinstance(first, PrefillDone)
    return first.reused


def _ids(engine: ReportEngine, request: GenerationRequest) -> list[int]:
    blocks = (event for event in engine.draft(request) if isinstance(event, BlockCommitted))
    return [token_id for block in blocks for token_id in block.token_ids]


def test_modes_on_the_same_weights_share_a_prompt(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    modes = ("one-step", "adaptive", "multi-step", "one-step-unfused", "autoregressive", "one-step")
    reused = [_is_reused(engine, make_request(decoding=mode)) for mode in modes]
    assert reused == [False, True, True, True, False, True]  # a prompt each


def test_another_language_or_study_frees_all_prompts(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    request = make_request()
    causal = replace(request, decoding="autoregressive")
    assert not _is_reused(engine, request)
    assert not _is_reused(engine, causal)
    other = ModelImage(request.images[0].pixels[::-1].copy())
    made = [weakref.ref(prompt) for prompt in engine._runner._kept.values()]
    assert len(made) == 2
    assert not _is_reused(engine, replace(request, images=(other,)))
    assert [prompt() for prompt in made] == [None, None]
    assert not _is_reused(engine, causal)


def test_other_films_or_a_longer_answer_are_prefilled(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    request = make_request()
    pixels = request.images[0].pixels.copy()
    assert not _is_reused(engine, request)
    assert _is_reused(engine, replace(request, images=(ModelImage(pixels.copy()),)))
    assert _is_reused(engine, replace(request, max_new_tokens=9))
    assert not _is_reused(engine, replace(request, max_new_tokens=200))
    pixels[3, 5] += 1
    assert not _is_reused(engine, replace(request, images=(ModelImage(pixels),)))
    padding = np.zeros(pixels.shape, dtype=bool)
    assert not _is_reused(engine, replace(request, images=(ModelImage(pixels, False, padding),)))
    assert not _is_reused(engine, replace(request, images=(ModelImage(pixels, True, padding),)))


def test_a_stream_closed_after_prefill_prepares_a_draft(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    stream = engine.draft(make_request())
    assert isinstance(next(stream), PrefillDone)
    stream.close()  # type: ignore[attr-defined]
    assert _is_reused(engine, make_request())


def test_a_cancelled_draft_leaves_a_prompt_as_good_as_new(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    expected, cancel = _ids(engine, make_request()), CancelToken()
    for event in engine.draft(make_request(), cancel):
        if isinstance(event, BlockCommitted):
            cancel.cancel()
    assert isinstance(event, DraftCancelled)
    assert _ids(engine, make_request()) == expected


def test_a_draft_begun_within_another_has_its_own_prompt(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    expected = _ids(engine, make_request())
    outer: list[int] = []
    for event in engine.draft(make_request()):
        if isinstance(event, BlockCommitted):
            outer += event.token_ids
            inner = _ids(engine, make_request(prefix_ids=(20, 21)))
            assert inner[:2] == [20, 21]
    assert outer == expected


def test_prefix_text_begins_the_answer(engine: ReportEngine, make_request: MakeRequest) -> None:
    events = list(engine.draft(make_request(prefix_text="Findings: No effusion. ")))
    blocks = [event for event in events if isinstance(event, BlockCommitted)]
    last = events[-1]
    assert isinstance(last, DraftFinished)
    assert last.text.startswith("Findings: No effusion.")
    flags = [flag for block in blocks for flag in block.is_pinned or [False]]
    assert sum(flags) == last.pinned_tokens > 0
    assert flags == sorted(flags, reverse=True)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"prefix_text": "No", "prefix_ids": (20,)}, "one of them"),
        ({"prefix_ids": (20,), "pinned": ((0, 21),)}, "two tokens at offset 0"),
        ({"pinned": ((30, 20),)}, "offset 30"),
        ({"pinned": ((-1, 20),)}, "offset -1"),
        ({"pinned": ((3, 100_000),)}, "100000"),
        ({"decoding": "autoregressive", "pinned": ((3, 20),)}, "prefix"),
        ({"remasking": "sideways"}, "sideways.*entropy_bounded"),
        ({"temperature": -1.0}, "temperature"),
        ({"top_k": -1}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"entropy_bound": -0.1}, "entropy_bound"),
    ],
)
def test_impossible_wishes_are_refused_at_once(
    engine: ReportEngine, make_request: MakeRequest, settings: dict[str, object], reason: str
) -> None:
    with pytest.raises(UnsupportedRequest, match=reason):
        engine.draft(make_request(**settings))


def test_a_stop_or_mask_token_cannot_be_pinned_inside(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    stop, mask = min(engine._checkpoint.stop_ids), engine._checkpoint.manifest.mask_token_id
    with pytest.raises(UnsupportedRequest, match="end at offset 1"):
        engine.draft(make_request(prefix_ids=(20, stop, 21)))
    with pytest.raises(UnsupportedRequest, match=f"token {mask}"):
        engine.draft(make_request(prefix_ids=(20, mask)))
    assert _ids(engine, make_request(prefix_ids=(20, stop))) == [20, stop]


def test_settings_name_what_steers_the_answer(make_request: MakeRequest) -> None:
    assert make_request(temperature=0.5, seed=4).settings["seed"] == 4
    assert "seed" not in make_request().settings
    shuffled = make_request(decoding="multi-step", remasking="random").settings
    assert (shuffled["remasking"], shuffled["seed"]) == ("random", 0)
