"""One time axis for all: each strategy's lane with the film read, its blocks and its end."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from inference import (
    REGION_MODES,
    BlockCommitted,
    DecodingMode,
    DraftEvent,
    DraftFinished,
    PrefillDone,
)
from workstation.drafting.race import time_of
from workstation.ui.draft.draft_transcript import LOW_CONFIDENCE
from workstation.ui.race.race_wording import name_strategy, word_time
from workstation.ui.theme import COLOURS, colour, ui_font

_LANE_HEIGHT = 22.0
_BAR_HEIGHT = 12.0
_REGIONS_LANE_HEIGHT = 46.0
_REGIONS_BAR_HEIGHT = 36.0
_AXIS_HEIGHT = 24.0
_RIGHT_MARGIN = 76.0
_TICK_SPACING = 90.0


class RaceLanes(QWidget):
    """Paints only. gutter: where the axis begins [px], in line with the columns above."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("race_lanes")
        self.setAccessibleName(self.tr("Time axis of the race"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.gutter = 210.0
        self.clear(())

    def clear(self, strategies: Sequence[DecodingMode]) -> None:
        """Empty lanes."""
        self._events: dict[DecodingMode, tuple[DraftEvent, ...]] = dict.fromkeys(strategies, ())
        self._position_ms: float | None = None
        self.updateGeometry()
        self.update()

    def add_event(self, decoding: DecodingMode, event: DraftEvent) -> None:
        """While it runs: the axis grows with the slowest."""
        self._events[decoding] = (*self._events[decoding], event)
        self.update()

    def set_events(self, decoding: DecodingMode, events: tuple[DraftEvent, ...]) -> None:
        self._events[decoding] = events
        self.update()

    def set_position(self, position_ms: float | None) -> None:
        """Only what happened until then is drawn in full; None: everything."""
        self._position_ms = position_ms
        self.update()

    @property
    def duration_ms(self) -> float:
        """Of the longest lane."""
        ends = [time_of(event) for events in self._events.values() for event in events]
        return max(ends, default=0.0)

    def x_of(self, time_ms: float) -> float:
        """Where a time stands on the axis [px]."""
        width = self.width() - self.gutter - _RIGHT_MARGIN
        return self.gutter + width * time_ms / max(self.duration_ms, 1e-9)

    def sizeHint(self) -> QSize:
        lanes = sum(_lane_height(decoding) for decoding in self._events) or _LANE_HEIGHT
        return QSize(600, int(lanes + _AXIS_HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(320, self.sizeHint().height())

    # -- painting ----------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_axis(painter)
        top = 0.0
        for decoding, events in self._events.items():
            height = _lane_height(decoding)
            middle, top = top + height / 2, top + height
            painter.setFont(ui_font(9.5))
            painter.setPen(QColor(COLOURS.text))
            place = QRectF(0, middle - 10, self.gutter - 12, 20)
            alignment = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, alignment, name_strategy(decoding))
            track = QRectF(self.gutter, middle - 1, self.width() - self.gutter - _RIGHT_MARGIN, 2)
            painter.fillRect(track, QColor(COLOURS.raised))
            if decoding in REGION_MODES:
                self._paint_regions(painter, events, middle)
            else:
                self._paint_lane(painter, events, middle)
        self._paint_cursor(painter)
        painter.end()

    def _paint_axis(self, painter: QPainter) -> None:
        bottom = self.height() - _AXIS_HEIGHT
        painter.setFont(ui_font(8.5))
        duration_ms = self.duration_ms
        if duration_ms <= 0:
            return
        width = self.width() - self.gutter - _RIGHT_MARGIN
        step_ms = _round_step(duration_ms * _TICK_SPACING / max(width, 1.0))
        for number in range(int(duration_ms / step_ms) + 1):
            x = self.x_of(number * step_ms)
            painter.setPen(QPen(QColor(COLOURS.line), 1))
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom + 3))
            painter.setPen(QColor(COLOURS.muted_text))
            label = QRectF(x - 40, bottom + 4, 80, _AXIS_HEIGHT - 6)
            painter.drawText(label, Qt.AlignmentFlag.AlignHCenter, _tick_text(number, step_ms))

    def _paint_lane(self, painter: QPainter, events: tuple[DraftEvent, ...], middle: float) -> None:
        began_ms = 0.0
        for event in events:
            ends_ms = time_of(event)
            is_past = self._is_past(ends_ms)
            bar = self._bar(began_ms, ends_ms, middle, _BAR_HEIGHT)
            match event:
                case PrefillDone():
                    self._paint_prefill(painter, bar, is_past)
                case BlockCommitted():
                    _paint_block(painter, bar, event, is_past)
                case DraftFinished():
                    self._paint_end(painter, self.x_of(ends_ms), middle, ends_ms, is_past)
            began_ms = ends_ms

    def _paint_regions(
        self, painter: QPainter, events: tuple[DraftEvent, ...], middle: float
    ) -> None:
        """A thin lane for each region, so that what fills in the same pass stands together."""
        regions: tuple[str, ...] = ()
        began_ms = last_ms = 0.0  # of the pass; of the block before
        passes = 0
        for event in events:
            ends_ms = time_of(event)
            match event:
                case PrefillDone():
                    regions = event.regions
                    bar = self._bar(0.0, ends_ms, middle, _BAR_HEIGHT)
                    self._paint_prefill(painter, bar, self._is_past(ends_ms))
                    began_ms = ends_ms
                case BlockCommitted() if event.region in regions:
                    if event.passes != passes:
                        began_ms, passes = max(began_ms, last_ms), event.passes
                    bar = self._bar(began_ms, ends_ms, middle, _REGIONS_BAR_HEIGHT)
                    strip = bar.height() / len(regions)
                    bar.setTop(bar.top() + regions.index(event.region) * strip)
                    bar.setHeight(strip - 0.8)
                    _paint_block(painter, bar, event, self._is_past(ends_ms))
                case DraftFinished():
                    self._paint_end(
                        painter, self.x_of(ends_ms), middle, ends_ms, self._is_past(ends_ms)
                    )
            last_ms = ends_ms

    def _is_past(self, time_ms: float) -> bool:
        return self._position_ms is None or time_ms <= self._position_ms

    def _bar(self, began_ms: float, ends_ms: float, middle: float, height: float) -> QRectF:
        bar = QRectF(self.x_of(began_ms), middle - height / 2, 0, height)
        bar.setRight(max(bar.left() + 1.0, self.x_of(ends_ms) - 1.0))
        return bar

    def _paint_prefill(self, painter: QPainter, bar: QRectF, is_past: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(COLOURS.strong_line, 255 if is_past else 90))
        painter.drawRoundedRect(bar, 2, 2)
        painter.setFont(ui_font(8))
        text = self.tr("reads the film")
        if QFontMetricsF(painter.font()).horizontalAdvance(text) < bar.width() - 10:
            painter.setPen(colour(COLOURS.muted_text, 255 if is_past else 120))
            painter.drawText(bar, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_end(
        self, painter: QPainter, x: float, middle: float, ends_ms: float, is_past: bool
    ) -> None:
        if not is_past:
            return
        painter.setPen(QPen(QColor(COLOURS.bright_text), 1.5))
        painter.drawLine(QPointF(x, middle - 9), QPointF(x, middle + 9))
        painter.setFont(ui_font(9.5, bold=True))
        painter.drawText(QPointF(x + 7, middle + 4.5), word_time(ends_ms))

    def _paint_cursor(self, painter: QPainter) -> None:
        if self._position_ms is None or self.duration_ms <= 0:
            return
        x, bottom = self.x_of(self._position_ms), self.height() - _AXIS_HEIGHT + 3
        painter.setPen(QPen(colour(COLOURS.accent, 200), 1.2))
        painter.drawLine(QPointF(x, 0), QPointF(x, bottom))
        painter.setBrush(QColor(COLOURS.accent))
        painter.setPen(Qt.PenStyle.NoPen)
        foot = [QPointF(x, bottom - 5), QPointF(x - 5, bottom + 3), QPointF(x + 5, bottom + 3)]
        painter.drawPolygon(QPolygonF(foot))


def _paint_block(painter: QPainter, bar: QRectF, event: BlockCommitted, is_past: bool) -> None:
    confidences = event.confidences or (1.0,)
    is_low = sum(confidences) / len(confidences) < LOW_CONFIDENCE
    painter.setPen(Qt.PenStyle.NoPen)
    if is_past:
        painter.setBrush(QColor(COLOURS.amber if is_low else COLOURS.accent))
    else:
        painter.setBrush(colour(COLOURS.accent_dim, 130))
    painter.drawRoundedRect(bar, 1.5, 1.5)


def _lane_height(decoding: DecodingMode) -> float:
    return _REGIONS_LANE_HEIGHT if decoding in REGION_MODES else _LANE_HEIGHT


def _round_step(least_ms: float) -> float:
    """The next of 1, 2, 5, 10 ... that is at least so long [ms]."""
    power = 10.0 ** math.floor(math.log10(max(least_ms, 1e-3)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least_ms)


def _tick_text(number: int, step_ms: float) -> str:
    time_ms = number * step_ms
    return word_time(time_ms) if time_ms < 1000 else f"{time_ms / 1000:g} s"
