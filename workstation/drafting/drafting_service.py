"""The main thread's side of drafting: asks the engine for drafts, and tells what is current.

One long-lived QThread owns the engine (one CUDA context, no locks). Cancelling sets the
CancelToken directly, because a queued slot would not run before the running draft ended.
"""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from inference import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftFinished,
    EngineDescription,
    GenerationRequest,
    LoadProgress,
    PrefillDone,
    load_engine,
)
from workstation.drafting.drafting_engine import EngineLoader, EngineTask
from workstation.drafting.drafting_worker import DraftingWorker
from workstation.drafting.redraft_run import AnswerRestarted, RedraftEvent, RedraftRequest

_log = logging.getLogger(__name__)


class DraftingService(QObject):
    """Asks for drafts, cancels them, and re-emits what is current.

    Signals carry the current request only, so that text can never land on another patient.
    A request that was replaced before it ended is reported once by superseded_draft_ended,
    for the audit log; its text is dropped. After cancel() the request ends in
    draft_cancelled, whatever the engine was about to say.
    """

    engine_loading = Signal(str)  # model
    load_progressed = Signal(object)  # LoadProgress, between engine_loading and its answer
    engine_ready = Signal(object)  # EngineDescription
    engine_failed = Signal(str)
    products_refused = Signal(str)  # why; exact ones are being loaded instead
    draft_started = Signal(str)  # request_id
    prefill_done = Signal(object)  # PrefillDone
    answer_restarted = Signal(object)  # AnswerRestarted, of a redraft
    block_committed = Signal(object)  # BlockCommitted
    draft_finished = Signal(object)  # DraftFinished
    draft_cancelled = Signal(object)  # DraftCancelled
    draft_failed = Signal(str, str)  # request_id, message
    superseded_draft_ended = Signal(str)  # request_id

    _load_asked = Signal(str, str, str, str)
    _draft_asked = Signal(object, object)
    _task_asked = Signal(object)

    def __init__(
        self, load_engine: EngineLoader = load_engine, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._engine_description: EngineDescription | None = None
        self._request_id: str | None = None
        self._cancel = CancelToken()
        self._task: EngineTask | None = None  # kept: its signals leave from the drafting thread
        self._loads_pending = 0
        self._is_closed = False
        self._thread: QThread | None = QThread()
        self._thread.setObjectName("drafting")
        self._worker = DraftingWorker(load_engine)
        self._worker.moveToThread(self._thread)
        self._connect_worker()
        self._thread.start()

    def _connect_worker(self) -> None:
        assert self._thread is not None
        queued = Qt.ConnectionType.QueuedConnection
        worker = self._worker
        self._load_asked.connect(worker.load, queued)
        self._draft_asked.connect(worker.draft, queued)
        self._task_asked.connect(worker.run_task, queued)
        worker.engine_ready.connect(self._on_engine_ready, queued)
        worker.engine_failed.connect(self._on_engine_failed, queued)
        worker.products_refused.connect(self._on_products_refused, queued)
        worker.draft_started.connect(self._on_draft_started, queued)
        worker.event_happened.connect(self._on_event, queued)
        worker.draft_failed.connect(self._on_draft_failed, queued)
        self._thread.finished.connect(worker.release, Qt.ConnectionType.DirectConnection)

    @property
    def engine_description(self) -> EngineDescription | None:
        """What is loaded; None while loading and after a failure."""
        return self._engine_description

    @property
    def is_drafting(self) -> bool:
        return self._request_id is not None

    def start(
        self,
        model: str = "embedded",
        device: str = "auto",
        dtype: str = "auto",
        products: str = "exact",
    ) -> None:
        """Load a model; engine_loading at once, then engine_ready or engine_failed.

        products_refused before, where exact ones are loaded in their place.
        """
        self._engine_description = None
        self._loads_pending += 1
        self.engine_loading.emit(model)
        self._load_asked.emit(model, device, dtype, products)

    def request_draft(self, request: GenerationRequest | RedraftRequest) -> None:
        """Draft a report, or draft one again around what is kept.

        A running draft is cancelled first and this one follows it.
        """
        self._cancel.cancel()
        self._cancel = CancelToken()
        self._request_id = request.request_id
        self._draft_asked.emit(request, self._cancel)

    def cancel(self) -> None:
        """Stop the current draft within one pass; answered by draft_cancelled."""
        self._cancel.cancel()

    def run_task(self, task: EngineTask) -> None:
        """Lend the engine to a task after what was asked before; a draft asked later waits.

        One task at a time: the one before is cancelled.
        """
        if self._task is not None:
            self._task.cancel_token.cancel()
        self._task = task
        self._task_asked.emit(task)

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Stop everything; no signal follows, so the caller records a running draft as stopped.

        Safe to call twice. False: the engine is still inside one call; the thread is kept
        referenced, since destroying a running QThread aborts the process. Call again to go on
        waiting.
        """
        self._cancel.cancel()
        if self._task is not None:
            self._task.cancel_token.cancel()
        self._request_id = None
        if self._thread is None:
            return True
        self._is_closed = True
        self._thread.quit()
        if not self._thread.wait(timeout_ms):
            _log.error("the drafting thread did not end within %d ms", timeout_ms)
            _unfinished_threads.add((self._thread, self._worker))
            return False
        _unfinished_threads.discard((self._thread, self._worker))
        self._thread = None
        return True

    def _is_current(self, request_id: str) -> bool:
        return request_id == self._request_id and not self._cancel.is_cancelled

    def _end_request(self, request_id: str) -> bool:
        """Whether it was the current one; a replaced one is told by its own signal."""
        if self._is_closed:
            return False
        if request_id != self._request_id:
            self.superseded_draft_ended.emit(request_id)
            return False
        self._request_id = None
        return True

    @Slot(object)
    def report_loading(self, progress: LoadProgress) -> None:
        """What LoadReporter says; weights that a mode loads later are no model load."""
        if self._loads_pending and not self._is_closed:
            self.load_progressed.emit(progress)

    @Slot(object)
    def _on_engine_ready(self, description: EngineDescription) -> None:
        if self._end_load():  # else another model is about to take its place
            self._engine_description = description
            self.engine_ready.emit(description)

    @Slot(str)
    def _on_engine_failed(self, message: str) -> None:
        if self._end_load():
            self.engine_failed.emit(message)

    @Slot(str)
    def _on_products_refused(self, reason: str) -> None:
        if not self._is_closed:
            self.products_refused.emit(reason)

    def _end_load(self) -> bool:
        """Whether it was the last one that was asked for."""
        self._loads_pending -= 1
        return self._loads_pending == 0 and not self._is_closed

    @Slot(str)
    def _on_draft_started(self, request_id: str) -> None:
        if self._is_current(request_id):
            self.draft_started.emit(request_id)

    @Slot(object)
    def _on_event(self, event: RedraftEvent) -> None:
        match event:
            case DraftFinished():
                self._finish(event)
            case DraftCancelled():
                if self._end_request(event.request_id):
                    self.draft_cancelled.emit(event)
            case _ if not self._is_current(event.request_id):
                pass
            case PrefillDone():
                self.prefill_done.emit(event)
            case AnswerRestarted():
                self.answer_restarted.emit(event)
            case BlockCommitted():
                self.block_committed.emit(event)

    def _finish(self, event: DraftFinished) -> None:
        was_cancelled = self._cancel.is_cancelled
        if not self._end_request(event.request_id):
            return
        if was_cancelled:  # Stop was pressed while the last event was on its way
            elapsed_ms = event.prefill_ms + event.decode_ms
            self.draft_cancelled.emit(DraftCancelled(event.request_id, event.passes, elapsed_ms))
        else:
            self.draft_finished.emit(event)

    @Slot(str, str)
    def _on_draft_failed(self, request_id: str, message: str) -> None:
        was_cancelled = self._cancel.is_cancelled
        if not self._end_request(request_id):
            return
        if was_cancelled:
            self.draft_cancelled.emit(DraftCancelled(request_id, 0, 0.0))
        else:
            self.draft_failed.emit(request_id, message)


# Threads that outlived shutdown(): a destroyed running QThread would abort the process.
_unfinished_threads: set[tuple[QThread, DraftingWorker]] = set()
