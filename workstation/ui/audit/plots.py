"""Small plots drawn by hand: columns over an axis, bars beside names, one bar of shares.

Each says in words for screen readers what it shows, and draws every figure as a number too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.ui.theme import COLOURS, colour, ui_font

_SMALL_PT = 9.0
_GAP = 6


@dataclass(frozen=True)
class Column:
    """One column: its name under the axis ("" for none), and its parts from the bottom up."""

    name: str
    parts: tuple[float, ...]


class Plot(QWidget):
    """Draws nothing but a line of words while it is empty."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.empty_text = self.tr("Nothing in this period.")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(420, 190)

    def minimumSizeHint(self) -> QSize:
        return QSize(220, 120)

    @property
    def is_empty(self) -> bool:
        raise NotImplementedError

    def draw(self, painter: QPainter, area: QRectF) -> None:
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(ui_font(_SMALL_PT))
        area = QRectF(self.rect())
        if self.is_empty:
            painter.setPen(QColor(COLOURS.muted_text))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.empty_text)
        else:
            self.draw(painter, area)
        painter.end()


class ColumnPlot(Plot):
    """Columns over an axis; the upper part of a column is hatched. mark: a position on the axis
    in columns (2.5: the middle of the third) with words over it."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.columns: tuple[Column, ...] = ()
        self._mark: tuple[float, str] | None = None

    def set_columns(
        self, columns: Sequence[Column], unit: str, mark: tuple[float, str] | None = None
    ) -> None:
        """unit: what the axis counts, for the description."""
        self.columns, self._mark = tuple(columns), mark
        told = ", ".join(f"{c.name}: {_number(sum(c.parts))}" for c in columns if sum(c.parts))
        self.setAccessibleDescription(f"{unit}. {told or self.empty_text}")
        self.update()

    @property
    def is_empty(self) -> bool:
        return not any(sum(column.parts) for column in self.columns)

    def draw(self, painter: QPainter, area: QRectF) -> None:
        metrics = QFontMetrics(painter.font())
        top = max(sum(column.parts) for column in self.columns)
        step = tick_step(top)
        ticks = [step * each for each in range(math.ceil(top / step) + 1)]
        left = max(metrics.horizontalAdvance(_number(tick)) for tick in ticks) + 2 * _GAP
        head = metrics.height() + _GAP
        inner = area.adjusted(left, head, -_GAP, -metrics.height() - _GAP)
        self._draw_ticks(painter, inner, ticks, metrics)
        width = inner.width() / len(self.columns)
        scale = inner.height() / ticks[-1]
        for place, column in enumerate(self.columns):
            x = inner.left() + place * width
            self._draw_column(painter, column, x, width, inner.bottom(), scale)
        self._draw_names(painter, inner, width, metrics)
        if self._mark is not None:
            self._draw_mark(painter, inner, width, metrics)

    def _draw_ticks(
        self, painter: QPainter, inner: QRectF, ticks: list[float], metrics: QFontMetrics
    ) -> None:
        for tick in ticks:
            y = inner.bottom() - tick * inner.height() / ticks[-1]
            painter.setPen(QPen(QColor(COLOURS.strong_line if not tick else COLOURS.line), 1))
            painter.drawLine(QPointF(inner.left(), y), QPointF(inner.right(), y))
            painter.setPen(QColor(COLOURS.muted_text))
            box = QRectF(0, y - metrics.height() / 2, inner.left() - _GAP, metrics.height())
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, _number(tick)
            )

    @staticmethod
    def _draw_column(
        painter: QPainter, column: Column, x: float, width: float, bottom: float, scale: float
    ) -> None:
        gap = min(3.0, width * 0.15)
        for place, part in enumerate(column.parts):
            height = part * scale
            if height <= 0:
                continue
            box = QRectF(x + gap, bottom - height, max(1.0, width - 2 * gap), height)
            painter.setPen(QPen(share_brush(place).color(), 1))
            painter.setBrush(share_brush(place))
            painter.drawRect(box)
            bottom -= height

    def _draw_names(
        self, painter: QPainter, inner: QRectF, width: float, metrics: QFontMetrics
    ) -> None:
        widest = max(metrics.horizontalAdvance(column.name) for column in self.columns)
        every = max(1, math.ceil((widest + 2 * _GAP) / width))
        painter.setPen(QColor(COLOURS.muted_text))
        for place in range(0, len(self.columns), every):
            middle = inner.left() + (place + 0.5) * width
            box = QRectF(middle - widest, inner.bottom() + 2, 2 * widest, metrics.height() + 2)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.columns[place].name)

    def _draw_mark(
        self, painter: QPainter, inner: QRectF, width: float, metrics: QFontMetrics
    ) -> None:
        assert self._mark is not None
        place, words = self._mark
        x = inner.left() + place * width
        painter.setPen(QPen(QColor(COLOURS.bright_text), 1.4, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, inner.top()), QPointF(x, inner.bottom()))
        length = metrics.horizontalAdvance(words)
        start = min(max(inner.left(), x - length / 2), inner.right() - length)
        painter.drawText(QPointF(start, inner.top() - 4), words)


class BarPlot(Plot):
    """Names with a bar and a number each, from the top; what has no room is summed up below."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.bars: tuple[tuple[str, float], ...] = ()

    def set_bars(self, bars: Sequence[tuple[str, float]]) -> None:
        """Most first."""
        self.bars = tuple(bars)
        told = ", ".join(f"{name}: {_number(value)}" for name, value in bars)
        self.setAccessibleDescription(told or self.empty_text)
        self.update()

    @property
    def is_empty(self) -> bool:
        return not self.bars

    def draw(self, painter: QPainter, area: QRectF) -> None:
        metrics = QFontMetrics(painter.font())
        line = metrics.height() + 6.0
        room = max(1, int(area.height() // line))
        shown = self.bars if len(self.bars) <= room else self.bars[: room - 1]
        names = min(area.width() / 2.4, 2 + max(metrics.horizontalAdvance(n) for n, _ in self.bars))
        most = max(value for _, value in self.bars)
        left = names + 2 * _GAP
        right = metrics.horizontalAdvance(_number(most)) + _GAP
        for place, (name, value) in enumerate(shown):
            y = area.top() + place * line
            painter.setPen(QColor(COLOURS.text))
            words = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(names))
            right_aligned = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y, names, line), right_aligned, words)
            length = max(2.0, (area.width() - left - right) * value / most)
            box = QRectF(left, y + 4, length, line - 8)
            painter.fillRect(box, QColor(COLOURS.accent))
            painter.setPen(QColor(COLOURS.muted_text))
            beside = QRectF(box.right() + _GAP, y, right, line)
            painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter, _number(value))
        if len(shown) < len(self.bars):
            rest = self.bars[len(shown) :]
            words = self.tr("and {0} more, {1} in all").format(
                len(rest), _number(sum(value for _, value in rest))
            )
            box = QRectF(left, area.top() + len(shown) * line, area.width() - left, line)
            painter.setPen(QColor(COLOURS.muted_text))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)


