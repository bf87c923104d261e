"""Stage II, Response-Asymmetric Diffusion: from autoregressive to block diffusion.

Layout [context | noisy answer(s) | clean answer]; only the answer is copied, and noisy copies
share one clean copy and one context. What the paper leaves open is decided in README.md.
"""

from __future__ import annotations

import torch

from inference.prompts import IMPRESSION_HEADINGS
from inference.report_parts import IMPRESSION
from inference.training.config import RadConfig
from inference.training.data.pairs import Answers, impression_positions
from inference.training.forward import ReportForward, masked_cross_entropy
from inference.training.layouts.rad_layout import mask_blocks
from inference.training.layouts.region_layout import answer_mask
from inference.training.loop import step_generator
from inference.training.stage_setup import StageSetup

_SEED = 3


def adapt_rad(setup: StageSetup) -> None:
    schedule, rad = setup.config.schedule, setup.config.rad
    features = setup.features()
    tokenizer = setup.start.tokenizer
    headings = [
        tokenizer.encode(f" {heading}", add_special_tokens=False).ids
        for heading in IMPRESSION_HEADINGS
    ]

    def loss_of(number: int) -> torch.Tensor:
        draw = setup.pairs.draw(number, schedule.batch, _SEED + schedule.seed)
        seen, answers = features.of(draw, number), setup.pairs.answers(draw)
        if rad.swapped_share:
            seen, answers = swap_films(seen, answers, rad.swapped_share, headings)
        return rad_loss(
            setup.forwards[draw.kind], seen, answers, rad,
            step_generator(_SEED + schedule.seed, number),
        )  # fmt: skip

    setup.train(setup.modules(), loss_of)


def swap_films(
    features: torch.Tensor, answers: Answers, share: float, headings: list[list[int]]
) -> tuple[torch.Tensor, Answers]:
    """The same with that share of the rows, every k-th one, changed: another row's film, and only
    the impression asked. A batch of one stays as it is.

    features [B, image tokens, hidden]; headings: as for impression_positions.
    """
    count = len(answers.ids)
    rows = torch.arange(count)[torch.arange(count) * share % 1 >= 1 - share]
    if answers.layout is None:
        concludes = impression_positions(answers.ids, headings)
    else:
        block = answers.ids.shape[1] // answers.layout.parts.shape[1]
        concludes = answers.layout.is_part(IMPRESSION, block)
    asked = answers.supervised & concludes
    rows = rows[asked[rows].any(1)]
    if count < 2 or not len(rows):
        return features, answers
    features, supervised = features.clone(), answers.supervised.clone()
    features[rows] = features[(rows + 1) % count]
    supervised[rows] = asked[rows]
    return features, answers._replace(supervised=supervised)


def rad_loss(
    forward: ReportForward, features: torch.Tensor, answers: Answers, rad: RadConfig,
    generator: torch.Generator,
) -> torch.Tensor:  # fmt: skip
    """Cross-entropy on the masked positions of all noisy copies (RAD)."""
    ids, supervised, layout = answers
    block, copies, length = forward.frame.block_length, rad.copies, ids.shape[1]
    noised = [mask_blocks(ids.shape, block, generator, rad.noise) for _ in range(copies)]
    noisy = [ids.masked_fill(masked, forward.mask_id) for masked in noised]
    allowed = answer_mask(forward.frame.length, length, block, copies, layout)
    with forward.precision():
        hidden = forward.hidden_states(features, [*noisy, ids], allowed, layout)
        logits = forward.logits(hidden[:, 1 : 1 + copies * length])
    chosen = torch.cat([masked & supervised for masked in noised], dim=1)
    return masked_cross_entropy(logits, ids.repeat(1, copies), chosen)
