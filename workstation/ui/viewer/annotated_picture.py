"""A film with the annotations of its presentation state as pixels, for the command line: painted
by what paints them in the viewer, so that both agree."""

from __future__ import annotations

import os

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication, QImage, QPainter

from workstation.ui.viewer.annotation_painter import AnnotationPainter
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.picture_painter import paint_picture


def paint_annotated(picture: FilmPicture) -> np.ndarray:
    """[height, width, 3] uint8 of the picture's view. Starts Qt without a screen where no
    application runs; on the main thread only."""
    if QGuiApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        _kept.append(QGuiApplication([]))
    geometry = picture.geometry
    image = QImage(geometry.view_width, geometry.view_height, QImage.Format.Format_RGB32)
    with QPainter(image) as painter:
        area = QRect(0, 0, geometry.view_width, geometry.view_height)
        paint_picture(painter, picture, area, 1.0, is_preview=False)
        AnnotationPainter().paint(painter, picture.film, geometry, 1.0)
    packed = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(packed.constBits(), np.uint8).reshape(packed.height(), -1)
    return rows[:, : 3 * packed.width()].reshape(packed.height(), packed.width(), 3).copy()


_kept: list[QGuiApplication] = []
"""Fonts and pixmaps need the application until the process ends."""
