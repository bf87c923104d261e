"""Hands the open study's report on: the export dialog, the printer, the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QMenu, QWidget

from workstation.catalog.database import CatalogUnavailable
from workstation.exports.export_formats import FORMATS, PLAIN, ExportOptions
from workstation.exports.report_exporter import ReportExporter
from workstation.exports.report_reading import ReportSources
from workstation.network.failures import InvalidSettings
from workstation.network.report_sender import ReportSender
from workstation.network.settings import DicomServer
from workstation.ui.exports.export_dialog import ExportDialog
from workstation.ui.exports.export_jobs import (
    PRINT_DPI,
    ExportChoices,
    ExportJobs,
    ReportPreview,
)
from workstation.ui.exports.report_printing import make_printer, print_pages
from workstation.ui.network.network_desk import NetworkDesk
from workstation.ui.reading_desk import ReadingDesk, Records

_FORMATS_KEY, _FOLDER_KEY = "export/formats", "export/folder"


class ExportDesk(QObject):
    """trouble(text): for the status bar. ask_printer: shows Qt's print dialog on a printer and
    says whether to go on; for tests."""

    trouble = Signal(str)

    def __init__(
        self,
        records: Records,
        desk: ReadingDesk,
        network: NetworkDesk,
        settings: QSettings | None,
        window: QWidget,
        ask_printer: Callable[[QPrinter], bool] | None = None,
    ) -> None:
        super().__init__(window)
        self._desk, self._network, self._settings = desk, network, settings
        self._window, self._reports = window, records.reports
        self.ask_printer = ask_printer or self._show_print_dialog
        sources = ReportSources(
            records.catalog, records.reports, records.audit, records.measurements
        )
        self.exporter = ReportExporter(sources, records.user)
        self.jobs = ExportJobs(self.exporter, self)
        self._pages = ExportJobs(self.exporter, self)  # for paper and clipboard, without a dialog
        self._pages.previewed.connect(self._on_pages)
        self._pages.failed.connect(self._tell)
        self._wanted: Callable[[ReportPreview], None] = self._copy
        self.dialog: ExportDialog | None = None

    def fill_menu(self, menu: QMenu) -> None:
        """The lines of the Report menu that hand the report on."""
        self._add(menu, self.tr("&Export report…"), "Ctrl+Shift+E", self.open_dialog)
        self._add(menu, self.tr("Print repor&t…"), "Ctrl+P", self.print_report)
        self._add(menu, self.tr("&Copy report"), "Ctrl+Shift+C", self.copy_report)

    def _add(self, menu: QMenu, text: str, keys: str, slot: Callable[[], object]) -> None:
        action = QAction(text, self._window)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _checked=False: slot())
        menu.addAction(action)

    def open_dialog(self) -> None:
        """For the report as it stands; what is being typed is saved first."""
        study_uid = self._ready_study()
        if not study_uid:
            return
        dialog = ExportDialog(study_uid, self.jobs, self._senders(), self._chosen(), self._window)
        dialog.print_asked.connect(self.print_report)
        dialog.copy_asked.connect(self.copy_report)
        self.dialog = dialog
        dialog.exec()
        self._remember(dialog.choices)
        self.dialog = None
        dialog.deleteLater()

    def print_report(self) -> None:
        """The pages as they would be exported, on paper."""
        study_uid = self._ready_study()
        if study_uid and self._pages.preview(study_uid, self._options(), PRINT_DPI):
            self._wanted = self._print

    def copy_report(self) -> None:
        """The report as text, to the clipboard."""
        study_uid = self._ready_study()
        if study_uid and self._pages.read_text(study_uid, self._options()):
            self._wanted = self._copy

    def _options(self) -> ExportOptions:
        return self.dialog.options if self.dialog is not None else PLAIN

    def _on_pages(self, preview: ReportPreview) -> None:
        self._wanted(preview)

    def _print(self, preview: ReportPreview) -> None:
        printer = make_printer()
        printer.setDocName(preview.document.name)
        if not self.ask_printer(printer):
            return
        name = printer.outputFileName() or printer.printerName()
        if not self._audit(preview, f"printer {name}"):
            return
        if print_pages(preview.pages, printer):
            self._tell_done(self.tr("Handed to the printer {0}.").format(name))
        else:
            self._tell(self.tr("The printer {0} does not take the report.").format(name))

    def _copy(self, preview: ReportPreview) -> None:
        if self._audit(preview, "clipboard"):
            QGuiApplication.clipboard().setText(preview.text)
            self._tell_done(self.tr("The report is on the clipboard."))

    def _audit(self, preview: ReportPreview, destination: str) -> bool:
        """Nothing leaves that could not be audited."""
        try:
            self.exporter.audit_handed_on(preview.document, destination)
        except CatalogUnavailable as error:
            self._tell(str(error))
            return False
        return True

    def _show_print_dialog(self, printer: QPrinter) -> bool:
        dialog = QPrintDialog(printer, self.dialog or self._window)
        return dialog.exec() == QDialog.DialogCode.Accepted

    def _ready_study(self) -> str:
        """The open study's UID, its report saved; "" where there is no study or no report."""
        study_uid = self._desk.study_instance_uid
        if not study_uid:
            self._tell(self.tr("Open a study with a report first."))
            return ""
        if not self._desk.save():
            return ""
        try:
            stored = self._reports.load(study_uid)
        except CatalogUnavailable as error:
            self._tell(str(error))
            return ""
        if stored is None or stored.state.is_blank:
            self._tell(self.tr("This study has no report yet."))
            return ""
        return study_uid

    def _senders(self) -> list[ReportSender]:
        """Those of the network settings that can work."""
        settings, senders = self._network.settings, []
        for server in settings.servers:
            if isinstance(server, DicomServer):
                try:
                    senders.append(ReportSender(server, settings.receiver.ae_title))
                except InvalidSettings as error:
                    self._tell(f"{server.name}: {error.reason}")
        return senders

    def _chosen(self) -> ExportChoices:
        """What was chosen the last time; PDF and Structured Report at the start."""
        formats, folder = "pdf,sr", ""
        if self._settings is not None:
            formats = str(self._settings.value(_FORMATS_KEY) or formats)
            folder = str(self._settings.value(_FOLDER_KEY) or "")
        known = tuple(form for form in FORMATS if form in formats.split(","))
        return ExportChoices(known, ExportOptions(), Path(folder) if folder else None)

    def _remember(self, choices: ExportChoices) -> None:
        if self._settings is None:
            return
        self._settings.setValue(_FORMATS_KEY, ",".join(choices.formats))
        if choices.folder is not None:
            self._settings.setValue(_FOLDER_KEY, str(choices.folder))

    def _tell(self, reason: str) -> None:
        if self.dialog is not None:
            self.dialog.show_failure(reason)
        self.trouble.emit(reason)

    def _tell_done(self, text: str) -> None:
        if self.dialog is not None:
            self.dialog.show_done(text)
        self.trouble.emit(text)

    def shutdown(self) -> None:
        """Before the window goes: wait for what is under way."""
        self.jobs.shutdown()
        self._pages.shutdown()
