"""What a stage taught one language model, added to another of the same shape.

The difference between a stage's weights and those it began with points from any near model to one
that can do the same (task arithmetic: Ilharco et al., arXiv 2212.04089). So a student with a new
vision tower need not learn from nothing what an older one had learnt, as the layout in streams.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from inference.training.config import ConfigError

_VISION_PREFIX = "model.visual."


def add_task_vector(model: torch.nn.Module, trained: Path, began_with: Path) -> None:
    """model += trained - began_with, vision tower apart. Both are folders that a stage wrote.

    Raises ConfigError where a folder holds no weights, or those of another shape.
    """
    after, before = (_language_weights(folder) for folder in (trained, began_with))
    weights = {n: w for n, w in model.state_dict().items() if not n.startswith(_VISION_PREFIX)}
    for folder, stored in ((trained, after), (began_with, before)):
        for name, weight in stored.items():
            if name not in weights or weights[name].shape != weight.shape:
                raise ConfigError(f"task_vector: {folder}: {name} is not of the start's shape")
    with torch.no_grad():
        for name in after.keys() & before.keys():
            difference = after[name].float() - before[name].float()
            weights[name].add_(difference.to(weights[name]))


def _language_weights(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / "model.safetensors"
    if not path.is_file():
        raise ConfigError(f"task_vector: {path} is missing")
    return {n: w for n, w in load_file(path).items() if not n.startswith(_VISION_PREFIX)}
