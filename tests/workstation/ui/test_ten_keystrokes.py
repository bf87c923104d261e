"""A whole normal case by keyboard: from the list to the signed report, keys counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from inference import (
    BlockCommitted,
    CancelToken,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    GenerationRequest,
    PrefillDone,
)
from inference.report_language import compose_findings, compose_impression, compose_report
from workstation.accounts.account_store import AccountStore
from workstation.accounts.secrets import SecretHasher
from workstation.app import build_window
from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.versions.report_store import ReportStore
from workstation.ui.main_window import MainWindow
from workstation.ui.report.signing.sign_dialog import SignDialog

PIN = "471108"
MOST_KEYS = 10


class NormalEngine:
    """Finds nothing, in the words of the template."""

    description = EngineDescription(
        "normal", "0", "0" * 64, "", "cpu", "float32", 4, ("one-step",), ("en",), 1
    )

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        name, text = request.request_id, compose_report(())
        yield PrefillDone(name, prompt_tokens=5, block_length=4, elapsed_ms=1.0)
        yield BlockCommitted(name, 0, (1,), (text,), (0.9,), 1, 5.0)
        findings, impression = compose_findings(()), compose_impression(())
        yield DraftFinished(name, text, findings, impression, "stop", 1, 1, 1.0, 4.0)


class Keyboard:
    """Counts what is pressed, wherever the focus is."""

    def __init__(self) -> None:
        self.count = 0

    def press(
        self,
        key: Qt.Key | str,
        held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        self.count += 1
        focused = QApplication.focusWidget()
        assert focused is not None, "no widget has the keyboard"
        if isinstance(key, str):
            QTest.keyClicks(focused, key)
        else:
            QTest.keyClick(focused, key, held)


@pytest.fixture
def window(catalog_engine: Engine, qtbot: QtBot, phantom_films: list[Path]) -> Iterator[MainWindow]:
    cheap = SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    accounts = AccountStore(catalog_engine, AuditLog(catalog_engine), cheap)
    account = accounts.create("ann", "Dr. Ann Roe", ["signer"], PIN, kind="pin")
    drafting = DraftingService(lambda model, device: NormalEngine())
    opened = build_window(catalog_engine, drafting, None, accounts, account)
    qtbot.addWidget(opened)
    opened.show()
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow)
    with qtbot.waitSignal(drafting.engine_ready):
        drafting.start()
    with qtbot.waitSignal(opened.importer.finished, timeout=30_000):
        opened.import_paths(phantom_films)
    qtbot.waitUntil(lambda: opened.viewer.film is not None, timeout=30_000)
    yield opened
    opened.close()
    assert drafting.shutdown(10_000)


def test_normal_case_is_signed_in_ten_keys_or_fewer(
    window: MainWindow, qtbot: QtBot, catalog_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, panel = Keyboard(), window.report_panel
    window.study_list.setFocus()
    first = window.desk.study_instance_uid
    listed = [each.study_instance_uid for each in StudyCatalog(catalog_engine).list_studies()]
    towards_the_other = Qt.Key.Key_PageDown if listed[0] == first else Qt.Key.Key_PageUp
    keys.press(towards_the_other, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.desk.study_instance_uid not in ("", first))
    uid = window.desk.study_instance_uid
    qtbot.waitUntil(panel.start_page.draft_button.isEnabled, timeout=30_000)

    qtbot.waitUntil(lambda: panel.state == "not-drafted")
    keys.press(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.state == "editing", timeout=30_000)
    assert panel.editor.checks == ()

    def sign(dialog: SignDialog) -> int:
        dialog.show()
        dialog.activateWindow()
        qtbot.waitUntil(dialog.isActiveWindow)
        field: QWidget = dialog.prompt.field
        qtbot.waitUntil(field.hasFocus)
        for digit in PIN:
            keys.press(digit)
        with qtbot.waitSignal(dialog.accepted, timeout=30_000):
            keys.press(Qt.Key.Key_Return)
        return int(dialog.DialogCode.Accepted)

    monkeypatch.setattr(SignDialog, "exec", sign)
    keys.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: panel.state == "signed", timeout=30_000)
    stored = ReportStore(catalog_engine, AuditLog(catalog_engine)).load(uid)
    assert stored is not None
    assert stored.status == "signed"
    assert keys.count <= MOST_KEYS, f"{keys.count} keys"
