"""Stage 0: teach the vision tower to see, with the phantom's labels as targets.

    python -m inference.training.warm_up_vision --films runs/films --out runs/v0

ECHO starts from a pretrained vision-language model; ours starts from nothing. Two throw-away
heads read the vision tokens: one every labelled attribute of the film, one which concepts each
token's cell shows. Only the tower is kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from inference.phantom import sample_case
from inference.training.dataset import PhantomPairs, PromptFrame, augment
from inference.training.embedded_config import build_model
from inference.training.forward import ReportForward
from inference.training.loop import (
    Schedule,
    TrainingRun,
    load_weights,
    save_weights,
    step_generator,
)
from inference.training.patch_whitening import whiten_patch_embedding
from inference.training.region_labels import CONCEPT_NAMES, regions_path
from inference.training.render_films import SHARD
from inference.training.tokenizer import run_tokenizer

_WHITENING_FILMS = 400
_CELL_WEIGHT = 4.0  # few cells show anything
ATTRIBUTES = tuple(
    (name, attribute)
    for name in CONCEPT_NAMES
    for attribute in ("present", "left", "right", "upper", "mid", "lower", "more")
)


def label_vector(seed: int) -> torch.Tensor:
    """[len(ATTRIBUTES)] 0/1: presence, sides, zone and severity of every concept."""
    truth: set[tuple[str, str | None]] = set()
    for statement in sample_case(seed).statements:
        truth.add((statement.concept, "present"))
        sides = ("left", "right") if statement.side == "bilateral" else (statement.side,)
        truth.update((statement.concept, side) for side in sides)
        truth.add((statement.concept, statement.zone))
        if statement.severity in ("marked", "moderate", "large"):
            truth.add((statement.concept, "more"))
        if statement.severity == "large":
            truth.add((statement.concept, "upper"))
    return torch.tensor([float(pair in truth) for pair in ATTRIBUTES])


class RegionLabels:
    """Dense targets of the films that have them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: dict[int, np.ndarray] = {}

    def find(self, seed: int) -> np.ndarray | None:
        """[concepts, 8, 8] uint8, or None."""
        first = seed - seed % SHARD
        if first not in self._shards:
            path = regions_path(self._folder, first)
            if not path.exists():
                return None
            self._shards[first] = np.load(path, mmap_mode="r")
        return self._shards[first][seed % SHARD]


def dense_loss(logits: torch.Tensor, seeds: list[int], regions: RegionLabels) -> torch.Tensor:
    """Cross-entropy of cells x concepts over the labelled films; logits [B, tokens, concepts]."""
    found = [(row, regions.find(seed)) for row, seed in enumerate(seeds)]
    labelled = [(row, target) for row, target in found if target is not None]
    if not labelled:
        return logits.new_zeros(())
    rows = torch.tensor([row for row, _ in labelled])
    targets = torch.from_numpy(np.stack([target for _, target in labelled])).float()
    targets = targets.flatten(2).transpose(1, 2)  # [B, tokens, concepts]
    weight = torch.tensor(_CELL_WEIGHT)
    return functional.binary_cross_entropy_with_logits(logits[rows], targets, pos_weight=weight)


class AttributeHead(torch.nn.Module):
    """[B, tokens, hidden] to [B, attributes]; place matters, so tokens are not pooled."""

    def __init__(self, tokens: int, hidden: int) -> None:
        super().__init__()
        self.reduce = torch.nn.Linear(hidden, 48)
        self.read = torch.nn.Sequential(
            torch.nn.Linear(tokens * 48, 256), torch.nn.GELU(),
            torch.nn.Dropout(0.1), torch.nn.Linear(256, len(ATTRIBUTES)),
        )  # fmt: skip

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.read(functional.gelu(self.reduce(features)).flatten(1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--learning-rate", type=float, default=1.2e-3)
    parser.add_argument("--start", type=Path, help="weights to go on from, e.g. an earlier tower")
    options = parser.parse_args()
    tokenizer = run_tokenizer(options.out)
    pairs = PhantomPairs(options.films, tokenizer)
    model = build_model(tokenizer)
    frame = PromptFrame(tokenizer)
    if options.start is not None:
        load_weights(model, options.start)
    else:
        films = pairs.films(list(range(0, len(pairs), max(1, len(pairs) // _WHITENING_FILMS))))
        patches = frame.patches(films)
        whiten_patch_embedding(model.model.visual.patch_embed.proj.weight, patches)
    forward = ReportForward(model, frame)
    head = AttributeHead(frame.ids.count(model.config.image_token_id), 256)
    cell_head = torch.nn.Linear(256, len(CONCEPT_NAMES))
    regions = RegionLabels(options.films)
    modules = {"visual": model.model.visual, "head": head, "cell_head": cell_head}
    schedule = Schedule(options.steps, options.learning_rate)
    run = TrainingRun(options.out, "vision", modules, schedule)
    labels: dict[int, torch.Tensor] = {}

    def loss_of(step: int) -> torch.Tensor:
        batch = pairs.batch(pairs.draw(step, options.batch))
        films = augment(batch.films, step_generator(1, step))
        for seed in batch.seeds:
            if seed not in labels:
                labels[seed] = label_vector(seed)
        target = torch.stack([labels[seed] for seed in batch.seeds])
        with torch.autocast("cpu", torch.bfloat16):
            features = forward.vision_features(films)
            logits, cells = head(features), cell_head(features)
        loss = functional.binary_cross_entropy_with_logits(logits.float(), target) * 10
        return loss + dense_loss(cells.float(), batch.seeds, regions) * 10

    run.train(loss_of)
    save_weights(model, options.out / "vision.safetensors")


if __name__ == "__main__":
    main()
