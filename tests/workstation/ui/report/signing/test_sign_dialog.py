"""The sign dialog: what is shown before signing, and what it takes to sign."""

from __future__ import annotations

from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QPushButton
from sqlalchemy import Engine

from workstation.accounts.account_store import AccountStore
from workstation.accounts.secrets import SecretHasher
from workstation.audit.audit_log import AuditLog
from workstation.reporting.check_override import CheckOverride
from workstation.reporting.checks.report_checks import check_report
from workstation.reporting.report_state import ReportState, Sentence
from workstation.ui.report.patient_line import ReportPatient
from workstation.ui.report.signing.sign_dialog import SignDialog

STATE = ReportState(
    findings=(
        Sentence(1, "No pneumothorax.", "ai", 0.9),
        Sentence(2, "Small left pleural effusion.", "edited"),
    ),
    impression=(Sentence(3, "Small left pleural effusion.", "human"),),
)


@pytest.fixture
def dialog(qtbot) -> SignDialog:
    dialog = SignDialog(STATE, signer="Dr Lind", edit_count=4)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_shows_the_text_and_how_much_nobody_touched(dialog) -> None:
    assert "No pneumothorax." in dialog.text_view.toPlainText()
    assert dialog.text_view.isReadOnly()
    summary = dialog.summary_label.text()
    assert "1 of 3 sentences are the model's and untouched; 1 edited, 1 by hand." in summary
    assert "Edits made: 4." in summary


def test_says_whose_report_is_signed(qtbot) -> None:
    patient = ReportPatient("DOE, <JOHN>", "ID 17 · born 1950-02-01 · 76 y · M · 2026-03-05 · DX")
    dialog = _open(qtbot, STATE, patient=patient)
    assert dialog.patient_label.text() == "DOE, <JOHN>"
    assert dialog.patient_label.isVisible()
    assert dialog.details_label.text().startswith("ID 17 · born 1950-02-01")


def test_what_the_model_did_not_see_is_said_of_what_it_wrote(qtbot) -> None:
    by_hand = replace(STATE, findings=(), impression=STATE.impression)
    for state, is_said in ((STATE, True), (by_hand, False)):
        assert _open(qtbot, state, unseen="not: priors").unseen_label.isVisible() is is_said


def test_sign_accepts_with_the_name(qtbot, dialog) -> None:
    dialog.name_field.setText("  Dr Maya Lind ")
    qtbot.mouseClick(dialog.sign_button, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.signer_name == "Dr Maya Lind"


def test_no_name_no_signature(dialog) -> None:
    dialog.name_field.setText("   ")
    assert not dialog.sign_button.isEnabled()


def test_cancel_rejects(qtbot, dialog) -> None:
    qtbot.mouseClick(dialog.cancel_button, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Rejected


def test_there_is_no_way_to_accept_everything_at_once(dialog) -> None:
    assert {button.text() for button in dialog.findChildren(QPushButton)} == {"Sign", "Cancel"}


CONTRARY = ReportState(
    findings=(Sentence(1, "Left pleural effusion.", "ai", 0.9),),
    impression=(Sentence(2, "Right pleural effusion.", "human"),),
)


def _open(qtbot, state: ReportState, **more) -> SignDialog:
    dialog = SignDialog(state, signer="Dr Lind", **more)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_what_is_open_is_shown_and_only_a_preliminary_signature_is_left(qtbot) -> None:
    dialog = _open(qtbot, CONTRARY)
    message = next(check.message for check in check_report(CONTRARY) if check.is_blocking)
    assert f"✕ Open: {message}" in dialog.checks_label.text()
    assert not dialog.final_button.isEnabled()
    assert "set aside with a reason" in dialog.problem_label.text()
    assert (dialog.kind, dialog.sign_button.text()) == ("preliminary", "Sign off as preliminary")
    dialog.sign_button.click()
    assert dialog.request.is_preliminary


def test_what_was_set_aside_is_shown_with_its_reason(qtbot) -> None:
    overrides = tuple(
        CheckOverride(check.key, check.rule, check.message, "seen on CT")
        for check in check_report(CONTRARY)
        if check.is_blocking
    )
    dialog = _open(qtbot, replace(CONTRARY, overrides=overrides))
    assert "✓ Set aside:" in dialog.checks_label.text()
    assert "— seen on CT" in dialog.checks_label.text()
    assert dialog.kind == "final"
    assert dialog.sign_button.isEnabled()


def test_what_the_model_did_not_see_is_said(qtbot) -> None:
    dialog = _open(qtbot, STATE, unseen="Not seen: the lateral film.")
    assert dialog.unseen_label.isVisible()
    assert dialog.unseen_label.text() == "Not seen: the lateral film."


def test_a_correction_says_why_and_has_no_other_kind(qtbot) -> None:
    dialog = _open(qtbot, STATE, correction_reason="wrong side")
    assert dialog.kind == "corrected"
    assert "Reason: wrong side" in dialog.meaning_label.text()
    assert not dialog.preliminary_button.isVisible()
    assert not dialog.request.is_preliminary


@pytest.fixture
def accounts(catalog_engine: Engine) -> AccountStore:
    cheap = SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    store = AccountStore(catalog_engine, AuditLog(catalog_engine), cheap)
    admin = store.create("ann", "Dr. Ann Roe", ["signer"], "correct horse 7")
    store.create("bo", "Dr. Bo", [], "battery staple 9", by=admin)
    return store


def test_with_an_account_the_secret_is_given_once_more(qtbot, accounts: AccountStore) -> None:
    dialog = _open(qtbot, STATE, accounts=accounts, account=accounts.account("ann"))
    assert (dialog.signer_name, dialog.role_label.text()) == ("Dr. Ann Roe", "signer")
    assert dialog.name_field.isReadOnly()
    assert not dialog.sign_button.isEnabled()
    qtbot.keyClicks(dialog.prompt.field, "wrong")
    qtbot.keyClick(dialog.prompt.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "do not fit" in dialog.prompt.message.text(), timeout=10_000)
    assert dialog.isVisible()
    qtbot.keyClicks(dialog.prompt.field, "correct horse 7")
    with qtbot.waitSignal(dialog.accepted, timeout=10_000):
        qtbot.keyClick(dialog.prompt.field, Qt.Key.Key_Return)
    assert accounts.redeem(dialog.request.authentication).name == "ann"


def test_a_reader_is_told_why_not_final(qtbot, accounts: AccountStore) -> None:
    dialog = _open(qtbot, STATE, accounts=accounts, account=accounts.account("bo"))
    assert not dialog.final_button.isEnabled()
    assert "needs an account that may sign" in dialog.problem_label.text()
    assert dialog.role_label.text() == "reader"
    assert dialog.kind == "preliminary"
    corrected = _open(
        qtbot, STATE, accounts=accounts, account=accounts.account("bo"), correction_reason="x"
    )
    corrected.prompt.field.setText("battery staple 9")
    assert not corrected.sign_button.isEnabled()
