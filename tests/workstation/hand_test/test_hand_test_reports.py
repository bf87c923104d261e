"""Items 10 to 17 of the reading room's hand test as one sitting: real window, embedded model, mouse
and keyboard. (Item 18 is tests/workstation/ui/test_ten_keystrokes.py.)

    HAND_TEST_PICTURES=FOLDER pytest -s tests/workstation/hand_test/test_hand_test_reports.py

keeps a picture after each step, to be looked at. It is not run without: a minute of drafts on a
processor, of which every part is tested on its own elsewhere.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pydicom
import pytest
from argon2 import PasswordHasher
from PySide6.QtCore import QElapsedTimer, QPoint, QSettings, Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from inference.phantom import sample_case
from inference.phantom.dicom_writer import write_film
from workstation.accounts.account_store import AccountStore
from workstation.accounts.secrets import SecretHasher
from workstation.app import build_window
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME, open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.exports.export_formats import FORMATS
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.versions.report_store import ReportStore
from workstation.ui.accounts.secret_dialogs import ReauthenticationDialog
from workstation.ui.audit.audit_window import AuditWindow
from workstation.ui.exports.export_dialog import ExportDialog
from workstation.ui.main_window import MainWindow
from workstation.ui.report.signing.sign_dialog import SignDialog
from workstation.ui.theme import apply_theme

PICTURES = os.environ.get("HAND_TEST_PICTURES", "")
PATIENCE_MS = 240_000
PIN = "471108"
FIELD, PRESSED = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SENTENCE = "Nodule in the left mid zone."
ADDED = " Seen on both films."
Dialog = TypeVar("Dialog", bound=QDialog)

# Types into a report's findings, says what it had typed two seconds later, and types on.
TYPIST = """
    import sys
    from pathlib import Path
    from PySide6.QtCore import QElapsedTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication
    from workstation.app import build_window
    from workstation.catalog.database import open_database
    from workstation.drafting.drafting_service import DraftingService

    def go_on(milliseconds):
        clock = QElapsedTimer()
        clock.start()
        while clock.elapsed() < milliseconds:
            app.processEvents()

    app = QApplication([])
    window = build_window(open_database(Path(sys.argv[1])), DraftingService(), None)
    window.show()
    window.study_list.activate_study(sys.argv[2])
    while window.report_panel.state != "editing":
        app.processEvents()
    editor = window.report_panel.editor.editors["findings"]
    editor.setFocus()
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    for letter in sys.argv[3]:
        QTest.keyClick(editor, letter)
        go_on(20)
    go_on(2000)
    print(editor.toPlainText(), flush=True)
    while True:
        QTest.keyClick(editor, "x")
        go_on(50)
