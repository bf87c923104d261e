"""Stage II, Response-Asymmetric Diffusion: from autoregressive to block diffusion.

    python -m inference.training.adapt_rad --films runs/films --out runs/v0

Layout [context | noisy answer(s) | clean answer]; only the answer is copied. Decided here, where
the paper is silent: blocks are anchored at absolute 0 with the prompt padded to whole blocks
(training equals inference); the masking rate is uniform in [0.05, 1] per block and the loss is
plain cross-entropy on masked positions (the prototype's choice over 1/p weights); a quarter of
the blocks is fully masked, since decoding always begins there; two independently noised copies
share one clean copy and one context, which costs a third less than two passes. The tower is
frozen, so its features are computed once per film.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from inference.training.dataset import PhantomPairs
from inference.training.embedded_config import BLOCK_LENGTH, build_model
from inference.training.feature_cache import cached_features
from inference.training.forward import ReportForward, build_forwards, masked_cross_entropy
from inference.training.loop import (
    Schedule,
    TrainingRun,
    load_weights,
    save_weights,
    step_generator,
)
from inference.training.rad_layout import mask_blocks, multi_copy_rad_mask
from inference.training.tokenizer import run_tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    options = parser.parse_args()
    tokenizer = run_tokenizer(options.out)
    pairs = PhantomPairs(options.films, tokenizer)
    model = build_model(tokenizer)
    load_weights(model, options.out / "ar.safetensors")
    forwards = build_forwards(model, tokenizer)
    features = cached_features(forwards["en", 1], pairs, options.out / "features.safetensors")
    run = TrainingRun(
        options.out, "rad", {"text": model.model.language_model},
        Schedule(options.steps, options.learning_rate),
    )  # fmt: skip

    def loss_of(step: int) -> torch.Tensor:
        draw = pairs.draw(step, options.batch, seed=3)
        answers, supervised = pairs.answers(draw)
        return rad_loss(
            forwards[draw.language, draw.images], features.of(draw.indices, draw.images),
            answers, supervised, options.copies, step_generator(3, step),
        )  # fmt: skip

    run.train(loss_of)
    save_weights(model, options.out / "rad.safetensors")


def rad_loss(
    forward: ReportForward, features: torch.Tensor, answers: torch.Tensor,
    supervised: torch.Tensor, copies: int, generator: torch.Generator,
) -> torch.Tensor:  # fmt: skip
    """Cross-entropy on the masked positions of all noisy copies (RAD)."""
    mask_id = int(forward.model.config.mask_token_id)
    noised = [mask_blocks(answers.shape, BLOCK_LENGTH, generator) for _ in range(copies)]
    noisy = [answers.masked_fill(masked, mask_id) for masked in noised]
    allowed = multi_copy_rad_mask(forward.frame.length, answers.shape[1], BLOCK_LENGTH, copies)
    with torch.autocast("cpu", torch.bfloat16):
        hidden = forward.hidden_states(features, [*noisy, answers], allowed)
        logits = forward.logits(hidden[:, 1 : 1 + copies * answers.shape[1]])
    chosen = torch.cat([masked & supervised for masked in noised], dim=1)
    return masked_cross_entropy(logits, answers.repeat(1, copies), chosen)


if __name__ == "__main__":
    main()
