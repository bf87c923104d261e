"""Stage I: autoregressive training on normalised reports (ECHO, arXiv 2604.09450).

    python -m inference.training.pretrain_ar --films runs/films --out runs/v0

Starts from the warmed-up vision tower of the same folder; vision goes on learning, slower.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer

from inference.decoding.attention_masks import causal_mask
from inference.training.dataset import PhantomPairs, augment
from inference.training.embedded_config import build_model
from inference.training.forward import build_forwards, masked_cross_entropy
from inference.training.loop import (
    Schedule,
    TrainingRun,
    load_language,
    load_weights,
    save_weights,
    step_generator,
)
from inference.training.tokenizer import run_tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1.2e-3)
    parser.add_argument(
        "--start", type=Path,
        help="weights whose language model to go on from, with their tokenizer.json beside them",
    )  # fmt: skip
    options = parser.parse_args()
    tokenizer = run_tokenizer(options.out)
    pairs = PhantomPairs(options.films, tokenizer)
    model = build_model(tokenizer)
    load_weights(model, options.out / "vision.safetensors")
    if options.start is not None:
        old = Tokenizer.from_file(str(options.start.parent / "tokenizer.json"))
        shared = load_language(model, tokenizer, options.start, old)
        print(f"{options.start}: {shared} of {tokenizer.get_vocab_size()} tokens known", flush=True)
    forwards = build_forwards(model, tokenizer)
    run = TrainingRun(
        options.out, "ar",
        {"visual": model.model.visual, "text": model.model.language_model},
        Schedule(options.steps, options.learning_rate),
        learning_rate_scale={"visual": 0.35},
    )  # fmt: skip

    def loss_of(step: int) -> torch.Tensor:
        draw = pairs.draw(step, options.batch, seed=2)
        batch, forward = pairs.batch(draw), forwards[draw.language, draw.images]
        films = augment(batch.films, step_generator(2, step))
        length = forward.frame.length + batch.answers.shape[1]
        with torch.autocast("cpu", torch.bfloat16):
            features = forward.vision_features(films)
            hidden = forward.hidden_states(features, [batch.answers], causal_mask(length))
            logits = forward.logits(hidden[:, :-1])
        return masked_cross_entropy(logits, batch.answers, batch.supervised)

    run.train(loss_of)
    save_weights(model, options.out / "ar.safetensors")


if __name__ == "__main__":
    main()
