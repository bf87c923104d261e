"""Stage 0: teach the vision tower to see, with the phantom's labels as targets.

ECHO starts from a pretrained vision-language model; ours starts from nothing. Three throw-away
heads read the vision tokens: one the attributes of the film from all tokens in their places, one
the same from the tokens' mean, one which concepts each patch shows. Only the tower is kept.
Frontal and lateral films are trained together.

The head of the mean is there for the language model: it reads the film by attention, which is a
weighted mean, and what only a token's place tells (which side a line is on) it learns late.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from inference.training.config import ConfigError
from inference.training.data.pairs import augment
from inference.training.data.phantom_pairs import PhantomPairs
from inference.training.data.region_labels import CELLS, CONCEPT_NAMES
from inference.training.data.vision_labels import ATTRIBUTES, PRESENCES, VisionLabels
from inference.training.loop import step_generator
from inference.training.patch_whitening import whiten_patch_embedding
from inference.training.stage_setup import StageSetup

_SEED = 1
_WHITENING_FILMS = 400
_DETAIL_WEIGHT = 0.3  # of side, zone and severity beside presence
_ATTRIBUTE_SCALE, _CELL_SCALE = 10.0, 10.0


def dense_loss(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of patches × concepts. logits [B, tokens, concepts * 4], four patches a token.

    targets: [B, concepts, 16, 16] 0/1. weights: [concepts, 1, 1], of a patch that shows one.
    """
    batch, side = targets.shape[0], CELLS // 2
    by_patch = logits.view(batch, side, side, len(CONCEPT_NAMES), 2, 2).permute(0, 3, 1, 4, 2, 5)
    by_patch = by_patch.reshape(targets.shape)
    return functional.binary_cross_entropy_with_logits(by_patch, targets, pos_weight=weights)


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


def warm_up_vision(setup: StageSetup) -> None:
    """Raises ConfigError where the data have no labels, or the tower is frozen."""
    pairs, model, config = setup.pairs, setup.start.model, setup.config
    if not isinstance(pairs, PhantomPairs):
        raise ConfigError("vision: only phantom films have labels; a pretrained tower needs none")
    if config.model.freeze_vision:
        raise ConfigError("vision: freeze_vision must be false")
    forward = setup.forwards[pairs.kind("en", 1)]
    if forward.frame.image_tokens * 4 != CELLS**2:
        raise ConfigError(f"vision: labels are of {CELLS} × {CELLS} patches, the films' are not")
    if config.model.start == "embedded" and not (config.model.weights or config.model.vision_from):
        films = pairs.films(list(range(0, len(pairs), max(1, len(pairs) // _WHITENING_FILMS))))
        weight = model.model.visual.patch_embed.proj.weight
        whiten_patch_embedding(weight, pairs.patchify(films))
    torch.manual_seed(config.schedule.seed)
    hidden = model.config.vision_config.out_hidden_size
    head = AttributeHead(forward.frame.image_tokens, hidden).to(forward.device)
    cell_head = torch.nn.Linear(hidden, len(CONCEPT_NAMES) * 4).to(forward.device)
    mean_head = torch.nn.Linear(hidden, len(ATTRIBUTES)).to(forward.device)
    labels = VisionLabels(pairs)

    def loss_of(number: int) -> torch.Tensor:
        batch = labels.batch(number, config.schedule.batch)
        films = batch.films
        if config.data.augment:
            films = augment(films, step_generator(_SEED + config.schedule.seed, number))
        with forward.precision():
            features = forward.vision_features(pairs.patchify(films))
            logits, cells = head(features).float(), cell_head(features).float()
            summary = mean_head(features.mean(1)).float()
        weights = labels.weights.to(forward.device)
        cell_weights = labels.cell_weights.to(forward.device)
        batch = batch.to(forward.device)
        loss = attribute_loss(logits, batch.attributes, batch.is_known, weights)
        loss = loss + attribute_loss(summary, batch.attributes, batch.is_known, weights)
        return _ATTRIBUTE_SCALE * loss + _CELL_SCALE * dense_loss(cells, batch.cells, cell_weights)

    heads = {"head": head, "cell_head": cell_head, "mean_head": mean_head}
    setup.train({"visual": model.model.visual, **heads}, loss_of)
