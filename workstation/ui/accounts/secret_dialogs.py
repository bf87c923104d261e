"""Small dialogs around one secret: give it once more, or change one's own."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workstation.accounts.account import Account
from workstation.accounts.account_store import AccountStore, Authentication
from workstation.ui.accounts.new_secret_fields import NewSecretFields
from workstation.ui.accounts.secret_prompt import SecretPrompt


class ReauthenticationDialog(QDialog):
    """Accepted only with the right password or PIN; ``authentication`` is then the proof."""

    def __init__(
        self, accounts: AccountStore, account: Account, purpose: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("reauthentication_dialog")
        self.setWindowTitle(self.tr("Your password or PIN"))
        self.setMinimumWidth(380)
        self.authentication: Authentication | None = None
        self._accounts, self._account = accounts, account
        words = QLabel(purpose + "\n" + self.tr("Signing as {0}").format(account.full_name), self)
        words.setWordWrap(True)
        self.prompt = SecretPrompt(self)
        self.prompt.name_kind(account.secret_kind)
        self.confirm_button = QPushButton(self.tr("Confirm"), self)
        self.confirm_button.setProperty("role", "primary")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.confirm_button, QDialogButtonBox.ButtonRole.ActionRole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        for widget in (words, self.prompt, buttons):
            layout.addWidget(widget)
        buttons.rejected.connect(self.reject)
        self.confirm_button.setDefault(True)
        self.confirm_button.clicked.connect(self._check)
        self.prompt.changed.connect(self._show_button)
        self.prompt.passed.connect(self._on_passed)
        self._show_button()
        self.prompt.setFocus()

    def _check(self) -> None:
        self.prompt.check(lambda secret: self._accounts.prove(self._account.name, secret))

    def _show_button(self) -> None:
        self.confirm_button.setEnabled(self.prompt.can_check)

    def _on_passed(self, authentication: Authentication) -> None:
        self.authentication = authentication
        self.accept()

    def done(self, result: int) -> None:
        self.prompt.wait()
        super().done(result)


class ChangeSecretDialog(QDialog):
    """The old secret and a new one; accepted once it is changed."""

    def __init__(
        self, accounts: AccountStore, account: Account, parent: QWidget | None = None,
        reason: str = "",
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setObjectName("change_secret_dialog")
        self.setWindowTitle(self.tr("Change password or PIN"))
        self.setMinimumWidth(420)
        self._accounts, self.account = accounts, account
        heading = QLabel(reason or self.windowTitle(), self)
        heading.setProperty("role", "heading")
        heading.setWordWrap(True)
        self.prompt = SecretPrompt(self)
        self.prompt.name_kind(account.secret_kind)
        self.prompt.field.setPlaceholderText(self.tr("The present one"))
        self.fields = NewSecretFields(self, account.secret_kind)
        self.problem_label = QLabel(self)
        self.problem_label.setProperty("role", "warning")
        self.problem_label.setWordWrap(True)
        self.change_button = QPushButton(self.tr("Change"), self)
        self.change_button.setProperty("role", "primary")
        self.change_button.setDefault(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.change_button, QDialogButtonBox.ButtonRole.ActionRole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        for widget in (heading, self.prompt, self.fields, self.problem_label, buttons):
            layout.addWidget(widget)
        buttons.rejected.connect(self.reject)
        self.change_button.clicked.connect(self._change)
        self.prompt.changed.connect(self._show_button)
        self.fields.changed.connect(self._show_button)
        self.prompt.passed.connect(self._on_passed)
        self._show_button()

    def _problem(self) -> str:
        return self.fields.problem(self.account.name, self.account.full_name)

    def _show_button(self) -> None:
        problem = self._problem() if self.fields.secret else ""
        self.problem_label.setText(problem)
        ready = bool(self.fields.secret) and not problem
        self.change_button.setEnabled(ready and self.prompt.can_check)

    def _change(self) -> None:
        name, new, kind = self.account.name, self.fields.secret, self.fields.kind
        self.prompt.check(lambda old: self._accounts.change_secret(name, old, new, kind=kind))

    def _on_passed(self, account: Account) -> None:
        self.account = account
        self.fields.clear()
        self.accept()

    def done(self, result: int) -> None:
        self.prompt.wait()
        super().done(result)
