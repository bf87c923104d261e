"""Our own icons of the tools over the film: paths in one stroke width, drawn at the pixels asked.

Text signs differ by font and platform; these look the same everywhere, at every scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QIcon,
    QIconEngine,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QTransform,
)

from workstation.ui.theme import COLOURS, colour

GRID = 18
"""Units along a side. Straight lines lie on quarters, so that at scale 2 their edges are sharp."""

STROKE = 1.5
"""Width of every line [units]."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Drawing:
    """lines are stroked, areas are filled (odd-even, so that one may be cut out of another)."""

    lines: QPainterPath = field(default_factory=QPainterPath)
    areas: QPainterPath = field(default_factory=QPainterPath)

    def line(self, *points: Point) -> Drawing:
        """Add a line through points."""
        self.lines.moveTo(*points[0])
        for point in points[1:]:
            self.lines.lineTo(*point)
        return self

    def area(self, *points: Point) -> Drawing:
        """Add a filled polygon."""
        self.areas.moveTo(*points[0])
        for point in points[1:]:
            self.areas.lineTo(*point)
        self.areas.closeSubpath()
        return self

    def box(self, x: float, y: float, width: float, height: float) -> Drawing:
        """Add the outline of a box, corners rounded like those of the buttons."""
        self.lines.addRoundedRect(QRectF(x, y, width, height), 1.5, 1.5)
        return self

    def arc(self, centre: Point, radius: float, start: float, sweep: float) -> Drawing:
        """Add part of a circle; degrees, counter-clockwise from the right."""
        x, y = centre
        frame = QRectF(x - radius, y - radius, 2 * radius, 2 * radius)
        self.lines.arcMoveTo(frame, start)
        self.lines.arcTo(frame, start, sweep)
        return self

    def mapped(self, transform: QTransform) -> Drawing:
        return Drawing(transform.map(self.lines), transform.map(self.areas))


_MIRRORED = QTransform(-1, 0, 0, 1, GRID, 0)  # left is right
_TRANSPOSED = QTransform(0, 1, 1, 0, 0, 0)  # x is y
_RISING = QTransform().translate(GRID / 2, GRID / 2).rotate(-45)  # origin in the middle


def _window() -> Drawing:
    drawing = Drawing().arc((9, 9), 6.5, 0, 360)
    drawing.areas.moveTo(9, 9)
    drawing.areas.arcTo(QRectF(2.5, 2.5, 13, 13), 90, 180)
    drawing.areas.closeSubpath()
    return drawing


def _loupe() -> Drawing:
    return Drawing().arc((7.75, 7.75), 5, 0, 360).line((11.5, 11.5), (15.75, 15.75))


def _zoom() -> Drawing:
    return _loupe().line((5.5, 7.75), (10, 7.75)).line((7.75, 5.5), (7.75, 10))


def _magnifier() -> Drawing:
    return _loupe().arc((7.75, 7.75), 2.5, 90, 90)  # the glass's glint


def _pan() -> Drawing:
    drawing = Drawing().line((9, 1.75), (9, 16.25)).line((1.75, 9), (16.25, 9))
    for tip, back in ((1.75, 4.0), (16.25, 14.0)):
        drawing.line((6.75, back), (9, tip), (11.25, back))
        drawing.line((back, 6.75), (tip, 9), (back, 11.25))
    return drawing


def _turn_right() -> Drawing:
    film = Drawing().box(2.25, 8.25, 8.5, 7.5)
    return film.arc((7.5, 9.75), 6.5, 90, -90).line((11.5, 8.25), (14, 10.75), (16.5, 8.25))


def _flip_sideways() -> Drawing:
    axis = Drawing().line((9, 1.75), (9, 3.75)).line((9, 8), (9, 10)).line((9, 14.25), (9, 16.25))
    axis.line((6.25, 4.25), (6.25, 13.75), (1.75, 13.75), (6.25, 4.25))
    axis.line((11.75, 4.25), (11.75, 13.75), (16.25, 13.75), (11.75, 4.25))
    return axis.area((11.75, 4.25), (11.75, 13.75), (16.25, 13.75))


def _invert() -> Drawing:
    """A film whose right half is its negative: what is white there is black here."""
    drawing = Drawing().box(2.25, 2.25, 13.5, 13.5)
    drawing.area((9, 2.25), (15.75, 2.25), (15.75, 15.75), (9, 15.75))
    drawing.areas.addEllipse(QRectF(5.25, 5.25, 7.5, 7.5))
    return drawing


def _reset() -> Drawing:
    drawing = Drawing().arc((9, 9), 6.5, 150, 310).line((2.5, 2), (3.25, 5.75), (7, 5))
    drawing.areas.addEllipse(QRectF(7.5, 7.5, 3, 3))
    return drawing


def _key_image() -> Drawing:
    """A film with a star in its corner: what of it matters."""
    star = [
        (12 + reach * math.sin(turn), 6 - reach * math.cos(turn))
        for number in range(10)
        for reach, turn in [((4.5, 1.9)[number % 2], number * math.pi / 5)]
    ]
    film = Drawing().line((6.5, 3.75), (2.25, 3.75), (2.25, 15.75), (14.25, 15.75), (14.25, 11.5))
    return film.area(*star)


