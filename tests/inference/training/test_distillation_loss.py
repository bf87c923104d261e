"""The losses of Stages II and III on one small batch, in float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from inference.training.adapt_rad import rad_loss
from inference.training.config import DcdWeights, RadConfig, TeacherConfig
from inference.training.data.pairs import Answers, Draw
from inference.training.data.prompt_frame import Kind
from inference.training.distill_dcd import ask_two_steps, dcd_loss, draw_rows, take_rows
from inference.training.embedded_config import BLOCK_LENGTH
from inference.training.forward import ReportForward
from inference.training.layouts.rad_layout import MaskNoise, multi_copy_rad_mask

STOP_IDS = torch.tensor([2, 0])
TOP = TeacherConfig().top
LENGTH = 2 * BLOCK_LENGTH
_HARD = DcdWeights(divergence=0.0, hard=1.0, stop=0.0, refine=0.0)

pytestmark = pytest.mark.usefixtures("full_precision")


def _drafts(width: int = LENGTH) -> dict[str, torch.Tensor]:
    """Two trajectories of two blocks, committed in two steps, padded to width."""
    tokens = torch.full((2, width), -1)
    tokens[:, :LENGTH] = torch.arange(2 * LENGTH).view(2, LENGTH) + 30
    tokens[:, LENGTH - 1] = 2
    steps = torch.zeros(2, width, dtype=torch.uint8)
    steps[:, :LENGTH] = torch.tensor([1, 2] * (LENGTH // 2))
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.zeros(2, width, TOP)
    probabilities[:, :LENGTH] = torch.rand(2, LENGTH, TOP, generator=generator).softmax(-1)
    top_ids = torch.zeros(2, width, TOP, dtype=torch.int32)
    top_ids[:, :LENGTH] = torch.arange(40, 40 + TOP, dtype=torch.int32)
    return {
        "tokens": tokens.int(),
        "steps": steps,
        "top_ids": top_ids,
        "top_probabilities": probabilities,
    }


def _loss(
    forward: ReportForward,
    features: torch.Tensor,
    drafts: dict[str, torch.Tensor],
    weights: DcdWeights,
) -> float:
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        both = features.expand(2, -1, -1)
        loss = dcd_loss(forward, both, drafts, STOP_IDS, weights, MaskNoise(), generator)
        return float(loss)


@torch.inference_mode()
def _student_log_probabilities(forward: ReportForward, features: torch.Tensor) -> torch.Tensor:
    clean = _drafts()["tokens"].long()
    masks = torch.full_like(clean, int(forward.model.config.mask_token_id))
    allowed = multi_copy_rad_mask(forward.frame.length, LENGTH, BLOCK_LENGTH, 1)
    hidden = forward.hidden_states(features.expand(2, -1, -1), [masks, clean], allowed)
    return forward.logits(hidden[:, 1 : 1 + LENGTH]).log_softmax(-1)


def test_hard_term_weighs_a_token_by_its_commit_step(
    forward: ReportForward, features: torch.Tensor
) -> None:
    log_student = _student_log_probabilities(forward, features)
    tokens = _drafts()["tokens"].long()
    surprise = -log_student.gather(-1, tokens[..., None])[..., 0]
    weights = torch.tensor([1.0, 2.0] * (LENGTH // 2)) / 1.5
    expected = float((surprise * weights).mean())
    assert _loss(forward, features, _drafts(), _HARD) == pytest.approx(expected, rel=1e-4)


def test_divergence_is_forward_kl_and_zero_for_the_teacher_itself(
    forward: ReportForward, features: torch.Tensor
) -> None:
    only = DcdWeights(divergence=1.0, hard=0.0, stop=0.0, refine=0.0)
    values, ids = _student_log_probabilities(forward, features).exp().topk(TOP)
    drafts = _drafts() | {"top_ids": ids.to(torch.int32), "top_probabilities": values}
    drafts["steps"] = torch.ones_like(drafts["steps"])
    # renormalised to the recorded entries, KL is minus the log of their share: never negative
    expected = float(-values.sum(-1).log().mean())
    assert _loss(forward, features, drafts, only) == pytest.approx(expected, abs=1e-3)
    assert _loss(forward, features, _drafts(), only) > expected + 0.5


def test_stop_term_looks_at_stop_positions_only(
    forward: ReportForward, features: torch.Tensor
) -> None:
    only = DcdWeights(divergence=0.0, hard=0.0, stop=1.0, refine=0.0)
    at_stop = _student_log_probabilities(forward, features)[:, -1, 2]
    assert _loss(forward, features, _drafts(), only) == pytest.approx(
        float(-at_stop.mean()), rel=1e-4
    )


def test_unused_positions_of_a_trajectory_cost_nothing(
    forward: ReportForward, features: torch.Tensor
) -> None:
    weights = DcdWeights(refine=0.0)  # the noise of the second copy depends on the width
    narrow = _loss(forward, features, _drafts(), weights)
    wide = _loss(forward, features, _drafts(LENGTH + BLOCK_LENGTH), weights)
    assert wide == pytest.approx(narrow, rel=1e-4)


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


@torch.inference_mode()
def test_rad_loss_ignores_unsupervised_positions(
    forward: ReportForward, features: torch.Tensor
) -> None:
    answers = torch.arange(50, 50 + 2 * LENGTH).view(2, LENGTH)
    supervised = torch.ones(2, LENGTH, dtype=torch.bool)
    supervised[1, BLOCK_LENGTH:] = False
    other = answers.clone()
    other[1, BLOCK_LENGTH:] = 7  # only what is unsupervised
    films, rad = features.expand(2, -1, -1), RadConfig(copies=2)
    losses = [
        float(rad_loss(forward, films, Answers(chosen, supervised), rad, _seeded()))
        for chosen in (answers, other)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0] > 1


def test_rows_of_a_step_are_of_one_kind_of_similar_length_and_repeatable() -> None:
    rng = np.random.default_rng(0)
    lengths, kinds = rng.integers(1, 16, 100) * 8, np.repeat([1, 2, 11, 12], [40, 10, 40, 10])
    steps = [draw_rows(lengths, kinds, step, 4) for step in range(80)]
    assert all(draw_rows(lengths, kinds, step, 4) == rows for step, rows in enumerate(steps))
    seen = [set(kinds[rows]) for rows in steps]
    assert all(len(kind) == 1 for kind in seen)
    assert {int(kind.pop()) for kind in seen} == {1, 2, 11, 12}
    for start in range(0, 80, 8):
        pool = steps[start : start + 8]
        for kind in {int(kinds[rows[0]]) for rows in pool}:
            batches = [sorted(lengths[rows]) for rows in pool if kinds[rows[0]] == kind]
            joined = [int(n) for rows in sorted(batches) for n in rows]
            assert joined == sorted(joined)


def test_rows_are_taken_with_their_kind_and_cut_to_the_longest() -> None:
    drafts = _drafts(LENGTH + BLOCK_LENGTH) | {
        "indices": torch.tensor([7, 9]),
        "kinds": torch.tensor([[1, 16, 16, 16, 12]] * 2),
    }
    draw, taken = take_rows(drafts, [1, 0, 1])
    assert draw == Draw(Kind("zh", ((1, 16, 16), (1, 16, 12))), [9, 7, 9])
    assert taken["tokens"].tolist() == _drafts()["tokens"][[1, 0, 1]].tolist()
    assert taken["top_ids"].shape == (3, LENGTH, TOP)


def test_without_step_weight_all_positions_count_alike(
    forward: ReportForward, features: torch.Tensor
) -> None:
    log_student = _student_log_probabilities(forward, features)
    tokens = _drafts()["tokens"].long()
    expected = float(-log_student.gather(-1, tokens[..., None]).mean())
    plain = replace(_HARD, by_step=False)
    assert _loss(forward, features, _drafts(), plain) == pytest.approx(expected, rel=1e-4)


def test_certainty_sharpens_only_what_is_right(
    forward: ReportForward, features: torch.Tensor
) -> None:
    only = DcdWeights(divergence=0.0, hard=0.0, stop=0.0, refine=0.0, certainty=1.0)
    assert _loss(forward, features, _drafts(), only) == 0.0  # random weights get nothing right
    log_student = _student_log_probabilities(forward, features)
    drafts = _drafts()
    right = log_student[:, 0].argmax(-1)  # the first block reads no clean token
    drafts["tokens"][:, 0] = right.int()
    entropy = -(log_student.exp() * log_student).sum(-1)[:, 0].mean()
    assert _loss(forward, features, drafts, only) == pytest.approx(float(entropy), rel=1e-3)


def test_halving_asks_for_two_steps_after_an_even_number() -> None:
    steps = torch.tensor([[1, 1, 2, 3, 4, 5, 5, 1], [1, 1, 1, 1, 1, 1, 1, 1]] * 50)
    steps = torch.cat([steps, torch.zeros_like(steps)], dim=1).to(torch.uint8)
    masked, asked = ask_two_steps(steps, 8, torch.Generator().manual_seed(0))
    assert masked[:, 8:].all()
    assert not asked[:, 8:].any()
    seen = {tuple(row[:8].tolist()) for row in asked[::2]}
    first, second, third = ({1, 2}, {3, 4}, {5})
    assert seen == {
        tuple(int(step) in group for step in steps[0, :8]) for group in (first, second, third)
    }
    assert (masked[:, :8] >= asked[:, :8]).all()
    shown = steps[:, :8][~masked[:, :8]]  # what is not masked was committed before
    assert set(shown.tolist()) <= {1, 2, 3, 4}
    assert asked[1::2, :8].all()
