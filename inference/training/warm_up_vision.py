"""Stage 0: teach the vision tower to see, with the phantom's labels as targets.

    python -m inference.training.warm_up_vision --films runs/films --out runs/v1

ECHO starts from a pretrained vision-language model; ours starts from nothing. Two throw-away
heads read the vision tokens: one the attributes of the film, one which concepts each patch shows.
Only the tower is kept. Frontal and lateral films are trained together.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch.nn import functional

from inference.training.dataset import PhantomPairs, PromptFrame, augment
from inference.training.embedded_config import build_model
from inference.training.forward import ReportForward
from inference.training.loop import (
    Schedule,
    TrainingRun,
    load_vision,
    save_weights,
    step_generator,
)
from inference.training.patch_whitening import whiten_patch_embedding
from inference.training.region_labels import CELLS, CONCEPT_NAMES
from inference.training.tokenizer import run_tokenizer
from inference.training.vision_labels import ATTRIBUTES, PRESENCES, VisionLabels

_WHITENING_FILMS = 400
_CELL_WEIGHT = 4.0  # few cells show anything
_DETAIL_WEIGHT = 0.3  # of side, zone and severity beside presence
_ATTRIBUTE_SCALE, _CELL_SCALE = 10.0, 10.0


def dense_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of patches × concepts. logits [B, tokens, concepts * 4], four patches a token.

    targets: [B, concepts, 16, 16] 0/1.
    """
    batch, side = targets.shape[0], CELLS // 2
    by_patch = logits.view(batch, side, side, len(CONCEPT_NAMES), 2, 2).permute(0, 3, 1, 4, 2, 5)
    weight = torch.tensor(_CELL_WEIGHT)
    by_patch = by_patch.reshape(targets.shape)
    return functional.binary_cross_entropy_with_logits(by_patch, targets, pos_weight=weight)


def attribute_loss(
    logits: torch.Tensor, targets: torch.Tensor, is_known: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Presence of everything, and the details of what is present. All [B, attributes].

    weights: [attributes], of a presence that is there: rare things must not be forgotten.
    """
    losses = functional.binary_cross_entropy_with_logits(
        logits, targets, pos_weight=weights, reduction="none"
    )
    presence = losses[:, :PRESENCES].mean()
    known = is_known[:, PRESENCES:]
    details = (losses[:, PRESENCES:] * known).sum() / known.sum().clamp_min(1)
    return presence + _DETAIL_WEIGHT * details


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
    parser.add_argument("--start", type=Path, help="weights whose tower to go on from")
    options = parser.parse_args()
    tokenizer = run_tokenizer(options.out)
    pairs = PhantomPairs(options.films, tokenizer)
    model = build_model(tokenizer)
    frame = PromptFrame(tokenizer)
    if options.start is not None:
        load_vision(model, options.start)
    else:
        films = pairs.films(list(range(0, len(pairs), max(1, len(pairs) // _WHITENING_FILMS))))
        patches = frame.patches(films)
        whiten_patch_embedding(model.model.visual.patch_embed.proj.weight, patches)
    forward = ReportForward(model, frame)
    head = AttributeHead(frame.ids.count(model.config.image_token_id), 256)
    cell_head = torch.nn.Linear(256, len(CONCEPT_NAMES) * 4)
    labels = VisionLabels(pairs)
    modules = {"visual": model.model.visual, "head": head, "cell_head": cell_head}
    schedule = Schedule(options.steps, options.learning_rate)
    run = TrainingRun(options.out, "vision", modules, schedule)

    def loss_of(step: int) -> torch.Tensor:
        batch = labels.batch(step, options.batch)
        films = augment(batch.films, step_generator(1, step))
        with torch.autocast("cpu", torch.bfloat16):
            features = forward.vision_features(films)
            logits, cells = head(features).float(), cell_head(features).float()
        loss = attribute_loss(logits, batch.attributes, batch.is_known, labels.weights)
        return _ATTRIBUTE_SCALE * loss + _CELL_SCALE * dense_loss(cells, batch.cells)

    run.train(loss_of)
    save_weights(model, options.out / "vision.safetensors")


if __name__ == "__main__":
    main()
