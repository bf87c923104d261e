"""Preliminary, final, addendum, corrected and versions, driven in the real window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from argon2 import PasswordHasher
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.accounts.secrets import SecretHasher
from workstation.app import build_window
from workstation.audit.audit_log import AuditLog
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.versions.report_store import ReportStore
from workstation.ui.accounts.secret_dialogs import ReauthenticationDialog
from workstation.ui.main_window import MainWindow
from workstation.ui.report.signing.reason_dialog import ReasonDialog
from workstation.ui.report.signing.sign_dialog import SignDialog
from workstation.ui.report.signing.versions_dialog import VersionsDialog

SECRET = "correct horse 7"
TEXT = "Left pleural effusion."


class Seat:
    """A window on one study, for somebody with an account."""

    def __init__(self, engine: Engine, qtbot: QtBot, roles: list[str], film: Path) -> None:
        self.audit, self.qtbot = AuditLog(engine), qtbot
        cheap = SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.accounts = AccountStore(engine, self.audit, cheap)
        admin = self.accounts.create("ann", "Dr. Ann Roe", ["signer"], SECRET)
        account: Account = admin
        if roles != ["signer"]:
            account = self.accounts.create("bo", "Dr. Bo", [], SECRET, by=admin)
        self.drafting = DraftingService()
        self.window: MainWindow = build_window(engine, self.drafting, None, self.accounts, account)
        qtbot.addWidget(self.window)
        self.window.show()
        with qtbot.waitSignal(self.window.loader.film_loaded, timeout=30_000):
            self.window.import_paths([film])
        self.panel, self.signing = self.window.report_panel, self.window.desk.signing
        self.store = ReportStore(engine, self.audit)
        self.uid = self.window.desk.study_instance_uid

    def write(self, text: str) -> None:
        if self.panel.state != "editing":
            self.panel.write_by_hand()
        report = self.panel.report
        assert report is not None
        report.set_section_text("findings", text)
        report.set_section_text("impression", text)
        assert self.window.desk.save()

    def events(self) -> list[str]:
        return [entry.event for entry in self.audit.entries()]

    def status(self) -> str:
        return self.window._records.catalog.study(self.uid).status


@pytest.fixture
def sit_down(
    catalog_engine: Engine, qtbot: QtBot, write_film: Callable[..., Path]
) -> Iterator[Callable[..., Seat]]:
    seats: list[Seat] = []

    def sit(*roles: str) -> Seat:
        grey = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
        seats.append(Seat(catalog_engine, qtbot, list(roles), write_film("a.dcm", grey)))
        return seats[-1]

    yield sit
    for seat in seats:
        seat.window.close()
        assert seat.drafting.shutdown(10_000)


def _sign_in_dialog(qtbot: QtBot, *, preliminary: bool = False) -> Callable[[SignDialog], int]:
    def sign(dialog: SignDialog) -> int:
        if preliminary:
            dialog.preliminary_button.setChecked(True)
        dialog.prompt.field.setText(SECRET)
        with qtbot.waitSignal(dialog.accepted, timeout=10_000):
            dialog.sign_button.click()
        return int(QDialog.DialogCode.Accepted)

    return sign


def test_from_preliminary_to_final_to_corrected(
    sit_down: Callable[..., Seat], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = sit_down("signer")
    seat.write(TEXT)
    monkeypatch.setattr(SignDialog, "exec", _sign_in_dialog(qtbot, preliminary=True))
    seat.window.sign()
    assert seat.status() == "preliminary"
    assert seat.panel.state == "editing"
    line = seat.signing.stage_line
    assert line.isVisible()
    assert line.label.text().startswith("PRELIMINARY — signed off by Dr. Ann Roe")

    seat.write("Small left pleural effusion.")
    monkeypatch.setattr(SignDialog, "exec", _sign_in_dialog(qtbot))
    seat.window.sign()
    assert (seat.status(), seat.panel.state) == ("signed", "signed")
    assert not line.isVisible()
    page = seat.panel.signed_page
    assert "FINAL report — signed by Dr. Ann Roe" in page.signature_label.text()

    def give_reason(dialog: ReasonDialog) -> int:
        assert not dialog.start_button.isEnabled()
        dialog.reason_field.setText("wrong side")
        assert dialog.start_button.isEnabled()
        return 1

    monkeypatch.setattr(ReasonDialog, "exec", give_reason)
    page.correct_button.click()
    assert seat.panel.state == "editing"
    assert "Reason: wrong side" in line.label.text()
    assert line.abandon_button.isVisible()
    seat.write("Small right pleural effusion.")
    assert seat.status() == "signed"  # until the correction is
    seat.window.sign()
    assert seat.status() == "corrected"
    assert "CORRECTED report" in page.signature_label.text()
    assert "Reason: wrong side" in page.signature_label.text()
    kinds = [version.kind for version in seat.store.versions(seat.uid)]
    assert kinds == ["preliminary", "final", "corrected"]
    assert [each for each in seat.events() if "sign" in each or "correct" in each] == [
        "sign-preliminary", "sign", "correction-started", "correct",
    ]  # fmt: skip
    assert seat.audit.verify().ok


def test_a_correction_goes_on_after_the_study_was_left(
    sit_down: Callable[..., Seat], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = sit_down("signer")
    seat.write(TEXT)
    monkeypatch.setattr(SignDialog, "exec", _sign_in_dialog(qtbot))
    seat.window.sign()
    seat.signing.correct("wrong side")
    seat.write("Right pleural effusion.")
    assert seat.window.desk.leave_study()
    seat.window.desk.open_study(seat.uid)
    report = seat.panel.report
    assert report is not None
    assert report.state.findings_text == "Right pleural effusion."
    assert seat.signing.stage_line.isVisible()
    seat.signing.drop_correction()
    assert (seat.panel.state, seat.status()) == ("signed", "signed")
    assert seat.panel.signed_page.editors["findings"].toPlainText() == TEXT


def test_an_addendum_asks_for_the_secret(
    sit_down: Callable[..., Seat], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = sit_down("signer")
    seat.write(TEXT)
    monkeypatch.setattr(SignDialog, "exec", _sign_in_dialog(qtbot))
    seat.window.sign()
    monkeypatch.setattr(ReauthenticationDialog, "exec", lambda _dialog: 0)
    seat.panel.signed_page.addendum_written.emit("Late.")
    assert "addendum" not in seat.events()

    def confirm(dialog: ReauthenticationDialog) -> int:
        dialog.prompt.field.setText(SECRET)
        with qtbot.waitSignal(dialog.accepted, timeout=10_000):
            dialog.confirm_button.click()
        return 1

    monkeypatch.setattr(ReauthenticationDialog, "exec", confirm)
    seat.panel.signed_page.addendum_written.emit("Late.")
    stored = seat.store.load(seat.uid)
    assert stored is not None
    assert [(each.author, each.text) for each in stored.addenda] == [("Dr. Ann Roe", "Late.")]
    assert "Addenda, below: 1" in seat.panel.signed_page.signature_label.text()


def test_a_reader_drafts_and_signs_off_as_preliminary_only(
    sit_down: Callable[..., Seat], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = sit_down("reader")
    seat.write(TEXT)
    assert "needs an account that may sign" in seat.panel.sign_button.toolTip()
    monkeypatch.setattr(SignDialog, "exec", _sign_in_dialog(qtbot))
    seat.window.sign()
    assert seat.status() == "preliminary"
    proof = seat.accounts.prove("ann", SECRET)
    seat.window._records.sign_off.sign(seat.uid, authentication=proof)
    seat.window.desk.leave_study()
    seat.window.desk.open_study(seat.uid)
    page = seat.panel.signed_page
    assert not page.correct_button.isEnabled()
    assert not page.addendum_button.isEnabled()
    assert "needs an account that may sign" in page.correct_button.toolTip()


def test_versions_open_from_editor_and_signed_page(
    sit_down: Callable[..., Seat], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, shown = sit_down("signer"), []
    monkeypatch.setattr(
        VersionsDialog, "exec", lambda dialog: shown.append(dialog.after_box.currentText())
    )
    seat.write(TEXT)
    action = next(
        each for each in seat.window.menus.actions() if each.shortcut().toString() == "Ctrl+Shift+V"
    )
    action.trigger()
    assert shown == []
    assert "no versions yet" in seat.panel.notice.text
    monkeypatch.setattr(SignDialog, "exec", _sign_in_dialog(qtbot, preliminary=True))
    seat.window.sign()
    seat.signing.stage_line.versions_button.click()
    assert shown == ["Now, being edited"]
    monkeypatch.setattr(SignDialog, "exec", _sign_in_dialog(qtbot))
    seat.window.sign()
    seat.panel.signed_page.versions_button.click()
    assert shown[1].startswith("2 · Final · Dr. Ann Roe")
