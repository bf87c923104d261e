"""The last look before signing: the text, how much of it nobody touched, and a name."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workstation.reporting.report_state import HEADINGS, ReportState, report_text
from workstation.reporting.sign_off import MEANING
from workstation.ui.theme import report_font


class SignDialog(QDialog):
    """Accepted only by the Sign button and only with a name; there is no way to skip the look."""

    def __init__(
        self,
        state: ReportState,
        *,
        signer: str = "",
        edit_count: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sign_dialog")
        self.setWindowTitle(self.tr("Sign the report"))
        self.setModal(True)
        self.resize(580, 560)
        self.name_field = QLineEdit(signer, self)
        self.name_field.setObjectName("signer_name")
        self.name_field.setAccessibleName(self.tr("Name of the signer"))
        self.name_field.textChanged.connect(self._on_name_changed)
        self.text_view = QPlainTextEdit(self)
        self.text_view.setObjectName("final_text")
        self.text_view.setAccessibleName(self.tr("Text to be signed"))
        self.text_view.setPlainText(_spaced(state))
        self.text_view.setReadOnly(True)
        self.text_view.setFont(report_font())
        self.text_view.setProperty("role", "report")
        self.summary_label = QLabel(self._summary(state, edit_count), self)
        self.summary_label.setObjectName("sign_summary")
        self.summary_label.setWordWrap(True)
        self.meaning_label = QLabel(self.meaning, self)
        self.meaning_label.setObjectName("sign_meaning")
        self.meaning_label.setWordWrap(True)
        self._make_buttons()
        self._lay_out()
        self._on_name_changed(signer)

    @property
    def meaning(self) -> str:
        """What the signature says."""
        return MEANING

    @property
    def signer_name(self) -> str:
        return self.name_field.text().strip()

    def _make_buttons(self) -> None:
        self.buttons = QDialogButtonBox(self)
        self.sign_button = QPushButton(self.tr("Sign"), self)
        self.sign_button.setObjectName("confirm_sign")
        self.sign_button.setProperty("role", "primary")
        self.cancel_button = QPushButton(self.tr("Cancel"), self)
        self.cancel_button.setObjectName("cancel_sign")
        self.buttons.addButton(self.sign_button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(self.cancel_button, QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        note = QLabel(self.tr("A signed report can't be changed, only given an addendum."), self)
        note.setProperty("role", "muted")
        note.setWordWrap(True)
        heading = QLabel(self.windowTitle(), self)
        heading.setProperty("role", "heading")
        name_label = QLabel(self.tr("Name"), self)
        name_label.setBuddy(self.name_field)
        name_row = QHBoxLayout()
        name_row.setSpacing(10)
        name_row.addWidget(name_label)
        name_row.addWidget(self.name_field, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addWidget(heading)
        layout.addWidget(self.text_view, 1)
        layout.addWidget(self.summary_label)
        layout.addSpacing(4)
        layout.addWidget(self.meaning_label)
        layout.addLayout(name_row)
        layout.addWidget(note)
        layout.addWidget(self.buttons)

    def _summary(self, state: ReportState, edit_count: int) -> str:
        sentences = state.findings + state.impression
        untouched = sum(1 for each in sentences if each.provenance == "ai")
        edited = sum(1 for each in sentences if each.provenance == "edited")
        by_hand = len(sentences) - untouched - edited
        if not untouched and not edited:
            origin = self.tr("All {0} sentences were written by hand.").format(len(sentences))
        else:
            origin = self.tr(
                "{0} of {1} sentences are the model's and untouched; {2} edited, {3} by hand."
            ).format(untouched, len(sentences), edited, by_hand)
        return origin + " " + self.tr("Edits made: {0}.").format(edit_count)

    def _on_name_changed(self, name: str) -> None:
        self.sign_button.setEnabled(bool(name.strip()))


def _spaced(state: ReportState) -> str:
    """The text that is signed, with an empty line before the impression."""
    heading = HEADINGS[state.language]["impression"]
    findings, impression = report_text(state).rsplit(f"\n{heading}", 1)
    return f"{findings}\n\n{heading}{impression}"
