"""Puts a `FilmPicture` on screen: its colours in their place, dark ground around."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from workstation.ui.theme import COLOURS
from workstation.ui.viewer.film_picture import FilmPicture

_FRAME_WIDTH = 2
_GROUND = QColor(COLOURS.film_ground)


def paint_picture(
    painter: QPainter, picture: FilmPicture, area: QRect, pixel_ratio: float, *, is_preview: bool
) -> None:
    """All of `area` (device-independent pixels). is_preview: quickly, while a hand zooms."""
    placement = picture.geometry.placement()
    if placement is None:
        painter.fillRect(area, _GROUND)
        return
    x, y, width, height = (length / pixel_ratio for length in placement.target)
    target = QRectF(x, y, width, height)
    _paint_ground_around(painter, target, area)
    preview = picture.preview() if is_preview else None
    if preview is None:
        image = image_of(picture.rgb())
        image.setDevicePixelRatio(pixel_ratio)
        painter.drawImage(QPointF(x, y), image)
        return
    left, top, right, bottom = preview.source
    source = QRectF(left, top, right - left, bottom - top)
    painter.drawImage(target, image_of(preview.rgb), source)


def paint_frame(painter: QPainter, area: QRect, colour: QColor) -> None:
    """The focus ring, inside `area`; a stroked rectangle of this size takes ten times as long."""
    width, height, line = area.width(), area.height(), _FRAME_WIDTH
    painter.fillRect(0, 0, width, line, colour)
    painter.fillRect(0, height - line, width, line, colour)
    painter.fillRect(0, line, line, height - 2 * line, colour)
    painter.fillRect(width - line, line, line, height - 2 * line, colour)


def image_of(rgb: np.ndarray) -> QImage:
    """A QImage on the memory of [rows, columns] uint32 0xffRRGGBB, which has to outlive it."""
    rows, columns = rgb.shape
    return QImage(rgb.data, columns, rows, rgb.strides[0], QImage.Format.Format_RGB32)


def _paint_ground_around(painter: QPainter, film: QRectF, area: QRect) -> None:
    """The strips the film leaves free: filling all of the view first would cost as much as
    painting the film."""
    width, height = area.width(), area.height()
    # Inwards: at a fractional scale of the screen the film ends inside a pixel.
    left, right = math.ceil(film.left()), math.floor(film.right())
    top, bottom = math.ceil(film.top()), math.floor(film.bottom())
    if top > 0:
        painter.fillRect(0, 0, width, top, _GROUND)
    if bottom < height:
        painter.fillRect(0, bottom, width, height - bottom, _GROUND)
    if left > 0:
        painter.fillRect(0, top, left, bottom - top, _GROUND)
    if right < width:
        painter.fillRect(right, top, width - right, bottom - top, _GROUND)
