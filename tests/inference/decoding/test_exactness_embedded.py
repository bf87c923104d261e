"""The shipped model, whatever it says: every cache gives the tokens of a full forward, in fp32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from inference.api import DecodingMode, GenerationRequest, ModelImage
from inference.checkpoint import embedded_folder
from inference.engine import ReportEngine
from inference.phantom import render_film, sample_case

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