"""


class Sitting:
    """Somebody with an account at the window, until close."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.qtbot, self.folder = qtbot, folder
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app)
        self.engine = open_database(folder)
        self.audit = AuditLog(self.engine)
        self.store = ReportStore(self.engine, self.audit)
        cheap = SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        accounts = AccountStore(self.engine, self.audit, cheap)
        if not accounts.are_in_use:
            accounts.create("ann", "Dr. Ann Roe", ["signer"], PIN, kind="pin")
        self.drafting = DraftingService()
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        account = accounts.log_in("ann", PIN)
        self.window: MainWindow = build_window(
            self.engine, self.drafting, settings, accounts, account
        )
        qtbot.addWidget(self.window)
        self.window.resize(1600, 1000)
        self.window.show()
        self.come_back()
        self.panel = self.window.report_panel
        self.findings = self.panel.editor.editors["findings"]
        with qtbot.waitSignal(self.drafting.engine_ready, timeout=PATIENCE_MS):
            self.drafting.start()

    def come_back(self) -> None:
        """The keyboard to the window, as after a dialog."""
        self.window.activateWindow()
        self.qtbot.waitUntil(self.window.isActiveWindow)

    @property
    def uid(self) -> str:
        return self.window.desk.study_instance_uid

    @property
    def report(self) -> DraftReport:
        report = self.panel.report
        assert report is not None
        return report

    def wait(self, until: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(until, timeout=PATIENCE_MS)
        QApplication.processEvents()

    def take(self, *films: Path) -> None:
        with self.qtbot.waitSignal(self.window.importer.finished, timeout=PATIENCE_MS):
            self.window.import_paths(list(films))

    def press(self, keys: str, widget: QWidget | None = None) -> None:
        pressed = QKeySequence(keys)[0]
        target = widget or QApplication.focusWidget() or self.window
        QTest.keyClick(target, pressed.key(), pressed.keyboardModifiers())

    def open(self, uid: str) -> None:
        self.window.study_list.activate_study(uid)
        self.wait(lambda: self.uid == uid and self.window.viewer.film is not None)

    def step(self) -> None:
        """To the study above."""
        before = self.uid
        self.press("Ctrl+PgUp")
        self.wait(lambda: self.uid not in ("", before))

    def begin_draft(self) -> None:
        self.wait(lambda: self.panel.state == "not-drafted")
        self.wait(self.panel.start_page.draft_button.isEnabled)
        self.press("Ctrl+D")

    def picture(self, name: str, widget: QWidget | None = None) -> None:
        self.qtbot.wait(300)  # the settling of words and rows
        number = 1 + len(list(Path(PICTURES).glob("*.png")))
        assert (widget or self.window).grab().save(f"{PICTURES}/{number:02}-{name}.png")

    def in_dialog(self, kind: type[Dialog], steps: Callable[[Dialog], object]) -> None:
        """In the next dialog of this kind, which runs a loop of its own, these steps are done."""
        timer = QTimer(self.window)

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if isinstance(dialog, kind):
                timer.stop()
                steps(dialog)

        timer.timeout.connect(look)
        timer.start(50)

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(60_000)
        self.engine.dispose()


@pytest.mark.slow
@pytest.mark.skipif(not PICTURES, reason="looked at, not run: HAND_TEST_PICTURES=FOLDER")
def test_items_10_to_17(qtbot: QtBot, tmp_path: Path) -> None:
    seeds = (1, 3, 5, 7)
    frontals = [write_film(sample_case(seed, kind="chest"), tmp_path, 512) for seed in seeds]
    others = [write_film(sample_case(21, kind="hand"), tmp_path, 512), _blank(frontals[0])]
    sitting = Sitting(tmp_path / "data", qtbot)
    sitting.take(*frontals)
    sitting.open(_uid(frontals[0]))
    _draft_while_dragging(sitting)
    _stop_and_switch(sitting)
    _edit_lock_redraft(sitting)
    _negate(sitting)
    _refused_films(sitting, *others)
    sitting = _killed_and_recovered(sitting, _uid(frontals[2]))
    _sign_and_add(sitting)
    _export(sitting, tmp_path / "out")
    _tampered(sitting)
    sitting.close()


def _uid(film: Path) -> str:
    return str(pydicom.dcmread(film, stop_before_pixels=True).StudyInstanceUID)


def _blank(like: Path) -> Path:
    dataset = pydicom.dcmread(like)
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, name, f"{dataset[name].value}.7")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PatientName, dataset.PatientID = "Blank^Film", "BL-1"
    dataset.PixelData = np.full((dataset.Rows, dataset.Columns), 700, "<u2").tobytes()
    dataset.save_as(like.with_name("blank.dcm"))
    return like.with_name("blank.dcm")


def _draft_while_dragging(sitting: Sitting) -> None:
    """10: the window follows the mouse while the draft comes."""
    viewer, panel = sitting.window.viewer, sitting.panel
    viewer.setFocus()
    sitting.begin_draft()
    sitting.wait(lambda: panel.state in ("drafting", "editing"))
    at, clock, slowest, moves = viewer.rect().center(), QElapsedTimer(), 0, 0
    QTest.mousePress(viewer, FIELD, PRESSED, at)
    while panel.state == "drafting":
        clock.start()
        moves += 1
        QTest.mouseMove(viewer, at + QPoint(moves % 120, moves % 60))
        QApplication.processEvents()
        slowest = max(slowest, clock.elapsed())
    QTest.mouseRelease(viewer, FIELD, PRESSED, at)
    print(f"10: {moves} moves while drafting, the slowest took {slowest} ms")
    sitting.wait(lambda: panel.state == "editing")
    sitting.picture("10-drafted")


