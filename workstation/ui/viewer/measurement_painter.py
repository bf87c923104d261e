"""Figures as they are drawn over the film: a line with a dark edge, handles, words beside."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from workstation.dicom.film import Film
from workstation.reading.figure_outline import outline
from workstation.reading.figure_wording import word_figures
from workstation.reading.measurements import Measurement, Point
from workstation.ui.theme import COLOURS
from workstation.ui.viewer.figure_label import FigureLabel, fit_words, place_label
from workstation.ui.viewer.haloed_text import HaloedTextPainter
from workstation.ui.viewer.measurement_editor import MeasurementEditor
from workstation.ui.viewer.view_geometry import ViewGeometry

_INK = "#8cc8ff"
_CHOSEN_INK = COLOURS.bright_text
_HANDLE = 4.0
_ARROW_HEAD = 13.0
_ANCHOR_DOT = 2.5


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
        shown = editor.shown
        self._forget_but(shown, film)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for measurement in shown:
            points = _in_view(measurement.points, geometry, ratio)
            is_chosen = measurement.id == editor.chosen_id or measurement is editor.draft
            ink = _CHOSEN_INK if is_chosen else _INK
            self._paint_lines(painter, measurement, points, ink)
            if is_chosen:
                _paint_handles(painter, points, editor.handle)
            label = self.label_of(measurement, film, geometry, ratio, ink)
            if label is not None:
                is_held = is_chosen and editor.is_label_chosen
                self._paint_label(painter, measurement, label, ink, is_held=is_held)

    def label_of(
        self, measurement: Measurement, film: Film, geometry: ViewGeometry, ratio: float,
        ink: str = _INK,
    ) -> FigureLabel | None:  # fmt: skip
        """Its words and where they stand in the view; None for a figure without any."""
        words = self._words_of(measurement, film)
        if not words:
            return None
        lines = fit_words(words, ink, geometry.view_width / ratio)
        put = None
        if measurement.label is not None:
            (put,) = _in_view((measurement.label,), geometry, ratio)
        size = geometry.view_width / ratio, geometry.view_height / ratio
        points = _in_view(measurement.points, geometry, ratio)
        return place_label(measurement, points, put, lines, size)

    def _words_of(self, measurement: Measurement, film: Film) -> tuple[str, ...]:
        if film is not self._film:
            self._words, self._film = {}, film
        wordless = _without_label(measurement)
        if wordless not in self._words:
            self._words[wordless] = word_figures(measurement, film.stored, film.display)
        return self._words[wordless]

    def _forget_but(self, shown: tuple[Measurement, ...], film: Film) -> None:
        if film is not self._film:
            self._words, self._film = {}, film
        kept = {_without_label(each) for each in shown}
        self._words = {each: words for each, words in self._words.items() if each in kept}

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

    def _paint_label(
        self, painter: QPainter, measurement: Measurement, label: FigureLabel, ink: str,
        *, is_held: bool,
    ) -> None:  # fmt: skip
        """is_held: the words are what keys move now."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if label.leader is not None:
            here, there = (QPointF(*end) for end in label.leader)
            for colour, width in ((QColor(0, 0, 0, 150), 2.6), (QColor(ink), 1.0)):
                painter.setPen(QPen(colour, width))
                painter.drawLine(here, there)
                if measurement.kind == "text":
                    painter.drawEllipse(there, _ANCHOR_DOT, _ANCHOR_DOT)
        if is_held:
            painter.setPen(QPen(QColor(COLOURS.accent), 1.2, Qt.PenStyle.DashLine))
            painter.drawRect(label.box.adjusted(-3, -1, 3, 1))
        for baseline, line in label.baselines():
            self._text_painter.draw(painter, baseline, line)


def _in_view(points: tuple[Point, ...], geometry: ViewGeometry, ratio: float) -> list[Point]:
    """Device-independent pixels of the view."""
    placed = (geometry.image_to_view(*point) for point in points)
    return [(x / ratio, y / ratio) for x, y in placed]


def _without_label(measurement: Measurement) -> Measurement:
    """What its words depend on: moved ones still say the same."""
    return measurement if measurement.label is None else replace(measurement, label=None)


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
