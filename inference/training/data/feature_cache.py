"""Vision features of training films: computed once where the tower is frozen, else every time.

Each film is varied once before it is cached, so that later stages see features of films that are
exposed and placed differently from the renderer's, as films from other detectors are.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inference.training.data.pairs import Draw, Pairs, augment
from inference.training.data.phantom_pairs import PhantomPairs
from inference.training.forward import Forwards, ReportForward
from inference.training.loop import step_generator

_CHUNK = 50


class Features(Protocol):
    """What the tower sees of a draw's films."""

    def of(self, draw: Draw, step: int) -> torch.Tensor:
        """[B, image tokens, hidden]."""


@dataclass(frozen=True, eq=False)
class LiveFeatures:
    """Computed at each step, without gradients where the tower is frozen.

    seed: of the films' variation, None for none.
    """

    forwards: Forwards
    pairs: Pairs
    seed: int | None

    def of(self, draw: Draw, step: int) -> torch.Tensor:
        generator = None if self.seed is None else step_generator(self.seed, step)
        forward = self.forwards[draw.kind]
        patches = self.pairs.patches(draw, generator)
        is_trained = next(forward.model.model.visual.parameters()).requires_grad
        with torch.set_grad_enabled(is_trained and torch.is_grad_enabled()), forward.precision():
            return forward.vision_features(patches)


@dataclass(frozen=True, eq=False)
class CachedFeatures:
    """[films, tokens, hidden] bfloat16 of the first films and of the laterals."""

    frontal: torch.Tensor
    lateral: torch.Tensor
    lateral_rows: torch.Tensor  # [studies] row in lateral, -1 where there is none

    def of(self, draw: Draw, step: int) -> torch.Tensor:
        if len(draw.kind.grids) == 1:
            return self.frontal[draw.indices]
        rows = self.lateral_rows[draw.indices]
        assert int(rows.min()) >= 0, "a study without a lateral was drawn"
        return torch.cat([self.frontal[draw.indices], self.lateral[rows]], dim=1)


def cached_features(forward: ReportForward, pairs: PhantomPairs, path: Path) -> CachedFeatures:
    """Memory-resident; computed and written if absent or stale.

    forward: of one film. Stale: of other films, another tower or another image processor.
    """
    lateral_rows = torch.full((len(pairs),), -1)
    lateral_rows[torch.from_numpy(pairs.with_lateral)] = torch.arange(len(pairs.with_lateral))
    fingerprint = _fingerprint(forward, pairs)
    if path.exists():
        with safe_open(path, framework="pt") as stored:
            is_current = (stored.metadata() or {}).get("fingerprint") == fingerprint
        if is_current:
            tensors = load_file(path)
            return CachedFeatures(tensors["frontal"], tensors["lateral"], lateral_rows)
        print(f"{path}: of another tower or other films, computed again", flush=True)
    with_lateral = [int(row) for row in pairs.with_lateral]
    tensors = {
        "frontal": _compute(forward, pairs, pairs.films, [*range(len(pairs))], 5),
        "lateral": _compute(forward, pairs, pairs.laterals, with_lateral, 6),
    }
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"fingerprint": fingerprint})
    os.replace(partial, path)
    return CachedFeatures(tensors["frontal"], tensors["lateral"], lateral_rows)


def _compute(
    forward: ReportForward, pairs: PhantomPairs, films_of: Callable[[list[int]], torch.Tensor],
    rows: list[int], seed: int,
) -> torch.Tensor:  # fmt: skip
    """[len(rows), tokens, hidden] bfloat16; films are varied by (seed, position)."""
    config = forward.model.config.vision_config
    tokens = math.prod(forward.frame.kind.grids[0]) // config.spatial_merge_size**2
    features = torch.empty(len(rows), tokens, config.out_hidden_size, dtype=torch.bfloat16)
    with torch.inference_mode():
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            films = augment(films_of(chunk), step_generator(seed, start))
            with forward.precision():
                computed = forward.vision_features(pairs.patchify(films))
            features[start : start + len(chunk)] = computed.to("cpu", torch.bfloat16)
            if start % 2000 == 0:
                print(f"features {start}/{len(rows)}", flush=True)
    return features


def _fingerprint(forward: ReportForward, pairs: PhantomPairs) -> str:
    """sha256 over all that features follow from, but the renderer."""
    digest = hashlib.sha256(json.dumps([repr(pairs.processor), pairs.seeds]).encode())
    for name, tensor in sorted(forward.model.model.visual.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