class SharePlot(Plot):
    """One bar cut into shares, and under it what each part is, with its number and percentage."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.shares: tuple[tuple[str, float], ...] = ()

    def set_shares(self, shares: Sequence[tuple[str, float]]) -> None:
        self.shares = tuple(shares)
        self.setAccessibleDescription(", ".join(self._words()) or self.empty_text)
        self.update()

    @property
    def is_empty(self) -> bool:
        return not sum(value for _, value in self.shares)

    def _words(self) -> list[str]:
        total = sum(value for _, value in self.shares)
        if not total:
            return []
        return [f"{name}: {_number(v)} ({v / total:.0%})" for name, v in self.shares]

    def draw(self, painter: QPainter, area: QRectF) -> None:
        metrics = QFontMetrics(painter.font())
        total = sum(value for _, value in self.shares)
        bar = QRectF(area.left(), area.top() + _GAP, area.width(), 30)
        x = bar.left()
        for place, (_, value) in enumerate(self.shares):
            box = QRectF(x, bar.top(), bar.width() * value / total, bar.height())
            painter.fillRect(box, share_brush(place))
            x = box.right()
        painter.setPen(QPen(QColor(COLOURS.strong_line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        line = metrics.height() + 7.0
        for place, words in enumerate(self._words()):
            y = bar.bottom() + 2 * _GAP + place * line
            painter.fillRect(QRectF(area.left(), y + 3, 14, line - 8), share_brush(place))
            painter.setPen(QPen(QColor(COLOURS.strong_line), 1))
            painter.drawRect(QRectF(area.left(), y + 3, 14, line - 8))
            painter.setPen(QColor(COLOURS.text))
            box = QRectF(area.left() + 22, y, area.width() - 22, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)


def share_brush(place: int) -> QBrush:
    """Parts differ by pattern, not by colour alone: solid, hatched, faint."""
    if place == 0:
        return QBrush(QColor(COLOURS.accent))
    if place == 1:
        return QBrush(QColor(COLOURS.amber), Qt.BrushStyle.BDiagPattern)
    return QBrush(colour(COLOURS.muted_text, 110), Qt.BrushStyle.Dense5Pattern)


def tick_step(top: float, most: int = 5) -> float:
    """1, 2 or 5 times a power of ten, at least 1, so that at most ``most`` steps reach the top."""
    rough = max(1.0, top / most)
    power = 10 ** math.floor(math.log10(rough))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= rough)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
