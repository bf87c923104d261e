"""What the warm-up asks of a film, and how it weighs the answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.phantom import sample_case
from inference.report_language.statements import Statement
from inference.training import render_films
from inference.training.data.phantom_pairs import PhantomPairs
from inference.training.data.prompt_frame import PromptFormat
from inference.training.data.region_labels import CELLS, CONCEPT_NAMES, region_labels
from inference.training.data.vision_labels import (
    ATTRIBUTES,
    PRESENCES,
    VisionLabels,
    frontal_attributes,
)
from inference.training.warm_up_vision import attribute_loss, dense_loss

_STATEMENTS = (
    Statement("pleural_effusion", "present", "bilateral", None, "small"),
    Statement("nodule", "present", "left", "upper"),
)


def _names(flags: torch.Tensor) -> set[tuple[str, str]]:
    return {ATTRIBUTES[int(i)] for i in flags.nonzero()[:, 0]}


def test_details_are_asked_only_of_what_is_there() -> None:
    case = replace(sample_case(1, kind="chest"), statements=_STATEMENTS)
    truth, known = frontal_attributes(case)
    assert _names(truth) == {
        ("is_frontal_chest", "present"),
        ("pleural_effusion", "present"),
        ("pleural_effusion", "left"), ("pleural_effusion", "right"),
        ("nodule", "present"), ("nodule", "left"), ("nodule", "upper"),
    }  # fmt: skip
    details = {ATTRIBUTES[PRESENCES + int(i)] for i in known[PRESENCES:].nonzero()[:, 0]}
    assert details == {
        ("pleural_effusion", "left"), ("pleural_effusion", "right"), ("pleural_effusion", "more"),
        ("nodule", "left"), ("nodule", "right"),
        ("nodule", "upper"), ("nodule", "mid"), ("nodule", "lower"),
    }  # fmt: skip
    assert known[:PRESENCES].all()


def test_a_film_that_is_no_chest_shows_nothing() -> None:
    truth, known = frontal_attributes(replace(sample_case(1, kind="hand"), statements=_STATEMENTS))
    assert not truth.any()
    assert known.sum() == PRESENCES


def test_region_labels_are_of_patches() -> None:
    changed = np.zeros((224, 224), dtype=np.float32)
    changed[14:28, 28:42] = 1.0  # patch (1, 2)
    labels = region_labels({"mass": changed})
    assert labels.shape == (len(CONCEPT_NAMES), CELLS, CELLS)
    assert np.argwhere(labels).tolist() == [[CONCEPT_NAMES.index("mass"), 1, 2]]


def test_dense_loss_reads_four_patches_from_each_token() -> None:
    targets = torch.zeros(1, len(CONCEPT_NAMES), CELLS, CELLS)
    targets[0, 5, 3, 6] = 1.0  # token (1, 3), its lower left patch
    logits = torch.full((1, 64, len(CONCEPT_NAMES), 2, 2), -9.0)
    logits[0, 1 * 8 + 3, 5, 1, 0] = 9.0
    weights = torch.ones(len(CONCEPT_NAMES), 1, 1)
    assert float(dense_loss(logits.flatten(2), targets, weights)) < 1e-3
    missed = dense_loss(logits.roll(1, 1).flatten(2), targets, weights)
    assert float(missed) > 1e-3
    weights[4] = 40.0
    assert dense_loss(logits.roll(1, 1).flatten(2), targets, weights) == missed
    weights[5] = 40.0
    assert dense_loss(logits.roll(1, 1).flatten(2), targets, weights) > 15 * missed


def test_unknown_details_cost_nothing_and_rare_presences_cost_more() -> None:
    zeros = torch.zeros(1, len(ATTRIBUTES))
    known, truth, weights = zeros.clone(), zeros.clone(), torch.ones(len(ATTRIBUTES))
    known[:, :PRESENCES] = 1
    truth[0, 4] = 1
    plain = attribute_loss(zeros, truth, known, weights)
    far_off = zeros.clone()
    far_off[:, PRESENCES:] = 50.0
    assert attribute_loss(far_off, truth, known, weights) == plain
    weights[4] = 5.0
    assert attribute_loss(zeros, truth, known, weights) > plain
    known[:, PRESENCES] = 1
    assert attribute_loss(far_off, truth, known, weights) > plain + 1


@pytest.mark.usefixtures("stand_in_renderer")
def test_batches_hold_laterals_with_labels_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prompt: PromptFormat
) -> None:
    for name in ("data.phantom_pairs", "render_films", "data.vision_labels"):
        monkeypatch.setattr(f"inference.training.{name}.SHARD", 40)
    render_films.render_shard(tmp_path, 0, 224)
    pairs = PhantomPairs(tmp_path, prompt)
    labels = VisionLabels(pairs)
    batch = labels.batch(3, 20)
    assert batch.films.shape == (20, 1, 224, 224)
    is_lateral = batch.attributes[:, ATTRIBUTES.index(("is_lateral_chest", "present"))]
    assert is_lateral[-3:].all()
    assert is_lateral.sum() <= 5  # a few more of the kind "lateral"
    shown = batch.cells.flatten(2).amax(2)
    for row in range(20):  # the stand-in marks all findings on both views
        assert torch.equal(batch.attributes[row, 2:PRESENCES], shown[row])
    assert 1 <= float(labels.weights.min()) <= float(labels.weights.max()) <= 5
    cells = np.load(render_films.shard_path(tmp_path, 0, "regions")).mean((0, 2, 3))
    rarest, commonest = int(np.where(cells, cells, 1).argmin()), int(cells.argmax())
    of_cells = labels.cell_weights[:, 0, 0]
    assert of_cells[rarest] > of_cells[commonest]
    assert 4 <= float(of_cells.min()) <= float(of_cells.max()) <= 60
    again = labels.batch(3, 20)
    assert torch.equal(batch.films, again.films)
