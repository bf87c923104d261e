"""Vision features of all training films, computed once: from RAD on the tower is frozen.

Each film is augmented once before, so that later stages see features of films that are exposed
and placed differently from the renderer's, as films from other detectors are.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inference.training.dataset import PhantomPairs, augment
from inference.training.embedded_config import preprocessor_config
from inference.training.forward import ReportForward
from inference.training.loop import step_generator


def cached_features(forward: ReportForward, pairs: PhantomPairs, path: Path) -> torch.Tensor:
    """[films, tokens, hidden] bfloat16, memory-resident; computed and written if absent or stale.

    Stale: of other films, another tower or another image processor than these.
    """
    fingerprint = _fingerprint(forward, pairs)
    if path.exists():
        with safe_open(path, framework="pt") as stored:
            is_current = (stored.metadata() or {}).get("fingerprint") == fingerprint
        if is_current:
            return load_file(path)["features"]
        print(f"{path}: of another tower or other films, computed again", flush=True)
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
    partial = path.with_suffix(".partial")
    save_file({"features": features}, partial, metadata={"fingerprint": fingerprint})
    os.replace(partial, path)
    return features


def _fingerprint(forward: ReportForward, pairs: PhantomPairs) -> str:
    """sha256 over all that features follow from, but the renderer."""
    digest = hashlib.sha256(json.dumps([preprocessor_config(), pairs.seeds]).encode())
    for name, tensor in sorted(forward.model.model.visual.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().contiguous().numpy().tobytes())
    return digest.hexdigest()
