"""What the report column says before there is a report."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workstation.ui.theme import ui_font


class StartPage(QWidget):
    """No study: how to get one. A study without a report: draft it, or write by hand."""

    draft_requested = Signal()
    write_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("start_page")
        self.title_label = QLabel(self)
        self.title_label.setObjectName("start_title")
        self.title_label.setFont(ui_font(13, bold=True))
        self.text_label = QLabel(self)
        self.text_label.setObjectName("start_text")
        self.text_label.setProperty("role", "muted")
        for label in (self.title_label, self.text_label):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
        self.draft_button = QPushButton(self.tr("Draft"), self)
        self.draft_button.setObjectName("draft_button")
        self.draft_button.setProperty("role", "primary")
        self.draft_button.setToolTip(self.tr("Let the model draft the report (Ctrl+D)"))
        self.draft_button.clicked.connect(self.draft_requested)
        self.write_button = QPushButton(self.tr("Write by hand"), self)
        self.write_button.setObjectName("write_button")
        self.write_button.clicked.connect(self.write_requested)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.draft_button)
        buttons.addWidget(self.write_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(12)
        layout.addStretch(2)
        layout.addWidget(self.title_label)
        layout.addWidget(self.text_label)
        layout.addSpacing(6)
        layout.addLayout(buttons)
        layout.addStretch(3)

    def show_no_study(self) -> None:
        self.title_label.setText(self.tr("No study open"))
        self.text_label.setText(self.tr("Choose a study on the left, or drop films on the window."))
        self.draft_button.hide()
        self.write_button.hide()

    def show_offer(self, can_draft: bool, reason: str) -> None:
        """reason: why the model can't draft now; the hand can always."""
        self.title_label.setText(self.tr("No report yet"))
        offer = self.tr(
            "The model drafts findings and impression block by block.\n"
            "You read the film, edit and sign. Ctrl+D starts, Esc stops."
        )
        self.text_label.setText(offer if can_draft else reason)
        self.draft_button.show()
        self.draft_button.setEnabled(can_draft)
        self.write_button.show()
