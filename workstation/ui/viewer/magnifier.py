"""A round lens under the pointer that shows the film larger, in the window of the moment."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from workstation.ui.theme import COLOURS
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.picture_painter import image_of
from workstation.ui.viewer.view_geometry import GREATEST_ZOOM, ViewGeometry

LENS_RADIUS = 130.0
_FACTOR = 2.5


def lens_geometry(geometry: ViewGeometry, x: float, y: float, radius: float) -> ViewGeometry:
    """The view through a lens of this radius at a view point (device pixels)."""
    zoom = min(max(geometry.zoom * _FACTOR, 1.0), GREATEST_ZOOM)
    centre = (
        geometry.centre[0] + (x - geometry.view_width / 2) / geometry.zoom,
        geometry.centre[1] + (y - geometry.view_height / 2) / geometry.zoom,
    )
    side = max(1, round(2 * radius))
    return replace(
        geometry, view_width=side, view_height=side, zoom=zoom, centre=centre, is_fitted=False
    )


def paint_magnifier(painter: QPainter, picture: FilmPicture, at: QPointF, ratio: float) -> None:
    """The lens at a point in device-independent pixels."""
    lens = lens_geometry(picture.geometry, at.x() * ratio, at.y() * ratio, LENS_RADIUS * ratio)
    circle = QRectF(0, 0, 2 * LENS_RADIUS, 2 * LENS_RADIUS)
    circle.moveCenter(at)
    path = QPainterPath()
    path.addEllipse(circle)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipPath(path)
    painter.fillPath(path, QColor(COLOURS.film_ground))
    placement = lens.placement()
    if placement is not None:
        x, y, _, _ = placement.target
        rgb = picture.rgb_of(lens)
        image = image_of(rgb)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(circle.topLeft() + QPointF(x, y) / ratio, image)
    painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(COLOURS.strong_line), 2))
    painter.drawEllipse(circle)
