"""Exports on a thread of their own: films are decoded, fonts embedded, servers waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import UnknownStudy
from workstation.dicom.unreadable import UnreadableInstance
from workstation.exports.export_formats import DICOM_FORMATS, ExportFormat, ExportOptions
from workstation.exports.exported_report import ExportedReport, ExportFailed, NothingToExport
from workstation.exports.plain_text import write_text
from workstation.exports.report_exporter import ExportedDocument, ReportExporter
from workstation.network.failures import InvalidSettings, NetworkFailure
from workstation.network.report_sender import ReportSender
from workstation.ui.background_task import BackgroundTask
from workstation.ui.exports.pdf_pictures import render_pages

PREVIEW_DPI = 110.0
PRINT_DPI = 300.0
_FAILURES = (
    CatalogUnavailable,
    UnknownStudy,
    UnreadableInstance,
    ExportFailed,
    NothingToExport,
    NetworkFailure,
    InvalidSettings,
)


@dataclass(frozen=True)
class ExportChoices:
    """What the dialog asks for. folder: None writes no file; sender: None sends nothing."""

    formats: tuple[ExportFormat, ...]
    options: ExportOptions
    folder: Path | None = None
    sender: ReportSender | None = None


@dataclass(frozen=True)
class ReportPreview:
    """The report as it would leave: its text, its PDF with pictures of its pages, or its text as
    the document."""

    report: ExportedReport
    text: str
    document: ExportedDocument
    pages: tuple[QImage, ...] = ()


@dataclass(frozen=True)
class ExportOutcome:
    """written: files; sent: what is at which server now; failures: of which form, and why."""

    written: tuple[Path, ...] = ()
    sent: tuple[tuple[ExportFormat, str], ...] = ()
    failures: tuple[tuple[ExportFormat, str], ...] = ()


class ExportJobs(QObject):
    """Signals on the main thread: previewed(ReportPreview); exported(ExportOutcome);
    failed(reason); finished() after any of them. One job at a time; another is refused."""

    previewed = Signal(object)
    exported = Signal(object)
    failed = Signal(str)
    finished = Signal()

    def __init__(self, exporter: ReportExporter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._exporter = exporter
        self._task: BackgroundTask | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def preview(
        self, study_uid: str, options: ExportOptions, dots_per_inch: float = PREVIEW_DPI
    ) -> bool:
        """Make the PDF and the pictures of its pages."""

        def make() -> ReportPreview:
            report = self._exporter.read(study_uid, options)
            document = self._exporter.make(report, "pdf", options)
            pages = tuple(render_pages(document.content, dots_per_inch))
            return ReportPreview(report, write_text(report), document, pages)

        return self._start(make)

    def read_text(self, study_uid: str, options: ExportOptions) -> bool:
        """The text alone; ``previewed`` has no pages then."""

        def make() -> ReportPreview:
            report = self._exporter.read(study_uid, options)
            document = self._exporter.make(report, "text", options)
            return ReportPreview(report, document.content.decode(), document)

        return self._start(make)

    def export(self, study_uid: str, choices: ExportChoices) -> bool:
        """Write and send; what fails does not keep the others."""
        return self._start(lambda: self._export(study_uid, choices))

    def _export(self, study_uid: str, choices: ExportChoices) -> ExportOutcome:
        report = self._exporter.read(study_uid, choices.options)
        written: list[Path] = []
        sent: list[tuple[ExportFormat, str]] = []
        failures: list[tuple[ExportFormat, str]] = []
        for form in choices.formats:
            try:
                document = self._exporter.make(report, form, choices.options)
                if choices.folder is not None:
                    written.append(self._exporter.write(document, choices.folder))
                if choices.sender is not None and form in DICOM_FORMATS:
                    where = choices.sender.destination
                    self._exporter.send(document, where, choices.sender.store)
                    sent.append((form, where))
            except _FAILURES as error:
                failures.append((form, str(error)))
        return ExportOutcome(tuple(written), tuple(sent), tuple(failures))

    def _start(self, call: Callable[[], object]) -> bool:
        if self._task is not None:
            return False
        self._task = task = BackgroundTask(call, self, _FAILURES)
        task.succeeded.connect(self._on_succeeded)
        task.failed.connect(self._on_failed)
        task.start()
        return True

    def _on_succeeded(self, result: object) -> None:
        self._task = None
        if isinstance(result, ReportPreview):
            self.previewed.emit(result)
        else:
            self.exported.emit(result)
        self.finished.emit()

    def _on_failed(self, reason: str) -> None:
        self._task = None
        self.failed.emit(reason)
        self.finished.emit()

    def shutdown(self) -> None:
        """Wait for what is under way: nothing is left half done."""
        if self._task is not None:
            self._task.wait()
