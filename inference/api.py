"""What crosses the engine's door: requests, events, errors. Torch-free, Qt-free.

Requests and events are frozen dataclasses of plain text, numbers and owned arrays, so
that they may cross a thread; each carries the ``request_id`` it belongs to.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from inference.report_language import Language

DecodingMode = Literal[
    "one-step",
    "adaptive",
    "guided",
    "multi-step",
    "autoregressive",
    "one-step-unfused",
    "full-sequence",
    "regions",
    "regions-adaptive",
    "regions-multi-step",
]
DECODING_MODES: tuple[DecodingMode, ...] = (
    "one-step",
    "adaptive",
    "guided",
    "multi-step",
    "autoregressive",
)
PROOF_MODES: tuple[DecodingMode, ...] = ("one-step-unfused",)
"""Served wherever one-step is, for proof and measurement; nothing to offer a reader."""

WHOLE_ANSWER_MODES: tuple[DecodingMode, ...] = ("full-sequence",)
"""Offered only by models trained with one block as long as the answer."""

REGION_MODES: tuple[DecodingMode, ...] = ("regions", "regions-adaptive", "regions-multi-step")
"""All regions of the report at once, then the impression; for weights trained so."""

SequenceCache = Literal["none", "prompt", "delayed"]
SEQUENCE_CACHES: tuple[SequenceCache, ...] = ("none", "prompt", "delayed")

Remasking = Literal[
    "low_confidence_dynamic", "low_confidence_static", "sequential", "random", "entropy_bounded"
]
REMASKING_STRATEGIES: tuple[Remasking, ...] = (
    "low_confidence_dynamic",
    "low_confidence_static",
    "sequential",
    "random",
    "entropy_bounded",
)
StopReason = Literal["stop", "length", "repetition"]

Products = Literal["exact", "bfloat16", "int8", "fp8"]
"""How linear products of decoder and vision tower are computed (inference.products)."""

PRODUCTS: tuple[Products, ...] = ("exact", "bfloat16", "int8", "fp8")

PassPath = Literal["auto", "graphs", "one-shape", "any-shape"]
"""How a model's passes run: of one shape, captured as CUDA graphs; of one shape, not captured; of
whatever shape comes. "auto": graphs on a GPU, any shape on a CPU. In fp32 it changes no token."""


class EngineError(Exception):
    """An environment problem the user can act on; the message names the file and the reason."""


class WeightsMismatch(EngineError):
    """A model folder whose files, keys or shapes are not what its config promises."""


class ProductsRefused(EngineError):
    """Reduced products that are no gain here, or change too much of what a model says; the same
    model can be loaded with exact ones."""


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

    denoising_steps and remasking steer ``multi-step`` and ``full-sequence``: at most that many
    steps a block, and which positions each commits. confidence_threshold belongs to
    low_confidence_dynamic, entropy_bound (nats) to entropy_bounded (inference.decoding.remasking).
    adaptive_threshold and adaptive_max_passes steer ``adaptive`` only: positions below the
    threshold are looked at again, in at most that many passes a block, the first included.
    guided_ratio and guided_rounds steer ``guided`` only: a token whose probability, as the
    autoregressive model has it, is below this share of that of its own choice is redrafted;
    at most so many times is the draft checked.

    sequence_cache steers ``full-sequence`` only: what a pass takes over from those before.
    region_texts, (region, text) pairs, belongs to the modes of regions: these regions stand as they
    are given, and the others and the impression are drafted. The settings of ``multi-step`` and
    ``adaptive`` steer ``regions-multi-step`` and ``regions-adaptive`` too.

    The answer may begin with prefix_text or prefix_ids (one of them), and hold further tokens:
    pinned, (offset in the answer, token id) pairs. Such tokens are never masked nor changed,
    and no stop id is chosen before the last of them. ``autoregressive`` takes a prefix only.
    White space at the end of prefix_text is dropped: words bring their own. max_new_tokens
    counts the whole answer, prefix included.

    temperature 0 is greedy; above it tokens are drawn from the top_k likeliest (0: all) within
    the likeliest share top_p of them; the same seed gives the same tokens. seed also steers
    the remasking ``random``.
    """

    request_id: str
    images: tuple[ModelImage, ...]
    language: Language = "en"
    decoding: DecodingMode = "one-step"
    denoising_steps: int = 8
    confidence_threshold: float = 0.85
    adaptive_threshold: float = 0.7
    adaptive_max_passes: int = 8
    guided_ratio: float = 0.01
    guided_rounds: int = 3
    max_new_tokens: int = 512
    remasking: Remasking = "low_confidence_dynamic"
    entropy_bound: float = 0.35
    prefix_text: str = ""
    prefix_ids: tuple[int, ...] = ()
    pinned: tuple[tuple[int, int], ...] = ()
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    sequence_cache: SequenceCache = "prompt"
    region_texts: tuple[tuple[str, str], ...] = ()

    @property
    def settings(self) -> dict[str, str | int | float]:
        """What steers this answer, for the audit log and headless output: JSON-able."""
        names = ["max_new_tokens"]
        if self._takes_steps:
            names += ["denoising_steps", "confidence_threshold"]
            names += ["remasking"] if self.remasking != "low_confidence_dynamic" else []
            names += ["entropy_bound"] if self.remasking == "entropy_bounded" else []
        if self.decoding == "full-sequence":
            names.append("sequence_cache")
        if self.decoding in ("adaptive", "regions-adaptive"):
            names += ["adaptive_threshold", "adaptive_max_passes"]
        if self.decoding == "guided":
            names += ["guided_ratio", "guided_rounds"]
        if self.temperature > 0:
            names += ["temperature", "top_k", "top_p"]
        if self.temperature > 0 or self._draws_positions:
            names.append("seed")
        common: dict[str, str | int | float] = {"mode": self.decoding, "language": self.language}
        if self.region_texts:
            common["given_regions"] = ", ".join(region for region, _ in self.region_texts)
        return common | {name: getattr(self, name) for name in names}

    @property
    def _takes_steps(self) -> bool:
        return self.decoding in ("multi-step", "full-sequence", "regions-multi-step")

    @property
    def _draws_positions(self) -> bool:
        return self._takes_steps and self.remasking == "random"


