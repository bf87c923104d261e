"""Every way to decode can be stopped between any two of its passes, and nothing of it follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from inference.api import (
    DECODING_MODES,
    PROOF_MODES,
    REGION_MODES,
    SEQUENCE_CACHES,
    BlockCommitted,
    DraftCancelled,
    DraftFinished,
    GenerationRequest,
)
from inference.engine import ReportEngine
from tests.inference.decoding.cancel_after import CancelAfter

WAYS: list[dict[str, Any]] = [
    *({"decoding": mode} for mode in (*DECODING_MODES, *PROOF_MODES, *REGION_MODES)),
    *({"decoding": "full-sequence", "sequence_cache": cache} for cache in SEQUENCE_CACHES),
]


@pytest.fixture(scope="module")
def engines(tiny_engine: ReportEngine) -> Callable[[str], ReportEngine]:
    """The tiny model as one that offers the mode."""
    checkpoint = tiny_engine._checkpoint
    manifest = checkpoint.manifest
    by_regions = replace(
        manifest,
        decoding_modes=(*manifest.decoding_modes, *REGION_MODES),
        region_name_ids=tuple(range(300, 310)),
    )
    whole = replace(manifest, block_length=12, block_is_answer=True)
    made = {
        "regions": replace(checkpoint, manifest=by_regions, stop_ids=frozenset(range(60, 300, 15))),
        "full-sequence": replace(checkpoint, manifest=whole),
    }
    engines = {name: ReportEngine(each, tiny_engine._device) for name, each in made.items()}

    def engine_for(mode: str) -> ReportEngine:
        return engines["regions"] if mode in REGION_MODES else engines.get(mode, tiny_engine)

    return engine_for


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(way.values()))
def test_cancel_ends_a_draft_before_any_of_its_passes(
    engines: Callable[[str], ReportEngine],
    make_request: Callable[..., GenerationRequest],
    way: dict[str, Any],
) -> None:
    engine = engines(way["decoding"])
    longest = 120 if way["decoding"] in REGION_MODES else 12
    request = make_request(
        **way, max_new_tokens=longest, adaptive_threshold=0.6, guided_ratio=1e-4, denoising_steps=3
    )
    *events, finished = engine.draft(request)
    assert isinstance(finished, DraftFinished)
    whole = [event.token_ids for event in events if isinstance(event, BlockCommitted)]
    stopped_before = set[int]()
    for looks in range(1, finished.passes + 1):  # the first look comes before the prompt is taken
        *told, end = engine.draft(request, CancelAfter(looks))
        assert isinstance(end, DraftCancelled)
        stopped_before.add(end.passes)
        blocks = [event.token_ids for event in told if isinstance(event, BlockCommitted)]
        assert blocks == whole[: len(blocks)]
    assert stopped_before == set(range(finished.passes))
    assert isinstance([*engine.draft(request)][-1], DraftFinished)
