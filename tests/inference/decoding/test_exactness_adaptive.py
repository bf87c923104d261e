"""Adaptive decoding equals a naive loop that looks again at what is unsure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import pytest

from inference.api import GenerationRequest
from inference.engine import ReportEngine

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


def _naive_adaptive(
    plain: Any, threshold: float, max_passes: int, stop_ids: Collection[int] = ()
) -> Any:
    """echo.md, "Adaptive decoding": commit what is sure, look again at the rest."""
    length, mask = plain.block_length, plain.mask_token_id
    ids, confidences, passes = list(plain.prompt), {}, 0
    while len(ids) < len(plain.prompt) + plain.new_tokens:
        ids += [mask] * (length - len(ids) % length)
        masked = {position for position, token in enumerate(ids) if token == mask}
        for look in range(1, max_passes + 1):
            for position in masked:
                ids[position] = mask
            probabilities = plain.logits(ids, length).softmax(-1)
            passes += 1
            for position in masked:
                ids[position] = int(probabilities[position].argmax())
                confidences[position] = float(probabilities[position].max())
            block = range(len(ids) - length, len(ids))
            stops = [p for p in block if p >= len(plain.prompt) and ids[p] in stop_ids]
            stop = min(stops, default=len(ids))
            doubtful = {p for p in masked if p <= stop and confidences[p] < threshold}
            followers = set(range(stop, len(ids)))
            if masked == doubtful | (followers if stop in doubtful else set()):
                doubtful.remove(max(doubtful, key=lambda p: (confidences[p], -p)))
            if not doubtful or look == max_passes:
                break
            masked = doubtful | (followers if stop in doubtful else set())
    return plain.answer(ids, confidences, passes)


@pytest.mark.parametrize(
    ("threshold", "max_passes"), [(1.0, 4), (1.0, 2), (0.3, 4), (0.5, 3), (0.6, 8), (0.7, 1)]
)
def test_adaptive_equals_naive_loop(
    engine: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    threshold: float,
    max_passes: int,
) -> None:
    request = ask("adaptive", adaptive_threshold=threshold, adaptive_max_passes=max_passes)
    cached = decode(engine, request)
    plain = _naive_adaptive(recompute(engine, request), threshold, max_passes)
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert cached.passes == plain.passes


def test_adaptive_without_a_threshold_is_one_step(
    engine: ReportEngine, ask: Ask, decode: Decode
) -> None:
    adaptive = decode(engine, ask("adaptive", adaptive_threshold=0.0))
    assert adaptive == decode(engine, ask("one-step"))


def test_adaptive_cases_do_look_again(engine: ReportEngine, ask: Ask, decode: Decode) -> None:
    one_step = decode(engine, ask("one-step"))
    passes = [
        decode(engine, ask("adaptive", adaptive_threshold=threshold)).passes
        for threshold in (0.5, 1.0)
    ]
    assert one_step.passes < passes[0] < passes[1] <= 4 * one_step.passes


def test_adaptive_equals_naive_loop_around_a_stop(
    engine: ReportEngine, ask: Ask, decode: Decode, recompute: MakePlain
) -> None:
    """Every token the free answer has in its first blocks, taken as the stop, in turn."""
    request = ask("adaptive", adaptive_threshold=0.6)
    free = decode(engine, request)
    plain = recompute(engine, request)
    for position in range(0, 12):
        stop_ids = frozenset({free.ids[position]})
        stopping = ReportEngine(replace(engine._checkpoint, stop_ids=stop_ids), engine._device)
        cached, naive = decode(stopping, request), _naive_adaptive(plain, 0.6, 8, stop_ids)
        assert cached.ids == naive.ids[: len(cached.ids)]
        assert cached.ids[-1] in stop_ids or len(cached.ids) == request.max_new_tokens
