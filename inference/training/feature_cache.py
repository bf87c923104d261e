"""Vision features of all training films, computed once: from RAD on the tower is frozen.

Each film is augmented once before, so that later stages see features of films that are exposed
and placed differently from the renderer's, as films from other detectors are.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from inference.training.dataset import PhantomPairs, augment
from inference.training.forward import ReportForward
from inference.training.loop import step_generator


def cached_features(forward: ReportForward, pairs: PhantomPairs, path: Path) -> torch.Tensor:
    """[films, tokens, hidden] bfloat16, memory-resident; computed and written if absent."""
    if path.exists():
        stored = load_file(path)["features"]
        if stored.shape[0] == len(pairs):
            return stored
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pairs), 50):
            indices = list(range(start, min(start + 50, len(pairs))))
            films = augment(pairs.films(indices), step_generator(5, start))
            with torch.autocast("cpu", torch.bfloat16):
                parts.append(forward.vision_features(films).bfloat16())
            if start % 2000 == 0:
                print(f"features {start}/{len(pairs)}", flush=True)
    features = torch.cat(parts).clone()
    save_file({"features": features}, path)
    return features
