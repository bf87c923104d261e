"""Full-sequence decoding equals naive loops over the stock model, whatever it caches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.api import (
    CancelToken,
    DraftCancelled,
    DraftFinished,
    GenerationRequest,
    SequenceCache,
    UnsupportedRequest,
    WeightsMismatch,
)
from inference.decoding.draft_session import DraftSession
from inference.engine import ReportEngine
from inference.model_folder.manifest import MANIFEST_NAME, read_manifest, write_manifest

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]
CANVAS = 24


@pytest.fixture
def whole_engine(tiny_engine: ReportEngine) -> ReportEngine:
    """The tiny model as if it had been trained with one block as long as the answer."""
    manifest = replace(tiny_engine._checkpoint.manifest, block_length=CANVAS, block_is_answer=True)
    return ReportEngine(replace(tiny_engine._checkpoint, manifest=manifest), tiny_engine._device)


class StaleRows:
    """Makes a stock model keep the keys and values of positions that a pass doesn't feed."""

    def __init__(self, model: Any) -> None:
        self.fed: list[int] = []
        for layer in model.model.language_model.layers:
            for projection in (layer.self_attn.k_proj, layer.self_attn.v_proj):
                projection.register_forward_hook(self._keep)
        self._stored: dict[Any, torch.Tensor] = {}

    def _keep(self, projection: Any, _: object, output: torch.Tensor) -> torch.Tensor:
        kept = self._stored.setdefault(projection, output.clone())
        kept[:, self.fed] = output[:, self.fed]
        return kept.clone()


def _naive(plain: Any, steps: int, stop_ids: frozenset[int], is_delayed: bool = False) -> Any:
    mask, begin = plain.mask_token_id, len(plain.prompt)
    ids, confidences, passes = [*plain.prompt, *[mask] * CANVAS], {}, 0
    stale = StaleRows(plain.model) if is_delayed else None
    before = list(range(len(ids)))
    while True:
        masked = [position for position, token_id in enumerate(ids) if token_id == mask]
        stops = [p for p in range(begin, len(ids)) if ids[p] in stop_ids]
        wanted = [position for position in masked if position < min(stops, default=len(ids))]
        if not wanted:
            break
        if stale is not None:
            stale.fed = before
        probabilities = plain.logits(ids, CANVAS).softmax(-1)
        before, passes = masked, passes + 1
        best = sorted(wanted, key=lambda p: -float(probabilities[p].max()))
        for position in best[: ceil(CANVAS / steps)]:
            ids[position] = int(probabilities[position].argmax())
            confidences[position] = float(probabilities[position].max())
    for position in masked:
        ids[position], confidences[position] = ids[stops[0]], 1.0
    return plain.answer(ids, confidences, passes)


@pytest.mark.parametrize("steps", [1, 3, 8, 24])
@pytest.mark.parametrize("cache", ["none", "prompt", "delayed"])
def test_full_sequence_equals_naive_loop(
    whole_engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain,
    cache: SequenceCache, steps: int,
) -> None:  # fmt: skip
    settings = {"denoising_steps": steps, "remasking": "low_confidence_static"}
    request = ask("full-sequence", sequence_cache=cache, **settings)
    cached = decode(whole_engine, request)
    plain = _naive(recompute(whole_engine, request), steps, frozenset(), cache == "delayed")
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert cached.passes == plain.passes == steps


def test_the_delayed_cache_is_an_approximation(
    whole_engine: ReportEngine, ask: Ask, decode: Decode
) -> None:
    """Else the test above would compare a thing with itself."""
    settings = {"denoising_steps": 24, "remasking": "low_confidence_static"}
    exact, delayed = (
        decode(whole_engine, ask("full-sequence", sequence_cache=cache, **settings))
        for cache in ("prompt", "delayed")
    )
    assert exact.confidences != pytest.approx(delayed.confidences, abs=1e-3)


