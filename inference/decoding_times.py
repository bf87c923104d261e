"""How long a typical report takes in one sequence and by regions, on this very machine.

By regions a report costs fewer passes of more rows: quicker wherever a pass is bound by reading the
weights, and not always where it is bound by arithmetic. So it is measured, not guessed.
"""

from __future__ import annotations

import time

import torch

from inference.api import DecodingTimes
from inference.decoding.one_shape_step import OneShapeStep
from inference.decoding.text_decoder import TextDecoder

# Of a typical report, in blocks of L tokens (means over 300 phantom reports of each language, whose
# answers have 8.7 blocks in one sequence and 12.5 in streams): what each pass stores and fills.
_SEQUENCE = (1, *[2] * 8)
_REGIONS = (10, 12, 4, 2)
_PROMPT = 14  # blocks
_ROUNDS = 3
_SLOW_MS = 400.0  # a pass that takes as long is bound by arithmetic: its rows cost what they are


@torch.inference_mode()
def measure_decoding_times(
    decoder: TextDecoder, block_length: int, step: OneShapeStep | None = None
) -> DecodingTimes:
    """Empty passes of both shapes, taking turns; the quickest of each shape counts.

    positions and values mean nothing here: a pass costs the same whatever it computes. step: what
    runs the passes of a draft in one sequence, if not the decoder itself.
    """
    blocks = _PROMPT + max(sum(_SEQUENCE), sum(_REGIONS))
    capacity = blocks * block_length
    positions = torch.arange(capacity).expand(3, -1)
    rotary, cache = decoder.rotary_table(positions), decoder.new_cache(capacity)

    def time_pass(fed: int, before: int) -> float:
        rows, start = fed * block_length, before * block_length
        hidden = decoder.embed(torch.zeros(rows, dtype=torch.long, device=decoder.device))
        mask = decoder.fold_mask(torch.ones(rows, start + rows, dtype=torch.bool))
        _synchronize(decoder.device)
        began = time.perf_counter()
        decoder.logits(decoder.run(hidden, rotary, cache, start, mask, rows))
        _synchronize(decoder.device)
        return (time.perf_counter() - began) * 1000.0

    def time_step(running: OneShapeStep) -> float:
        _synchronize(decoder.device)
        began = time.perf_counter()
        running.run([0] * 2 * block_length, _PROMPT * block_length)
        _synchronize(decoder.device)
        return (time.perf_counter() - began) * 1000.0

    first = time_pass(2, _PROMPT)  # what a first pass has to set up is no pass's cost
    if first > _SLOW_MS and (first := time_pass(2, _PROMPT)) > _SLOW_MS:
        per_block = first / 2
        return DecodingTimes(sum(_SEQUENCE) * per_block, sum(_REGIONS) * per_block)
    quickest: dict[int, float] = {}
    for _ in range(_ROUNDS):
        for fed in {*_SEQUENCE, *_REGIONS}:
            quickest[fed] = min(quickest.get(fed, first * 1e6), time_pass(fed, _PROMPT))
    sequence = sum(quickest[fed] for fed in _SEQUENCE)
    if step is not None:
        sequence = len(_SEQUENCE) * min(time_step(step) for _ in range(_ROUNDS))
    return DecodingTimes(sequence, sum(quickest[fed] for fed in _REGIONS))


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
