"""Text with a dark halo, readable on the white parts of a film as on the black ones.

A line is drawn once into a pixmap and kept: stroking fourteen outlines a frame took 30 ms,
more than everything else of a window/level drag together (measured 2026-11, two busy cores).
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPixmap

from workstation.ui.theme import font_scale, ui_font

_HALO_ALPHA = 110
_KEPT_LINES = 96


@dataclass(frozen=True)
class HaloedLine:
    """What is written and how; the key of the pixmap."""

    text: str
    point_size: float
    ink: str
    is_bold: bool = False

    def metrics(self) -> QFontMetrics:
        return QFontMetrics(ui_font(self.point_size, bold=self.is_bold))


@dataclass(frozen=True, eq=False)
class PlacedText:
    """Draw `pixmap` with its upper left corner at `corner`."""

    corner: QPoint
    pixmap: QPixmap


class HaloedTextPainter:
    """Draws lines from their baseline; keeps the latest ones as pixmaps. GUI thread only."""

    def __init__(self) -> None:
        self._kept: dict[tuple[HaloedLine, float, float], QPixmap] = {}

    def draw(self, painter: QPainter, baseline: QPointF, line: HaloedLine) -> None:
        placed = self.place(baseline, line, pixel_ratio_of(painter))
        painter.drawPixmap(placed.corner, placed.pixmap)

    def place(self, baseline: QPointF, line: HaloedLine, ratio: float) -> PlacedText:
        """For a screen of `ratio` pixels per device-independent one."""
        key = line, ratio, font_scale()
        pixmap = self._kept.pop(key, None) or _drawn(line, ratio)
        self._kept[key] = pixmap  # moved to the end: the first is the longest unused
        while len(self._kept) > _KEPT_LINES:
            del self._kept[next(iter(self._kept))]
        reach = _reach(line)
        corner = baseline - QPointF(reach, reach + line.metrics().ascent())
        return PlacedText(QPoint(round(corner.x()), round(corner.y())), pixmap)


def pixel_ratio_of(painter: QPainter) -> float:
    """Device pixels per logical pixel of what is painted on."""
    device = painter.device()
    return device.devicePixelRatio() if device is not None else 1.0


def _reach(line: HaloedLine) -> int:
    """How far the halo goes beyond the letters."""
    return 2 if line.point_size < 16 else 3


def _drawn(line: HaloedLine, ratio: float) -> QPixmap:
    metrics, reach = line.metrics(), _reach(line)
    advance = metrics.horizontalAdvance(line.text)
    size = QSize(advance + 2 * reach + 2, metrics.height() + 2 * reach)
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setFont(ui_font(line.point_size, bold=line.is_bold))
    origin = QPoint(reach, reach + metrics.ascent())
    painter.setPen(QColor(0, 0, 0, _HALO_ALPHA))
    for dx in range(-reach, reach + 1):
        for dy in range(-reach, reach + 1):
            if (dx or dy) and dx * dx + dy * dy <= reach * reach + 0.5:
                painter.drawText(origin + QPoint(dx, dy), line.text)
    painter.setPen(QColor(line.ink))
    painter.drawText(origin, line.text)
    painter.end()
    return pixmap
