"""Stage III: the frozen multi-step teacher writes many drafts at once, and what it knew is kept.

Per block all masked positions are queried; those with confidence >= threshold are committed (the
best one if none), each with its argmax, and the teacher's distribution at the step of commitment
is kept (its largest entries). The next block goes on from the committed tokens: the teacher's own
text, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from inference.decoding.attention_masks import block_causal_mask
from inference.training.config import TeacherConfig
from inference.training.forward import ReportForward


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


class BatchedTeacher:
    """Multi-step decoding of many studies of one kind at once, so that nothing is padded."""

    def __init__(
        self, forward: ReportForward, stop_ids: tuple[int, ...], settings: TeacherConfig
    ) -> None:
        self._forward, self._settings = forward, settings
        self._stop_ids = torch.tensor(stop_ids, device=forward.device)
        self._block_length = forward.frame.block_length

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
        count = features.shape[0]
        cache = self._prefill(features)
        finished = torch.zeros(count, dtype=torch.bool, device=self._forward.device)
        blocks: list[tuple[torch.Tensor, ...]] = []
        passes = 0
        for _ in range(self._settings.max_blocks):
            ids, *recorded, used_passes = self._draft_block(cache, finished)
            passes += used_passes
            tokens = torch.where(finished[:, None], -1, ids)
            blocks.append(tuple(part.cpu() for part in (tokens.int(), *recorded)))
            finished |= torch.isin(ids, self._stop_ids).any(1)
            if finished.all():
                break
            self._pass(cache, ids, store=True)
        tokens, steps, top_ids, top_p = (
            torch.cat(part, dim=1) for part in zip(*blocks, strict=True)
        )
        return Trajectories(tokens, steps, top_ids, top_p, passes)

    def _draft_block(
        self, cache: PrefixCache, finished: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int]:
        """(ids, steps [B, L], top ids, top probabilities [B, L, top], passes) of one block."""
        shape, top = (len(finished), self._block_length), self._settings.top
        device, mask_id = self._forward.device, self._forward.mask_id
        ids = torch.full(shape, mask_id, device=device)
        steps = torch.zeros(shape, dtype=torch.uint8, device=device)
        top_ids = torch.zeros((*shape, top), dtype=torch.int32, device=device)
        top_p = torch.zeros((*shape, top), dtype=torch.float16, device=device)
        passes = 0
        for step in range(1, self._settings.max_steps + 1):
            masked = (ids == mask_id) & ~finished[:, None]
            if not masked.any():
                break
            passes += 1
            probabilities = self._pass(cache, ids, store=False).softmax(-1)
            confidence, best = probabilities.max(-1)
            commit = self._choose(confidence.masked_fill(~masked, -1.0), masked, step)
            values, indices = probabilities.topk(top, dim=-1)
            ids = torch.where(commit, best, ids)
            steps[commit] = step
            top_ids[commit] = indices[commit].int()
            top_p[commit] = values[commit].to(torch.float16)
        ids = ids.masked_fill(ids == mask_id, int(self._stop_ids[0]))  # of finished drafts only
        return ids, steps, top_ids, top_p, passes

    def _choose(self, confidence: torch.Tensor, masked: torch.Tensor, step: int) -> torch.Tensor:
        """[B, L] bool: what is committed now. All that is left at the last step."""
        if step == self._settings.max_steps:
            return masked
        commit = masked & (confidence >= self._settings.threshold)
        surest = torch.zeros_like(commit)
        surest.scatter_(1, confidence.argmax(1, keepdim=True), value=True)
        return commit | (surest & masked & ~commit.any(1, keepdim=True))

    def _prefill(self, features: torch.Tensor) -> PrefixCache:
        cache = PrefixCache()
        mask = block_causal_mask(self._forward.frame.length, self._block_length)
        with self._forward.precision():
            self._forward.prefill(features, cache, mask)
        return cache
