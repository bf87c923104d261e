"""Stage II, Response-Asymmetric Diffusion: from autoregressive to block diffusion.

Layout [context | noisy answer(s) | clean answer]; only the answer is copied, and noisy copies
share one clean copy and one context. What the paper leaves open is decided in README.md.
"""

from __future__ import annotations

import torch

from inference.training.config import RadConfig
from inference.training.forward import ReportForward, masked_cross_entropy
from inference.training.loop import step_generator
from inference.training.rad_layout import mask_blocks, multi_copy_rad_mask
from inference.training.stage_setup import StageSetup

_SEED = 3


def adapt_rad(setup: StageSetup) -> None:
    schedule = setup.config.schedule
    features = setup.features()

    def loss_of(number: int) -> torch.Tensor:
        draw = setup.pairs.draw(number, schedule.batch, _SEED + schedule.seed)
        return rad_loss(
            setup.forwards[draw.kind], features.of(draw, number), *setup.pairs.answers(draw),
            setup.config.rad, step_generator(_SEED + schedule.seed, number),
        )  # fmt: skip

    setup.train(setup.modules(), loss_of)


def rad_loss(
    forward: ReportForward, features: torch.Tensor, answers: torch.Tensor,
    supervised: torch.Tensor, rad: RadConfig, generator: torch.Generator,
) -> torch.Tensor:  # fmt: skip
    """Cross-entropy on the masked positions of all noisy copies (RAD)."""
    block, copies, length = forward.frame.block_length, rad.copies, answers.shape[1]
    noised = [mask_blocks(answers.shape, block, generator, rad.noise) for _ in range(copies)]
    noisy = [answers.masked_fill(masked, forward.mask_id) for masked in noised]
    allowed = multi_copy_rad_mask(forward.frame.length, length, block, copies)
    with forward.precision():
        hidden = forward.hidden_states(features, [*noisy, answers], allowed)
        logits = forward.logits(hidden[:, 1 : 1 + copies * length])
    chosen = torch.cat([masked & supervised for masked in noised], dim=1)
    return masked_cross_entropy(logits, answers.repeat(1, copies), chosen)
