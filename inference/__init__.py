"""The public door of the engine. Importing it never imports torch; loading an engine does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inference.api import (
    DECODING_MODES,
    PRODUCTS,
    REGION_MODES,
    REMASKING_STRATEGIES,
    BlockCommitted,
    Calibration,
    CancelToken,
    DecodingMode,
    DecodingTimes,
    DraftCancelled,
    DraftEvent,
    DraftFailed,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    ModelImage,
    PassPath,
    PrefillDone,
    Products,
    ProductsRefused,
    Remasking,
    StopReason,
    UnsupportedRequest,
    WeightsMismatch,
    calibrate_confidence,
    redraft_span,
)
from inference.model_folder.file_digests import DigestCache
from inference.model_folder.loading_progress import LoadProgress, ProgressListener
from inference.report_parts import in_report_order, region_of

if TYPE_CHECKING:
    from inference.engine import ReportEngine
    from inference.model_folder.model_inspection import ModelInspection


def resource_folder() -> Path:
    """The shipped resources: inside the installed package, or beside it in a source tree."""
    installed = Path(__file__).resolve().parent / "resources"
    return installed if installed.is_dir() else installed.parents[1] / "resources"


def load_engine(
    model: str | Path = "embedded",
    device: str = "auto",
    dtype: str = "auto",
    *,
    digest_cache: DigestCache | None = None,
    on_progress: ProgressListener | None = None,
    expected_sha256: str = "",
    passes: PassPath = "auto",
    products: Products = "exact",
    threads: int = 0,
) -> ReportEngine:
    """Load the embedded model, or any local Qwen2.5-VL block diffusion folder.

    device: "auto" (CUDA if there is one, else CPU), "cpu", "cuda" or "cuda:N".
    dtype: "auto" (bfloat16 on a GPU that computes in it, else float32), or one of these names.
    digest_cache: sha256 of files that didn't change since; without one, all files are hashed.
    on_progress: told of hashing and loading, on the calling thread or one of its helpers.
    expected_sha256: refuse a model whose model_sha256 is another.
    passes: "auto" (what the environment variable ECHO_PASSES says, else CUDA graphs on a GPU and
    passes of any shape on a CPU), "graphs", "one-shape" (without graphs) or "any-shape".
    products: of decoder and vision tower. "exact", or where speed is worth a small loss "bfloat16"
    or "int8" (CPU), "fp8" (GPUs that multiply it): the model is then loaded exact first, both look
    at a few films, and ProductsRefused is raised unless they agree, or where it would be no gain.
    threads: of the CPU, for all that torch does from now on; 0: as it is (torch's choice is one
    for each physical core).
    Raises WeightsMismatch or EngineError, naming the file and the reason; EngineError also says
    what would fit where the device has too little memory, before anything is loaded.
    """
    from inference.engine import ReportEngine

    return ReportEngine.load(
        model,
        device,
        dtype,
        digest_cache,
        on_progress,
        expected_sha256,
        passes,
        products,
        threads,
    )


def draft_batch(
    engine: ReportEngine,
    requests: Sequence[GenerationRequest],
    cancel: CancelToken | None = None,
    at_once: int = 8,
) -> Iterator[DraftEvent | DraftFailed]:
    """Stream the events of several studies drafted together, each as engine.draft tells it.

    At most at_once are under way; where one ends, the next begins. In float32 each says what it
    would say alone. A request that can't be served ends in DraftFailed, and the others go on.
    Cancelling ends all that are under way in DraftCancelled; those that weren't begun have no
    event. Where memory runs out for all at once, they go on one by one. No prompt is kept.
    Times are the clock's, the company's share included.
    """
    from inference.batch_drafts import stream_batch

    return stream_batch(engine, requests, cancel, at_once)


def inspect_model(
    model: str | Path,
    *,
    digest_cache: DigestCache | None = None,
    on_progress: ProgressListener | None = None,
    is_hashed: bool = True,
) -> ModelInspection:
    """Check a model folder as load_engine does, and tell what it is, without loading its weights.

    is_hashed: False leaves out what takes long; sha256 then is "". Raises as load_engine does.
    """
    from inference.model_folder.model_inspection import inspect_model_folder

    return inspect_model_folder(model, digest_cache, on_progress, is_hashed)


__all__ = [
    "DECODING_MODES",
    "PRODUCTS",
    "REGION_MODES",
    "REMASKING_STRATEGIES",
    "BlockCommitted",
    "Calibration",
    "CancelToken",
    "DecodingMode",
    "DecodingTimes",
    "DigestCache",
    "DraftCancelled",
    "DraftEvent",
    "DraftFailed",
    "DraftFinished",
    "EngineDescription",
    "EngineError",
    "GenerationRequest",
    "LoadProgress",
    "ModelImage",
    "PassPath",
    "PrefillDone",
    "Products",
    "ProductsRefused",
    "ProgressListener",
    "Remasking",
    "StopReason",
    "UnsupportedRequest",
    "WeightsMismatch",
    "calibrate_confidence",
    "draft_batch",
    "in_report_order",
    "inspect_model",
    "load_engine",
    "redraft_span",
    "region_of",
    "resource_folder",
]