def redraft_span(
    request: GenerationRequest, token_ids: Sequence[int], start: int, end: int
) -> GenerationRequest:
    """The request for tokens [start, end) of its answer once more, the others pinned.

    token_ids: the whole answer, its stop id too. A block is left to itself where start and end
    are a BlockCommitted's. Greedy decoding of the same mode may well say the same again: also
    ask for another mode, or a temperature.
    """
    kept = tuple((at, token_ids[at]) for at in range(end, len(token_ids)))
    return replace(request, prefix_text="", prefix_ids=tuple(token_ids[:start]), pinned=kept)


@dataclass(frozen=True)
class PrefillDone:
    """The prompt (vision and text) is in the cache.

    reused: it was there from the draft before, on the same images. regions: those that fill at the
    same time, in the report's order, "impression" last; empty where the answer fills as one.
    """

    request_id: str
    prompt_tokens: int
    block_length: int
    elapsed_ms: float
    reused: bool = False
    regions: tuple[str, ...] = ()


@dataclass(frozen=True)
class BlockCommitted:
    """One block of the answer is final.

    token_texts joined over all blocks give the raw answer; special tokens (stop) carry an
    empty text, so that the answer is exactly the concatenation. confidences are the model's
    probability of each committed token: never a probability of disease. passes counts
    forward passes since prefill, checks of ``guided`` and one that is under way included.
    Autoregressive blocks hold one token.
    is_pinned: of each token, whether the request brought it (its confidence is 1); empty
    where it brought none of them.
    second_looks: of ``adaptive`` and ``regions-adaptive``, how often this block was looked at
    again; regions that are looked at in the same pass share it.
    region: which part of the report it continues, in the modes of regions: their texts are one
    answer in the report's order (inference.in_report_order). is_region_end: that part is complete.
    """

    request_id: str
    index: int
    token_ids: tuple[int, ...]
    token_texts: tuple[str, ...]
    confidences: tuple[float, ...]
    passes: int
    elapsed_ms: float  # since the draft began, prefill included
    is_pinned: tuple[bool, ...] = ()
    region: str = ""
    is_region_end: bool = False
    second_looks: int = 0


@dataclass(frozen=True)
class DraftFinished:
    """The answer ended; tokens counts valid tokens only (nothing after the first stop id).

    stop_reason: "repetition" where the model began to loop: text is cut after the first time,
    and of the blocks streamed before only the first ``tokens`` tokens belong to it.
    pinned_tokens: how many of tokens the request brought; they are no decoding speed.
    extra_passes: of ``adaptive`` and ``guided``, those beyond one a block (second looks; checks
    and redrafts); 0 in the other modes.
    refusal: why there is no report, "" where there is one. Either the model answered that the
    film is no frontal chest radiograph, or (0 passes, no text, no event before this one) the
    film shows nothing.
    """

    request_id: str
    text: str
    findings: str
    impression: str
    stop_reason: StopReason
    passes: int
    tokens: int
    prefill_ms: float
    decode_ms: float
    extra_passes: int = 0
    refusal: str = ""
    pinned_tokens: int = 0

    @property
    def refused(self) -> bool:
        """Whether this is no report: findings and impression must not be used as one."""
        return bool(self.refusal)

    @property
    def tokens_per_second(self) -> float:
        drafted = self.tokens - self.pinned_tokens
        return 1000.0 * drafted / self.decode_ms if self.decode_ms > 0 else 0.0


@dataclass(frozen=True)
class DraftCancelled:
    """The draft was stopped by its CancelToken; no event of this request follows."""

    request_id: str
    passes: int
    elapsed_ms: float


@dataclass(frozen=True)
class DraftFailed:
    """This request of a batch couldn't be served, and why; the others go on. See draft_batch."""

    request_id: str
    reason: str


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


class DecodingTimes(NamedTuple):
    """Estimated milliseconds of decoding a typical report, one pass a block."""

    sequence_ms: float
    regions_ms: float


@dataclass(frozen=True)
class EngineDescription:
    """What is loaded, for the status line, the audit log and headless output.

    calibration: at least one point, or None where the model brings none. decoding_times: measured
    on this device at load; None for a model that decodes in one sequence only. products: how the
    linear products are computed; token_agreement: measured at load, the share of tokens that are
    those of exact products (the least, where modes have weights of their own); None for "exact".
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
    decoding_times: DecodingTimes | None = None
    products: Products = "exact"
    token_agreement: float | None = None

    @property
    def computed_in(self) -> str:
        """For reading: the dtype, and what of it is reduced."""
        if self.products == "exact" or self.token_agreement is None:
            return self.dtype
        share = f"{self.token_agreement:.1%} of tokens as exact"
        return f"{self.dtype}, {self.products} products ({share})"

    @property
    def precision(self) -> dict[str, str | float]:
        """What its numbers are computed in, for the audit log and headless output: JSON-able."""
        told: dict[str, str | float] = {"dtype": self.dtype, "products": self.products}
        if self.token_agreement is not None:
            told["token_agreement"] = round(self.token_agreement, 4)
        return told
