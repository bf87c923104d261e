"""Files of a model folder: only inside it, never a pickle, and their JSON."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from inference.api import EngineError, WeightsMismatch

_PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"})


def check_file(folder: Path, name: str) -> Path:
    """The path of a file inside folder that exists and can't run code when it is loaded."""
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or "\\" in name or ":" in name:
        raise WeightsMismatch(f"{folder}: the file name {name!r} leads out of the model folder")
    path = folder / relative
    refuse_pickle(path)
    if not path.is_file():
        raise WeightsMismatch(f"{path}: missing")
    return path


def refuse_pickle(path: Path) -> None:
    """WeightsMismatch for a file that only unpickling, which can run any code, could load."""
    if path.suffix.lower() in _PICKLE_SUFFIXES:
        raise WeightsMismatch(
            f"{path}: pickle refused, because loading it could run any code; "
            "only safetensors weights are loaded"
        )


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in path; EngineError names the file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EngineError(f"{path}: can't be read ({error.strerror})") from error
    except ValueError as error:
        raise EngineError(f"{path}: not JSON ({error})") from error
    if not isinstance(values, dict):
        raise EngineError(f"{path}: not a JSON object")
    return values
