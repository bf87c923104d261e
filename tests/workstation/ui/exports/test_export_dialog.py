"""The window's ways out: the dialog, paper and clipboard, each audited."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtPrintSupport import QPrinter
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from tests.workstation.foreign_programs import find_tool
from tests.workstation.reported_studies import (
    FINDINGS,
    ReportedStudy,
)
from tests.workstation.ui.test_accessible_names import nameless
from workstation.app import build_window
from workstation.drafting.drafting_service import DraftingService
from workstation.exports.export_formats import FORMATS, ExportOptions
from workstation.exports.report_exporter import ReportExporter
from workstation.network.report_sender import ReportSender
from workstation.network.settings import DicomServer
from workstation.ui.exports.export_dialog import ExportDialog
from workstation.ui.exports.export_jobs import ExportChoices, ExportJobs
from workstation.ui.main_window import MainWindow

WAIT_MS = 60_000
ALL_FORMS = ExportChoices(FORMATS, ExportOptions())


OpenDialog = Callable[..., tuple[ExportDialog, ExportJobs]]


@pytest.fixture
def open_dialog(qtbot: QtBot, study: ReportedStudy) -> Iterator[OpenDialog]:
    """open_dialog(chosen, *senders): the dialog with its preview made."""
    started: list[ExportJobs] = []

    def start(chosen: ExportChoices, *senders: ReportSender) -> tuple[ExportDialog, ExportJobs]:
        jobs = ExportJobs(ReportExporter(study.sources, "ann"))
        started.append(jobs)
        with qtbot.waitSignal(jobs.finished, timeout=WAIT_MS):
            dialog = ExportDialog(study.uid, jobs, senders, chosen)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog, jobs

    yield start
    for jobs in started:
        jobs.shutdown()


@dataclass
class Opened:
    dialog: ExportDialog
    jobs: ExportJobs


@pytest.fixture
def opened(open_dialog: OpenDialog, study: ReportedStudy, tmp_path: Path) -> Opened:
    """The dialog on a report signed as final."""
    study.bring_to("final")
    return Opened(*open_dialog(replace(ALL_FORMS, folder=tmp_path / "out")))


def _export_rows(study: ReportedStudy) -> list[dict[str, object]]:
    entries = study.sources.audit.entries(study.uid)
    return [dict(entry.details) for entry in entries if entry.event == "export"]


def test_preview_says_as_what_the_report_leaves(opened: Opened) -> None:
    assert "✓ final report" in opened.dialog.status_label.text()
    assert "Wang XiaoDong (王小东)" in opened.dialog.status_label.text()
    assert opened.dialog.page_view.page_count >= 1
    for sentence, _ in FINDINGS["en"]:
        assert sentence in opened.dialog.text_view.toPlainText()
    assert nameless(opened.dialog) == []


def test_every_form_is_written_by_keyboard_and_audited(
    qtbot: QtBot, study: ReportedStudy, opened: Opened, tmp_path: Path
) -> None:
    with qtbot.waitSignal(opened.jobs.exported, timeout=WAIT_MS):
        qtbot.keyClick(opened.dialog, Qt.Key.Key_X, Qt.KeyboardModifier.AltModifier)
    written = sorted((tmp_path / "out").iterdir())
    assert len(written) == len(FORMATS)
    assert {row["destination"] for row in _export_rows(study)} == {str(path) for path in written}
    for path in written:
        assert f"✓ {path.name}" in opened.dialog.result_label.text()
    fhir = next(path for path in written if path.suffix == ".json")
    assert json.loads(fhir.read_text("utf-8"))["status"] == "final"


def test_measurements_come_with_a_tick(qtbot: QtBot, opened: Opened) -> None:
    assert "Cardiothoracic ratio" not in opened.dialog.text_view.toPlainText()
    with qtbot.waitSignal(opened.jobs.previewed, timeout=WAIT_MS):
        opened.dialog.measurements_box.click()
    assert "Cardiothoracic ratio: 0.44" in opened.dialog.text_view.toPlainText()


def test_without_a_form_or_a_place_there_is_nothing_to_export(opened: Opened) -> None:
    dialog = opened.dialog
    assert dialog.export_button.isEnabled()
    dialog.folder_box.click()
    assert not dialog.export_button.isEnabled()
    dialog.folder_box.click()
    for box in dialog.format_boxes.values():
        box.setChecked(False)
    assert not dialog.export_button.isEnabled()


def test_a_draft_is_marked_and_a_bad_folder_named(
    qtbot: QtBot, open_dialog: OpenDialog, study: ReportedStudy, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    chosen = ExportChoices(("text",), ExportOptions(), tmp_path / "file" / "sub")
    dialog, jobs = open_dialog(chosen)
    assert "▲ DRAFT, not signed" in dialog.status_label.text()
    with qtbot.waitSignal(jobs.finished, timeout=WAIT_MS):
        dialog.export_button.click()
    assert "file/sub: not a directory" in dialog.failure_label.text()
    assert _export_rows(study) == []


def test_a_missing_film_is_told(open_dialog: OpenDialog, study: ReportedStudy) -> None:
    study.film.unlink()
    dialog, _ = open_dialog(ALL_FORMS)
    assert f"{study.film}: no such file" in dialog.failure_label.text()
    assert not dialog.export_button.isEnabled()


# pynetdicom leaves a socket that could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_is_gone_does_not_keep_the_file(
    qtbot: QtBot, open_dialog: OpenDialog, study: ReportedStudy, tmp_path: Path
) -> None:
    study.bring_to("final")
    chosen = ExportChoices(("sr",), ExportOptions(), tmp_path / "out")
    gone = ReportSender(DicomServer("Archive", "127.0.0.1", "ARCHIVE", 1), "ECHO")
    dialog, jobs = open_dialog(chosen, gone)
    dialog.server_box.click()
    with qtbot.waitSignal(jobs.finished, timeout=WAIT_MS):
        dialog.export_button.click()
    (path,) = (tmp_path / "out").iterdir()
    assert pydicom.dcmread(path).VerificationFlag == "VERIFIED"
    assert "Archive: no answer from 127.0.0.1:1" in dialog.failure_label.text()
    assert str(_export_rows(study)[-1]["outcome"]).startswith("failed: Archive")


# -- from the window -------------------------------------------------------------------------


@pytest.fixture
def window(
    qtbot: QtBot, catalog_engine: Engine, study: ReportedStudy, tmp_path: Path
) -> Iterator[MainWindow]:
    """With the study of the report open."""
    drafting = DraftingService(lambda _model, _device: None)  # type: ignore[arg-type,return-value]
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    window = build_window(catalog_engine, drafting, settings)
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.loader.film_loaded, timeout=WAIT_MS):
        window.study_list.activate_study(study.uid)
    yield window
    window.close()
    drafting.shutdown(10_000)


def test_the_dialog_of_the_open_study_remembers_what_was_chosen(
    qtbot: QtBot, window: MainWindow, study: ReportedStudy, tmp_path: Path
) -> None:
    exports, seen = window.exports, []

    def choose_and_export() -> None:
        dialog = exports.dialog
        if dialog is None:
            return  # closed when it had exported
        seen.append(dialog.choices)
        if dialog.export_button.isEnabled():
            dialog.reject()  # the second time
            return
        for form, box in dialog.format_boxes.items():
            box.setChecked(form == "hl7")
        dialog.folder_field.setText(str(tmp_path / "out"))
        dialog.export_button.click()

    def close() -> None:
        assert exports.dialog is not None
        exports.dialog.reject()

    # Queued: after the dialog itself has heard of it.
    exports.jobs.finished.connect(choose_and_export, Qt.ConnectionType.QueuedConnection)
    exports.jobs.exported.connect(close)
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_E, held)
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".hl7"]
    assert [row["format"] for row in _export_rows(study)] == ["hl7"]
    exports.open_dialog()
    assert seen[0].formats == ("sr", "pdf")
    assert (seen[-1].formats, seen[-1].folder) == (("hl7",), tmp_path / "out")


def test_copy_puts_the_report_on_the_clipboard_with_its_status(
    qtbot: QtBot, window: MainWindow, study: ReportedStudy
) -> None:
    with qtbot.waitSignal(window.exports.trouble, timeout=WAIT_MS):
        qtbot.keyClick(
            window,
            Qt.Key.Key_C,
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
        )
    text = QGuiApplication.clipboard().text()
    assert "DRAFT — not signed" in text
    assert "Research use — not for diagnosis" in text
    for sentence, _ in FINDINGS["en"]:
        assert sentence in text
    (row,) = _export_rows(study)
    assert (row["destination"], row["format"], row["status"]) == ("clipboard", "text", "draft")


def test_print_puts_the_exported_pages_on_paper(
    qtbot: QtBot, window: MainWindow, study: ReportedStudy, tmp_path: Path
) -> None:
    paper = tmp_path / "paper.pdf"

    def to_file(printer: QPrinter) -> bool:
        printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        printer.setOutputFileName(str(paper))
        printer.setResolution(100)
        return True

    window.exports.ask_printer = to_file
    with qtbot.waitSignal(window.exports.trouble, timeout=WAIT_MS):
        window.exports.print_report()
    program = find_tool("pdfinfo", "poppler-utils")
    told = subprocess.run([program, paper], capture_output=True, text=True, check=True).stdout
    assert "(A4)" in told
    (row,) = _export_rows(study)
    assert row["destination"] == f"printer {paper}"
    assert row["format"] == "pdf"


def test_a_printer_that_was_not_chosen_prints_and_audits_nothing(
    qtbot: QtBot, window: MainWindow, study: ReportedStudy
) -> None:
    asked: list[QPrinter] = []

    def decline(printer: QPrinter) -> bool:
        asked.append(printer)
        return False

    window.exports.ask_printer = decline
    window.exports.print_report()
    qtbot.waitUntil(lambda: bool(asked), timeout=WAIT_MS)
    assert _export_rows(study) == []


def test_without_a_study_there_is_nothing_to_hand_on(qtbot: QtBot, window: MainWindow) -> None:
    assert window.desk.leave_study()
    with qtbot.waitSignal(window.exports.trouble, timeout=WAIT_MS) as told:
        window.exports.open_dialog()
    assert told.args == ["Open a study with a report first."]


def test_without_a_report_there_is_nothing_to_hand_on(
    qtbot: QtBot, window: MainWindow, write_film: Callable[..., Path]
) -> None:
    pixels = np.zeros((32, 32), np.uint16)
    path = write_film("new.dcm", pixels, PatientID="NEW", StudyInstanceUID="2.25.77")
    window.import_paths([path])
    qtbot.waitUntil(lambda: window.desk.study_instance_uid == "2.25.77", timeout=WAIT_MS)
    with qtbot.waitSignal(window.exports.trouble, timeout=WAIT_MS) as told:
        window.exports.open_dialog()
    assert told.args == ["This study has no report yet."]
    assert window.exports.dialog is None