@pytest.mark.parametrize("cache", ["none", "prompt", "delayed"])
def test_nothing_behind_the_first_stop_is_waited_for(
    whole_engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain,
    cache: SequenceCache,
) -> None:  # fmt: skip
    request = ask(
        "full-sequence", sequence_cache=cache, denoising_steps=24, remasking="low_confidence_static"
    )
    free = decode(whole_engine, request).ids
    fewer = 0
    for token_id in (free[3], free[10]):
        stop_ids = frozenset({token_id})
        stopping = ReportEngine(
            replace(whole_engine._checkpoint, stop_ids=stop_ids), whole_engine._device
        )
        cached = decode(stopping, request)
        plain = _naive(recompute(stopping, request), 24, stop_ids, cache == "delayed")
        assert cached.ids == plain.ids[: len(cached.ids)]
        assert cached.ids[-1] == token_id
        assert cached.passes == plain.passes
        fewer += cached.passes < 24
    assert fewer


@pytest.mark.parametrize("cache", ["none", "prompt", "delayed"])
def test_pinned_tokens_stay(
    whole_engine: ReportEngine, ask: Ask, decode: Decode, cache: SequenceCache
) -> None:
    pinned = ((0, 100), (7, 101), (23, 102))
    answer = decode(whole_engine, ask("full-sequence", sequence_cache=cache, pinned=pinned)).ids
    assert [answer[place] for place, _ in pinned] == [100, 101, 102]
    assert len(answer) == CANVAS


@pytest.mark.parametrize("cache", ["none", "prompt", "delayed"])
def test_no_pass_begins_after_a_cancel(
    whole_engine: ReportEngine, ask: Ask, monkeypatch: pytest.MonkeyPatch, cache: SequenceCache
) -> None:
    cancel, begin = CancelToken(), DraftSession._begin_pass

    def cancelling(session: DraftSession) -> None:
        begin(session)
        if session.passes == 2:
            cancel.cancel()

    monkeypatch.setattr(DraftSession, "_begin_pass", cancelling)
    request = ask(
        "full-sequence", sequence_cache=cache, denoising_steps=24, remasking="low_confidence_static"
    )
    *_, last = whole_engine.draft(request, cancel)
    assert isinstance(last, DraftCancelled)
    assert last.passes == 2


def test_the_canvas_is_one_block_however_many_tokens_are_asked_for(
    whole_engine: ReportEngine, make_request: Ask
) -> None:
    *_, last = whole_engine.draft(make_request(decoding="full-sequence", max_new_tokens=500))
    assert isinstance(last, DraftFinished)
    assert last.tokens <= CANVAS


def test_block_weights_are_not_decoded_this_way(tiny_engine: ReportEngine, ask: Ask) -> None:
    assert "full-sequence" not in tiny_engine.description.decoding_modes
    with pytest.raises(UnsupportedRequest, match="one block as long as the answer; tiny was"):
        tiny_engine.draft(ask("full-sequence"))


def test_an_unknown_cache_is_refused(whole_engine: ReportEngine, ask: Ask) -> None:
    assert "full-sequence" in whole_engine.description.decoding_modes
    with pytest.raises(UnsupportedRequest, match="sequence_cache 'some': one of none, prompt, del"):
        whole_engine.draft(ask("full-sequence", sequence_cache="some"))


def test_a_manifest_says_so_and_needs_a_padded_prompt(copied_folder: Path) -> None:
    manifest = read_manifest(copied_folder)
    assert manifest is not None
    whole = replace(manifest, block_is_answer=True)
    assert write_manifest(copied_folder, whole, manifest.files).block_is_answer
    with pytest.raises(WeightsMismatch, match=f"{MANIFEST_NAME}: block_is_answer needs pad_prompt"):
        write_manifest(copied_folder, replace(whole, pad_prompt_to_block=False), manifest.files)


def test_settings_for_the_audit_log_name_the_cache(ask: Ask) -> None:
    settings = ask("full-sequence", remasking="random", seed=3).settings
    assert settings["sequence_cache"] == "prompt"
    assert (settings["remasking"], settings["seed"]) == ("random", 3)
