"""A decoding pass that always has the same shape, over buffers that stay where they are.

    rows      [block before, L │ block, L]      whatever block it is, always 2L rows
    keys      ┌──────────── S, a bucket ──────────────┬─ L ─┐
              │ prompt and answer │ hidden by a mask  │spare│
              └───────────────────────────────────────┴─────┘

Where the block lies is a number on the device, and so are ids, mask, choice and confidence: nothing
of a pass depends on the host, which neither waits nor tells it anything. So one CUDA graph serves
every block of every draft whose sequence fits the bucket, and the next block can be under way
before this one has been read. On a CPU the same pass runs as it is (tests, benchmark).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import torch

from inference.decoding.cuda_graphs import Capture, capture_or_refuse
from inference.decoding.open_block import Block
from inference.decoding.prompt_state import PromptState
from inference.decoding.sampling import pack_choice, unpack_choice
from inference.decoding.text_decoder import Places, RotaryTable, TextDecoder

_AHEAD = 2  # blocks under way at once: the one waited for, and the next


def bucket_of(positions: int) -> int:
    """The cache length S that serves so many positions.

    A pass reads all of S, and each S is a graph with a cache of its own: so steps of 256 as long as
    a cache is small, and larger ones (of a seventh at most) where it isn't.
    """
    step = 256 if positions <= 2048 else 512 if positions <= 4096 else 2048
    return positions + -positions % step


class OneShapeStep:
    """One draft's passes at a time, with one language model and block length; see above.

    The draft's keys and values are this step's, the prompt's copied in: so the graph finds them
    where it was captured, and the prompt is left as it was. capacity: the S above. capture: how
    passes become a graph; without, they run one operation at a time. Not thread-safe; for
    torch.inference_mode.
    """

    def __init__(
        self,
        decoder: TextDecoder,
        block_length: int,
        capacity: int,
        mask_token_id: int,
        stop_ids: Collection[int] = (),
        capture: Capture | None = None,
    ) -> None:
        device, length = decoder.device, block_length
        self.decoder, self.block_length, self.capacity = decoder, length, capacity
        self.is_captured = capture is not None
        self.cache = decoder.new_cache(capacity + length)
        self.rotary = RotaryTable(
            *torch.zeros(2, capacity, 1, decoder.head_dim, dtype=decoder.dtype, device=device)
        )
        self._mask_token_id = mask_token_id
        self._stop_ids = torch.tensor(sorted(stop_ids), dtype=torch.long, device=device)
        self._canvas = torch.full((capacity,), mask_token_id, device=device)
        self._blocks = torch.arange(capacity, device=device) // length
        self._offsets = torch.arange(-length, length, device=device)
        self._start, self._unstored, self._last_pinned = torch.zeros(
            3, dtype=torch.long, device=device
        )
        self._outcome = torch.zeros(2, length, dtype=torch.float64, device=device)
        self._logits = torch.empty(0, device=device)
        self._outcomes = [_Outcome(length, device) for _ in range(_AHEAD)]
        self._enqueued = self._read = 0
        self.replay: Callable[[], None] = self._run
        if capture is not None:
            self.replay = capture_or_refuse(capture, self._run, device, self._computes)

    def begin(self, prompt: PromptState) -> None:
        """Take over a prompt, for a new draft."""
        length = len(prompt.prompt_ids) // self.block_length * self.block_length
        self.cache.take_over(prompt.cache, length)
        for own, others in zip(self.rotary, prompt.rotary, strict=True):
            own[: len(others)].copy_(others[: self.capacity])
        self._last_pinned.fill_(-1)
        self._enqueued = self._read = 0

    def run(self, ids: list[int], start: int) -> torch.Tensor:
        """One pass over the ids of one block, or of two; everything before start is stored.

        Logits [L, vocabulary] float32 of the last block, the mask token's at -inf; the next pass
        overwrites them.
        """
        is_cuda = self._device.type == "cuda"
        fed = torch.tensor(ids, pin_memory=is_cuda)  # from pageable memory, copying would wait
        self._canvas[start : start + len(ids)].copy_(fed, non_blocking=True)
        self._run_at(start + len(ids) - self.block_length, start)
        return self._logits

    def lay_out(self, fixed: Mapping[int, int], last_pinned: int) -> None:
        """The ids of the whole sequence by position, masks elsewhere; for passes run ahead.

        No stop id is chosen before last_pinned.
        """
        ids = [fixed.get(position, self._mask_token_id) for position in range(self.capacity)]
        self._canvas.copy_(torch.tensor(ids))
        self._last_pinned.fill_(last_pinned)

    def enqueue(self, start: int, unstored: int) -> None:
        """Fill the masks of the block at start, behind all that was enqueued; waits for nothing.

        unstored: from where on no pass has stored final keys and values, a whole number of blocks
        before start (or start).
        """
        self._run_at(start, unstored)
        self._outcomes[self._enqueued % _AHEAD].copy(self._outcome)
        self._enqueued += 1
        assert self._enqueued - self._read <= _AHEAD

    def read(self) -> Block:
        """Wait for the oldest block enqueued and not yet read: what was chosen at each row."""
        outcome = self._outcomes[self._read % _AHEAD]
        self._read += 1
        return outcome.wait()

    def _run_at(self, start: int, unstored: int) -> None:
        self._start.fill_(start)
        self._unstored.fill_(unstored)
        if start - unstored <= self.block_length:
            self.replay()
        else:  # behind a prefix, or fixed blocks: rows enough to store them all
            self._compute(torch.arange(unstored - start, self.block_length, device=self._device))

    def _run(self) -> None:
        self._logits = self._compute(self._offsets)

    def _compute(self, offsets: torch.Tensor) -> torch.Tensor:
        """The pass, for rows at these offsets from the block's start; nothing here may wait.

        Fills the block's masks in the canvas; returns its logits [L, vocabulary].
        """
        decoder, length = self.decoder, self.block_length
        places = offsets + self._start
        positions = places.clamp_min(0)  # before the sequence there is nothing to feed
        ids = self._canvas.index_select(0, positions)
        # What is stored stays: it may be images, of which the canvas knows nothing.
        spare = offsets + (self.capacity + length)
        slots = torch.where(places < self._unstored, spare, places)
        mask = self._blocks <= self._blocks.index_select(0, positions)[:, None]
        hidden = decoder.run(
            decoder.embed(ids), self.rotary, self.cache, 0, decoder.fold_mask(mask), length,
            Places(slots, self.capacity, positions),
        )  # fmt: skip
        block, fed = places[-length:], ids[-length:]
        logits = self._suppress(decoder.logits(hidden), block)
        self._outcome.copy_(pack_choice(logits, logits.argmax(dim=-1)))
        is_open = fed == self._mask_token_id
        self._canvas.index_copy_(0, block, torch.where(is_open, self._outcome[0].long(), fed))
        return logits

    def _suppress(self, logits: torch.Tensor, block: torch.Tensor) -> torch.Tensor:
        """The mask token everywhere, and stop ids before the last pinned token."""
        logits[:, self._mask_token_id].fill_(float("-inf"))
        if len(self._stop_ids):
            is_early = (block < self._last_pinned)[:, None]
            stops = logits.index_select(1, self._stop_ids)
            logits.index_copy_(1, self._stop_ids, stops.masked_fill(is_early, float("-inf")))
        return logits

    def _computes(self, replay: Callable[[], None]) -> bool:
        self._outcome.fill_(float("nan"))
        replay()
        return not bool(self._outcome[0].isnan().any())

    @property
    def _device(self) -> torch.device:
        return self.decoder.device


class _Outcome:
    """A block's tokens and confidences on their way to the host."""

    def __init__(self, length: int, device: torch.device) -> None:
        is_cuda = device.type == "cuda"
        self._host = torch.zeros(2, length, dtype=torch.float64, pin_memory=is_cuda)
        self._done = torch.cuda.Event() if is_cuda else None

    def copy(self, outcome: torch.Tensor) -> None:
        """Behind the pass that makes them, before the next one overwrites them."""
        self._host.copy_(outcome, non_blocking=True)
        if self._done is not None:
            self._done.record(torch.cuda.current_stream(outcome.device))

    def wait(self) -> Block:
        if self._done is not None:
            self._done.synchronize()
        return Block(*unpack_choice(self._host))
