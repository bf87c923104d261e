"""The shipped model, whatever it says: every cache gives the tokens of a full forward, in fp32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inference.api import GenerationRequest, ModelImage
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
