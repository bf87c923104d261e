"""A prompt in the cache: all that drafts on the same study need of vision tower and prefill."""

from __future__ import annotations

import torch

from inference.decoding.attention_masks import block_causal_mask
from inference.decoding.text_decoder import TextDecoder


class PromptState:
    """Serves one draft at a time: a draft writes its answer's K/V behind the prompt's.

    block_length is the attention's, 1 for causal (autoregressive) decoding. positions:
    [3, capacity] mRoPE positions of prompt and answer. What an earlier draft left behind the
    prompt is never read: every pass overwrites a position before it attends to it.
    """

    def __init__(
        self,
        decoder: TextDecoder,
        prompt_ids: list[int],
        positions: torch.Tensor,
        block_length: int,
        mask_token_id: int,
    ) -> None:
        self.decoder = decoder
        self.prompt_ids = prompt_ids
        self.block_length = block_length
        self.mask_token_id = mask_token_id
        self.capacity = positions.shape[1]
        self.rotary = decoder.rotary_table(positions)
        self.cache = decoder.new_cache(self.capacity)

    def prefill(self, embeddings: torch.Tensor, length: int) -> None:
        """Store the first ``length`` of the prompt's embeddings [prompt, hidden]; keep them all."""
        self.embeddings = embeddings
        if length:
            mask = self.decoder.fold_mask(block_causal_mask(length, self.block_length))
            self.decoder.run(embeddings[:length], self.rotary, self.cache, 0, mask, keep=0)
