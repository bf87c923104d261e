"""The locked screen of a real window: blank everywhere, nothing lost, one way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from tests.workstation.ui.accounts.conftest import SECRET
from tests.workstation.ui.test_accessible_names import nameless
from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.app import build_window
from workstation.audit.audit_log import AuditLog
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.accounts.screen_lock import LockCover, ScreenLock
from workstation.ui.main_window import MainWindow
from workstation.ui.report.signing.sign_dialog import SignDialog

BRIGHT = 150  # grey: brighter than anything of a locked window


@pytest.fixture
def window(
    catalog_engine: Engine,
    accounts: AccountStore,
    admin: Account,
    tmp_path: Path,
    qtbot: QtBot,
    write_film: Callable[..., Path],
) -> Iterator[MainWindow]:
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    drafting = DraftingService()
    opened = build_window(catalog_engine, drafting, settings, accounts, admin)
    qtbot.addWidget(opened)
    opened.show()
    grey = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
    with qtbot.waitSignal(opened.loader.film_loaded, timeout=30_000):
        opened.import_paths([write_film("a.dcm", grey)])
    yield opened
    opened.close()
    assert drafting.shutdown(10_000)


def _lock_of(window: MainWindow) -> ScreenLock:
    lock = window.accounts.screen_lock
    assert lock is not None
    return lock


def _brightest(widget: QWidget) -> int:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    lines = [bytes(image.constScanLine(y))[: image.width()] for y in range(image.height())]
    return max(max(line) for line in lines)


def _unlock(window: MainWindow, qtbot: QtBot, secret: str = SECRET) -> None:
    lock = _lock_of(window)
    assert lock.dialog is not None
    lock.dialog.prompt.field.setText(secret)
    with qtbot.waitSignal(lock.unlocked, timeout=10_000):
        lock.dialog.unlock_button.click()


def test_every_window_is_blank_and_comes_back_as_it_was(
    window: MainWindow, qtbot: QtBot, audit: AuditLog
) -> None:
    window.columns.detach("films")
    window.report_panel.write_by_hand()
    window.report_panel.editor.editors["findings"].setPlainText("Typed and not yet saved.")
    films = window.columns.window_of("films")
    qtbot.waitUntil(lambda: _brightest(films) > BRIGHT)
    window.accounts.lock()
    for each in (window, films):
        assert _brightest(each) < BRIGHT
        cover = each.findChild(LockCover)
        assert cover is not None
        each.resize(each.width() + 30, each.height() + 20)
        assert cover.size() == each.size()
    report = window.report_panel.report
    assert report is not None
    assert report.state.findings_text == "Typed and not yet saved."
    stored = window._records.reports.load(window.desk.study_instance_uid)
    assert stored is not None  # saved before nobody is there
    assert stored.state == report.state
    _unlock(window, qtbot)
    assert _brightest(films) > BRIGHT
    assert window.report_panel.report is report
    events = [(entry.event, entry.user) for entry in audit.entries()]
    assert [each for each in events if "lock" in each[0]] == [
        ("locked", "ann"),
        ("unlocked", "ann"),
    ]
    locked = next(entry for entry in audit.entries() if entry.event == "locked")
    assert locked.details == {"idle": False}


def test_nothing_but_the_secret_opens_it(window: MainWindow, qtbot: QtBot) -> None:
    window.accounts.lock()
    lock = _lock_of(window)
    dialog = lock.dialog
    assert dialog is not None
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    dialog.close()
    assert dialog.isVisible()
    assert dialog.windowModality() == Qt.WindowModality.ApplicationModal
    dialog.prompt.field.setText("wrong")
    dialog.unlock_button.click()
    qtbot.waitUntil(lambda: "do not fit" in dialog.prompt.message.text(), timeout=10_000)
    assert lock.is_locked
    assert nameless(dialog) == []
    _unlock(window, qtbot)
    assert not lock.is_locked


def test_a_window_that_appears_while_locked_is_blank_too(window: MainWindow, qtbot: QtBot) -> None:
    window.accounts.lock()
    late = QDialog(window)
    qtbot.addWidget(late)
    bright = QWidget(late)
    bright.setStyleSheet("background: white;")
    QVBoxLayout(late).addWidget(bright)
    late.resize(200, 100)
    late.show()
    assert _brightest(late) < BRIGHT
    _unlock(window, qtbot)
    assert _brightest(late) > BRIGHT
    late.close()


def test_it_locks_itself_after_a_time_without_a_sign_of_life(
    window: MainWindow, qtbot: QtBot, audit: AuditLog
) -> None:
    lock = _lock_of(window)
    assert window.accounts.minutes == 10
    lock.set_idle_time(600)
    before = lock._last_sign
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Shift)
    assert lock._last_sign > before  # a key is a sign of life
    with qtbot.waitSignal(lock.locked, timeout=10_000):
        lock.set_idle_time(0.05)
    assert audit.entries()[-1].details == {"idle": True}
    lock.set_idle_time(0)
    _unlock(window, qtbot)


def test_the_time_is_audited_and_remembered(window: MainWindow, audit: AuditLog) -> None:
    window.accounts.choose_minutes(2)
    assert window.accounts.minutes == 2
    assert (audit.entries()[-1].event, audit.entries()[-1].details) == (
        "settings",
        {"lock_minutes": 2},
    )


def test_another_user_leaves_with_everything_saved(
    window: MainWindow, qtbot: QtBot, audit: AuditLog
) -> None:
    window.report_panel.write_by_hand()
    window.report_panel.editor.editors["findings"].setPlainText("Kept.")
    uid = window.desk.study_instance_uid
    window.accounts.lock()
    dialog = _lock_of(window).dialog
    assert dialog is not None
    dialog.switch_button.click()
    assert window.is_leaving_for_another_user
    assert not window.isVisible()
    stored = window._records.reports.load(uid)
    assert stored is not None
    assert stored.state.findings_text == "Kept."
    assert "logout" in [entry.event for entry in audit.entries()]


def test_ctrl_l_locks_and_edits_carry_the_name_of_the_account(
    window: MainWindow, qtbot: QtBot, audit: AuditLog
) -> None:
    action = next(each for each in window.menus.actions() if each.shortcut().toString() == "Ctrl+L")
    action.trigger()
    assert _lock_of(window).is_locked
    _unlock(window, qtbot)
    window.report_panel.write_by_hand()
    report = window.report_panel.report
    assert report is not None
    report.set_section_text("findings", "Clear.")
    assert window.desk.save()
    assert (audit.entries()[-1].event, audit.entries()[-1].user) == ("edit", "ann")
    assert window.windowTitle().endswith("Dr. Ann Roe")


def test_a_dialog_that_is_open_is_covered_and_stays_open(window: MainWindow, qtbot: QtBot) -> None:
    window.report_panel.write_by_hand()
    report = window.report_panel.report
    assert report is not None
    report.set_section_text("findings", "Clear.")
    dialog = SignDialog(report.state, signer="Dr. Ann Roe", parent=window)
    qtbot.addWidget(dialog)
    dialog.open()
    assert _brightest(dialog) > BRIGHT
    window.accounts.lock()
    assert _brightest(dialog) < BRIGHT
    assert _lock_of(window).dialog is QApplication.activeModalWidget()
    _unlock(window, qtbot)
    assert dialog.isVisible()
    assert _brightest(dialog) > BRIGHT
    dialog.reject()
