"""Keeping accounts: what the buttons do, and what is refused."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from tests.workstation.ui.accounts.conftest import PIN, SECRET
from tests.workstation.ui.test_accessible_names import nameless
from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.audit.audit_log import AuditLog
from workstation.ui.accounts.account_form import AccountForm
from workstation.ui.accounts.accounts_dialog import AccountsDialog


@pytest.fixture
def dialog(accounts: AccountStore, admin: Account, qtbot: QtBot) -> AccountsDialog:
    accounts.create("bo", "Dr. Bo", [], SECRET, by=admin)
    opened = AccountsDialog(accounts, admin, 10)
    qtbot.addWidget(opened)
    opened.show()
    return opened


def _row(dialog: AccountsDialog, number: int) -> list[str]:
    cells = [dialog.table.item(number, column) for column in range(4)]
    return [cell.text() for cell in cells if cell is not None]


def test_roles_are_given_and_taken(
    dialog: AccountsDialog, accounts: AccountStore, audit: AuditLog
) -> None:
    dialog.table.selectRow(1)
    assert not dialog.signer_button.isChecked()
    dialog.signer_button.click()
    assert accounts.account("bo").can_sign
    assert dialog.signer_button.text() == "✓ May sign"
    assert _row(dialog, 1) == ["bo", "Dr. Bo", "reads · signs", "active · password"]
    dialog.signer_button.click()
    assert not accounts.account("bo").can_sign
    assert audit.entries()[-1].event == "account-changed"
    assert nameless(dialog) == []


def test_accounts_are_deactivated_and_come_back(
    dialog: AccountsDialog, accounts: AccountStore
) -> None:
    dialog.table.selectRow(1)
    dialog.active_button.click()
    assert not accounts.account("bo").is_active
    assert "✕ deactivated" in _row(dialog, 1)[3]
    assert dialog.active_button.text() == "Activate"
    dialog.active_button.click()
    assert accounts.account("bo").is_active


def test_the_last_admin_stays_and_is_told(dialog: AccountsDialog, accounts: AccountStore) -> None:
    dialog.table.selectRow(0)
    dialog.admin_button.click()
    assert accounts.account("ann").can_administer
    assert "name another admin first" in dialog.message.text()
    assert dialog.admin_button.isChecked()


def test_a_new_account_changes_its_password_at_the_first_login(
    dialog: AccountsDialog, accounts: AccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(form: AccountForm) -> int:
        form.name_field.setText("mei")
        form.full_name_field.setText("王美 医师")
        form.signer_box.setChecked(True)
        fields = form.secret_fields
        fields.kind_box.setCurrentIndex(fields.kind_box.findData("pin"))
        fields.secret_field.setText(PIN)
        fields.repeat_field.setText(PIN)
        assert form.create_button.isEnabled()
        return int(QDialog.DialogCode.Accepted)

    monkeypatch.setattr(AccountForm, "exec", fill)
    dialog.new_button.click()
    made = accounts.account("mei")
    assert (made.full_name, made.must_change, made.can_sign) == ("王美 医师", True, True)
    assert dialog.selected == made


def test_the_time_until_the_lock_is_chosen(dialog: AccountsDialog, qtbot: QtBot) -> None:
    with qtbot.waitSignal(dialog.minutes_chosen) as chosen:
        dialog.minutes_box.setCurrentIndex(dialog.minutes_box.findData(2))
    assert chosen.args == [2]
