"""A film to show, and what of it is seen."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QImage

from workstation.ui.viewer.image_viewer import ImageViewer


def ramp(rows: int = 40, columns: int = 60) -> np.ndarray:
    """[rows, columns] uint16 of 12 bits, dark to bright in reading order."""
    return np.linspace(0, 4095, rows * columns, dtype=np.uint16).reshape(rows, columns)


def painted(viewer: ImageViewer) -> QImage:
    """The widget as it is, its texts left out."""
    viewer.set_overlay_visible(False)
    image = viewer.grab().toImage()
    viewer.set_overlay_visible(True)
    return image


def at_pixel(viewer: ImageViewer, image: QImage, column: float, row: float) -> QColor:
    """The colour at a place of the film: column and row of its stored pixels."""
    assert viewer.picture is not None
    x, y = viewer.picture.geometry.image_to_view(column, row)
    return image.pixelColor(round(x), round(y))


def grey_of(image: QImage) -> np.ndarray:
    """[height, width] uint8."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    raw = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return raw[:, : grey.width()].copy()
