"""Bring files and folders into the catalog without stopping the reader.

Walking, reading headers and writing to the catalog all happen on one thread of the importer's
own: a commit with synchronous=FULL takes milliseconds, a folder has thousands of films, and the
UI thread must stay free. The given `record_instance` is therefore called ON THAT THREAD and has
to be safe there; an SQLAlchemy engine is (each call takes its own connection from the pool, and
SQLite's busy timeout orders the writers). Chosen 2026-11.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from workstation.catalog.database import CatalogUnavailable
from workstation.dicom.film import InstanceHeader
from workstation.intake.film_store import FilmStore
from workstation.intake.import_run import ImportRun
from workstation.intake.instance_recorder import InstanceRecorder, RecordInstance

_log = logging.getLogger(__name__)

_PROGRESS_PAUSE_S = 0.05


class _ImportWorker(QObject):
    """Lives on the importer's thread."""

    progress = Signal(int, int)
    imported = Signal(str, str)
    picture_imported = Signal(str, str)
    already_known = Signal(str, str)
    state_kept = Signal(str, str)
    refused = Signal(str, str)
    failed = Signal(str)
    ended = Signal(int, int, int)

    def __init__(self) -> None:
        super().__init__()
        self._last_progress = 0.0
        self._begin_counting()

    @Slot(object)
    def carry_out(self, run: ImportRun) -> None:
        """Ends with `ended` whatever happens."""
        self._begin_counting()
        try:
            run.run()
        except CatalogUnavailable as unavailable:
            self.failed.emit(str(unavailable))
        except Exception as bug:
            _log.exception("importing")
            self.failed.emit(self.tr("unexpected error: {0}").format(bug))
        finally:
            self.ended.emit(self._added, self._duplicates, self._refused)

    def _begin_counting(self) -> None:
        self._added = self._duplicates = self._refused = 0

    def on_added(self, header: InstanceHeader, path: Path) -> None:
        self._added += 1
        uids = (header.study_instance_uid, header.sop_instance_uid)
        self.imported.emit(*uids)
        if header.source_format != "DICOM":
            self.picture_imported.emit(*uids)

    def on_known(self, study_instance_uid: str, sop_instance_uid: str) -> None:
        self._duplicates += 1
        self.already_known.emit(study_instance_uid, sop_instance_uid)

    def on_state_kept(self, study_instance_uid: str, sop_instance_uid: str) -> None:
        self.state_kept.emit(study_instance_uid, sop_instance_uid)

    def on_refused(self, path: Path, reason: str) -> None:
        self._refused += 1
        self.refused.emit(str(path), reason)

    def on_progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        is_last = 0 < done == total
        if is_last or now - self._last_progress >= _PROGRESS_PAUSE_S:
            self._last_progress = now
            self.progress.emit(done, total)


class Importer(QObject):
    """Imports on a thread of its own; every signal is emitted on the main thread.

    progress(done, total), total 0 while folders are still walked; instance_imported and
    instance_already_known(study_instance_uid, sop_instance_uid); picture_imported the same, after
    instance_imported, for a PNG or JPEG, which says nothing of a patient; state_kept the same, for
    a presentation state out of an archive, which is no film; file_refused(path, reason);
    import_failed(message) where the catalog gave up; finished(added, duplicates, refused) ends
    every import, also a cancelled or failed one. A cancelled or failed import can be resumed.
    run_ended(ImportRun), just before finished, tells imports apart.
    """

    progress = Signal(int, int)
    instance_imported = Signal(str, str)
    picture_imported = Signal(str, str)
    instance_already_known = Signal(str, str)
    state_kept = Signal(str, str)
    file_refused = Signal(str, str)
    import_failed = Signal(str)
    finished = Signal(int, int, int)
    run_ended = Signal(object)
    _run_requested = Signal(object)

    def __init__(
        self,
        record_instance: RecordInstance,
        parent: QObject | None = None,
        *,
        store: FilmStore | None = None,
    ) -> None:
        """record_instance is called on the importer's thread; an InstanceRecorder in batches.

        store: where films out of archives are kept; an InstanceRecorder's data folder, if any.
        """
        super().__init__(parent)
        self.setObjectName("importer")
        self._record = record_instance
        if store is None and isinstance(record_instance, InstanceRecorder):
            store = FilmStore(record_instance.catalog.folder)
        self._store = store
        self._cancelled = Event()
        self._waiting: list[ImportRun] = []
        self._current: ImportRun | None = None
        self._stopped: ImportRun | None = None
        self._was_cancelled = False
        self._thread = QThread(self)
        self._thread.setObjectName("importerThread")
        self._worker = _ImportWorker()
        self._worker.moveToThread(self._thread)
        self._run_requested.connect(self._worker.carry_out, Qt.ConnectionType.QueuedConnection)
        self._worker.progress.connect(self.progress)
        self._worker.imported.connect(self.instance_imported)
        self._worker.picture_imported.connect(self.picture_imported)
        self._worker.already_known.connect(self.instance_already_known)
        self._worker.state_kept.connect(self.state_kept)
        self._worker.refused.connect(self.file_refused)
        self._worker.failed.connect(self.import_failed)
        self._worker.ended.connect(self._on_ended)

    @property
    def is_running(self) -> bool:
        return self._current is not None

    @property
    def was_cancelled(self) -> bool:
        """Whether the import that finished last was cancelled."""
        return self._was_cancelled

    @property
    def can_resume(self) -> bool:
        """Whether an import was stopped, or failed, with files left."""
        return self._stopped is not None

    @property
    def files_left(self) -> int:
        """Of the import that can be resumed; 0 where they were not counted yet."""
        return self._stopped.remaining if self._stopped is not None else 0

    def import_paths(self, paths: list[Path]) -> ImportRun:
        """Import files, folders, discs and archives; while an import runs, these wait for their
        turn."""
        run = ImportRun(paths, self._record, self._store, self._worker, self._cancelled)
        self._waiting.append(run)
        if not self.is_running:
            self._start_next()
        return run

    def resume(self) -> None:
        """Go on with the import that was stopped, at the file it had come to."""
        if self._stopped is not None:
            self._waiting.insert(0, self._stopped)
            self._stopped = None
            if not self.is_running:
                self._start_next()

    def cancel(self) -> None:
        """Stop after the file at hand; what is imported stays. Waiting imports are dropped."""
        self._waiting.clear()
        if self.is_running:
            self._cancelled.set()

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Cancel and end the thread; False where it is still busy after the time is up."""
        self.cancel()
        if not self._thread.isRunning():
            return True
        self._thread.quit()
        return self._thread.wait(timeout_ms)

    def _start_next(self) -> None:
        self._current = self._waiting.pop(0)
        self._cancelled.clear()
        if not self._thread.isRunning():
            self._thread.start()
        self._run_requested.emit(self._current)

    @Slot(int, int, int)
    def _on_ended(self, added: int, duplicates: int, refused: int) -> None:
        ended, self._current = self._current, None
        self._was_cancelled = self._cancelled.is_set()
        if ended is not None and not ended.is_complete:
            self._stopped = ended
        self.run_ended.emit(ended)
        self.finished.emit(added, duplicates, refused)
        if self._waiting and not self.is_running:
            self._start_next()
