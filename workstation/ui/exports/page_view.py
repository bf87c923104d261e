"""Pages below each other, as wide as there is room."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QWidget

_GAP = 14
_MOST_WIDTH = 900


class _Pages(QWidget):
    """Paints; the scroll area around it scrolls."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.images: list[QImage] = []
        self._scaled: dict[int, QPixmap] = {}

    def sizes(self) -> list[QSize]:
        width = max(1, min(self.width() - 2 * _GAP, _MOST_WIDTH))
        return [
            QSize(width, round(image.height() * width / image.width())) for image in self.images
        ]

    def fit(self) -> None:
        self._scaled.clear()
        self.setFixedHeight(sum(size.height() + _GAP for size in self.sizes()) + _GAP)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            top = _GAP
            for number, size in enumerate(self.sizes()):
                if top < event.rect().bottom() and top + size.height() > event.rect().top():
                    left = (self.width() - size.width()) // 2
                    painter.drawPixmap(left, top, self._pixmap(number, size))
                top += size.height() + _GAP

    def _pixmap(self, number: int, size: QSize) -> QPixmap:
        if number not in self._scaled:
            ratio = self.devicePixelRatioF()
            scaled = self.images[number].scaled(
                size * ratio,
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            scaled.setDevicePixelRatio(ratio)
            self._scaled[number] = QPixmap.fromImage(scaled)
        return self._scaled[number]


class PageView(QScrollArea):
    """Scrolled by wheel, arrows and page keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page_view")
        self.setAccessibleName(self.tr("Pages of the report"))
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._pages = _Pages(self)
        self.setWidget(self._pages)

    @property
    def page_count(self) -> int:
        return len(self._pages.images)

    def show_pages(self, images: Sequence[QImage]) -> None:
        self._pages.images = list(images)
        self._pages.fit()
        self.setAccessibleDescription(self.tr("{0} pages").format(len(images)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._pages.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        steps = {Qt.Key.Key_Home: bar.minimum(), Qt.Key.Key_End: bar.maximum()}
        if event.key() in steps:
            bar.setValue(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)
