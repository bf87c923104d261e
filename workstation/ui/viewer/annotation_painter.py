"""Graphic and text annotations of a presentation state, drawn over the film (PS3.3 C.10.5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from workstation.dicom.annotations import Annotation, GraphicObject, Point, TextObject, Units
from workstation.dicom.film import Film
from workstation.dicom.overlays import OVERLAY_INK
from workstation.ui.viewer.haloed_text import HaloedLine, HaloedTextPainter
from workstation.ui.viewer.view_geometry import ViewGeometry

_INK = QColor(*OVERLAY_INK)
_TEXT_POINTS = 11.0
_DOT = 4.0

Place = Callable[[Point, Units], QPointF]
"""Where a point of an annotation is in the view (device-independent pixels)."""


class AnnotationPainter:
    """GUI thread only."""

    def __init__(self) -> None:
        self._text_painter = HaloedTextPainter()

    def paint(
        self, painter: QPainter, film: Film, geometry: ViewGeometry, pixel_ratio: float
    ) -> None:
        """What the film's presentation state annotates; nothing without one."""
        if film.presentation is None or not film.presentation.annotations:
            return
        place = _placing(film, geometry, pixel_ratio)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for annotation in film.presentation.annotations:
            self._paint_annotation(painter, annotation, place)
        painter.restore()

    def _paint_annotation(self, painter: QPainter, annotation: Annotation, place: Place) -> None:
        if isinstance(annotation, TextObject):
            self._paint_text(painter, annotation, place)
        else:
            _stroke(painter, graphic_path(annotation, place), is_filled=annotation.is_filled)

    def _paint_text(self, painter: QPainter, text: TextObject, place: Place) -> None:
        lines = [HaloedLine(line, _TEXT_POINTS, _INK.name()) for line in text.lines]
        height = sum(line.metrics().height() for line in lines)
        width = max(line.metrics().horizontalAdvance(line.text) for line in lines)
        anchor = place(text.anchor, text.anchor_units) if text.anchor is not None else None
        if text.box is not None:
            box = QRectF(*(place(corner, text.box_units) for corner in text.box)).normalized()
            corner = box.topLeft()
        else:
            assert anchor is not None
            corner = anchor + QPointF(10, -height / 2)
        if anchor is not None and text.is_anchor_visible:
            _stroke(painter, _leader(QRectF(corner.x(), corner.y(), width, height), anchor))
        top = corner.y()
        for line in lines:
            metrics = line.metrics()
            baseline = QPointF(corner.x(), top + metrics.ascent())
            self._text_painter.draw(painter, baseline, line)
            top += metrics.height()


def graphic_path(graphic: GraphicObject, place: Place) -> QPainterPath:
    """The outline of a graphic object in the view."""
    points = [place(point, graphic.units) for point in graphic.points]
    path = QPainterPath()
    if graphic.kind == "POINT":
        path.addEllipse(points[0], _DOT, _DOT)
    elif graphic.kind == "CIRCLE":
        radius = math.hypot(*(points[1] - points[0]).toTuple())
        path.addEllipse(points[0], radius, radius)
    elif graphic.kind == "ELLIPSE":
        path = _ellipse(points)
    elif graphic.kind == "INTERPOLATED":
        path = _smooth_line(points)
    else:
        path.addPolygon(QPolygonF(points))
    return path


def _placing(film: Film, geometry: ViewGeometry, pixel_ratio: float) -> Place:
    rows, columns = film.stored.shape
    assert film.presentation is not None
    area = film.presentation.displayed_area
    box = area.box if area is not None else (0.0, 0.0, float(columns), float(rows))

    def in_view(column: float, row: float) -> QPointF:
        x, y = geometry.image_to_view(column, row)
        return QPointF(x / pixel_ratio, y / pixel_ratio)

    shown = QRectF(in_view(*box[:2]), in_view(*box[2:])).normalized()

    def place(point: Point, units: Units) -> QPointF:
        if units == "pixel":
            return in_view(*point)
        return shown.topLeft() + QPointF(point[0] * shown.width(), point[1] * shown.height())

    return place


def _stroke(painter: QPainter, path: QPainterPath, *, is_filled: bool = False) -> None:
    """With a dark edge, as the reader's own figures have."""
    if is_filled:
        fill = QColor(_INK)
        fill.setAlpha(70)
        painter.fillPath(path, fill)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor(0, 0, 0, 150), 3.6), (_INK, 1.5)):
        pen = QPen(colour, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(path)


def _ellipse(points: Sequence[QPointF]) -> QPainterPath:
    """From the ends of its major, then of its minor axis (C.10.5.1.2)."""
    middle = (points[0] + points[1]) / 2
    along, across = points[1] - middle, (points[3] - points[2]) / 2
    path = QPainterPath(middle + along)
    for degree in range(6, 361, 6):
        angle = math.radians(degree)
        path.lineTo(middle + along * math.cos(angle) + across * math.sin(angle))
    path.closeSubpath()
    return path


def _smooth_line(points: Sequence[QPointF]) -> QPainterPath:
    """Through every point: the standard leaves the interpolation open, this is Catmull-Rom."""
    path = QPainterPath(points[0])
    is_closed = len(points) > 2 and points[0] == points[-1]
    before = points[-2] if is_closed else points[0]
    after = points[1] if is_closed else points[-1]
    padded = [before, *points, after]
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        path.cubicTo(p1 + (p2 - p0) / 6, p2 - (p3 - p1) / 6, p2)
    return path


def _leader(box: QRectF, anchor: QPointF) -> QPainterPath:
    """From the nearest point of the text's box to what it is about."""
    nearest = QPointF(
        min(max(anchor.x(), box.left()), box.right()), min(max(anchor.y(), box.top()), box.bottom())
    )
    path = QPainterPath(nearest)
    path.lineTo(anchor)
    path.addEllipse(anchor, 2, 2)
    return path
