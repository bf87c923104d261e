"""Stage III, after distillation: drafts of the student itself, looked at again where in doubt.

Where a film lies between two reports, the teacher's text is one of them by chance, and a student
that learns it mixes both in one pass. Adaptive decoding ends in the report that the student leans
to: no word of it is at odds with another, so that one pass can learn to say it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from inference.decoding.block_doubts import BlockDoubts, Look
from inference.decoding.open_block import Block, OpenBlock
from inference.report_check import CanonicalReportCheck
from inference.training.batched_teacher import BatchedTeacher, PrefixCache, Trajectories

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from inference.training.config import TeacherConfig
    from inference.training.forward import ReportForward


class MendingTeacher(BatchedTeacher):
    """Adaptive decoding of many studies of one kind at once, for models of canonical wording.

    Recorded of a position are the first look's distribution, where it stands, and else the token
    alone; its step is the look that decided it.
    """

    def __init__(
        self, forward: ReportForward, stop_ids: tuple[int, ...], settings: TeacherConfig,
        tokenizer: Tokenizer,
    ) -> None:  # fmt: skip
        super().__init__(forward, stop_ids, settings)
        self._tokenizer, self._stops = tokenizer, frozenset(stop_ids)

    def _draft(self, features: torch.Tensor) -> Trajectories:
        language, count = self._forward.frame.kind.language, features.shape[0]
        self._answers: list[list[int]] = [[] for _ in range(count)]
        self._checks = [
            CanonicalReportCheck(self._tokenizer, language, self._stops) for _ in range(count)
        ]
        return super()._draft(features)

    def _draft_block(
        self, cache: PrefixCache, finished: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int]:
        length, mask_id = self._block_length, self._forward.mask_id
        open_rows = [row for row, is_done in enumerate(finished.tolist()) if not is_done]
        canvas = torch.full((len(finished), length), mask_id, device=self._forward.device)
        probabilities = self._pass(cache, canvas, store=False).softmax(-1)
        values, indices = probabilities.topk(self._settings.top, dim=-1)
        top_ids, top_p = indices.int(), values.to(torch.float16)
        steps = torch.zeros(canvas.shape, dtype=torch.uint8, device=canvas.device)
        steps[open_rows] = 1
        doubts = {}
        for row in open_rows:
            block = OpenBlock(0, [mask_id] * length, mask_id, 0)
            first = Block(indices[row, :, 0].tolist(), values[row, :, 0].tolist())
            doubts[row] = BlockDoubts(block, first, self._settings.threshold, self._stops)
        passes = 1
        for look in range(2, self._settings.max_steps + 1):
            is_last = look == self._settings.max_steps
            looks = {
                row: again
                for row, doubt in doubts.items()
                if (again := doubt.choose(self._checks[row], self._answers[row], is_last))
            }
            if not looks:
                break
            passes += 1
            for row, again in looks.items():
                fed = [mask_id if token is None else token
                       for token in doubts[row].canvas(again.masked)]  # fmt: skip
                canvas[row] = torch.tensor(fed, device=canvas.device)
                steps[row, sorted(again.masked)] = look
            logits = self._pass(cache, canvas, store=False)
            for row, again in looks.items():
                doubts[row].take(_take_from(logits[row], again), again.masked)
        ids = torch.full_like(canvas, int(self._stop_ids[0]))
        for row, doubt in doubts.items():
            ids[row] = torch.tensor(doubt.token_ids, device=ids.device)
            self._answers[row] += doubt.token_ids
        decided = steps > 1
        top_ids[decided], top_p[decided] = ids[decided, None].int(), 0.0
        top_p[..., 0][decided] = 1.0
        return ids, steps, top_ids, top_p, passes


def _take_from(logits: torch.Tensor, look: Look) -> Block:
    """logits: [L, V] of one block's rows."""
    choice = look.choose(logits) if look.choose is not None else None
    if choice is None:
        choice = logits.argmax(-1)
    chosen = logits.softmax(-1).gather(-1, choice[:, None])[:, 0]
    return Block(choice.tolist(), chosen.tolist())
