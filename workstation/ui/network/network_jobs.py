"""Searching and fetching on a thread of their own, one job at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from workstation.network.failures import (
    InvalidSettings,
    LoginRefused,
    NetworkFailure,
    Stopped,
    StoreUnavailable,
)
from workstation.network.instance_store import InstanceStore
from workstation.network.storage_service import Report
from workstation.network.study_query import FoundStudy, StudyQuery, StudySource

_log = logging.getLogger(__name__)

OpenSource = Callable[[], StudySource]
"""Called on the jobs' thread: TLS files are read there. May raise InvalidSettings."""


@dataclass(frozen=True)
class _Job:
    """query: search; studies: fetch; neither: ask whether the server is there."""

    open_source: OpenSource
    query: StudyQuery | None = None
    studies: tuple[FoundStudy, ...] = ()


class _Worker(QObject):
    """Lives on the jobs' thread."""

    checked = Signal(str)
    found = Signal(object)
    progressed = Signal(str, int, int)
    retrieved = Signal(object, object)
    login_refused = Signal()
    failed = Signal(str)
    ended = Signal(bool)

    def __init__(self, store: InstanceStore, report: Report, stop: Event) -> None:
        super().__init__()
        self._store, self._report, self._stop = store, report, stop

    @Slot(object)
    def run(self, job: _Job) -> None:
        """Ends with ``ended(was_stopped)`` whatever happens."""
        was_stopped = False
        try:
            self._run(job)
        except Stopped:
            was_stopped = True
        except InvalidSettings as error:
            self.failed.emit(error.reason)
        except (NetworkFailure, StoreUnavailable) as error:
            if isinstance(error, LoginRefused):
                self.login_refused.emit()
            self.failed.emit(str(error))
        except Exception as bug:
            _log.exception("network job")
            self.failed.emit(self.tr("unexpected error: {0}").format(type(bug).__name__))
        finally:
            self.ended.emit(was_stopped)

    def _run(self, job: _Job) -> None:
        source = job.open_source()
        if job.query is not None:
            self.found.emit(tuple(source.find_studies(job.query, self._stop)))
        elif job.studies:
            for study in job.studies:
                self._retrieve(source, study)
        else:
            self.checked.emit(source.check())

    def _retrieve(self, source: StudySource, study: FoundStudy) -> None:
        uid = study.study_instance_uid

        def progress(done: int, total: int) -> None:
            self.progressed.emit(uid, done, total)

        if self._stop.is_set():
            raise Stopped
        outcome = source.retrieve(study, self._store, self._report, progress, self._stop)
        self.retrieved.emit(study, outcome)


class NetworkJobs(QObject):
    """Signals, all on the main thread: checked(words); found(tuple of FoundStudy);
    progressed(study_instance_uid, done, total); retrieved(FoundStudy, RetrieveOutcome);
    failed(reason), login_refused() before it where that is the reason; finished(was_stopped) ends
    every job. A job asked for while one runs is
    refused with False."""

    checked = Signal(str)
    found = Signal(object)
    progressed = Signal(str, int, int)
    retrieved = Signal(object, object)
    login_refused = Signal()
    failed = Signal(str)
    finished = Signal(bool)
    _asked = Signal(object)

    def __init__(self, store: InstanceStore, report: Report, parent: QObject | None = None) -> None:
        """report is called on the jobs' thread and on the network's."""
        super().__init__(parent)
        self._stop = Event()
        self._is_running = False
        self._thread = QThread(self)
        self._thread.setObjectName("networkThread")
        self._worker = _Worker(store, report, self._stop)
        self._worker.moveToThread(self._thread)
        self._asked.connect(self._worker.run, Qt.ConnectionType.QueuedConnection)
        self._worker.checked.connect(self.checked)
        self._worker.found.connect(self.found)
        self._worker.progressed.connect(self.progressed)
        self._worker.retrieved.connect(self.retrieved)
        self._worker.login_refused.connect(self.login_refused)
        self._worker.failed.connect(self.failed)
        self._worker.ended.connect(self._on_ended)

    @property
    def is_running(self) -> bool:
        return self._is_running

    def check(self, open_source: OpenSource) -> bool:
        return self._start(_Job(open_source))

    def find(self, open_source: OpenSource, query: StudyQuery) -> bool:
        return self._start(_Job(open_source, query=query))

    def retrieve(self, open_source: OpenSource, studies: Sequence[FoundStudy]) -> bool:
        return self._start(_Job(open_source, studies=tuple(studies))) if studies else False

    def stop(self) -> None:
        """What has arrived stays."""
        self._stop.set()

    def shutdown(self, timeout_ms: int = 10_000) -> bool:
        """Stop and end the thread; False where it is still busy after the time is up."""
        self.stop()
        self._thread.quit()
        return self._thread.wait(timeout_ms)

    def _start(self, job: _Job) -> bool:
        if self._is_running:
            return False
        self._is_running = True
        self._stop.clear()
        if not self._thread.isRunning():
            self._thread.start()
        self._asked.emit(job)
        return True

    @Slot(bool)
    def _on_ended(self, was_stopped: bool) -> None:
        self._is_running = False
        self.finished.emit(was_stopped)
