"""Bring files and folders into the catalog without stopping the reader.

Walking, reading headers and writing to the catalog all happen on one thread of the importer's
own: a commit with synchronous=FULL takes milliseconds, a folder has thousands of films, and the
UI thread must stay free. The given `record_instance` is therefore called ON THAT THREAD and has
to be safe there; an SQLAlchemy engine is (each call takes its own connection from the pool, and
SQLite's busy timeout orders the writers). Chosen 2026-11.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import PatientConflict
from workstation.dicom.instance_reader import InstanceHeader, UnreadableInstance, read_header

RecordInstance = Callable[[InstanceHeader, Path], bool]
"""Adds a film to catalog and audit log; False where it is there already. May raise
PatientConflict (the file is refused) and CatalogUnavailable (the import stops)."""

_log = logging.getLogger(__name__)

_PROGRESS_PAUSE_S = 0.05


@dataclass
class _Counts:
    added: int = 0
    duplicates: int = 0
    refused: int = 0


class _ImportWorker(QObject):
    """Lives on the importer's thread."""

    progress = Signal(int, int)
    imported = Signal(str, str)
    already_known = Signal(str, str)
    refused = Signal(str, str)
    failed = Signal(str)
    ended = Signal(int, int, int)

    def __init__(self, record_instance: RecordInstance, cancelled: Event) -> None:
        super().__init__()
        self._record_instance = record_instance
        self._cancelled = cancelled
        self._counts = _Counts()
        self._last_progress = 0.0

    @Slot(list)
    def import_paths(self, paths: list[str]) -> None:
        """Walk, then read; ends with `ended` whatever happens."""
        self._counts = _Counts()
        try:
            files = list(self._walk([Path(path) for path in paths]))
            for done, file in enumerate(files):
                if self._cancelled.is_set():
                    break
                self._tell_progress(done, len(files), is_last=False)
                self._import_file(file)
            else:
                self._tell_progress(len(files), len(files), is_last=True)
        except CatalogUnavailable as unavailable:
            self.failed.emit(str(unavailable))
        finally:
            self.ended.emit(self._counts.added, self._counts.duplicates, self._counts.refused)

    def _import_file(self, file: Path) -> None:
        try:
            header = read_header(file)
            is_new = self._record_instance(header, file)
        except (UnreadableInstance, PatientConflict) as refusal:
            self._refuse(file, refusal.reason)
            return
        except CatalogUnavailable:
            raise
        except Exception as bug:
            # A mistake of ours costs one file, not the rest of the folder.
            _log.exception("importing %s", file)
            self._refuse(file, self.tr("unexpected error: {0}").format(bug))
            return
        uids = (header.study_instance_uid, header.sop_instance_uid)
        if is_new:
            self._counts.added += 1
            self.imported.emit(*uids)
        else:
            self._counts.duplicates += 1
            self.already_known.emit(*uids)

    def _walk(self, paths: list[Path]) -> Iterator[Path]:
        """Every regular file once, folders in order; links to folders are not followed."""
        seen: set[Path] = set()
        for path in paths:
            found = self._walk_folder(path) if path.is_dir() else iter((path,))
            for file in found:
                if self._cancelled.is_set():
                    return
                absolute = Path(os.path.abspath(file))
                if absolute not in seen and self._is_regular(absolute):
                    seen.add(absolute)
                    yield absolute
                    self._tell_progress(0, 0, is_last=False)

    def _walk_folder(self, folder: Path) -> Iterator[Path]:
        for parent, folders, files in os.walk(folder, onerror=self._on_walk_error):
            folders.sort()
            yield from (Path(parent, name) for name in sorted(files))

    def _on_walk_error(self, error: OSError) -> None:
        self._refuse(
            Path(error.filename), self.tr("the folder can't be read: {0}").format(error.strerror)
        )

    def _is_regular(self, file: Path) -> bool:
        """False, and refused with a reason, for what can't be opened as a file: reading a pipe
        would wait for ever."""
        try:
            mode = file.stat().st_mode
        except OSError as error:
            self._refuse(file, error.strerror or str(error))
            return False
        if not stat.S_ISREG(mode):
            self._refuse(file, self.tr("not a regular file"))
            return False
        return True

    def _refuse(self, file: Path, reason: str) -> None:
        self._counts.refused += 1
        self.refused.emit(str(file), reason)

    def _tell_progress(self, done: int, total: int, *, is_last: bool) -> None:
        now = time.monotonic()
        if is_last or now - self._last_progress >= _PROGRESS_PAUSE_S:
            self._last_progress = now
            self.progress.emit(done, total)


class Importer(QObject):
    """Imports on a thread of its own; every signal is emitted on the main thread.

    progress(done, total), total 0 while folders are still walked; instance_imported and
    instance_already_known(study_instance_uid, sop_instance_uid); file_refused(path, reason);
    import_failed(message) where the catalog gave up; finished(added, duplicates, refused) ends
    every import, also a cancelled or failed one.
    """

    progress = Signal(int, int)
    instance_imported = Signal(str, str)
    instance_already_known = Signal(str, str)
    file_refused = Signal(str, str)
    import_failed = Signal(str)
    finished = Signal(int, int, int)
    _import_requested = Signal(list)

    def __init__(self, record_instance: RecordInstance, parent: QObject | None = None) -> None:
        """record_instance is called on the importer's thread, one call at a time."""
        super().__init__(parent)
        self.setObjectName("importer")
        self._cancelled = Event()
        self._waiting: list[list[str]] = []
        self._is_running = False
        self._was_cancelled = False
        self._thread = QThread(self)
        self._thread.setObjectName("importerThread")
        self._worker = _ImportWorker(record_instance, self._cancelled)
        self._worker.moveToThread(self._thread)
        self._import_requested.connect(
            self._worker.import_paths, Qt.ConnectionType.QueuedConnection
        )
        self._worker.progress.connect(self.progress)
        self._worker.imported.connect(self.instance_imported)
        self._worker.already_known.connect(self.instance_already_known)
        self._worker.refused.connect(self.file_refused)
        self._worker.failed.connect(self.import_failed)
        self._worker.ended.connect(self._on_ended)

    @property
    def is_running(self) -> bool:
        return self._is_running

    @property
    def was_cancelled(self) -> bool:
        """Whether the import that finished last was cancelled."""
        return self._was_cancelled

    def import_paths(self, paths: list[Path]) -> None:
        """Import files and whole folders; while an import runs, these wait for their turn."""
        self._waiting.append([str(path) for path in paths])
        if not self._is_running:
            self._start_next()

    def cancel(self) -> None:
        """Stop after the file at hand; what is imported stays. Waiting imports are dropped."""
        self._waiting.clear()
        if self._is_running:
            self._cancelled.set()

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Cancel and end the thread; False where it is still busy after the time is up."""
        self.cancel()
        if not self._thread.isRunning():
            return True
        self._thread.quit()
        return self._thread.wait(timeout_ms)

    def _start_next(self) -> None:
        self._is_running = True
        self._cancelled.clear()
        if not self._thread.isRunning():
            self._thread.start()
        self._import_requested.emit(self._waiting.pop(0))

    @Slot(int, int, int)
    def _on_ended(self, added: int, duplicates: int, refused: int) -> None:
        self._is_running = False
        self._was_cancelled = self._cancelled.is_set()
        self.finished.emit(added, duplicates, refused)
        if self._waiting and not self._is_running:
            self._start_next()
