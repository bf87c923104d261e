"""Passes of one shape say what passes of any shape say, token for token, whatever the mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from inference.api import (
    BlockCommitted,
    DecodingMode,
    DraftEvent,
    GenerationRequest,
    ModelImage,
    PrefillDone,
)
from inference.decoding.one_shape_step import bucket_of
from inference.engine import ReportEngine
from inference.model_folder.checkpoint import embedded_folder
from inference.phantom import render_film, sample_case

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]

PINS: list[dict[int, int]] = [
    dict(enumerate(range(20, 25))),  # a prefix that ends inside a block
    dict(enumerate(range(20, 32))),  # of three blocks: more rows than a pass has
    {6: 30},
    {0: 30, 5: 31, 7: 32, 12: 33, 13: 34, 14: 35, 15: 36, 20: 37},  # one block wholly pinned
]


@pytest.fixture
def one_shape(engine: ReportEngine) -> Iterator[ReportEngine]:
    """The tiny engine, with padded and ragged prompts, on the path that GPUs take."""
    engine.choose_passes("one-shape")
    yield engine
    engine.choose_passes("any-shape")


def _ids(events: list[DraftEvent]) -> list[int]:
    return [t for event in events if isinstance(event, BlockCommitted) for t in event.token_ids]


def test_one_step_equals_full_recompute(
    one_shape: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain, naive_blocks: Decode
) -> None:
    request = ask("one-step")
    drafted = decode(one_shape, request)
    plain = naive_blocks(recompute(one_shape, request), 1, 1.0)
    assert drafted.ids == plain.ids
    assert drafted.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert drafted.passes == plain.passes


def test_each_pass_gives_the_stock_models_logits(
    one_shape: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = ask("one-step")
    decoder = one_shape._weights_for("one-step").decoder
    head, seen = decoder.logits, []

    def recording_head(hidden: torch.Tensor) -> torch.Tensor:
        seen.append(head(hidden).clone())
        return head(hidden)

    monkeypatch.setattr(decoder, "logits", recording_head)
    drafted, plain = decode(one_shape, request), recompute(one_shape, request)
    whole, length, begin = plain.prompt + drafted.ids, plain.block_length, len(plain.prompt)
    worst = 0.0
    for block, actual in enumerate(seen):
        start = begin // length * length + block * length
        masks = [plain.mask_token_id] * (start + length - max(start, begin))
        expected = plain.logits(whole[: max(start, begin)] + masks, length)[-len(masks) :]
        actual = actual[-len(masks) :].clone()
        actual[:, plain.mask_token_id] = expected[:, plain.mask_token_id] = 0.0
        worst = max(worst, float((actual - expected).abs().max()))
    assert len(seen) == drafted.passes
    assert 0.0 < worst < 1e-4


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("one-step", {}),
        ("one-step", {"temperature": 1.5, "seed": 3}),
        ("one-step-unfused", {}),
        ("adaptive", {"adaptive_threshold": 0.6}),
        ("guided", {}),
        ("multi-step", {"denoising_steps": 4}),
        ("multi-step", {"denoising_steps": 4, "remasking": "entropy_bounded"}),
        ("autoregressive", {}),
        ("autoregressive", {"prefix_ids": (20, 21, 22)}),
    ],
)
def test_every_mode_says_what_it_says_with_passes_of_any_shape(
    engine: ReportEngine, ask: Ask, decode: Decode, mode: DecodingMode, settings: dict[str, Any]
) -> None:
    request = ask(mode, **settings)
    any_shape = decode(engine, request)
    engine.choose_passes("one-shape")
    try:
        one_shape = decode(engine, request)
    finally:
        engine.choose_passes("any-shape")
    assert one_shape.ids == any_shape.ids
    assert one_shape.confidences == pytest.approx(any_shape.confidences, abs=1e-4)
    assert one_shape.passes == any_shape.passes


@pytest.mark.parametrize("pins", PINS)
def test_pinned_tokens_equal_naive_loop(
    one_shape: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    naive_blocks: Decode,
    pins: dict[int, int],
) -> None:
    prefix = tuple(pins[at] for at in range(len(pins)) if all(n in pins for n in range(at + 1)))
    request = ask("one-step", prefix_ids=prefix, pinned=tuple(pins.items())[len(prefix) :])
    plain, stop_ids = recompute(one_shape, request), one_shape._checkpoint.stop_ids
    naive = naive_blocks(plain, 1, 1.0, pinned=pins, stop_ids=stop_ids)
    drafted = decode(one_shape, request)
    assert drafted.ids == naive.ids
    assert drafted.confidences == pytest.approx(naive.confidences, abs=1e-4)
    assert drafted.passes == naive.passes


def test_prompt_is_left_as_it_was_and_nothing_of_an_earlier_draft_is_seen(
    one_shape: ReportEngine, ask: Ask
) -> None:
    request = ask("one-step")
    other = replace(
        request, images=(ModelImage(np.linspace(4000, 0, 112 * 112).reshape(112, 112)),)
    )
    first = _ids(list(one_shape.draft(request)))
    assert _ids(list(one_shape.draft(other))) != first
    for path in ("one-shape", "any-shape", "one-shape"):
        one_shape.choose_passes(path)
        again = list(one_shape.draft(request))
        assert _ids(again) == first
    assert isinstance(again[0], PrefillDone)
    assert again[0].reused


def test_two_drafts_on_their_way_at_once_dont_meet(one_shape: ReportEngine, ask: Ask) -> None:
    request = ask("one-step")
    pinned = replace(request, prefix_ids=(20, 21, 22, 23))
    alone = [_ids(list(one_shape.draft(each))) for each in (request, pinned)]
    streams = [one_shape.draft(request), one_shape.draft(pinned)]
    told: list[list[DraftEvent]] = [[], []]
    for pair in zip(*streams, strict=True):
        for events, event in zip(told, pair, strict=True):
            events.append(event)
    assert [_ids(events) for events in told] == alone


@pytest.mark.parametrize(
    ("positions", "bucket"),
    [(1, 256), (256, 256), (257, 512), (624, 768), (2049, 2560), (3512, 3584), (4097, 6144)],
)
def test_buckets_hold_what_they_are_for(positions: int, bucket: int) -> None:
    assert bucket_of(positions) == bucket


@pytest.mark.skipif(
    not (embedded_folder() / "model.safetensors").exists(), reason="no embedded model here"
)
def test_embedded_model_says_the_same_in_passes_of_one_shape(decode: Decode) -> None:
    engine = ReportEngine.load("embedded", "cpu", "float32")
    film = ModelImage(render_film(sample_case(77), 256))
    request = GenerationRequest("r", (film,), max_new_tokens=160)
    fused, unfused = (
        decode(engine, replace(request, decoding=mode)) for mode in ("one-step", "one-step-unfused")
    )
    engine.choose_passes("one-shape")
    ahead = decode(engine, request)
    assert fused.ids == unfused.ids == ahead.ids
    assert ahead.confidences == pytest.approx(fused.confidences, abs=1e-4)
