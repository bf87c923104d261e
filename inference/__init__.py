"""The public door of the engine. Importing it never imports torch; loading an engine does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inference.api import (
    DECODING_MODES,
    BlockCommitted,
    Calibration,
    CancelToken,
    DecodingMode,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    ModelImage,
    PrefillDone,
    UnsupportedRequest,
    WeightsMismatch,
    calibrate_confidence,
)

if TYPE_CHECKING:
    from inference.engine import ReportEngine


def resource_folder() -> Path:
    """The shipped resources: inside the installed package, or beside it in a source tree."""
    installed = Path(__file__).resolve().parent / "resources"
    return installed if installed.is_dir() else installed.parents[1] / "resources"


def load_engine(model: str | Path = "embedded", device: str = "auto") -> ReportEngine:
    """Load the embedded model, or any local Qwen2.5-VL block diffusion folder.

    device: "auto" (CUDA if there is one, else CPU), "cpu", "cuda" or "cuda:N".
    Raises WeightsMismatch or EngineError, naming the file and the reason.
    """
    from inference.engine import ReportEngine

    return ReportEngine.load(model, device)


__all__ = [
    "DECODING_MODES",
    "BlockCommitted",
    "Calibration",
    "CancelToken",
    "DecodingMode",
    "DraftCancelled",
    "DraftEvent",
    "DraftFinished",
    "EngineDescription",
    "EngineError",
    "GenerationRequest",
    "ModelImage",
    "PrefillDone",
    "UnsupportedRequest",
    "WeightsMismatch",
    "calibrate_confidence",
    "load_engine",
    "resource_folder",
]
