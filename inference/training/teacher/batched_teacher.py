"""Stage III: the frozen teacher writes many drafts at once, and what it knew is kept.

The next block goes on from the committed tokens: the teacher's own text, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from inference.decoding.attention_masks import block_causal_mask
from inference.report_rules.report_check import CanonicalReportCheck
from inference.training.config import TeacherConfig
from inference.training.forward import ReportForward
from inference.training.teacher.block_deciders import (
    DecidedBlocks,
    Draft,
    decide_by_mending,
    decide_in_steps,
)


class PrefixCache:
    """Keys and values of a batch's common prefix; a pass adds to it only while storing."""

    def __init__(self) -> None:
        self.storing = True
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if layer in self._layers:
            old_keys, old_values = self._layers[layer]
            keys = torch.cat([old_keys, keys], dim=2)
            values = torch.cat([old_values, values], dim=2)
        if self.storing:
            self._layers[layer] = (keys, values)
        return keys, values

    def get_seq_length(self, layer: int = 0) -> int:
        return self._layers[layer][0].shape[2] if layer in self._layers else 0


@dataclass(frozen=True, eq=False)
class Trajectories:
    """N teacher drafts of R positions. steps: 1-based commit step within the block, 0 = unused."""

    tokens: torch.Tensor  # [N, R] int32
    steps: torch.Tensor  # [N, R] uint8
    top_ids: torch.Tensor  # [N, R, top] int32
    top_probabilities: torch.Tensor  # [N, R, top] float16
    passes: int  # denoising passes, summed over blocks, of the whole batch
    parts: torch.Tensor | None = None  # [N, R / L] int8 of each block, where drafts are streams


class DraftingTeacher:
    """What teachers share, however their drafts are laid out."""

    def __init__(
        self, forward: ReportForward, stop_ids: tuple[int, ...], settings: TeacherConfig
    ) -> None:
        self._forward, self._settings = forward, settings
        self._stops = frozenset(stop_ids)
        self._block_length = forward.frame.block_length

    @torch.inference_mode()
    def draft(self, features: torch.Tensor) -> Trajectories:
        """features [B, tokens, hidden] to trajectories of at most max_blocks blocks."""
        model = self._forward.model
        was_training = model.training
        model.eval()  # in training, gradient checkpointing would silently drop the cache
        try:
            return self._draft(features)
        finally:
            model.train(was_training)

    def _draft(self, features: torch.Tensor) -> Trajectories:
        raise NotImplementedError

    def _prefill(self, features: torch.Tensor) -> PrefixCache:
        cache = PrefixCache()
        mask = block_causal_mask(self._forward.frame.length, self._block_length)
        with self._forward.precision():
            self._forward.prefill(features, cache, mask)
        return cache


class BatchedTeacher(DraftingTeacher):
    """Decoding of many studies of one kind at once, so that nothing is padded.

    tokenizer: needed where settings.mends.
    """

    def __init__(
        self, forward: ReportForward, stop_ids: tuple[int, ...], settings: TeacherConfig,
        tokenizer: Tokenizer | None = None,
    ) -> None:  # fmt: skip
        super().__init__(forward, stop_ids, settings)
        self._tokenizer = tokenizer
        self._stop_ids = torch.tensor(stop_ids, device=forward.device)

    def _pass(self, cache: PrefixCache, ids: torch.Tensor, store: bool) -> torch.Tensor:
        """Logits [B, L, V] of one block after the cached prefix."""
        cache.storing = store
        start = cache.get_seq_length()
        language_model = self._forward.model.model.language_model
        positions = self._forward.positions(start, ids.shape[1])
        # a whole block sees all before it; a mask of None would mean "causal" to transformers
        everything = torch.ones(1, 1, ids.shape[1], start + ids.shape[1], dtype=torch.bool)
        with self._forward.precision():
            hidden = language_model(
                inputs_embeds=language_model.embed_tokens(ids),
                position_ids=positions[:, None].expand(-1, ids.shape[0], -1),
                attention_mask={"full_attention": everything.to(ids.device)},
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state
            logits = self._forward.logits(hidden).float()
        logits[..., self._forward.mask_id] = -torch.inf
        return logits

    def _draft(self, features: torch.Tensor) -> Trajectories:
        count = features.shape[0]
        cache = self._prefill(features)
        drafts = [Draft([], self._check()) for _ in range(count)]
        finished = torch.zeros(count, dtype=torch.bool, device=self._forward.device)
        blocks: list[tuple[torch.Tensor, ...]] = []
        passes = 0
        for _ in range(self._settings.max_blocks):
            decided = self._decide(cache, drafts, finished)
            passes += decided.passes
            ids = decided.ids
            # Of finished drafts only: a mask is no token.
            ids = ids.masked_fill(ids == self._forward.mask_id, int(self._stop_ids[0]))
            tokens = torch.where(finished[:, None], -1, ids).int()
            blocks.append(tuple(part.cpu() for part in (tokens, *decided[1:4])))
            finished |= torch.isin(ids, self._stop_ids).any(1)
            if finished.all():
                break
            for draft, own in zip(drafts, ids.tolist(), strict=True):
                draft.answer.extend(own)
            self._pass(cache, ids, store=True)
        tokens, steps, top_ids, top_p = (
            torch.cat(part, dim=1) for part in zip(*blocks, strict=True)
        )
        return Trajectories(tokens, steps, top_ids, top_p, passes)

    def _decide(
        self, cache: PrefixCache, drafts: list[Draft], finished: torch.Tensor
    ) -> DecidedBlocks:
        mask_id, length = self._forward.mask_id, self._block_length

        def query(ids: torch.Tensor) -> torch.Tensor:
            return self._pass(cache, ids, store=False)

        if not self._settings.mends:
            return decide_in_steps(query, ~finished, mask_id, length, self._settings)
        still_open = [
            None if is_done else draft
            for draft, is_done in zip(drafts, finished.tolist(), strict=True)
        ]
        return decide_by_mending(
            query, still_open, mask_id, length, self._stops, self._settings, finished.device
        )

    def _check(self) -> CanonicalReportCheck | None:
        if not self._settings.mends:
            return None
        assert self._tokenizer is not None
        return CanonicalReportCheck(self._tokenizer, self._forward.frame.kind.language, self._stops)
