"""One line that says something without stopping the reader: a reason, or a question."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from workstation.ui.theme import COLOURS


class NoticeBar(QFrame):
    """Hidden until it has something to say; Esc or the cross hides it again.

    accepted is emitted when the question's button is pressed (the bar hides first).
    """

    accepted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice_bar")
        self.setStyleSheet(
            f"QFrame#notice_bar {{ background: {COLOURS.amber_dim}; border: 0;"
            f" border-left: 3px solid {COLOURS.amber}; border-radius: 3px; }}"
        )
        self.text_label = QLabel(self)
        self.text_label.setObjectName("notice_text")
        self.text_label.setWordWrap(True)
        self.text_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.accept_button = QPushButton(self)
        self.accept_button.setObjectName("notice_accept")
        self.accept_button.clicked.connect(self._accept)
        self.dismiss_button = QToolButton(self)
        self.dismiss_button.setObjectName("notice_dismiss")
        self.dismiss_button.setText("×")
        self.dismiss_button.setAccessibleName(self.tr("Dismiss"))
        self.dismiss_button.setToolTip(self.tr("Dismiss"))
        self.dismiss_button.setProperty("role", "quiet")
        self.dismiss_button.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 6)
        layout.addWidget(self.text_label, 1)
        layout.addWidget(self.accept_button)
        layout.addWidget(self.dismiss_button)
        self.hide()

    @property
    def text(self) -> str:
        return self.text_label.text()

    def say(self, text: str) -> None:
        """Show a message without a question."""
        self.text_label.setText(text)
        self.accept_button.hide()
        self.show()

    def ask(self, text: str, accept: str) -> None:
        """Show a question; accept is the word on its button."""
        self.text_label.setText(text)
        self.accept_button.setText(accept)
        self.accept_button.show()
        self.show()
        self.accept_button.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _accept(self) -> None:
        self.hide()
        self.accepted.emit()