def _stop_and_switch(sitting: Sitting) -> None:
    """10: Stop works within a block; a study left in mid-draft gets no text, nor does the next."""
    sitting.window.desk.decoding = "autoregressive"
    sitting.step()
    sitting.begin_draft()
    sitting.wait(lambda: bool(sitting.panel.draft_view.transcript.blocks))
    with sitting.qtbot.waitSignal(sitting.drafting.draft_cancelled, timeout=PATIENCE_MS):
        sitting.press("Esc")
    sitting.picture("10-stopped")
    left = sitting.uid
    sitting.begin_draft()
    sitting.wait(lambda: bool(sitting.panel.draft_view.transcript.blocks))
    sitting.step()
    sitting.qtbot.wait(1500)
    assert sitting.store.load(left) is None
    assert sitting.store.load(sitting.uid) is None
    sitting.window.desk.decoding = "one-step"


def _edit_lock_redraft(sitting: Sitting) -> None:
    """11: a locked sentence stays byte for byte; what differs is taken over piece by piece."""
    panel, rows = sitting.panel, sitting.panel.editor.statement_list
    sitting.begin_draft()
    sitting.wait(lambda: panel.state == "editing")
    sitting.press("Alt+1")
    sitting.press("Down", rows)
    sitting.press("F2", rows)
    field = QApplication.focusWidget()
    assert field is not None
    sitting.press("Ctrl+A", field)
    QTest.keyClicks(field, SENTENCE)
    sitting.press("Return", field)
    sitting.wait(lambda: SENTENCE in sitting.report.state.findings_text)
    rows.setFocus()
    sitting.press("L", rows)
    [locked] = [each for each in sitting.report.state.findings if each.locked]
    assert locked.origin is not None
    assert (locked.provenance, locked.touched_by) == ("edited", "Dr. Ann Roe")
    sitting.picture("11-edited-and-locked")
    sitting.press("Ctrl+D")
    sitting.wait(lambda: panel.state in ("reviewing", "editing"))
    sitting.picture("11-redraft")
    if panel.state == "reviewing":
        sitting.press("A")
        sitting.press("Ctrl+Return")
        sitting.wait(lambda: panel.state == "editing")
    assert [each.text for each in sitting.report.state.findings if each.locked] == [SENTENCE]


def _negate(sitting: Sitting) -> None:
    """12: text and list agree after a flip; a contradiction keeps the report from being final."""
    editor, rows = sitting.panel.editor, sitting.panel.editor.statement_list
    sitting.press("Alt+1")
    [locked] = [each for each in sitting.report.state.findings if each.locked]
    rows.select_sentence(locked.id)
    for wanted in ("absent", "present"):
        sitting.press("Space", rows)
        stated = dict(zip(*_of_sentence(sitting.report, locked.id), strict=True))
        assert stated["nodule"] == wanted
    sitting.picture("12-negated-and-back")
    sitting.press("Alt+3")
    sitting.press("Ctrl+End", sitting.findings)
    QTest.keyClicks(sitting.findings, " Large right pneumothorax. No pneumothorax.")
    sitting.wait(lambda: any("pneumothorax" in c.concept for c in editor.checks if c.is_blocking))
    sitting.press("F4")
    sitting.picture("12-contradiction")

    def look(dialog: SignDialog) -> None:
        sitting.picture("12-not-to-be-signed", dialog)
        assert not dialog.final_button.isEnabled()
        dialog.reject()

    sitting.in_dialog(SignDialog, look)
    sitting.press("Ctrl+Return", sitting.findings)
    sitting.come_back()
    while any(check.is_blocking for check in editor.checks) and sitting.report.can_undo:
        sitting.press("Ctrl+Z", sitting.findings)


def _of_sentence(report: DraftReport, sentence_id: int) -> tuple[list[str], list[str]]:
    said = [stated for each, stated in report.statements("findings") if each.id == sentence_id]
    return [each.concept for each in said], [each.status for each in said]


def _refused_films(sitting: Sitting, hand: Path, blank: Path) -> None:
    """13: neither gets a normal report."""
    sitting.take(hand, blank)
    sitting.open(_uid(hand))
    sitting.picture("13-hand")
    assert not sitting.panel.start_page.draft_button.isEnabled()
    sitting.open(_uid(blank))
    sitting.wait(sitting.panel.start_page.draft_button.isEnabled)
    with sitting.qtbot.waitSignal(sitting.drafting.draft_finished, timeout=PATIENCE_MS) as ended:
        QTest.mouseClick(sitting.panel.start_page.draft_button, FIELD)
    assert ended.args[0].refused
    sitting.picture("13-blank")
    assert sitting.store.load(_uid(blank)) is None


