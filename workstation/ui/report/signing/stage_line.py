"""The line over a report that is more than a draft: preliminary, or a correction under way."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from workstation.ui.theme import COLOURS


class StageLine(QFrame):
    """Hidden while there is nothing to say. Signals: versions_requested(), abandon_requested()."""

    versions_requested = Signal()
    abandon_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stage_line")
        self.setStyleSheet(
            f"QFrame#stage_line {{ background: {COLOURS.amber_dim}; border: 0;"
            f" border-left: 3px solid {COLOURS.amber}; border-radius: 3px; }}"
        )
        self.label = QLabel(self)
        self.label.setObjectName("stage_text")
        self.label.setWordWrap(True)
        self.versions_button = self._button(self.tr("Versions…"))
        self.abandon_button = self._button(self.tr("Give up"))
        self.abandon_button.setAccessibleName(self.tr("Give the correction up"))
        self.versions_button.clicked.connect(self.versions_requested)
        self.abandon_button.clicked.connect(self.abandon_requested)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 4, 4)
        layout.setSpacing(2)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.abandon_button)
        layout.addWidget(self.versions_button)
        self.hide()

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("role", "quiet")
        return button

    def show_stage(self, text: str, *, is_correction: bool = False) -> None:
        """ "" hides the line."""
        self.label.setText(text)
        self.abandon_button.setVisible(is_correction)
        self.setVisible(bool(text))
