"""Vision features of all training films, computed once: from RAD on the tower is frozen.

Each film is augmented once before, so that later stages see features of films that are exposed
and placed differently from the renderer's, as films from other detectors are.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inference.training.dataset import PhantomPairs, augment
from inference.training.embedded_config import preprocessor_config
from inference.training.forward import ReportForward
from inference.training.loop import step_generator

_CHUNK = 50


@dataclass(frozen=True, eq=False)
class CachedFeatures:
    """[films, tokens, hidden] bfloat16 of the first films and of the laterals."""

    frontal: torch.Tensor
    lateral: torch.Tensor
    lateral_rows: torch.Tensor  # [studies] row in lateral, -1 where there is none

    def of(self, indices: list[int], images: int) -> torch.Tensor:
        """[B, images * tokens, hidden]."""
        if images == 1:
            return self.frontal[indices]
        rows = self.lateral_rows[indices]
        assert int(rows.min()) >= 0, "a study without a lateral was drawn"
        return torch.cat([self.frontal[indices], self.lateral[rows]], dim=1)


def cached_features(forward: ReportForward, pairs: PhantomPairs, path: Path) -> CachedFeatures:
    """Memory-resident; computed and written if absent or stale.

    Stale: of other films, another tower or another image processor than these.
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
    frontal = _compute(forward, pairs.films, [*range(len(pairs))], 5)
    with_lateral = [int(row) for row in pairs.with_lateral]
    lateral = _compute(forward, lambda rows: pairs.laterals(rows)[:, None], with_lateral, 6)
    partial = path.with_suffix(".partial")
    tensors = {"frontal": frontal, "lateral": lateral}
    save_file(tensors, partial, metadata={"fingerprint": fingerprint})
    os.replace(partial, path)
    return CachedFeatures(frontal, lateral, lateral_rows)


def _compute(
    forward: ReportForward,
    films_of: Callable[[list[int]], torch.Tensor],
    rows: list[int],
    seed: int,
) -> torch.Tensor:
    """[len(rows), tokens, hidden] bfloat16; augmented by (seed, position)."""
    config = forward.model.config.vision_config
    tokens = math.prod(forward.frame.grid) // config.spatial_merge_size**2
    features = torch.empty(len(rows), tokens, config.out_hidden_size, dtype=torch.bfloat16)
    with torch.inference_mode():
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            films = augment(films_of(chunk), step_generator(seed, start))
            with torch.autocast("cpu", torch.bfloat16):
                features[start : start + len(chunk)] = forward.vision_features(films).bfloat16()
            if start % 2000 == 0:
                print(f"features {start}/{len(rows)}", flush=True)
    return features


def _fingerprint(forward: ReportForward, pairs: PhantomPairs) -> str:
    """sha256 over all that features follow from, but the renderer."""
    digest = hashlib.sha256(json.dumps([preprocessor_config(), pairs.seeds]).encode())
    for name, tensor in sorted(forward.model.model.visual.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().contiguous().numpy().tobytes())
    return digest.hexdigest()
