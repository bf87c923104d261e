"""Adaptive decoding equals a naive loop that looks again at what is unsure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch

from inference.api import BlockCommitted, DraftFinished, GenerationRequest
from inference.engine import ReportEngine
from tests.inference.decoding.naive_loops import naive_adaptive

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]
MakePlain = Callable[..., Any]


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
    plain = naive_adaptive(recompute(engine, request), threshold, max_passes)
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert cached.passes == plain.passes


class EvenCheck:
    """Odd tokens are at fault, and mended to the likeliest even ones."""

    def find_faults(self, answer: Sequence[int], block: Sequence[int], is_end: bool) -> list[int]:
        return [place for place, token_id in enumerate(block) if token_id % 2]

    def mend(
        self, answer: Sequence[int], canvas: Sequence[int | None]
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        def choose(logits: torch.Tensor) -> torch.Tensor:
            return 2 * logits[:, ::2].argmax(dim=-1)

        return choose


def _naive_mending(plain: Any, threshold: float) -> Any:
    """One more look at what is unsure, then one at the first odd token and all behind it."""
    length, mask = plain.block_length, plain.mask_token_id
    ids, confidences, passes, mended = list(plain.prompt), {}, 0, 0

    def look(masked: list[int], step: int) -> None:
        nonlocal passes
        for position in masked:
            ids[position] = mask
        probabilities = plain.logits(ids, length).softmax(-1)
        passes += 1
        for position in masked:
            ids[position] = step * int(probabilities[position, ::step].argmax())
            confidences[position] = float(probabilities[position, ids[position]])

    while len(ids) < len(plain.prompt) + plain.new_tokens:
        begin = len(ids)
        ids += [mask] * (length - begin % length)
        look(list(range(begin, len(ids))), 1)
        unsure = [p for p in range(begin, len(ids)) if confidences[p] < threshold]
        if len(unsure) == len(ids) - begin:
            unsure.remove(max(unsure, key=lambda p: (confidences[p], -p)))
        while unsure:
            look(unsure, 1)
            still = [p for p in unsure if confidences[p] < threshold]
            if still == unsure:
                still.remove(max(still, key=lambda p: (confidences[p], -p)))
            unsure = still
        odd = [p for p in range(begin, len(ids)) if ids[p] % 2]
        if odd:
            mended += 1
            look(list(range(odd[0], len(ids))), 2)
    assert mended > 1
    return plain.answer(ids, confidences, passes)


@pytest.mark.parametrize("threshold", [0.0, 0.4, 0.7])
def test_mending_equals_naive_loop(
    engine: ReportEngine,
    ask: Ask,
    decode: Decode,
    recompute: MakePlain,
    monkeypatch: pytest.MonkeyPatch,
    threshold: float,
) -> None:
    monkeypatch.setattr("inference.decoding_modes._report_check", lambda *_: EvenCheck())
    request = ask("adaptive", adaptive_threshold=threshold, adaptive_max_passes=9)
    cached = decode(engine, request)
    plain = _naive_mending(recompute(engine, request), threshold)
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert cached.passes == plain.passes


def test_mending_leaves_pinned_tokens_as_they_are(
    engine: ReportEngine, ask: Ask, decode: Decode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.decoding_modes._report_check", lambda *_: EvenCheck())
    pinned = ((1, 101), (6, 103), (7, 105))
    answer = decode(engine, ask("adaptive", adaptive_threshold=0.0, pinned=pinned)).ids
    assert {place: token_id for place, token_id in enumerate(answer) if token_id % 2} == dict(
        pinned
    )


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
        cached, naive = decode(stopping, request), naive_adaptive(plain, 0.6, 8, stop_ids)
        assert cached.ids == naive.ids[: len(cached.ids)]
        assert cached.ids[-1] in stop_ids or len(cached.ids) == request.max_new_tokens


def test_each_block_tells_its_second_looks(engine: ReportEngine, ask: Ask) -> None:
    *events, finished = engine.draft(ask("adaptive", adaptive_threshold=0.5, pinned=((9, 70),)))
    assert isinstance(finished, DraftFinished)
    blocks = [event for event in events if isinstance(event, BlockCommitted)]
    assert sum(block.second_looks for block in blocks) == finished.extra_passes > 0
    for before, block in pairwise(blocks):
        assert block.passes - before.passes == 1 + block.second_looks
