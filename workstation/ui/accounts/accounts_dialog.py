"""Who has an account, what it may do: for those who keep the accounts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workstation.accounts.account import Account, AccountError, Role
from workstation.accounts.account_store import AccountStore
from workstation.catalog.database import CatalogUnavailable
from workstation.ui.accounts.account_form import AccountForm
from workstation.ui.accounts.new_secret_fields import NewSecretFields
from workstation.ui.accounts.screen_lock import MINUTES


class AccountsDialog(QDialog):
    """by: the admin at the screen. Signal: minutes_chosen(int), after which the screen locks."""

    minutes_chosen = Signal(int)

    def __init__(
        self, accounts: AccountStore, by: Account, minutes: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("accounts_dialog")
        self.setWindowTitle(self.tr("Accounts"))
        self.resize(720, 440)
        self._accounts, self._by = accounts, by
        self._rows: list[Account] = []
        self._make_table()
        self.new_button = self._button(self.tr("New account…"), self.create_account)
        self.signer_button = self._button(self.tr("May sign"), self._toggle_signer)
        self.admin_button = self._button(self.tr("Keeps accounts"), self._toggle_admin)
        self.reset_button = self._button(self.tr("Reset password…"), self.reset_secret)
        self.active_button = self._button(self.tr("Deactivate"), self._toggle_active)
        self.signer_button.setCheckable(True)
        self.admin_button.setCheckable(True)
        self.message = QLabel(self)
        self.message.setObjectName("accounts_message")
        self.message.setProperty("role", "warning")
        self.message.setWordWrap(True)
        self.minutes_box = QComboBox(self)
        self.minutes_box.setAccessibleName(self.tr("Lock the screen after"))
        for each in MINUTES:
            words = self.tr("{0} minutes").format(each) if each else self.tr("never by itself")
            self.minutes_box.addItem(words, each)
        self.minutes_box.setCurrentIndex(max(self.minutes_box.findData(minutes), 0))
        self.minutes_box.currentIndexChanged.connect(self._on_minutes)
        self._lay_out()
        self._refresh()

    def _make_table(self) -> None:
        names = [self.tr("Name"), self.tr("Signs as"), self.tr("Roles"), self.tr("State")]
        self.table = QTableWidget(0, len(names), self)
        self.table.setObjectName("accounts_table")
        self.table.setAccessibleName(self.tr("Accounts"))
        self.table.setHorizontalHeaderLabels(names)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setStyleSheet("QTableView::item { padding: 3px 10px; }")
        head = self.table.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.itemSelectionChanged.connect(self._show_buttons)

    def _button(self, text: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: slot())
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for button in (self.new_button, self.signer_button, self.admin_button,
                       self.reset_button, self.active_button):  # fmt: skip
            row.addWidget(button)
        row.addStretch(1)
        lock_row = QHBoxLayout()
        lock_row.addWidget(QLabel(self.tr("Without a key or a mouse, lock the screen after"), self))
        lock_row.addWidget(self.minutes_box)
        lock_row.addStretch(1)
        note = QLabel(self.tr("Accounts are never deleted, because signatures name them."), self)
        note.setProperty("role", "muted")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(self.table, 1)
        layout.addLayout(row)
        layout.addWidget(self.message)
        layout.addWidget(note)
        layout.addLayout(lock_row)
        layout.addWidget(buttons)

    # -- showing -----------------------------------------------------------------------------

    @property
    def selected(self) -> Account | None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        return self._rows[rows.pop()] if rows else None

    def _refresh(self, select: str = "") -> None:
        wanted = select or (self.selected.name if self.selected else self._by.name)
        self._rows = self._accounts.accounts()
        self.table.setRowCount(len(self._rows))
        for number, account in enumerate(self._rows):
            for column, text in enumerate(self._texts(account)):
                self.table.setItem(number, column, QTableWidgetItem(text))
            if account.name == wanted:
                self.table.selectRow(number)
        self._show_buttons()

    def _texts(self, account: Account) -> tuple[str, ...]:
        words: dict[Role, str] = {
            "reader": self.tr("reads"),
            "signer": self.tr("signs"),
            "admin": self.tr("keeps accounts"),
        }
        roles = " · ".join(word for role, word in words.items() if role in account.roles)
        state = self.tr("active")
        if not account.is_active:
            state = self.tr("✕ deactivated")
        elif account.must_change:
            state = self.tr("to change password")
        kind = self.tr("PIN") if account.secret_kind == "pin" else self.tr("password")
        return account.name, account.full_name, roles, f"{state} · {kind}"

    def _show_buttons(self) -> None:
        account = self.selected
        changing = (self.signer_button, self.admin_button, self.reset_button, self.active_button)
        for button in changing:
            button.setEnabled(account is not None)
        if account is None:
            return
        self.signer_button.setChecked(account.can_sign)
        self.admin_button.setChecked(account.can_administer)
        self.signer_button.setText(
            self.tr("✓ May sign") if account.can_sign else self.tr("May sign")
        )
        mark = self.tr("✓ Keeps accounts") if account.can_administer else self.tr("Keeps accounts")
        self.admin_button.setText(mark)
        is_active = account.is_active
        self.active_button.setText(self.tr("Deactivate") if is_active else self.tr("Activate"))

    # -- changing ----------------------------------------------------------------------------

    def create_account(self) -> None:
        """Ask for a new account until it is made or given up."""
        form = AccountForm(self)
        while form.exec():
            fields = form.secret_fields
            try:
                made = self._accounts.create(
                    form.name_field.text(), form.full_name_field.text(), form.roles,
                    fields.secret, kind=fields.kind, by=self._by, must_change=True,
                )  # fmt: skip
            except (AccountError, CatalogUnavailable, ValueError) as error:
                form.show_problem(str(error))
                continue
            self._say(self.tr("{0} can log in now.").format(made.full_name))
            self._refresh(made.name)
            break
        form.deleteLater()

    def reset_secret(self) -> None:
        """Give the selected account another password, to be changed at its next login."""
        account = self.selected
        if account is None:
            return
        dialog = _ResetDialog(account, self)
        if dialog.exec():
            fields = dialog.fields
            self._change(
                lambda: self._accounts.reset_secret(
                    account.name, fields.secret, by=self._by, kind=fields.kind
                )
            )
        dialog.deleteLater()

    def _toggle_signer(self) -> None:
        self._toggle_role("signer")

    def _toggle_admin(self) -> None:
        self._toggle_role("admin")

    def _toggle_role(self, role: Role) -> None:
        account = self.selected
        if account is not None:
            roles = account.roles ^ {role}
            self._change(lambda: self._accounts.set_roles(account.name, roles, by=self._by))

    def _toggle_active(self) -> None:
        account = self.selected
        if account is not None:
            is_active = not account.is_active
            self._change(lambda: self._accounts.set_active(account.name, is_active, by=self._by))

    def _change(self, change: Callable[[], Account]) -> None:
        try:
            changed = change()
        except (AccountError, CatalogUnavailable) as error:
            self._say(str(error))
            self._refresh()
            return
        self._say(self.tr("Changed: {0}.").format(changed.full_name))
        self._refresh(changed.name)

    def _on_minutes(self) -> None:
        self.minutes_chosen.emit(self.minutes_box.currentData())

    def _say(self, text: str) -> None:
        self.message.setText(text)


class _ResetDialog(QDialog):
    """A new password or PIN for somebody else."""

    def __init__(self, account: Account, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Reset password"))
        self.setMinimumWidth(420)
        self._account = account
        heading = QLabel(
            self.tr("{0} has to change it at the next login.").format(account.full_name), self
        )
        heading.setWordWrap(True)
        self.fields = NewSecretFields(self, account.secret_kind)
        self.problem_label = QLabel(self)
        self.problem_label.setProperty("role", "warning")
        self.problem_label.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.reset_button = QPushButton(self.tr("Reset"), self)
        self.reset_button.setProperty("role", "primary")
        buttons.addButton(self.reset_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (heading, self.fields, self.problem_label, buttons):
            layout.addWidget(widget)
        self.fields.changed.connect(self._show_problem)
        self._show_problem()

    def _show_problem(self) -> None:
        problem = self.fields.problem(self._account.name, self._account.full_name)
        self.problem_label.setText(problem if self.fields.secret else "")
        self.reset_button.setEnabled(not problem)
