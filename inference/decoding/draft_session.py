"""One draft in progress: what is fixed in its answer, its passes, its cancel token."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence

import torch

from inference.api import CancelToken
from inference.decoding.attention_masks import block_causal_mask
from inference.decoding.one_shape_step import OneShapeStep
from inference.decoding.open_block import Block
from inference.decoding.prompt_state import PromptState
from inference.decoding.sampling import TokenChooser, pack_choice, unpack_choice
from inference.decoding.text_decoder import Places

# Logits [rows, vocabulary] float32 -> token ids [rows], or None.
ChooseTokens = Callable[[torch.Tensor], torch.Tensor | None]


class DecodingCancelled(Exception):
    """The cancel token was set; raised where the next forward pass would have begun."""


def raise_if_cancelled(cancel: CancelToken) -> None:
    if cancel.is_cancelled:
        raise DecodingCancelled


def choose_tokens(
    logits: torch.Tensor, choose: ChooseTokens | None, chooser: TokenChooser, with_entropies: bool
) -> Block:
    """logits [rows, vocabulary]; choose: before chooser, unless it returns None."""
    choice = choose(logits) if choose is not None else None
    if choice is None:
        choice = chooser.choose(logits)
    entropies: list[float] = []
    if with_entropies:
        entropies = torch.special.entr(logits.softmax(dim=-1)).sum(dim=-1).tolist()
    return Block(*unpack_choice(pack_choice(logits, choice)), entropies)


class DraftSession:
    """Every forward pass of one draft's language model goes through here.

    Positions are absolute: the prompt is [0, prompt_length), the answer follows. capacity:
    where the answer ends at the latest, a whole number of blocks. pinned: tokens by their
    offset in the answer. fixed: all that is never masked, the prompt's included, by position.
    passes: forward passes so far, those of a model that checks this draft included; of those run
    ahead, each as soon as it is enqueued. step: runs all passes of one block or two, and keeps the
    answer's keys and values; without it each pass has the shape that it happens to have.
    """

    def __init__(
        self,
        prompt: PromptState,
        capacity: int,
        cancel: CancelToken,
        *,
        pinned: Mapping[int, int] | None = None,
        stop_ids: Collection[int] = (),
        chooser: TokenChooser | None = None,
        with_entropies: bool = False,
        step: OneShapeStep | None = None,
    ) -> None:
        assert capacity <= prompt.capacity
        self.prompt_ids = prompt.prompt_ids
        self.block_length = prompt.block_length
        self.mask_token_id = prompt.mask_token_id
        self.capacity = capacity
        self.passes = 0
        self.pin(pinned or {})
        self._stop_ids = sorted(stop_ids)
        self._prompt, self._cancel = prompt, cancel
        self._chooser = chooser or TokenChooser()
        self._with_entropies = with_entropies
        self._fused_masks: dict[int, torch.Tensor] = {}
        self._step = step
        self._rotary, self._cache = prompt.rotary, prompt.cache
        if step is not None:
            step.begin(prompt)
            self._rotary, self._cache = step.rotary, step.cache

    @property
    def runs_ahead(self) -> bool:
        """Whether a block can be under way before the one before is known: see enqueue."""
        return self._step is not None and self._chooser.is_greedy and not self._with_entropies

    def begin_ahead(self) -> None:
        """Lay out what is fixed, before the first block is enqueued."""
        assert self._step is not None
        self._step.lay_out(self.fixed, self._last_pinned)

    def enqueue(self, start: int, unstored: int) -> None:
        """One pass that fills the block at start, greedily; waits for none. See OneShapeStep."""
        assert self._step is not None
        self._begin_pass()
        self._step.enqueue(start, unstored)

    def read(self) -> Block:
        """Wait for the oldest block that was enqueued and not yet read."""
        assert self._step is not None
        return self._step.read()

    def pin(self, pinned: Mapping[int, int]) -> None:
        """Fix these tokens of the answer, and no others, from the next pass on."""
        self.pinned = pinned
        answer = {len(self.prompt_ids) + at: token for at, token in pinned.items()}
        self.fixed = dict(enumerate(self.prompt_ids)) | answer
        self._last_pinned = max(answer, default=-1)

    def run_pass(
        self,
        ids: list[int],
        start: int,
        keep: int,
        *,
        fused: bool = False,
        choose: ChooseTokens | None = None,
    ) -> Block:
        """Feed ids at start, storing their K/V; the choice at the last ``keep`` rows.

        Every row attends to the cache before start and to all rows fed; with fused, to its own
        block and those before only. The mask token is never chosen: nothing else would stop
        the argmax from leaving a hole. Nor is a stop id before the last pinned token.
        choose: instead of the session's chooser, unless it returns None.
        """
        logits = self._forward(ids, start, keep, fused)
        if keep == 0:
            return Block([], [])
        end = start + len(ids)
        return self._choose_at(logits, range(end - keep, end), choose)

    def _choose_at(
        self, logits: torch.Tensor, places: Sequence[int], choose: ChooseTokens | None
    ) -> Block:
        """places: absolute positions of the rows, rising."""
        if (before := bisect_left(places, self._last_pinned)) > 0:
            logits[:before, self._stop_ids] = float("-inf")
        return choose_tokens(logits, choose, self._chooser, self._with_entropies)

    def run_scattered(self, ids: Sequence[int], places: Sequence[int], end: int) -> Block:
        """As run_pass, of tokens at any positions; each attends to what is stored up to end."""
        self._begin_pass()
        decoder = self._prompt.decoder
        at = torch.tensor(places, device=decoder.device)
        embeddings = decoder.embed(torch.tensor(ids, device=decoder.device))
        hidden = decoder.run(
            embeddings, self._rotary, self._cache, 0, None, len(ids), Places(at, end, at)
        )
        return self._choose_at(self._logits(hidden), places, None)

    def run_with_prompt(self, ids: Sequence[int]) -> Block:
        """As run_pass, of the whole answer behind the prompt, which is computed anew."""
        self._begin_pass()
        decoder, start = self._prompt.decoder, len(self.prompt_ids)
        answer = decoder.embed(torch.tensor(ids, device=decoder.device))
        embeddings = torch.cat([self._prompt.embeddings, answer])
        rows = len(embeddings)
        mask = decoder.fold_mask(block_causal_mask(rows, self.block_length))
        hidden = decoder.run(embeddings, self._rotary, self._cache, 0, mask, len(ids))
        return self._choose_at(self._logits(hidden), range(start, rows), None)

    def check_answer(self, ids: Sequence[int]) -> list[float]:
        """Of each token of an answer, its probability over that of the likeliest one there.

        One pass over the whole answer, for a causal prompt (all but its last token stored).
        """
        assert self.block_length == 1
        fed = [self.prompt_ids[-1], *ids[:-1]]
        logits = self._forward(fed, len(self.prompt_ids) - 1, len(ids), fused=True)
        given = torch.tensor(ids, device=logits.device)[:, None]
        return (logits.gather(-1, given)[:, 0] - logits.amax(dim=-1)).exp().tolist()

    def _forward(self, ids: list[int], start: int, keep: int, fused: bool) -> torch.Tensor:
        """One pass: logits [keep, vocabulary] float32, the mask token's at -inf."""
        self._begin_pass()
        if self._step is not None and self._has_one_shape(len(ids), start, fused):
            return self._step.run(ids, start)[self.block_length - keep :]
        decoder = self._prompt.decoder
        embeddings = decoder.embed(torch.tensor(ids, device=decoder.device))
        mask = self._fused_mask_for(len(ids), start + len(ids)) if fused else None
        hidden = decoder.run(embeddings, self._rotary, self._cache, start, mask, keep)
        return self._logits(hidden) if keep else hidden

    def _has_one_shape(self, rows: int, start: int, fused: bool) -> bool:
        """One block, or two of which the first can't see the second."""
        length = self.block_length
        return start % length == 0 and (rows == length or (rows == 2 * length and fused))

    def _begin_pass(self) -> None:
        raise_if_cancelled(self._cancel)
        self.passes += 1

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = self._prompt.decoder.logits(hidden)
        logits[:, self.mask_token_id] = float("-inf")
        return logits

    def _fused_mask_for(self, rows: int, end: int) -> torch.Tensor:
        """Folded [group * rows, end]: block-causal among the rows fed.

        One mask serves every block, because only its last columns differ from "all": the
        slice ends where the block does.
        """
        if rows not in self._fused_masks:
            mask = block_causal_mask(rows, self.block_length)
            self._fused_masks[rows] = self._prompt.decoder.fold_mask(mask, before=self.capacity)
        return self._fused_masks[rows][:, self.capacity + rows - end :]
