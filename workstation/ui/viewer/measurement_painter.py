"""Figures as they are drawn over the film: a line with a dark edge, handles, words beside."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from workstation.dicom.film import Film
from workstation.reading.figure_wording import word_figures
from workstation.reading.measurements import Measurement, Point
from workstation.ui.theme import COLOURS
from workstation.ui.viewer.haloed_text import HaloedLine, HaloedTextPainter
from workstation.ui.viewer.measurement_editor import MeasurementEditor, outline
from workstation.ui.viewer.view_geometry import ViewGeometry

_INK = "#8cc8ff"
_CHOSEN_INK = COLOURS.bright_text
_HANDLE = 4.0
_ARROW_HEAD = 13.0
_FREE_AT_RIGHT = 48.0
"""Room for the side letter."""


class MeasurementPainter:
    """Keeps the words of figures that did not change. GUI thread only."""

    def __init__(self) -> None:
        self._text_painter = HaloedTextPainter()
        self._words: dict[Measurement, tuple[str, ...]] = {}
        self._film: Film | None = None

    def paint(
        self, painter: QPainter, editor: MeasurementEditor, film: Film,
        geometry: ViewGeometry, ratio: float,
    ) -> None:  # fmt: skip
        if film is not self._film:
            self._words, self._film = {}, film
        shown = editor.shown
        self._words = {each: self._words_of(each, film) for each in shown}
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for measurement in shown:
            points = []
            for point in measurement.points:
                x, y = geometry.image_to_view(*point)
                points.append((x / ratio, y / ratio))
            is_chosen = measurement.id == editor.chosen_id or measurement is editor.draft
            ink = _CHOSEN_INK if is_chosen else _INK
            self._paint_lines(painter, measurement, points, ink)
            if is_chosen:
                _paint_handles(painter, points, editor.handle)
            self._paint_words(painter, measurement, points, ink)

    def words_of(self, measurement: Measurement) -> tuple[str, ...]:
        """What was last written beside a figure."""
        return self._words.get(measurement, ())

    def _words_of(self, measurement: Measurement, film: Film) -> tuple[str, ...]:
        known = self._words.get(measurement)
        return known or word_figures(measurement, film.stored, film.display)

    def _paint_lines(
        self, painter: QPainter, measurement: Measurement, points: list[Point], ink: str
    ) -> None:
        lines = [
            (QPointF(*start), QPointF(*end)) for start, end in outline(measurement.kind, points)
        ]
        if measurement.kind == "arrow" and len(points) == 2:
            lines += _arrow_head(*points)
        if measurement.kind == "cardiothoracic":
            lines += _end_marks(lines)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 150), 4.0), (QColor(ink), 1.6)):
            painter.setPen(QPen(colour, width, c=Qt.PenCapStyle.RoundCap))
            for start, end in lines:
                painter.drawLine(start, end)

    def _paint_words(
        self, painter: QPainter, measurement: Measurement, points: list[Point], ink: str
    ) -> None:
        lines = [
            HaloedLine(text, 11.0, ink, is_bold=number == 0)
            for number, text in enumerate(self._words.get(measurement, ()))
        ]
        if not lines:
            return
        width = max(line.metrics().horizontalAdvance(line.text) for line in lines)
        device = painter.device()
        room = device.width() / device.devicePixelRatio() if device is not None else 0.0
        x = min(max(point[0] for point in points) + 10, room - width - _FREE_AT_RIGHT)
        y = max(point[1] for point in points) + 4
        for line in lines:
            metrics = line.metrics()
            self._text_painter.draw(painter, QPointF(x, y + metrics.ascent()), line)
            y += metrics.height()


def _arrow_head(tail: Point, tip: Point) -> list[tuple[QPointF, QPointF]]:
    backwards = math.atan2(tail[1] - tip[1], tail[0] - tip[0])
    ends = (backwards - 0.45, backwards + 0.45)
    return [
        (
            QPointF(*tip),
            QPointF(tip[0] + _ARROW_HEAD * math.cos(end), tip[1] + _ARROW_HEAD * math.sin(end)),
        )
        for end in ends
    ]


def _end_marks(lines: list[tuple[QPointF, QPointF]]) -> list[tuple[QPointF, QPointF]]:
    """Short strokes across both ends of each line."""
    marks = []
    for start, end in lines:
        along = end - start
        length = math.hypot(along.x(), along.y()) or 1.0
        across = QPointF(-along.y(), along.x()) * (7.0 / length)
        marks += [(start - across, start + across), (end - across, end + across)]
    return marks


def _paint_handles(painter: QPainter, points: list[Point], current: int) -> None:
    painter.setPen(QPen(QColor(COLOURS.film_ground), 1.2))
    for index, point in enumerate(points):
        painter.setBrush(QColor(COLOURS.accent if index == current else COLOURS.bright_text))
        square = QRectF(0, 0, 2 * _HANDLE, 2 * _HANDLE)
        square.moveCenter(QPointF(*point))
        painter.drawRect(square)
