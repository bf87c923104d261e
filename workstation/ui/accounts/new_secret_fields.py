"""A new password or PIN, typed twice."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QWidget

from workstation.accounts.account import PASSWORD_LENGTH, PIN_LENGTHS, SecretKind, WeakSecret
from workstation.accounts.secrets import check_strength


class NewSecretFields(QWidget):
    """Signal: changed() at every change."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None, kind: SecretKind = "password") -> None:
        super().__init__(parent)
        self.kind_box = QComboBox(self)
        self.kind_box.setAccessibleName(self.tr("Password or PIN"))
        words = self.tr("Password, {0} characters or more").format(PASSWORD_LENGTH)
        self.kind_box.addItem(words, "password")
        self.kind_box.addItem(self.tr("PIN, {0} to {1} digits").format(*PIN_LENGTHS), "pin")
        self.kind_box.setCurrentIndex(self.kind_box.findData(kind))
        self.secret_field = self._secret_field(self.tr("New password or PIN"))
        self.repeat_field = self._secret_field(self.tr("The same once more"))
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self.tr("Kind"), self.kind_box)
        form.addRow(self.tr("New"), self.secret_field)
        form.addRow(self.tr("Repeat"), self.repeat_field)
        self.kind_box.currentIndexChanged.connect(self.changed)

    def _secret_field(self, name: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setAccessibleName(name)
        field.textChanged.connect(self.changed)
        return field

    @property
    def kind(self) -> SecretKind:
        return "pin" if self.kind_box.currentData() == "pin" else "password"

    @property
    def secret(self) -> str:
        return self.secret_field.text()

    def problem(self, *names: str) -> str:
        """Why this can't be taken yet, "" if it can. names: what it must not be."""
        if not self.secret:
            return self.tr("Choose a password or a PIN.")
        try:
            check_strength(self.secret, self.kind, names=names)
        except WeakSecret as weak:
            return str(weak)
        if self.secret != self.repeat_field.text():
            return self.tr("The two are not the same.")
        return ""

    def clear(self) -> None:
        self.secret_field.clear()
        self.repeat_field.clear()
