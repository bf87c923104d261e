"""What crosses the engine's door: requests, events, errors. Torch-free, Qt-free.

Requests and events are frozen dataclasses of plain text, numbers and owned arrays, so
that they may cross a thread; each carries the ``request_id`` it belongs to.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inference.report_language import Language

DecodingMode = Literal["one-step", "adaptive", "multi-step", "autoregressive"]
DECODING_MODES: tuple[DecodingMode, ...] = ("one-step", "adaptive", "multi-step", "autoregressive")


class EngineError(Exception):
    """An environment problem the user can act on; the message names the file and the reason."""


class WeightsMismatch(EngineError):
    """A model folder whose files, keys or shapes are not what its config promises."""


class UnsupportedRequest(EngineError):
    """A request this model can't serve (language, decoding mode, number of images ...)."""


@dataclass(frozen=True, eq=False)
class ModelImage:
    """One film as stored, never as windowed by the user.

    pixels: [rows, columns] real numbers, after the modality LUT.
    is_monochrome1: True where the lowest value is meant to be white (PS3.3 C.7.6.3.1.2).
    padding_mask: [rows, columns] bool, True on pixel padding (PS3.3 C.7.5.1.1.2), or None.
    """

    pixels: np.ndarray
    is_monochrome1: bool = False
    padding_mask: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class GenerationRequest:
    """One report to draft.

    denoising_steps and confidence_threshold steer ``multi-step`` only: at most that many
    steps a block; positions above the threshold are committed together (ECHO, decoding).
    adaptive_threshold and adaptive_max_passes steer ``adaptive`` only: positions below the
    threshold are looked at again, in at most that many passes a block, the first included.
    """

    request_id: str
    images: tuple[ModelImage, ...]
    language: Language = "en"
    decoding: DecodingMode = "one-step"
    denoising_steps: int = 8
    confidence_threshold: float = 0.85
    adaptive_threshold: float = 0.7
    adaptive_max_passes: int = 8
    max_new_tokens: int = 512

    @property
    def settings(self) -> dict[str, str | int | float]:
        """What steers this answer, for the audit log and headless output: JSON-able."""
        names = {
            "multi-step": ("denoising_steps", "confidence_threshold"),
            "adaptive": ("adaptive_threshold", "adaptive_max_passes"),
        }.get(self.decoding, ())
        common = {"mode": self.decoding, "language": self.language}
        return common | {name: getattr(self, name) for name in ("max_new_tokens", *names)}


@dataclass(frozen=True)
class PrefillDone:
    """The prompt (vision and text) is in the cache."""

    request_id: str
    prompt_tokens: int
    block_length: int
    elapsed_ms: float


@dataclass(frozen=True)
class BlockCommitted:
    """One block of the answer is final.

    token_texts joined over all blocks give the raw answer; special tokens (stop) carry an
    empty text, so that the answer is exactly the concatenation. confidences are the model's
    probability of each committed token: never a probability of disease. passes counts
    forward passes of the decoder since prefill. Autoregressive blocks hold one token.
    """

    request_id: str
    index: int
    token_ids: tuple[int, ...]
    token_texts: tuple[str, ...]
    confidences: tuple[float, ...]
    passes: int
    elapsed_ms: float  # since the draft began, prefill included


@dataclass(frozen=True)
class DraftFinished:
    """The answer ended; tokens counts valid tokens only (nothing after the first stop id).

    extra_passes: of ``adaptive``, those beyond one a block; 0 in the other modes.
    refusal: why there is no report, "" where there is one. Either the model answered that the
    film is no frontal chest radiograph, or (0 passes, no text, no event before this one) the
    film shows nothing.
    """

    request_id: str
    text: str
    findings: str
    impression: str
    stop_reason: Literal["stop", "length"]
    passes: int
    tokens: int
    prefill_ms: float
    decode_ms: float
    extra_passes: int = 0
    refusal: str = ""

    @property
    def refused(self) -> bool:
        """Whether this is no report: findings and impression must not be used as one."""
        return bool(self.refusal)

    @property
    def tokens_per_second(self) -> float:
        return 1000.0 * self.tokens / self.decode_ms if self.decode_ms > 0 else 0.0


@dataclass(frozen=True)
class DraftCancelled:
    """The draft was stopped by its CancelToken; no event of this request follows."""

    request_id: str
    passes: int
    elapsed_ms: float


DraftEvent = PrefillDone | BlockCommitted | DraftFinished | DraftCancelled


class CancelToken:
    """Set from any thread; the engine looks at it before every forward pass."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()


Calibration = tuple[tuple[float, float], ...]
"""(mean token confidence of a sentence, share of such sentences that was right), both rising."""


def calibrate_confidence(calibration: Calibration, confidence: float) -> float:
    """The share of sentences right at this mean token confidence, on the model's test films.

    Linear between the points, level outside. Of the wording's truth on those films; never a
    probability of disease.
    """
    return float(np.interp(confidence, [x for x, _ in calibration], [y for _, y in calibration]))


@dataclass(frozen=True)
class EngineDescription:
    """What is loaded, for the status line, the audit log and headless output.

    calibration: at least one point, or None where the model brings none.
    """

    model_name: str
    model_version: str
    model_sha256: str  # digest over the sha256 of every file of the manifest
    model_folder: str
    device: str
    dtype: str
    block_length: int
    decoding_modes: tuple[DecodingMode, ...]
    languages: tuple[Language, ...]
    max_images: int
    calibration: Calibration | None = None
