"""The first thing shown where there are accounts: who is there? No film is visible before."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore
from workstation.ui.accounts.secret_dialogs import ChangeSecretDialog
from workstation.ui.accounts.secret_prompt import SecretPrompt
from workstation.ui.theme import ui_font

_WIDTH = 400


class LoginDialog(QDialog):
    """Accepted once somebody has logged in: ``account`` is who. Where only one account may log in,
    nothing but its password or PIN is asked for."""

    def __init__(self, accounts: AccountStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("login_dialog")
        self.setWindowTitle("ECHO Workstation")
        self.account: Account | None = None
        self._accounts = accounts
        active = [each for each in accounts.accounts() if each.is_active]
        self._only = active[0] if len(active) == 1 else None
        title = QLabel("ECHO Workstation", self)
        title.setProperty("role", "heading")
        title.setFont(ui_font(16, bold=True))
        self.who_label = QLabel(self)
        self.who_label.setProperty("role", "muted")
        self.name_field = QLineEdit(self)
        self.name_field.setObjectName("login_name")
        self.name_field.setAccessibleName(self.tr("Name"))
        self.name_field.setPlaceholderText(self.tr("Name"))
        self.prompt = SecretPrompt(self)
        self.login_button = QPushButton(self.tr("Log in"), self)
        self.login_button.setObjectName("log_in")
        self.login_button.setProperty("role", "primary")
        self.login_button.setDefault(True)
        self.quit_button = QPushButton(self.tr("Quit"), self)
        self.quit_button.setProperty("role", "quiet")
        self.quit_button.setAutoDefault(False)
        self._lay_out(title)
        self._name_account()
        self.name_field.textChanged.connect(self._show_button)
        self.name_field.returnPressed.connect(self.prompt.field.setFocus)
        self.prompt.changed.connect(self._show_button)
        self.prompt.passed.connect(self._on_passed)
        self.login_button.clicked.connect(self._log_in)
        self.quit_button.clicked.connect(self.reject)
        self._show_button()

    def _lay_out(self, title: QLabel) -> None:
        research = QLabel(self.tr("Research use — not for diagnosis"), self)
        research.setProperty("role", "muted")
        research.setAlignment(Qt.AlignmentFlag.AlignCenter)
        buttons = QHBoxLayout()
        buttons.addWidget(self.quit_button)
        buttons.addStretch(1)
        buttons.addWidget(self.login_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(28, 26, 28, 18)
        layout.setSpacing(10)
        layout.addWidget(title)
        layout.addWidget(self.who_label)
        layout.addSpacing(6)
        layout.addWidget(self.name_field)
        layout.addWidget(self.prompt)
        layout.addSpacing(4)
        layout.addLayout(buttons)
        layout.addSpacing(6)
        layout.addWidget(research)
        self.setMinimumWidth(_WIDTH)

    def _name_account(self) -> None:
        if self._only is None:
            self.who_label.setText(self.tr("Log in to read and report"))
            self.prompt.name_kind("password")
            self.prompt.field.setPlaceholderText(self.tr("Password or PIN"))
            self.name_field.setFocus()
            return
        self.who_label.setText(self._only.full_name)
        self.name_field.setText(self._only.name)
        self.name_field.hide()
        self.prompt.name_kind(self._only.secret_kind)
        self.prompt.setFocus()

    def _log_in(self) -> None:
        name = self.name_field.text()
        self.prompt.check(lambda secret: self._accounts.log_in(name, secret))

    def _show_button(self) -> None:
        is_named = bool(self.name_field.text().strip())
        self.login_button.setEnabled(is_named and self.prompt.can_check)

    def _on_passed(self, account: Account) -> None:
        if account.must_change:
            reason = self.tr("Choose a password of your own before you go on.")
            change = ChangeSecretDialog(self._accounts, account, self, reason)
            if not change.exec():
                self._accounts.log_out(account)
                self.prompt.say(self.tr("A password of your own is needed to log in."))
                return
            account = change.account
        self.account = account
        self.accept()

    def done(self, result: int) -> None:
        self.prompt.wait()
        super().done(result)
