"""A new account: who, what it may do, and its first password or PIN."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workstation.accounts.account import Role, SecretKind
from workstation.ui.accounts.new_secret_fields import NewSecretFields


class AccountForm(QDialog):
    """Accepted only when it is complete. The first account may do everything, and is not asked.

    is_first: the one that turns accounts on, as a single-user clinic needs it.
    """

    def __init__(
        self, parent: QWidget | None = None, *, is_first: bool = False, name: str = ""
    ) -> None:
        super().__init__(parent)
        self.setObjectName("account_form")
        self._is_first = is_first
        title = self.tr("Set up accounts or a PIN") if is_first else self.tr("New account")
        self.setWindowTitle(title)
        self.setMinimumWidth(460)
        self.name_field = self._field("account_name", self.tr("Name to log in with"), name)
        self.full_name_field = self._field("account_full_name", self.tr("Name under signatures"))
        self.full_name_field.setPlaceholderText(self.tr("for instance Dr. Maya Lind"))
        self.signer_box = QCheckBox(self.tr("May sign final reports"), self)
        self.admin_box = QCheckBox(self.tr("Keeps accounts"), self)
        kind: SecretKind = "pin" if is_first else "password"
        self.secret_fields = NewSecretFields(self, kind)
        self.problem_label = QLabel(self)
        self.problem_label.setObjectName("account_problem")
        self.problem_label.setProperty("role", "warning")
        self.problem_label.setWordWrap(True)
        self.create_button = QPushButton(self.tr("Create"), self)
        self.create_button.setProperty("role", "primary")
        self.create_button.setDefault(True)
        self._lay_out(title)
        for field in (self.name_field, self.full_name_field):
            field.textChanged.connect(self._show_problem)
        self.secret_fields.changed.connect(self._show_problem)
        self._show_problem()
        (self.full_name_field if name else self.name_field).setFocus()

    def _field(self, object_name: str, label: str, text: str = "") -> QLineEdit:
        field = QLineEdit(text, self)
        field.setObjectName(object_name)
        field.setAccessibleName(label)
        return field

    def _lay_out(self, title: str) -> None:
        heading = QLabel(title, self)
        heading.setProperty("role", "heading")
        note = QLabel(self._note(), self)
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        form = QFormLayout()
        form.addRow(self.name_field.accessibleName(), self.name_field)
        form.addRow(self.full_name_field.accessibleName(), self.full_name_field)
        if not self._is_first:
            form.addRow(self.tr("Besides reading"), self.signer_box)
            form.addRow("", self.admin_box)
        self.signer_box.setVisible(not self._is_first)
        self.admin_box.setVisible(not self._is_first)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.create_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(heading)
        layout.addWidget(note)
        layout.addLayout(form)
        layout.addWidget(self.secret_fields)
        layout.addWidget(self.problem_label)
        layout.addWidget(buttons)

    def _note(self) -> str:
        if self._is_first:
            return self.tr(
                "From then on the workstation asks who is there before it shows a film, locks its "
                "screen, and asks once more at every signature. This first account may sign and "
                "keeps accounts; for one reader it is all that is needed. A forgotten password or "
                "PIN can not be read out of the file: with a second admin it can be reset."
            )
        return self.tr("The password or PIN has to be changed at the first login.")

    @property
    def roles(self) -> tuple[Role, ...]:
        roles: list[Role] = ["reader"]
        if self._is_first or self.signer_box.isChecked():
            roles.append("signer")
        if self._is_first or self.admin_box.isChecked():
            roles.append("admin")
        return tuple(roles)

    def show_problem(self, text: str) -> None:
        self.problem_label.setText(text)

    def _show_problem(self) -> None:
        name, full_name = self.name_field.text().strip(), self.full_name_field.text().strip()
        missing = not name or not full_name
        problem = self.tr("Both names are needed.") if missing else ""
        problem = problem or self.secret_fields.problem(name, full_name)
        has_begun = bool(full_name or self.secret_fields.secret)
        self.problem_label.setText(problem if has_begun else "")
        self.create_button.setEnabled(not problem)
