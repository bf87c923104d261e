"""Why a final report is corrected."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)


class ReasonDialog(QDialog):
    """Accepted only with a reason."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reason_dialog")
        self.setWindowTitle(self.tr("Correct the report"))
        self.setMinimumWidth(460)
        note = QLabel(
            self.tr(
                "The signed report stays as it is and can always be read. The corrected one stands "
                "beside it, with this reason, once it is signed."
            ),
            self,
        )
        note.setWordWrap(True)
        note.setProperty("role", "muted")
        label = QLabel(self.tr("Why is it corrected?"), self)
        self.reason_field = QLineEdit(self)
        self.reason_field.setObjectName("correction_reason")
        self.reason_field.setAccessibleName(self.tr("Reason of the correction"))
        label.setBuddy(self.reason_field)
        self.start_button = QPushButton(self.tr("Correct"), self)
        self.start_button.setProperty("role", "primary")
        self.start_button.setEnabled(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.start_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.reason_field.textChanged.connect(self._on_typed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        for widget in (note, label, self.reason_field, buttons):
            layout.addWidget(widget)
        self.reason_field.setFocus()

    @property
    def reason(self) -> str:
        return self.reason_field.text().strip()

    def _on_typed(self, text: str) -> None:
        self.start_button.setEnabled(bool(text.strip()))
