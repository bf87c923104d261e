"""What the film's place says while there is no film: how to begin, that one loads, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from workstation.ui.theme import COLOURS, ui_font

PlaceholderKind = Literal["empty", "busy", "error"]

_SYMBOL = 72.0
_LEAST_MARGIN = 12.0


@dataclass(frozen=True)
class Placeholder:
    """A symbol, a title and lines below it; (key, what it does) pairs come last."""

    kind: PlaceholderKind
    title: str
    detail: str = ""
    hints: tuple[tuple[str, str], ...] = ()


def paint_placeholder(painter: QPainter, area: QRectF, placeholder: Placeholder) -> None:
    """The placeholder in the middle of `area`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    column = QRectF(0, 0, min(560.0, area.width() - 48), area.height())
    column.moveCenter(area.center())
    hint_height = 34.0 * len(placeholder.hints)
    top = max(area.top() + 24, area.center().y() - (190 + hint_height) / 2)
    symbol = QRectF(0, 0, _SYMBOL, _SYMBOL)
    symbol.moveCenter(QPointF(area.center().x(), top + _SYMBOL / 2))
    _paint_symbol(painter, symbol, placeholder.kind)
    top += _SYMBOL + 22
    title_ink = COLOURS.error if placeholder.kind == "error" else COLOURS.text
    top = _paint_wrapped(painter, column, top, placeholder.title, 15, title_ink, bold=True) + 8
    if placeholder.detail:
        top = _paint_wrapped(
            painter, column, top, placeholder.detail, 11, COLOURS.muted_text, bold=False
        )
    _paint_hints(painter, area, top + 24, placeholder.hints)


def _paint_wrapped(
    painter: QPainter, column: QRectF, top: float, text: str, points: float, ink: str, *, bold: bool
) -> float:
    """Centred text from `top` down; returns where it ends."""
    painter.setFont(ui_font(points, bold=bold))
    painter.setPen(QColor(ink))
    flags = (
        int(Qt.AlignmentFlag.AlignHCenter)
        | int(Qt.AlignmentFlag.AlignTop)
        | int(Qt.TextFlag.TextWrapAnywhere if " " not in text else Qt.TextFlag.TextWordWrap)
    )
    room = QRectF(column.left(), top, column.width(), column.bottom() - top)
    used = painter.boundingRect(room, flags, text)
    painter.drawText(room, flags, text)
    return used.bottom()


def _paint_hints(
    painter: QPainter, area: QRectF, top: float, hints: tuple[tuple[str, str], ...]
) -> None:
    """Key caps to the left of an axis, what they do to the right, on as many lines as it needs."""
    key_font, word_font = ui_font(9.5, bold=True), ui_font(10.5)
    key_metrics, word_metrics = QFontMetricsF(key_font), QFontMetricsF(word_font)
    if not hints:
        return
    key_width = max(key_metrics.horizontalAdvance(key) for key, _ in hints) + 18
    word_width = max(word_metrics.horizontalAdvance(words) for _, words in hints) + 4
    word_width = min(word_width, area.width() - 2 * _LEAST_MARGIN - key_width - 12)
    left = area.center().x() - (key_width + 12 + word_width) / 2
    cap_height = max(24.0, key_metrics.height() + 6)
    for key, words in hints:
        cap = QRectF(left, top, key_width, cap_height)
        painter.setPen(QPen(QColor(COLOURS.strong_line), 1))
        painter.setBrush(QColor(COLOURS.raised))
        painter.drawRoundedRect(cap, 5, 5)
        painter.setFont(key_font)
        painter.setPen(QColor(COLOURS.text))
        painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), key)
        painter.setFont(word_font)
        painter.setPen(QColor(COLOURS.muted_text))
        above = (cap_height - word_metrics.height()) / 2
        beside = QRectF(cap.right() + 12, top + above, word_width, area.height())
        flags = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft)
        used = painter.boundingRect(beside, flags, words)
        painter.drawText(beside, flags, words)
        top = max(cap.bottom(), used.bottom()) + 10


def _paint_symbol(painter: QPainter, area: QRectF, kind: PlaceholderKind) -> None:
    """A film: dashed with a plus when awaited, dotted when loading, crossed when refused."""
    ink = QColor(COLOURS.error if kind == "error" else COLOURS.faint_text)
    frame = area.adjusted(8, 2, -8, -2)
    pen = QPen(ink, 1.8, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin)
    outline = QPen(pen)
    if kind == "empty":
        outline.setDashPattern([3.0, 3.0])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(outline)
    painter.drawRoundedRect(frame, 7, 7)
    painter.setPen(pen)
    middle = frame.center()
    if kind == "empty":
        painter.drawLine(middle - QPointF(0, 11), middle + QPointF(0, 11))
        painter.drawLine(middle - QPointF(11, 0), middle + QPointF(11, 0))
    elif kind == "busy":
        painter.setBrush(QColor(COLOURS.accent))
        painter.setPen(Qt.PenStyle.NoPen)
        for step in (-1, 0, 1):
            painter.drawEllipse(middle + QPointF(13 * step, 0), 3.2, 3.2)
    else:
        painter.drawPolyline(QPolygonF([middle + QPointF(0, -15), middle + QPointF(0, 5)]))
        painter.setBrush(ink)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(middle + QPointF(0, 14), 2.2, 2.2)
