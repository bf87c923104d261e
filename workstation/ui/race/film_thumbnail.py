"""The film all strategies read, small, as it is first shown in the viewer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.film import Film
from workstation.ui.theme import COLOURS

_GAP = 4
_SMALLEST = 72


class FilmThumbnail(QWidget):
    """One or two films side by side, as large as there is room. width: of the widget [px]."""

    def __init__(self, films: Sequence[Film], width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("race_film")
        self.setFixedWidth(width)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Maximum)
        views = ", ".join(film.header.view_position or film.header.modality for film in films)
        self.setAccessibleName(self.tr("The film all strategies read: {0}").format(views))
        self.setToolTip(self.accessibleName())
        each = (width - _GAP * (len(films) - 1)) // len(films)
        self._pictures = [_draw(film, each, width) for film in films]

    def sizeHint(self) -> QSize:
        return QSize(self.width(), max(picture.height() for picture in self._pictures))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.width(), _SMALLEST)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(event.rect(), QColor(COLOURS.film_ground))
        each = (self.width() + _GAP) // len(self._pictures)
        for rank, picture in enumerate(self._pictures):
            room = QSize(each - _GAP, self.height())
            size = picture.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
            left = rank * each + (room.width() - size.width()) // 2
            top = (room.height() - size.height()) // 2
            painter.drawImage(QRect(QPoint(left, top), size), picture)
        painter.end()


def _draw(film: Film, width: int, height: int) -> QImage:
    """Every step-th pixel through the film's own window, then scaled smoothly."""
    step = max(1, min(film.stored.shape) // (2 * width))
    grey = np.ascontiguousarray(render_grey(film, step=step))
    rows, columns = grey.shape
    image = QImage(grey.data, columns, rows, grey.strides[0], QImage.Format.Format_Grayscale8)
    tall = rows * film.display.pixel_aspect_ratio
    scale = min(width / columns, height / tall)
    size = (max(1, round(columns * scale)), max(1, round(tall * scale)))
    stretched = Qt.AspectRatioMode.IgnoreAspectRatio
    # The copy owns its pixels; the array's memory is not Qt's to keep.
    return image.copy().scaled(*size, stretched, Qt.TransformationMode.SmoothTransformation)