def _killed_and_recovered(sitting: Sitting, uid: str) -> Sitting:
    """14: killed in mid-word; what was typed two seconds before is there."""
    sitting.open(uid)
    sitting.wait(lambda: sitting.panel.state == "editing")
    qtbot, folder = sitting.qtbot, sitting.folder
    sitting.close()
    command = [sys.executable, "-c", textwrap.dedent(TYPIST), str(folder), uid, ADDED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as typist:
        assert typist.stdout is not None
        typed = typist.stdout.readline().strip()
        time.sleep(1.0)  # goes on typing
        os.kill(typist.pid, signal.SIGKILL)
    assert typed.endswith(ADDED)
    sitting = Sitting(folder, qtbot)
    sitting.open(uid)
    sitting.wait(lambda: sitting.panel.state == "editing")
    assert sitting.report.state.findings_text.startswith(typed)
    sitting.picture("14-recovered")
    return sitting


def _sign_and_add(sitting: Sitting) -> None:
    """15: signed with the PIN once more; edits refused; the addendum stands below."""

    def sign(dialog: SignDialog) -> None:
        QTest.keyClicks(dialog.prompt.field, PIN)
        sitting.picture("15-sign", dialog)
        sitting.press("Return", dialog.prompt.field)

    def prove(dialog: ReauthenticationDialog) -> None:
        QTest.keyClicks(dialog.prompt.field, PIN)
        sitting.press("Return", dialog.prompt.field)

    sitting.press("Alt+3")
    sitting.in_dialog(SignDialog, sign)
    sitting.press("Ctrl+Return", sitting.findings)
    sitting.wait(lambda: sitting.panel.state == "signed")
    sitting.come_back()
    page = sitting.panel.signed_page
    signed = page.editors["findings"].toPlainText()
    QTest.keyClicks(page.editors["findings"], "cannot be typed")
    assert page.editors["findings"].toPlainText() == signed
    QTest.mouseClick(page.addendum_button, FIELD)
    QTest.keyClicks(page.addendum_field, "Compared with 2026-03-01: unchanged.")
    sitting.in_dialog(ReauthenticationDialog, prove)
    QTest.mouseClick(page.save_addendum_button, FIELD)
    sitting.wait(lambda: sitting.panel.state_label.text() == "✓ final, with addendum")
    sitting.come_back()
    sitting.picture("15-addendum")


def _export(sitting: Sitting, out: Path) -> None:
    """16: every form, through the dialog. Strangers' programs check them in tests/.../exports."""

    def choose(dialog: ExportDialog) -> None:
        for box in dialog.format_boxes.values():
            if not box.isChecked():
                box.click()
        dialog.folder_field.setText(str(out))
        sitting.wait(dialog.export_button.isEnabled)
        QTest.mouseClick(dialog.export_button, FIELD)
        sitting.wait(lambda: out.is_dir() and len(list(out.iterdir())) == len(FORMATS))
        sitting.picture("16-export", dialog)
        sitting.press("Esc", dialog)

    sitting.in_dialog(ExportDialog, choose)
    sitting.press("Ctrl+Shift+E", sitting.window)
    assert len(list(out.iterdir())) == len(FORMATS)


def _tampered(sitting: Sitting) -> None:
    """17: another program changes a row; Verify names it."""
    raw = sqlite3.connect(sitting.folder / DATABASE_NAME)
    triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        raw.execute(f"DROP TRIGGER {name}")
    (row,) = raw.execute("SELECT row FROM audit_entry WHERE event = 'edit' LIMIT 1").fetchone()
    raw.execute("UPDATE audit_entry SET user = 'nobody' WHERE row = ?", (row,))
    for _, sql in triggers:
        raw.execute(sql)
    raw.commit()
    raw.close()
    sitting.window.verify_audit()
    [shown] = [each for each in QApplication.topLevelWidgets() if isinstance(each, AuditWindow)]
    sitting.wait(lambda: f"broken at row {row}" in _words_of(shown))
    sitting.picture("17-tampered-row", shown)
    shown.close()


def _words_of(widget: QWidget) -> str:
    texts = (getattr(each, "text", None) for each in widget.findChildren(QWidget))
    return " ".join(str(text()) for text in texts if callable(text))
