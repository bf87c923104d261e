"""Stage I: autoregressive training on normalised reports (ECHO, arXiv 2604.09450)."""

from __future__ import annotations

import torch

from inference.decoding.attention_masks import causal_mask
from inference.training.forward import masked_cross_entropy
from inference.training.stage_setup import StageSetup

_SEED = 2


def pretrain_ar(setup: StageSetup) -> None:
    """The vision tower goes on learning, slower, unless it is frozen."""
    schedule = setup.config.schedule
    features = setup.features()

    def loss_of(number: int) -> torch.Tensor:
        draw = setup.pairs.draw(number, schedule.batch, _SEED + schedule.seed)
        forward = setup.forwards[draw.kind]
        answers, supervised, _ = setup.pairs.answers(draw)
        mask = causal_mask(forward.frame.length + answers.shape[1])
        with forward.precision():
            hidden = forward.hidden_states(features.of(draw, number), [answers], mask)
            logits = forward.logits(hidden[:, :-1])
        return masked_cross_entropy(logits, answers, supervised)

    scale = {"visual": schedule.vision_learning_rate_scale}
    setup.train(setup.modules(), loss_of, learning_rate_scale=scale)
