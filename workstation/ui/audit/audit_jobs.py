"""What takes seconds on a long log: reading which rows, checking, exporting; each on a thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Signal

from workstation.audit.audit_export import AuditExport, ExportFormat
from workstation.audit.audit_log import AuditLog, VerifyResult
from workstation.audit.stamped_head import HeadRefused, HeadStamp, read_head
from workstation.catalog.database import CatalogUnavailable
from workstation.ui.background_task import BackgroundTask


class JobStopped(Exception):
    """The reader pressed Stop."""


class AuditJob(QObject):
    """One job at a time. progressed(rows done, rows there are); then succeeded(result),
    failed(reason) or stopped(). All on the main thread.
    """

    progressed = Signal(int, int)
    succeeded = Signal(object)
    failed = Signal(str)
    stopped = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop = Event()
        self._call: Callable[[], object] | None = None
        self._task: BackgroundTask | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self, call: Callable[[], object]) -> bool:
        """call runs on the thread and may use ``tell_progress``; False while another runs."""
        if self._task is not None:
            return False
        self._stop.clear()
        self._call = call
        self._task = BackgroundTask(self._run, self)
        self._task.succeeded.connect(self._on_succeeded)
        self._task.failed.connect(self._on_failed)
        self._task.start()
        return True

    def tell_progress(self, done: int, total: int) -> None:
        """On the job's thread. Raises JobStopped where the job is to end."""
        if self._stop.is_set():
            raise JobStopped
        self.progressed.emit(done, total)

    def stop(self) -> None:
        self._stop.set()

    def shutdown(self) -> None:
        """Stop and wait: before the window goes. Nothing is told any more."""
        task, self._task = self._task, None
        self.stop()
        if task is not None:
            task.wait()

    def _run(self) -> object:
        assert self._call is not None
        try:
            return self._call()
        except JobStopped:
            return JobStopped

    def _on_succeeded(self, result: object) -> None:
        if not self._end():
            return
        if result is JobStopped:
            self.stopped.emit()
        else:
            self.succeeded.emit(result)

    def _on_failed(self, reason: str) -> None:
        if self._end():
            self.failed.emit(reason)

    def _end(self) -> bool:
        """False after a shutdown. Waits for the thread's last steps, so that nobody closes the
        window over one that still ends."""
        task, self._task = self._task, None
        if task is not None:
            task.wait()
        return task is not None


class CheckOutcome:
    """What a check found, and what it could not do: words for the reader, "" if nothing."""

    def __init__(self, result: VerifyResult, note: str) -> None:
        self.result, self.note = result, note


def check_log(
    audit: AuditLog, user: str, on_progress: Callable[[int, int], object], head: Path | None
) -> CheckOutcome:
    """Check the log, against a stamped head too where one is given; the outcome is audited.

    Raises OSError for a head that can't be used, CatalogUnavailable.
    """
    known, note = {}, ""
    if head is not None:
        try:
            stamped = read_head(head)
            note = HeadStamp(audit.data_folder).check(stamped, head)
        except HeadRefused as refused:
            raise OSError(str(refused)) from refused
        known = {stamped.row: stamped.hash}
    result = audit.verify(known, on_progress)
    try:
        audit.record_verification(result, user)
    except CatalogUnavailable as error:
        note = f"{note}; {error}" if note else str(error)
    return CheckOutcome(result, note)


def export_log(
    audit: AuditLog,
    user: str,
    on_progress: Callable[[int, int], object],
    path: Path,
    file_format: ExportFormat | None,
    rows: list[int] | None,
) -> object:
    """Write the rows (None: all), or with file_format None the stamped head alone."""
    export = AuditExport(audit, user)
    if file_format is None:
        return export.write_head_only(path)
    return export.write(path, file_format, rows, on_progress)
