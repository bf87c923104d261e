"""Small painted things that statement list and checklist share: chips, warning signs, locks."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from workstation.ui.theme import COLOURS, ui_font

CHIP_GAP = 4
CHIP_POINT_SIZE = 9.0
SIGN_SIZE = 7.0


def chip_height() -> float:
    """Of the chips below a sentence [px]."""
    return QFontMetricsF(ui_font(CHIP_POINT_SIZE)).height() + 2


def paint_status(painter: QPainter, rect: QRect, status: str, text: str) -> None:
    """present is filled, absent hollow, uncertain broken, not stated dotted without an edge's
    weight: never by colour alone."""
    painter.setFont(ui_font(9.5))
    height = QFontMetricsF(painter.font()).height() + 3
    chip = QRectF(rect.left() + 3, rect.center().y() - height / 2 + 0.5, 0, height)
    chip.setRight(rect.right() - 4)
    edge, ink, fill = {
        "present": (COLOURS.accent, COLOURS.on_accent, COLOURS.accent),
        "absent": (COLOURS.faint_text, COLOURS.muted_text, ""),
        "uncertain": (COLOURS.amber, COLOURS.amber, ""),
    }.get(status, (COLOURS.faint_text, COLOURS.text, ""))
    pen = QPen(QColor(edge), 1)
    if status == "uncertain":
        pen.setDashPattern([3, 2])
    elif status == "not stated":
        pen.setDashPattern([1, 2.5])
    painter.setPen(pen)
    painter.setBrush(QColor(fill) if fill else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(chip, height / 2, height / 2)
    painter.setPen(QColor(ink))
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)


def paint_chip(painter: QPainter, rect: QRectF, text: str, is_set: bool) -> None:
    """A slot: an edge where it says something, only faint words where it could."""
    painter.setFont(ui_font(CHIP_POINT_SIZE))
    if is_set:
        painter.setPen(QPen(QColor(COLOURS.strong_line), 1))
        painter.setBrush(QColor(COLOURS.raised))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QColor(COLOURS.text if is_set else COLOURS.faint_text))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)


def paint_warning(painter: QPainter, at: QPointF, blocks: bool) -> None:
    """A small amber triangle, filled where the check keeps the report from being signed."""
    sign = QPolygonF(
        [
            QPointF(at.x(), at.y() + SIGN_SIZE),
            QPointF(at.x() + SIGN_SIZE / 2, at.y()),
            QPointF(at.x() + SIGN_SIZE, at.y() + SIGN_SIZE),
        ]
    )
    painter.setPen(QPen(QColor(COLOURS.amber), 1.2))
    painter.setBrush(QColor(COLOURS.amber) if blocks else Qt.BrushStyle.NoBrush)
    painter.drawPolygon(sign)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_lock(painter: QPainter, rect: QRect, is_locked: bool) -> None:
    """A padlock: closed and bright, or open and faint."""
    ink = QColor(COLOURS.text if is_locked else COLOURS.faint_text)
    centre = QPointF(rect.center())
    body = QRectF(centre.x() - 4, centre.y() - 0.5, 8, 6)
    painter.setPen(QPen(ink, 1.2))
    painter.setBrush(ink if is_locked else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(body, 1, 1)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    shackle = QPainterPath()
    bow = QRectF(centre.x() - 2.5, centre.y() - 6, 5, 7)
    shackle.arcMoveTo(bow, 0)
    shackle.arcTo(bow, 0, 180)
    if is_locked:
        shackle.lineTo(bow.left(), body.top())
        shackle.moveTo(bow.right(), bow.center().y())
        shackle.lineTo(bow.right(), body.top())
    else:
        shackle.translate(4, 0)
        shackle.lineTo(bow.left() + 4, body.top())
    painter.drawPath(shackle)
