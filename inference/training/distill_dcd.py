"""Stage III, second half: Direct Conditional Distillation into a one-step student.

One pass over [context | all masks | RAD noise | teacher's text]. On the fully masked copy:
forward KL(teacher's recorded distribution ‖ student), weighted in proportion to the commit step,
cross-entropy on stop positions (the paper), and step-weighted cross-entropy on the committed
tokens (the prototype's hard labels, which trained faster). The second copy is plain RAD, so that
one set of weights can also refine. Every term can be switched off (config.DcdWeights).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from inference.prompts import END_OF_TEXT, IM_END
from inference.training.config import DcdWeights, TeacherConfig
from inference.training.data.feature_cache import Features
from inference.training.data.pairs import Draw, cut_by_length
from inference.training.forward import ReportForward, masked_cross_entropy
from inference.training.layouts.rad_layout import MaskNoise, mask_blocks
from inference.training.layouts.region_layout import answer_mask, layout_of
from inference.training.loop import step_generator
from inference.training.stage_setup import StageSetup
from inference.training.teacher.collect_trajectories import (
    collect_trajectories,
    load_trajectories,
    read_kind,
)
from inference.training.teacher.relaid_drafts import lay_out_by_regions
from inference.training.tokenizer import special_id

_SEED = 4
_POOL_STEPS = 8


def distill_dcd(setup: StageSetup, name: str = "dcd") -> None:
    """Collect what is missing of the teacher's trajectories, then train the student on them.

    name: of the weights, log and checkpoint; the first round's trajectories are the start's and
    shared by all names. In later rounds the student itself is the teacher, and the schedule starts
    anew.
    """
    features, teacher = setup.features(), setup.config.teacher
    for number in range(teacher.rounds):
        own = f"_{name}_round{number + 1}" if number else ""
        folder = setup.config.output / f"trajectories{own}"
        settings = _round_settings(teacher, setup.config.dcd, number)
        drafts = _open_drafts(setup, features, folder, settings)
        student = Student(setup, features, drafts)
        is_last = number + 1 == teacher.rounds
        round_name = name if is_last else f"{name}_after{number + 1}"
        setup.train(setup.modules(), student.loss_of, round_name)


def _open_drafts(
    setup: StageSetup, features: Features, folder: Path, settings: TeacherConfig
) -> dict[str, torch.Tensor]:
    if settings.sequential is not None:
        drafts, prompt = load_trajectories(settings.sequential), setup.start.prompt
        return lay_out_by_regions(drafts, prompt.tokenizer, prompt.block_length)
    if setup.processes.is_first:
        collect_trajectories(folder, setup.forwards, features, setup.pairs, settings)
    setup.processes.wait()
    return load_trajectories(folder)


def _round_settings(teacher: TeacherConfig, weights: DcdWeights, number: int) -> TeacherConfig:
    steps = teacher.max_steps // 2**number if weights.halve else teacher.max_steps
    return replace(teacher, max_steps=max(1, steps))


class Student:
    """The loss of each micro-batch over one collection of trajectories."""

    def __init__(
        self, setup: StageSetup, features: Features, drafts: dict[str, torch.Tensor]
    ) -> None:
        self._setup, self._features, self._drafts = setup, features, drafts
        self._lengths = (drafts["tokens"] >= 0).sum(1).numpy()
        _, kinds = np.unique(drafts["kinds"].numpy(), axis=0, return_inverse=True)
        self._kinds = kinds.reshape(-1)
        tokenizer = setup.start.tokenizer
        self._stop_ids = torch.tensor(
            [special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT)]
        )

    def loss_of(self, number: int) -> torch.Tensor:
        schedule = self._setup.config.schedule
        seed = _SEED + schedule.seed
        rows = draw_rows(self._lengths, self._kinds, number, schedule.batch, seed)
        draw, batch = take_rows(self._drafts, rows)
        return dcd_loss(
            self._setup.forwards[draw.kind], self._features.of(draw, number), batch,
            self._stop_ids, self._setup.config.dcd, self._setup.config.rad.noise,
            step_generator(seed, number),
        )  # fmt: skip


def draw_rows(
    lengths: np.ndarray, kinds: np.ndarray, step: int, batch: int, seed: int = _SEED
) -> list[int]:
    """Rows of one kind and of similar length; a function of (seed, step) alone.

    A kind is drawn as often as it is among the rows; kinds are numbers.
    """
    rng = np.random.default_rng((seed, step // _POOL_STEPS))
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
    """The rows' kind, and their trajectories cut to the longest of them.

    "parts", where there are any, hold one entry a block.
    """
    taken = {name: tensor[rows] for name, tensor in drafts.items()}
    own_block = taken["tokens"].shape[1] // taken["parts"].shape[1] if "parts" in taken else 1
    width = int((taken["tokens"] >= 0).sum(1).max())
    draw = Draw(read_kind(taken.pop("kinds")[0]), taken.pop("indices").tolist())
    return draw, {
        name: tensor[:, : width // own_block if name == "parts" else width]
        for name, tensor in taken.items()
    }


def dcd_loss(
    forward: ReportForward, features: torch.Tensor, drafts: dict[str, torch.Tensor],
    stop_ids: torch.Tensor, weights: DcdWeights, noise: MaskNoise, generator: torch.Generator,
) -> torch.Tensor:  # fmt: skip
    """The weighted sum of the terms over one batch of trajectories."""
    used = drafts["tokens"] >= 0
    tokens = drafts["tokens"].long().masked_fill(~used, int(stop_ids[1]))
    block, length = forward.frame.block_length, tokens.shape[1]
    rad_masked = mask_blocks(tokens.shape, block, generator, noise)
    masked, asked = torch.ones_like(used), used
    if weights.halve:
        masked, asked = ask_two_steps(drafts["steps"], block, generator)
    noisy = [tokens.masked_fill(masked, forward.mask_id)]
    if weights.refine:
        noisy.append(tokens.masked_fill(rad_masked, forward.mask_id))
    layout = layout_of(drafts["parts"]) if "parts" in drafts else None
    allowed = answer_mask(forward.frame.length, length, block, len(noisy), layout)
    with forward.precision():
        hidden = forward.hidden_states(features, [*noisy, tokens], allowed, layout)
        logits = forward.logits(hidden[:, 1 : 1 + len(noisy) * length]).float()
    loss = student_loss(logits[:, :length], drafts, tokens, asked, stop_ids, weights)
    if weights.refine:
        refining = masked_cross_entropy(logits[:, length:], tokens, rad_masked & used)
        loss = loss + weights.refine * refining
    return loss


def student_loss(
    student: torch.Tensor, drafts: dict[str, torch.Tensor], tokens: torch.Tensor,
    asked: torch.Tensor, stop_ids: torch.Tensor, weights: DcdWeights,
) -> torch.Tensor:  # fmt: skip
    """The terms on the student's own copy; logits [B, R, V], asked [B, R] the positions meant."""
    device = student.device
    tokens, asked = tokens.to(device), asked.to(device)
    step_weight = torch.ones(asked.shape, device=device)
    if weights.by_step:
        step_weight = drafts["steps"].to(device).float()
        step_weight = step_weight / step_weight[asked].mean()
    log_student = student.log_softmax(-1)
    loss = student.new_zeros(())
    if weights.divergence:
        target = drafts["top_probabilities"].to(device).float()
        target = target / target.sum(-1, keepdim=True).clamp_min(1e-6)
        at_top = log_student.gather(-1, drafts["top_ids"].to(device).long())
        divergence = (target * (target.clamp_min(1e-6).log() - at_top)).sum(-1)
        loss = loss + weights.divergence * (divergence * step_weight)[asked].mean()
    if weights.hard:
        surprise = -log_student.gather(-1, tokens[..., None])[..., 0]
        loss = loss + weights.hard * (surprise * step_weight)[asked].mean()
    is_stop = torch.isin(tokens, stop_ids.to(device)) & asked
    if weights.stop and is_stop.any():  # an empty mean would be NaN
        loss = loss + weights.stop * functional.cross_entropy(student[is_stop], tokens[is_stop])
    is_right = (student.argmax(-1) == tokens) & asked
    if weights.certainty and is_right.any():
        entropy = -(log_student.exp() * log_student).sum(-1)
        loss = loss + weights.certainty * entropy[is_right].mean()
    return loss


def ask_two_steps(
    steps: torch.Tensor, block_length: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """(masked, asked) [B, R] bool: each block as after 2k of its steps, asked for the next two.

    k is drawn among those that leave something to do; unused positions are masked, never asked.
    """
    by_block = steps.view(steps.shape[0], -1, block_length).int()
    pairs = (by_block.amax(2, keepdim=True) + 1) // 2  # how often two steps are taken
    drawn = torch.rand(pairs.shape, generator=generator) * pairs
    done = 2 * drawn.floor().int()
    masked = (by_block > done) | (by_block == 0)
    asked = (by_block > done) & (by_block <= done + 2)
    return masked.view(steps.shape), asked.view(steps.shape)
