"""Trajectories of drafts in one sequence, laid out by the parts of the report. Their texts only:
what was known at each position was known behind all that stood before it, and no stream sees that.
"""

from __future__ import annotations

import torch
from tokenizers import Tokenizer

from inference.report_parts import split_report
from inference.training.layouts.region_layout import region_answer
from inference.training.teacher.collect_trajectories import read_kind


def lay_out_by_regions(
    drafts: dict[str, torch.Tensor], tokenizer: Tokenizer, block_length: int
) -> dict[str, torch.Tensor]:
    """drafts: of load_trajectories. As there, with the blocks' "parts" [N, R / block length].

    The distributions are the tokens alone, and every step is the first.
    """
    answers = [
        region_answer(
            tokenizer,
            split_report(tokenizer.decode([t for t in tokens if t >= 0]), read_kind(kind).language),
            block_length,
        )
        for tokens, kind in zip(drafts["tokens"].tolist(), drafts["kinds"], strict=True)
    ]
    width = max(len(answer.ids) for answer in answers)
    tokens = torch.full((len(answers), width), -1, dtype=torch.int32)
    parts = torch.full((len(answers), width // block_length), -1, dtype=torch.int8)
    for row, answer in enumerate(answers):
        tokens[row, : len(answer.ids)] = torch.tensor(answer.ids, dtype=torch.int32)
        parts[row, : len(answer.parts)] = torch.tensor(answer.parts, dtype=torch.int8)
    return {
        "indices": drafts["indices"],
        "kinds": drafts["kinds"],
        "tokens": tokens,
        "parts": parts,
        "steps": (tokens >= 0).to(torch.uint8),
        "top_ids": tokens.clamp_min(0)[..., None],
        "top_probabilities": (tokens >= 0).to(torch.float16)[..., None],
    }
