"""Stage III, second half: Direct Conditional Distillation into a one-step student.

    python -m inference.training.distill_dcd --films runs/films --out runs/v1

One pass over [context | all masks | RAD noise | teacher's text]. On the fully masked copy:
forward KL(teacher's recorded distribution ‖ student), weighted in proportion to the commit step,
cross-entropy on stop positions (the paper), and step-weighted cross-entropy on the committed
tokens (the prototype's hard labels, which trained faster). The second copy is plain RAD, so that
one set of weights can also refine (multi-step decoding). Every term can be switched off.
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
from inference.training.dataset import Draw, PhantomPairs, cut_by_length
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
from inference.training.tokenizer import LANGUAGES, run_tokenizer, special_id

_POOL_STEPS = 8


@dataclass(frozen=True)
class DcdWeights:
    """Weights of the terms; the paper gives none of them. 0 leaves a term out.

    divergence: KL to the recorded distributions; hard: cross-entropy on the committed tokens;
    stop: cross-entropy on stop positions; refine: RAD on the second, partly masked copy.
    by_step: KL and hard weigh a position by its commit step (later = depends on more).
    """

    divergence: float = 1.0
    hard: float = 1.0
    stop: float = 0.3
    refine: float = 0.5
    by_step: bool = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    parser.add_argument("--start", type=Path, help="weights to go on from; default: the teacher's")
    parser.add_argument("--name", default="dcd", help="of the weights, the log and the checkpoint")
    default = DcdWeights()
    for term in ("divergence", "hard", "stop", "refine"):
        parser.add_argument(f"--{term}", type=float, default=getattr(default, term))
    parser.add_argument("--no-step-weight", action="store_true")
    options = parser.parse_args()
    weights = DcdWeights(
        options.divergence, options.hard, options.stop, options.refine, not options.no_step_weight
    )
    tokenizer = run_tokenizer(options.out)
    pairs = PhantomPairs(options.films, tokenizer)
    model = build_model(tokenizer)
    load_weights(model, options.start or options.out / "rad.safetensors")
    forwards = build_forwards(model, tokenizer)
    features = cached_features(forwards["en", 1], pairs, options.out / "features.safetensors")
    drafts = load_trajectories(options.out)
    lengths = (drafts["tokens"] >= 0).sum(1).numpy()
    if not len(lengths):
        raise SystemExit(f"{options.out / 'trajectories'}: no draft of the teacher was kept")
    kinds = (drafts["languages"] * 10 + drafts["images"]).numpy()
    stop_ids = torch.tensor([special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT)])
    run = TrainingRun(
        options.out, options.name, {"text": model.model.language_model},
        Schedule(options.steps, options.learning_rate, warmup_steps=50),
    )  # fmt: skip

    def loss_of(step: int) -> torch.Tensor:
        rows = draw_rows(lengths, kinds, step, options.batch)
        draw, batch = take_rows(drafts, rows)
        forward = forwards[draw.language, draw.images]
        chosen = features.of(draw.indices, draw.images)
        return dcd_loss(forward, chosen, batch, stop_ids, weights, step_generator(4, step))

    run.train(loss_of)
    save_weights(model, options.out / f"{options.name}.safetensors")


def draw_rows(lengths: np.ndarray, kinds: np.ndarray, step: int, batch: int) -> list[int]:
    """Rows of one kind and of similar length; a function of the step alone.

    A kind (language and number of films) is drawn as often as it is among the rows.
    """
    rng = np.random.default_rng((4, step // _POOL_STEPS))
    chosen = kinds[rng.integers(0, len(kinds), _POOL_STEPS)]
    order = rng.permutation(_POOL_STEPS)
    position = int(order[step % _POOL_STEPS])
    pools: dict[int, list[list[int]]] = {}
    for kind in sorted(set(chosen)):
        rows = np.flatnonzero(kinds == kind)
        pool = rows[rng.integers(0, len(rows), batch * int((chosen == kind).sum()))]
        pools[kind] = cut_by_length(pool, lengths, batch)
    kind = chosen[position]
    return pools[kind][int((chosen[:position] == kind).sum())]


def take_rows(
    drafts: dict[str, torch.Tensor], rows: list[int]
) -> tuple[Draw, dict[str, torch.Tensor]]:
    """The rows' kind, and their trajectories cut to the longest of them."""
    taken = {name: tensor[rows] for name, tensor in drafts.items()}
    width = int((taken["tokens"] >= 0).sum(1).max())
    language = LANGUAGES[int(taken["languages"][0])]
    draw = Draw(language, int(taken["images"][0]), taken["indices"].tolist())
    return draw, {name: tensor[:, :width] for name, tensor in taken.items() if tensor.dim() > 1}


def dcd_loss(
    forward: ReportForward, features: torch.Tensor, drafts: dict[str, torch.Tensor],
    stop_ids: torch.Tensor, weights: DcdWeights, generator: torch.Generator,
) -> torch.Tensor:  # fmt: skip
    """The weighted sum of the terms over one batch of trajectories."""
    used = drafts["tokens"] >= 0
    tokens = drafts["tokens"].long().masked_fill(~used, int(stop_ids[1]))
    mask_id = int(forward.model.config.mask_token_id)
    length = tokens.shape[1]
    noise = mask_blocks(tokens.shape, BLOCK_LENGTH, generator)
    noisy = [torch.full_like(tokens, mask_id)]
    if weights.refine:
        noisy.append(tokens.masked_fill(noise, mask_id))
    allowed = multi_copy_rad_mask(forward.frame.length, length, BLOCK_LENGTH, len(noisy))
    with torch.autocast("cpu", torch.bfloat16):
        hidden = forward.hidden_states(features, [*noisy, tokens], allowed)
        logits = forward.logits(hidden[:, 1 : 1 + len(noisy) * length]).float()
    student = logits[:, :length]
    log_student = student.log_softmax(-1)
    step_weight = torch.ones(used.shape)
    if weights.by_step:
        step_weight = drafts["steps"].float()
        step_weight = step_weight / step_weight[used].mean()
    loss = student.new_zeros(())
    if weights.divergence:
        target = drafts["top_probabilities"].float()
        target = target / target.sum(-1, keepdim=True).clamp_min(1e-6)
        at_top = log_student.gather(-1, drafts["top_ids"].long())
        divergence = (target * (target.clamp_min(1e-6).log() - at_top)).sum(-1)
        loss = loss + weights.divergence * (divergence * step_weight)[used].mean()
    if weights.hard:
        surprise = -log_student.gather(-1, tokens[..., None])[..., 0]
        loss = loss + weights.hard * (surprise * step_weight)[used].mean()
    is_stop = torch.isin(tokens, stop_ids) & used
    if weights.stop and is_stop.any():  # always so for kept drafts; an empty mean would be NaN
        loss = loss + weights.stop * functional.cross_entropy(student[is_stop], tokens[is_stop])
    if weights.refine:
        refining = masked_cross_entropy(logits[:, length:], tokens, noise & used)
        loss = loss + weights.refine * refining
    return loss


if __name__ == "__main__":
    main()
