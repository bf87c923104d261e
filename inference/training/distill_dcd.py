"""Stage III, second half: Direct Conditional Distillation into a one-step student.

    python -m inference.training.distill_dcd --films runs/films --out runs/v0

One pass over [context | all masks | RAD noise | teacher's text]. On the fully masked copy:
forward KL(teacher's recorded distribution ‖ student), weighted in proportion to the commit step,
cross-entropy on stop positions (the paper), and step-weighted cross-entropy on the committed
tokens (the prototype's hard labels, which trained faster). The second copy is plain RAD, so that
one set of weights can also refine (multi-step decoding).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from inference.prompts import END_OF_TEXT, IM_END
from inference.training.collect_trajectories import load_trajectories
from inference.training.dataset import PhantomPairs, PromptFrame
from inference.training.embedded_config import BLOCK_LENGTH, build_model
from inference.training.feature_cache import cached_features
from inference.training.forward import ReportForward, masked_cross_entropy
from inference.training.loop import (
    Schedule,
    TrainingRun,
    load_weights,
    save_weights,
    step_generator,
)
from inference.training.rad_layout import mask_blocks, multi_copy_rad_mask
from inference.training.tokenizer import run_tokenizer, special_id


@dataclass(frozen=True)
class DcdWeights:
    """Weights of the terms; the paper gives none of them."""

    divergence: float = 1.0
    hard: float = 1.0
    stop: float = 0.3
    refine: float = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    options = parser.parse_args()
    tokenizer = run_tokenizer(options.out)
    pairs = PhantomPairs(options.films, tokenizer)
    model = build_model(tokenizer)
    load_weights(model, options.out / "rad.safetensors")
    forward = ReportForward(model, PromptFrame(tokenizer))
    features = cached_features(forward, pairs, options.out / "features.safetensors")
    drafts = load_trajectories(options.out)
    lengths = (drafts["tokens"] >= 0).sum(1).numpy()
    if not len(lengths):
        raise SystemExit(f"{options.out / 'trajectories'}: no draft of the teacher was kept")
    stop_ids = torch.tensor([special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT)])
    run = TrainingRun(
        options.out, "dcd", {"text": model.model.language_model},
        Schedule(options.steps, options.learning_rate, warmup_steps=50),
    )  # fmt: skip

    def loss_of(step: int) -> torch.Tensor:
        rows = draw_rows(lengths, step, options.batch)
        width = int(lengths[rows].max())
        batch = {name: tensor[rows] for name, tensor in drafts.items()}
        batch = {n: t if n == "indices" else t[:, :width] for n, t in batch.items()}
        chosen_features = features[batch["indices"]]
        return dcd_loss(
            forward, chosen_features, batch, stop_ids, DcdWeights(), step_generator(4, step)
        )

    run.train(loss_of)
    save_weights(model, options.out / "dcd.safetensors")


def draw_rows(lengths: np.ndarray, step: int, batch: int, pool_steps: int = 8) -> np.ndarray:
    """Rows of similar length; a function of the step alone."""
    rng = np.random.default_rng((4, step // pool_steps))
    pool = rng.integers(0, len(lengths), batch * pool_steps)
    pool = pool[np.argsort(lengths[pool], kind="stable")]
    start = int(rng.permutation(pool_steps)[step % pool_steps]) * batch
    return pool[start : start + batch]


def dcd_loss(
    forward: ReportForward, features: torch.Tensor, drafts: dict[str, torch.Tensor],
    stop_ids: torch.Tensor, weights: DcdWeights, generator: torch.Generator,
) -> torch.Tensor:  # fmt: skip
    """The weighted sum of the four terms over one batch of trajectories."""
    used = drafts["tokens"] >= 0
    tokens = drafts["tokens"].long().masked_fill(~used, int(stop_ids[1]))
    mask_id = int(forward.model.config.mask_token_id)
    length = tokens.shape[1]
    noise = mask_blocks(tokens.shape, BLOCK_LENGTH, generator)
    copies = [torch.full_like(tokens, mask_id), tokens.masked_fill(noise, mask_id), tokens]
    allowed = multi_copy_rad_mask(forward.frame.length, length, BLOCK_LENGTH, 2)
    with torch.autocast("cpu", torch.bfloat16):
        hidden = forward.hidden_states(features, copies, allowed)
        logits = forward.logits(hidden[:, 1 : 1 + 2 * length]).float()
    student, refining = logits[:, :length], logits[:, length:]
    log_student = student.log_softmax(-1)
    step_weight = drafts["steps"].float()
    step_weight = step_weight / step_weight[used].mean()

    target = drafts["top_probabilities"].float()
    target = target / target.sum(-1, keepdim=True).clamp_min(1e-6)
    at_top = log_student.gather(-1, drafts["top_ids"].long())
    divergence = (target * (target.clamp_min(1e-6).log() - at_top)).sum(-1)
    hard = -log_student.gather(-1, tokens[..., None])[..., 0]
    is_stop = torch.isin(tokens, stop_ids) & used
    loss = weights.divergence * (divergence * step_weight)[used].mean()
    loss = loss + weights.hard * (hard * step_weight)[used].mean()
    if is_stop.any():  # always so for kept drafts; an empty mean would be NaN
        loss = loss + weights.stop * functional.cross_entropy(student[is_stop], tokens[is_stop])
    return loss + weights.refine * masked_cross_entropy(refining, tokens, noise & used)


if __name__ == "__main__":
    main()
