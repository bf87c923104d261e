"""Logging in: name and secret, one account alone, waiting, a secret of one's own."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from tests.workstation.ui.accounts.conftest import PIN, SECRET
from tests.workstation.ui.test_accessible_names import nameless
from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.audit.audit_log import AuditLog
from workstation.ui.accounts.account_form import AccountForm
from workstation.ui.accounts.login_dialog import LoginDialog
from workstation.ui.accounts.secret_dialogs import ChangeSecretDialog


def _open(accounts: AccountStore, qtbot: QtBot) -> LoginDialog:
    dialog = LoginDialog(accounts)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def _try(dialog: LoginDialog, qtbot: QtBot, secret: str) -> None:
    qtbot.keyClicks(dialog.prompt.field, secret)
    qtbot.keyClick(dialog.prompt.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not dialog.prompt.is_checking, timeout=10_000)


def test_name_and_password_let_in(
    accounts: AccountStore, admin: Account, audit: AuditLog, qtbot: QtBot
) -> None:
    accounts.create("bo", "Dr. Bo", [], SECRET, by=admin)
    dialog = _open(accounts, qtbot)
    assert not dialog.login_button.isEnabled()
    qtbot.keyClicks(dialog.name_field, "Ann")
    _try(dialog, qtbot, "wrong")
    assert "do not fit" in dialog.prompt.message.text()
    assert dialog.prompt.field.text() == ""  # gone as soon as it is checked
    assert dialog.account is None
    _try(dialog, qtbot, SECRET)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.account == admin
    assert [entry.event for entry in audit.entries()][-2:] == ["login-failed", "login"]
    assert nameless(dialog) == []


def test_a_single_account_is_only_asked_for_its_pin(accounts: AccountStore, qtbot: QtBot) -> None:
    only = accounts.create("ann", "Dr. Ann Roe", ["signer"], PIN, kind="pin")
    dialog = _open(accounts, qtbot)
    assert not dialog.name_field.isVisible()
    assert dialog.who_label.text() == "Dr. Ann Roe"
    assert dialog.prompt.field.placeholderText() == "PIN"
    _try(dialog, qtbot, PIN)
    assert dialog.account == only


def test_five_failures_close_the_field_and_show_the_wait(
    accounts: AccountStore, admin: Account, qtbot: QtBot
) -> None:
    dialog = _open(accounts, qtbot)
    for _ in range(5):
        _try(dialog, qtbot, "wrong")
    assert not dialog.prompt.field.isEnabled()
    assert not dialog.login_button.isEnabled()
    assert "5:00" in dialog.prompt.message.text()
    for _ in range(300):
        dialog.prompt._count_down()  # a second each
    assert dialog.prompt.field.isEnabled()
    assert "try again now" in dialog.prompt.message.text()


@pytest.mark.parametrize("chooses", [True, False])
def test_a_given_password_is_replaced_before_anything_is_shown(
    accounts: AccountStore,
    admin: Account,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    chooses: bool,
) -> None:
    accounts.create("bo", "Dr. Bo", [], "given by ann 3", by=admin, must_change=True)
    dialog = _open(accounts, qtbot)
    dialog.name_field.setText("bo")

    def change(asked: ChangeSecretDialog) -> int:
        if not chooses:
            return 0
        for field in (asked.fields.secret_field, asked.fields.repeat_field):
            field.setText("battery staple 9")
        asked.prompt.field.setText("given by ann 3")
        with qtbot.waitSignal(asked.accepted, timeout=10_000):
            asked.change_button.click()
        return 1

    monkeypatch.setattr(ChangeSecretDialog, "exec", change)
    _try(dialog, qtbot, "given by ann 3")
    if not chooses:
        assert dialog.account is None
        return
    assert dialog.account is not None
    assert not dialog.account.must_change
    assert accounts.log_in("bo", "battery staple 9").name == "bo"


def test_the_first_account_is_made_only_when_it_is_complete(qtbot: QtBot) -> None:
    form = AccountForm(is_first=True, name="ann")
    qtbot.addWidget(form)
    form.show()
    assert form.secret_fields.kind == "pin"
    form.full_name_field.setText("Dr. Ann Roe")
    form.secret_fields.secret_field.setText("12")
    assert "6 to 12 digits" in form.problem_label.text()
    form.secret_fields.secret_field.setText(PIN)
    assert "not the same" in form.problem_label.text()
    assert not form.create_button.isEnabled()
    form.secret_fields.repeat_field.setText(PIN)
    assert form.create_button.isEnabled()
    assert form.roles == ("reader", "signer", "admin")
    assert nameless(form) == []
    assert QApplication.focusWidget() is None or form.isVisible()
