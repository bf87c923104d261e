"""A line of text that gives way where there is no room."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from workstation.ui.theme import COLOURS


class ElidedLabel(QLabel):
    """Every line ends in dots where it is too long, and is left out where it has no room below the
    others; the whole text is its tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(20, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QColor(COLOURS.muted_text))
        room = max(1, self.height() // self.fontMetrics().lineSpacing())
        lines = [
            self.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, self.width())
            for line in self.text().splitlines()[:room]
        ]
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignVCenter, "\n".join(lines))
