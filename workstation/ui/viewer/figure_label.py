"""Where the words of a figure stand in a view: beside it, or where the reader put them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from workstation.reading.figure_outline import Line, leader_line
from workstation.reading.measurements import Measurement, Point
from workstation.ui.theme import font_scale
from workstation.ui.viewer.haloed_text import HaloedLine

_BESIDE, _BELOW = 10.0, 4.0
_FREE_AT_RIGHT = 48.0
"""Room for the side letter."""
_EDGE = 4.0
_POINTS, _SMALL_POINTS = 11.0, 9.0
_LEADER_FROM = 22.0
"""Words that are nearer than this need no line to their figure."""


@dataclass(frozen=True)
class FigureLabel:
    """Device-independent pixels. leader: from the words to their figure, None where it is near."""

    box: QRectF
    lines: tuple[HaloedLine, ...]
    leader: Line | None

    @property
    def middle(self) -> Point:
        return self.box.center().x(), self.box.center().y()

    def baselines(self) -> list[tuple[QPointF, HaloedLine]]:
        """Where each line is written."""
        placed, y = [], self.box.top()
        for line in self.lines:
            metrics = line.metrics()
            placed.append((QPointF(self.box.left(), y + metrics.ascent()), line))
            y += metrics.height()
        return placed


def fit_words(words: Sequence[str], ink: str, view_width: float) -> tuple[HaloedLine, ...]:
    """The first line bold; smaller where a narrow view would cut them off."""
    lines: tuple[HaloedLine, ...] = ()
    for points in (_POINTS, _SMALL_POINTS, _SMALL_POINTS / max(font_scale(), 1.0)):
        lines = tuple(
            HaloedLine(text, points, ink, is_bold=number == 0) for number, text in enumerate(words)
        )
        if _width_of(lines) <= view_width - 2 * _EDGE:
            break
    return lines


def _width_of(lines: Sequence[HaloedLine]) -> float:
    advances = (line.metrics().horizontalAdvance(line.text) for line in lines)
    return float(max(advances, default=0))


def place_label(
    measurement: Measurement,
    points: Sequence[Point],
    put: Point | None,
    lines: tuple[HaloedLine, ...],
    view_size: tuple[float, float],
) -> FigureLabel:
    """points: of the figure, put: the middle of its words where the reader moved them, both in
    the view. Moved words stay in sight as long as their figure is."""
    width = _width_of(lines)
    height = float(sum(line.metrics().height() for line in lines))
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    if put is None:
        x = min(right + _BESIDE, view_size[0] - width - _FREE_AT_RIGHT)
        x = max(x, min(_EDGE, right + _BESIDE))  # not off the left edge, but with its figure
        return FigureLabel(QRectF(x, bottom + _BELOW, width, height), lines, None)
    x, y = put[0] - width / 2, put[1] - height / 2
    left, top = min(x for x, _ in points), min(y for _, y in points)
    if right >= 0 and bottom >= 0 and left <= view_size[0] and top <= view_size[1]:
        x = max(min(x, view_size[0] - width - _EDGE), _EDGE)
        y = max(min(y, view_size[1] - height - _EDGE), _EDGE)
    box = (x, y, x + width, y + height)
    leader = leader_line(measurement.kind, points, box, _LEADER_FROM)
    return FigureLabel(QRectF(x, y, width, height), lines, leader)
