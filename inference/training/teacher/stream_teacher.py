"""Stage III in streams: the teacher drafts all parts of many reports at once (region_layout)."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer

from inference.decoding.attention_masks import part_mask
from inference.prompts import END_OF_TEXT
from inference.report_parts import IMPRESSION, PARTS
from inference.report_rules.report_check import CanonicalPartCheck
from inference.report_rules.report_conflicts import ReportSoFar
from inference.training.config import TeacherConfig
from inference.training.forward import ReportForward
from inference.training.teacher.batched_teacher import DraftingTeacher, Trajectories
from inference.training.teacher.block_deciders import (
    DecidedBlocks,
    Draft,
    decide_by_mending,
    decide_in_steps,
)
from inference.training.tokenizer import special_id

_IMPRESSION = PARTS.index(IMPRESSION)
_NAME = -1  # the number of the block before the first
_FILLING = -1


class _Stream:
    """One part of one study's draft: its tokens in whole blocks, and what was known of them."""

    def __init__(self, part: int) -> None:
        self.part, self.is_open = part, True
        self.draft = Draft([])
        self.blocks: list[DecidedBlocks] = []  # of one block each


class StreamTeacher(DraftingTeacher):
    """Decoding by regions of many studies of one kind at once.

    Streams of different studies end at different rounds: what a round lacks is filling, which sees
    the prompt alone and is never seen. max_blocks: of a stream.
    """

    def __init__(
        self, forward: ReportForward, stop_ids: tuple[int, ...], settings: TeacherConfig,
        tokenizer: Tokenizer,
    ) -> None:  # fmt: skip
        super().__init__(forward, stop_ids, settings)
        self._tokenizer = tokenizer
        self._filler = special_id(tokenizer, END_OF_TEXT)

    def _draft(self, features: torch.Tensor) -> Trajectories:
        count, device = features.shape[0], self._forward.device
        self._cache = self._prefill(features)
        self._columns = torch.zeros(count, 0, 2, dtype=torch.long, device=device)
        self._passes = 0
        regions = [[_Stream(part) for part in range(_IMPRESSION)] for _ in range(count)]
        self._run_streams(regions)
        impressions = [[_Stream(_IMPRESSION)] for _ in range(count)]
        for own, findings in zip(impressions, regions, strict=True):
            own[0].draft = Draft([], self._check(_IMPRESSION, self._said(findings)))
        self._run_streams(impressions)
        whole = [own + last for own, last in zip(regions, impressions, strict=True)]
        return self._collect(whole)

    def _run_streams(self, streams: list[list[_Stream]]) -> None:
        """All the same parts in every study: name them, then draft them to their ends."""
        parts = torch.tensor([stream.part for stream in streams[0]], device=self._columns.device)
        names = torch.tensor(self._forward.frame.name_ids, device=parts.device)[parts]
        rows = torch.stack([parts, torch.full_like(parts, _NAME)], dim=-1)
        shape = (len(streams), -1)
        self._pass(names.expand(shape), rows.expand(*shape, 2), store=True)
        for own in streams:
            for stream in own:
                if stream.draft.check is None:
                    stream.draft = Draft([], self._check(stream.part, ReportSoFar()))
        for number in range(self._settings.max_blocks):
            still_open = [[stream for stream in own if stream.is_open] for own in streams]
            width = max(map(len, still_open))
            if not width:
                break
            self._run_round(still_open, width, number)

    def _run_round(self, streams: list[list[_Stream]], width: int, number: int) -> None:
        """Decide the open block of each stream, and store it."""
        length, mask_id = self._block_length, self._forward.mask_id
        slots: list[_Stream | None] = [
            own[place] if place < len(own) else None for own in streams for place in range(width)
        ]
        parts = torch.tensor(
            [_FILLING if stream is None else stream.part for stream in slots],
            device=self._columns.device,
        )
        rows = torch.stack([parts, torch.full_like(parts, number)], dim=-1)
        rows = rows.view(len(streams), width, 2).repeat_interleave(length, dim=1)

        def query(ids: torch.Tensor) -> torch.Tensor:
            logits = self._pass(ids.view(len(streams), -1), rows, store=False)
            return logits.view(len(slots), length, -1)

        if self._settings.mends:
            drafts = [None if stream is None else stream.draft for stream in slots]
            decided = decide_by_mending(
                query, drafts, mask_id, length, self._stops, self._settings, parts.device
            )
        else:
            decided = decide_in_steps(query, parts >= 0, mask_id, length, self._settings)
        self._passes += decided.passes
        stored = torch.full((len(slots), length), self._filler, device=parts.device)
        for slot, stream in enumerate(slots):
            if stream is not None:
                ids, steps, top_ids, top_p, _ = decided
                own = (ids[slot], steps[slot], top_ids[slot], top_p[slot])
                block = self._close(DecidedBlocks(*own, passes=0))
                stream.is_open = self._stops.isdisjoint(block.ids.tolist())
                stream.draft.answer.extend(block.ids.tolist())
                stream.blocks.append(block)
                stored[slot] = block.ids
        self._pass(stored.view(len(streams), -1), rows, store=True)

    def _close(self, block: DecidedBlocks) -> DecidedBlocks:
        """With filling behind its stop, of which nothing else was known."""
        ids = block.ids.tolist()
        stop = next((at for at, token in enumerate(ids) if token in self._stops), len(ids))
        block.ids[stop + 1 :] = self._filler
        block.steps[stop + 1 :] = 1
        block.top_ids[stop + 1 :], block.top_probabilities[stop + 1 :] = self._filler, 0.0
        block.top_probabilities[stop + 1 :, 0] = 1.0
        return block

    def _pass(self, ids: torch.Tensor, rows: torch.Tensor, store: bool) -> torch.Tensor:
        """Logits [B, n, V] of ids [B, n] behind the cache; rows [B, n, 2]: part and number."""
        self._cache.storing = store
        start, length = self._forward.frame.length, self._block_length
        columns = torch.cat([self._columns, rows], dim=1)
        mask = torch.ones(*ids.shape, start + columns.shape[1], dtype=torch.bool, device=ids.device)
        mask[..., start:] = part_mask(*rows.unbind(-1), *columns.unbind(-1))
        place = torch.arange(ids.shape[1], device=ids.device) % length
        offsets = torch.where(rows[..., 1] == _NAME, 0, 1 + rows[..., 1] * length + place)
        positions = self._forward.answer_positions(offsets)
        language_model = self._forward.model.model.language_model
        with self._forward.precision():
            hidden = language_model(
                inputs_embeds=language_model.embed_tokens(ids),
                position_ids=positions,
                attention_mask={"full_attention": mask[:, None]},
                past_key_values=self._cache,
                use_cache=True,
            ).last_hidden_state
            logits = self._forward.logits(hidden).float()
        if store:
            self._columns = columns
        logits[..., self._forward.mask_id] = -torch.inf
        return logits

    def _check(self, part: int, said: ReportSoFar) -> CanonicalPartCheck | None:
        if not self._settings.mends:
            return None
        language = self._forward.frame.kind.language
        return CanonicalPartCheck(self._tokenizer, language, self._stops, PARTS[part], said)

    def _said(self, findings: list[_Stream]) -> ReportSoFar:
        said = ReportSoFar()
        for stream in findings:
            said = said.with_text(self._tokenizer.decode(stream.draft.answer))
        return said.with_heading()

    def _collect(self, studies: list[list[_Stream]]) -> Trajectories:
        """Parts in order; a study in which a stream didn't end has no stop at all, so that it is
        dropped.
        """
        length, top = self._block_length, self._settings.top
        blocks = max(sum(len(stream.blocks) for stream in own) for own in studies)
        shape = (len(studies), blocks * length)
        tokens = torch.full(shape, -1, dtype=torch.int32)
        steps = torch.zeros(shape, dtype=torch.uint8)
        top_ids = torch.zeros((*shape, top), dtype=torch.int32)
        top_p = torch.zeros((*shape, top), dtype=torch.float16)
        parts = torch.full((len(studies), blocks), _FILLING, dtype=torch.int8)
        for row, own in enumerate(studies):
            if any(stream.is_open for stream in own):
                continue
            laid = [(stream.part, block) for stream in own for block in stream.blocks]
            for at, (part, block) in enumerate(laid):
                place = slice(at * length, (at + 1) * length)
                tokens[row, place], steps[row, place] = block.ids.int(), block.steps
                top_ids[row, place], top_p[row, place] = block.top_ids, block.top_probabilities
                parts[row, at] = part
        return Trajectories(tokens, steps, top_ids, top_p, self._passes, parts)
