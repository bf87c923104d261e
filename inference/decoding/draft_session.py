"""One draft in progress: its prompt in the cache, its positions, its passes, its cancel token."""

from __future__ import annotations

from typing import NamedTuple

import torch

from inference.api import CancelToken
from inference.decoding.attention_masks import block_causal_mask
from inference.decoding.text_decoder import TextDecoder


class DecodingCancelled(Exception):
    """The cancel token was set; raised where the next forward pass would have begun."""


class Block(NamedTuple):
    """Tokens decided together, with the model's probability of each."""

    token_ids: list[int]
    confidences: list[float]


class DraftSession:
    """Every forward pass of one draft's language model goes through here.

    block_length is the attention's, 1 for causal (autoregressive) decoding. Positions are
    absolute: the prompt is [0, prompt_length), the answer follows.
    """

    def __init__(
        self,
        decoder: TextDecoder,
        prompt_ids: list[int],
        positions: torch.Tensor,
        block_length: int,
        mask_token_id: int,
        cancel: CancelToken,
    ) -> None:
        self.prompt_ids = prompt_ids
        self.block_length = block_length
        self.mask_token_id = mask_token_id
        self.passes = 0
        self.capacity = positions.shape[1]
        self._decoder = decoder
        self._cancel = cancel
        self._rotary = decoder.rotary_table(positions)
        self._cache = decoder.new_cache(self.capacity)
        self._fused_mask: torch.Tensor | None = None

    def prefill(self, embeddings: torch.Tensor, length: int) -> None:
        """Store the first ``length`` of the prompt's embeddings [prompt, hidden]."""
        self.check_cancelled()
        if length:
            mask = self._decoder.fold_mask(block_causal_mask(length, self.block_length))
            self._decoder.run(embeddings[:length], self._rotary, self._cache, 0, mask, keep=0)

    def run_pass(self, ids: list[int], start: int, keep: int, *, fused: bool = False) -> Block:
        """Feed ids at start, storing their K/V; the greedy choice at the last ``keep`` rows.

        Every row attends to the cache before start and to all rows fed; with fused, the first
        block_length rows don't see the rest. The mask token is never chosen: nothing else
        would stop the argmax from leaving a hole.
        """
        self.check_cancelled()
        self.passes += 1
        embeddings = self._decoder.embed(torch.tensor(ids, device=self._decoder.device))
        mask = self._fused_mask_for(start + len(ids)) if fused else None
        hidden = self._decoder.run(embeddings, self._rotary, self._cache, start, mask, keep)
        if keep == 0:
            return Block([], [])
        logits = self._decoder.logits(hidden)  # [keep, vocabulary] float32
        logits[:, self.mask_token_id] = float("-inf")
        best, choice = logits.max(dim=-1)
        confidences = (best - logits.logsumexp(dim=-1)).exp()
        return Block(choice.tolist(), confidences.tolist())

    def check_cancelled(self) -> None:
        if self._cancel.is_cancelled:
            raise DecodingCancelled

    def _fused_mask_for(self, end: int) -> torch.Tensor:
        """Folded [group * 2L, end]: the first L rows don't see the last L columns.

        One mask serves every block, because only its last columns differ from "all": the
        slice ends where the block does.
        """
        length, width = self.block_length, self.capacity + self.block_length
        if self._fused_mask is None:
            mask = torch.ones(2 * length, width, dtype=torch.bool)
            mask[:length, self.capacity :] = False
            self._fused_mask = self._decoder.fold_mask(mask)
        return self._fused_mask[:, width - end :]