def _ruler() -> Drawing:
    ruler = Drawing().box(-8.25, -3, 16.5, 6)
    for x, length in ((-4.5, 2.25), (-1.5, 3.25), (1.5, 2.25), (4.5, 3.25)):
        ruler.line((x, -3), (x, length - 3))
    return ruler.mapped(_RISING)


def _angle() -> Drawing:
    rays = Drawing().line((12.25, 2.75), (2.25, 14.75), (16.25, 14.75))
    return rays.arc((2.25, 14.75), 7.5, 0, 50)


def _rectangle() -> Drawing:
    drawing = Drawing()
    drawing.lines.addRect(QRectF(1.75, 4.25, 14.5, 9.5))
    return drawing


def _ellipse() -> Drawing:
    drawing = Drawing()
    drawing.lines.addEllipse(QRectF(1.75, 4.25, 14.5, 9.5))
    return drawing


def _arrow() -> Drawing:
    return Drawing().line((3.25, 14.75), (14.75, 3.25)).line((8, 3.25), (14.75, 3.25), (14.75, 10))


def _text() -> Drawing:
    drawing = Drawing().line((3.75, 5.75), (3.75, 3.25), (14.25, 3.25), (14.25, 5.75))
    return drawing.line((9, 3.25), (9, 14.75)).line((6.75, 14.75), (11.25, 14.75))


def _undo() -> Drawing:
    drawing = (
        Drawing().line((5.75, 3.25), (2.25, 6.75), (5.75, 10.25)).line((2.25, 6.75), (11, 6.75))
    )
    drawing.arc((11, 10.75), 4, 90, -180)
    return drawing.line((11, 14.75), (7.25, 14.75))


def _one_viewport() -> Drawing:
    return Drawing().box(2.25, 2.75, 13.5, 12.5)


def _two_viewports() -> Drawing:
    return _one_viewport().line((9, 2.75), (9, 15.25))


def _four_viewports() -> Drawing:
    return _two_viewports().line((2.25, 9), (15.75, 9))


def _take_turns() -> Drawing:
    drawing = Drawing().line((2.25, 5.75), (15.75, 5.75)).line((12.75, 2.75), (15.75, 5.75))
    drawing.line((12.75, 8.75), (15.75, 5.75))
    drawing.line((15.75, 12.25), (2.25, 12.25)).line((5.25, 9.25), (2.25, 12.25))
    return drawing.line((5.25, 15.25), (2.25, 12.25))


def _chain() -> Drawing:
    chain = Drawing().line((-2.75, 0), (2.75, 0))
    for side in (-1, 1):
        chain.line((1.25 * side, -3), (4.5 * side, -3))
        chain.arc((4.5 * side, 0), 3, 90, -180 * side)
        chain.line((4.5 * side, 3), (1.25 * side, 3))
    return chain.mapped(_RISING)


DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "tool.window": _window,
    "tool.zoom": _zoom,
    "tool.pan": _pan,
    "tool.magnify": _magnifier,
    "rotate_right": _turn_right,
    "rotate_left": lambda: _turn_right().mapped(_MIRRORED),
    "flip_horizontally": _flip_sideways,
    "flip_vertically": lambda: _flip_sideways().mapped(_TRANSPOSED),
    "invert": _invert,
    "reset": _reset,
    "key_image.keep": _key_image,
    "tool.length": _ruler,
    "tool.angle": _angle,
    "tool.rectangle": _rectangle,
    "tool.ellipse": _ellipse,
    "tool.arrow": _arrow,
    "tool.text": _text,
    "undo": _undo,
    "redo": lambda: _undo().mapped(_MIRRORED),
    "layout.1x1": _one_viewport,
    "layout.1x2": _two_viewports,
    "layout.2x2": _four_viewports,
    "blink": _take_turns,
    "link": _chain,
}
"""By action id; the other buttons of the bars have a word."""


_COPIES: list[QIconEngine] = []
"""PySide frees an engine that `clone` returned while its icon still draws with it (6.11, a crash);
Qt asks for one only where a shared icon is added to, which nothing here does."""


class ToolIconEngine(QIconEngine):
    """Draws one icon at any size, in the theme's colour of its mode and state."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self._drawing = drawing

    def clone(self) -> QIconEngine:
        copy = ToolIconEngine(self._drawing)
        _COPIES.append(copy)
        return copy

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        ink = colour(ink_of(mode, state))
        ends, joins = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(rect.topLeft())
        painter.scale(rect.width() / GRID, rect.height() / GRID)
        painter.fillPath(self._drawing.areas, ink)
        painter.strokePath(
            self._drawing.lines, QPen(ink, STROKE, Qt.PenStyle.SolidLine, ends, joins)
        )
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        drawn = QPixmap(size)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return drawn


def ink_of(mode: QIcon.Mode, state: QIcon.State) -> str:
    """The colours that the theme gives the words of quiet buttons."""
    if mode == QIcon.Mode.Disabled:
        return COLOURS.faint_text
    if state == QIcon.State.On or mode in (QIcon.Mode.Active, QIcon.Mode.Selected):
        return COLOURS.bright_text
    return COLOURS.muted_text


def tool_icon(action_id: str) -> QIcon:
    """The icon of an action; a null icon for one that has none."""
    draw = DRAWINGS.get(action_id)
    return QIcon() if draw is None else QIcon(ToolIconEngine(draw()))
