"""Runs the engine on the drafting thread; what asks it is the main thread's `DraftingService`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal, Slot

from inference import (
    REGION_MODES,
    CancelToken,
    DraftCancelled,
    DraftFinished,
    GenerationRequest,
    ProductsRefused,
    load_engine,
)
from workstation.drafting.drafting_engine import (
    DraftingEngine,
    EngineLoader,
    EngineTask,
    describe_error,
)
from workstation.drafting.redraft_run import RedraftEvent, RedraftRequest, run_redraft
from workstation.drafting.region_redraft_run import run_region_redraft

_log = logging.getLogger(__name__)


class DraftingWorker(QObject):
    """Owns the engine. Every slot runs on the drafting thread; every signal leaves from there.

    Connect only bound methods of QObjects: a lambda would run on the drafting thread.
    Each draft() ends in exactly one DraftFinished, DraftCancelled or draft_failed.
    """

    engine_ready = Signal(object)  # EngineDescription
    engine_failed = Signal(str)
    products_refused = Signal(str)  # why; exact ones are loaded instead
    draft_started = Signal(str)  # request_id
    event_happened = Signal(object)  # RedraftEvent
    draft_failed = Signal(str, str)  # request_id, message

    def __init__(self, load_engine: EngineLoader = load_engine) -> None:
        super().__init__()
        self._load_engine = load_engine
        self._engine: DraftingEngine | None = None

    @Slot(str, str, str, str)
    def load(self, model: str, device: str, dtype: str = "auto", products: str = "exact") -> None:
        """Load a model in place of the one held; a failure leaves no engine behind.

        Reduced products that are refused are told, and exact ones loaded in their place.
        """
        self._engine = None  # two models at once may not fit the device
        chosen = {} if dtype == "auto" else {"dtype": dtype}
        reduced = {} if products == "exact" else {"products": products}
        failure, is_refusal = self._try_to_load(model, device, chosen | reduced)
        if is_refusal:
            self.products_refused.emit(failure)
            failure, _ = self._try_to_load(model, device, chosen)
        # Outside the handler: a live traceback would keep tensors of the failed load alive.
        if self._engine is not None:
            self.engine_ready.emit(self._engine.description)
        else:
            self.engine_failed.emit(failure)

    def _try_to_load(self, model: str, device: str, chosen: dict[str, str]) -> tuple[str, bool]:
        """Why it failed, "" if it didn't; and whether only its products were refused."""
        try:
            self._engine = self._load_engine(model, device, **chosen)
        except Exception as error:
            _log.error("loading the model %s failed:\n%s", model, traceback.format_exc())
            return describe_error(error), isinstance(error, ProductsRefused)
        return "", False

    @Slot(object, object)
    def draft(self, request: GenerationRequest | RedraftRequest, cancel: CancelToken) -> None:
        """Run one request to its end, emitting each event as the engine gives it."""
        if cancel.is_cancelled:  # superseded while it waited in the queue
            self._emit_cancelled(request.request_id)
            return
        if self._engine is None:
            self.draft_failed.emit(request.request_id, self.tr("No model is loaded."))
            return
        self.draft_started.emit(request.request_id)
        failure = ""
        has_ended = False
        try:
            for event in self._stream(self._engine, request, cancel):
                self.event_happened.emit(event)
                has_ended = isinstance(event, DraftFinished | DraftCancelled)
        except Exception as error:
            _log.error("draft %s failed:\n%s", request.request_id, traceback.format_exc())
            failure = describe_error(error)
        if has_ended:
            return
        if cancel.is_cancelled:
            self._emit_cancelled(request.request_id)
        else:
            self.draft_failed.emit(
                request.request_id, failure or self.tr("The engine stopped without an answer.")
            )

    @staticmethod
    def _stream(
        engine: DraftingEngine, request: GenerationRequest | RedraftRequest, cancel: CancelToken
    ) -> Iterable[RedraftEvent]:
        if isinstance(request, RedraftRequest):
            is_by_region = request.generation.decoding in REGION_MODES
            run = run_region_redraft if is_by_region else run_redraft
            return run(engine, request, cancel)
        return engine.draft(request, cancel)

    @Slot(object)
    def run_task(self, task: EngineTask) -> None:
        """Lend the engine to a task until it is done."""
        task.run(self._engine)

    @Slot()
    def release(self) -> None:
        """Drop the engine on the thread that used it."""
        self._engine = None

    def _emit_cancelled(self, request_id: str) -> None:
        self.event_happened.emit(DraftCancelled(request_id, passes=0, elapsed_ms=0.0))
