"""The shipped model, whatever it says: every cache gives the tokens of a full forward, in fp32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from inference.api import (
    REGION_MODES,
    REMASKING_STRATEGIES,
    BlockCommitted,
    DecodingMode,
    GenerationRequest,
    ModelImage,
    Remasking,
)
from inference.engine import ReportEngine
from inference.model_folder.checkpoint import embedded_folder
from inference.phantom import render_film, sample_case
from inference.prompts import END_OF_TEXT
from inference.report_parts import IMPRESSION, PARTS
from inference.report_rules.report_check import CanonicalPartCheck, CanonicalReportCheck
from inference.report_rules.report_conflicts import ReportSoFar
from inference.training.tokenizer import special_id
from tests.inference.decoding.naive_loops import (
    Fill,
    NaiveStreams,
    fill_adaptive,
    fill_multi_step,
    fill_one_step,
    naive_adaptive,
    naive_checked,
    naive_guided,
    pick_named,
)

pytestmark = pytest.mark.skipif(
    not (embedded_folder() / "model.safetensors").exists(), reason="no embedded model here"
)


@pytest.fixture(scope="module")
def embedded() -> ReportEngine:
    return ReportEngine.load("embedded", "cpu", "float32")


@pytest.fixture(scope="module")
def film() -> ModelImage:
    return ModelImage(render_film(sample_case(77), 256))


def test_fused_equals_unfused_equals_full_recompute(
    embedded: ReportEngine,
    film: ModelImage,
    decode: Callable[..., Any],
    recompute: Callable[..., Any],
    naive_blocks: Callable[..., Any],
) -> None:
    fused, unfused = (
        decode(embedded, GenerationRequest("r", (film,), decoding=mode, max_new_tokens=48))
        for mode in ("one-step", "one-step-unfused")
    )
    assert fused.ids == unfused.ids
    plain = recompute(embedded, GenerationRequest("r", (film,), max_new_tokens=48))
    naive = naive_blocks(plain, 1, 1.0)
    length = plain.first_stop(naive.ids)
    assert fused.ids == naive.ids[:length]
    assert fused.confidences == pytest.approx(naive.confidences[:length], abs=1e-4)


def test_autoregressive_equals_full_recompute(
    embedded: ReportEngine,
    film: ModelImage,
    decode: Callable[..., Any],
    recompute: Callable[..., Any],
) -> None:
    if "autoregressive" not in embedded.description.decoding_modes:
        pytest.skip("the embedded model has no autoregressive weights")
    request = GenerationRequest("r", (film,), decoding="autoregressive", max_new_tokens=16)
    plain = recompute(embedded, request)
    ids = list(plain.prompt)
    for _ in range(16):
        ids.append(int(plain.logits(ids, 1)[-1].argmax()))
    answer = ids[len(plain.prompt) :]
    assert decode(embedded, request).ids == answer[: plain.first_stop(answer)]


@pytest.mark.parametrize(("steps", "threshold"), [(4, 0.85), (2, 1.0)])
def test_multi_step_equals_full_recompute(
    embedded: ReportEngine,
    film: ModelImage,
    decode: Callable[..., Any],
    recompute: Callable[..., Any],
    naive_blocks: Callable[..., Any],
    steps: int,
    threshold: float,
) -> None:
    request = GenerationRequest(
        "r",
        (film,),
        decoding="multi-step",
        denoising_steps=steps,
        confidence_threshold=threshold,
        max_new_tokens=32,
    )
    plain = recompute(embedded, request)
    naive = naive_blocks(plain, steps, threshold)
    length = plain.first_stop(naive.ids)
    cached = decode(embedded, request)
    assert cached.ids == naive.ids[:length]
    assert cached.confidences == pytest.approx(naive.confidences[:length], abs=1e-4)


@pytest.mark.parametrize("remasking", REMASKING_STRATEGIES[1:])
def test_each_remasking_equals_full_recompute(
    embedded: ReportEngine,
    film: ModelImage,
    decode: Callable[..., Any],
    recompute: Callable[..., Any],
    naive_blocks: Callable[..., Any],
    remasking: Remasking,
) -> None:
    request = GenerationRequest(
        "r", (film,), decoding="multi-step", denoising_steps=3, remasking=remasking, seed=5,
        entropy_bound=0.2, max_new_tokens=24,
    )  # fmt: skip
    plain = recompute(embedded, request)
    naive = naive_blocks(plain, 3, 1.0, pick_named(remasking, 5, 0.2))
    assert decode(embedded, request).ids == naive.ids[: plain.first_stop(naive.ids)]


@pytest.mark.parametrize(("threshold", "most"), [(0.999, 4), (0.7, 8)])
def test_adaptive_equals_full_recompute(
    embedded: ReportEngine,
    film: ModelImage,
    decode: Callable[..., Any],
    recompute: Callable[..., Any],
    threshold: float,
    most: int,
) -> None:
    """By confidence alone: the report grammar is asked below."""
    checkpoint = embedded._checkpoint
    manifest = replace(checkpoint.manifest, canonical_wording=False)
    unchecked = ReportEngine(replace(checkpoint, manifest=manifest), embedded._device)
    request = GenerationRequest(
        "r", (film,), decoding="adaptive", adaptive_threshold=threshold, adaptive_max_passes=most,
        max_new_tokens=32,
    )  # fmt: skip
    plain = recompute(unchecked, request)
    naive = naive_adaptive(plain, threshold, most, checkpoint.stop_ids)
    length, cached = plain.first_stop(naive.ids), decode(unchecked, request)
    assert cached.ids == naive.ids[:length]
    assert cached.confidences == pytest.approx(naive.confidences[:length], abs=1e-4)


@pytest.mark.parametrize(
    "said", ["", "Findings: No pneumothorax. Left left", "Findings. Impression:"]
)
def test_adaptive_with_the_report_grammar_equals_full_recompute(
    embedded: ReportEngine,
    film: ModelImage,
    decode: Callable[..., Any],
    recompute: Callable[..., Any],
    said: str,
) -> None:
    """Behind what no report says there is much to mend."""
    checkpoint = embedded._checkpoint
    if not checkpoint.manifest.canonical_wording:
        pytest.skip("the embedded model's wording is its own")
    request = GenerationRequest("r", (film,), decoding="adaptive", max_new_tokens=40)
    kept = checkpoint.tokenizer.encode(said, add_special_tokens=False).ids
    kept = tuple(kept[: len(kept) // 8 * 8])  # whole blocks, as the loop has them
    plain = recompute(embedded, request)
    check = CanonicalReportCheck(checkpoint.tokenizer, "en", checkpoint.stop_ids)
    naive = naive_checked(plain, 0.7, 8, checkpoint.stop_ids, check, kept)
    assert decode(embedded, replace(request, prefix_ids=kept)).ids == naive


def test_guided_equals_full_recompute(
    embedded: ReportEngine,
    film: ModelImage,
    decode: Callable[..., Any],
    recompute: Callable[..., Any],
) -> None:
    if "guided" not in embedded.description.decoding_modes:
        pytest.skip("the embedded model has no autoregressive weights")
    request = GenerationRequest(
        "r", (film,), decoding="guided", guided_ratio=0.5, guided_rounds=2, max_new_tokens=32
    )
    plain, judge = (
        recompute(embedded, replace(request, decoding=mode))
        for mode in ("one-step", "autoregressive")
    )
    stop_ids = embedded._checkpoint.stop_ids
    ids, _ = naive_guided(plain, judge, 0.5, 2, stop_ids, {})
    assert decode(embedded, request).ids == ids


@pytest.mark.parametrize("mode", REGION_MODES)
def test_regions_equal_full_recompute(
    embedded: ReportEngine, film: ModelImage, recompute: Callable[..., Any], mode: DecodingMode
) -> None:
    if mode not in embedded.description.decoding_modes:
        pytest.skip(f"the embedded model offers no {mode}")
    checkpoint = embedded._checkpoint
    request = GenerationRequest("r", (film,), decoding=mode, denoising_steps=3)
    plain, tokenizer = recompute(embedded, request), checkpoint.tokenizer
    name_ids = checkpoint.manifest.region_name_ids
    naive = NaiveStreams(plain, special_id(tokenizer, END_OF_TEXT), name_ids, checkpoint.stop_ids)

    def check_of(part: str) -> CanonicalPartCheck:
        said = ReportSoFar()
        if part == IMPRESSION:
            for ids in naive.streams.values():
                said = said.with_text(tokenizer.decode(ids))
            said = said.with_heading()
        return CanonicalPartCheck(tokenizer, "en", checkpoint.stop_ids, part, said)

    fills: dict[str, Fill] = {
        "regions": fill_one_step(plain),
        "regions-multi-step": fill_multi_step(plain, 3, request.confidence_threshold),
        "regions-adaptive": fill_adaptive(plain, 0.7, 8, checkpoint.stop_ids, check_of),
    }
    expected = {part: naive.draft(part, fills[mode]) for part in PARTS}
    blocks = [event for event in embedded.draft(request) if isinstance(event, BlockCommitted)]
    for part in PARTS:
        drafted = [t for block in blocks if block.region == part for t in block.token_ids]
        assert drafted == expected[part], part


@pytest.mark.parametrize("mode", ["one-step", "adaptive", "multi-step", "autoregressive"])
def test_its_own_words_as_prefix_are_continued_as_before(
    embedded: ReportEngine, film: ModelImage, decode: Callable[..., Any], mode: DecodingMode
) -> None:
    """ "Keep everything above, draft on from here": from the kept prompt, and to the same end."""
    if mode not in embedded.description.decoding_modes:
        pytest.skip(f"the embedded model offers no {mode}")
    request = GenerationRequest("r", (film,), decoding=mode, max_new_tokens=40)
    free = decode(embedded, request)
    blocks = embedded.description.block_length
    continued = decode(embedded, replace(request, prefix_ids=tuple(free.ids[: 2 * blocks])))
    assert continued.ids == free.ids
    assert continued.passes < free.passes
