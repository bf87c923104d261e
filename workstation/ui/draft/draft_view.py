"""The draft while it is written: committed words, and quiet bars where blocks are still masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QElapsedTimer, QEvent, QPoint, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from inference import BlockCommitted, PrefillDone
from workstation.ui.draft.draft_transcript import (
    KEPT,
    LOW_CONFIDENCE,
    DraftTranscript,
    DraftWord,
)
from workstation.ui.theme import COLOURS, colour, report_font, ui_font

REFRESH_MS = 16
SETTLE_MS = 150
HIGHLIGHT_MS = 1400
HINTED_BLOCKS = 2  # masked blocks shown after the one being filled
_MARGIN = 16.0
_CHARACTERS_PER_TOKEN = 5.0  # until committed blocks show their own measure


@dataclass(frozen=True)
class PlacedWord:
    """A word and where it stands, in content coordinates [px]."""

    word: DraftWord
    rect: QRectF


class DraftView(QAbstractScrollArea):
    """Live text of one draft; read only.

    Events are taken as fast as they come; layout and painting follow at most once per
    REFRESH_MS.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("draft_view")
        self.setAccessibleName(self.tr("Draft being written"))
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.is_motion_enabled = True
        self._refresh_timer = QTimer(self)
        self._refresh_timer.setSingleShot(True)
        self._refresh_timer.setInterval(REFRESH_MS)
        self._refresh_timer.timeout.connect(self._refresh)
        self._settle_timer = QTimer(self)
        self._settle_timer.setInterval(REFRESH_MS)
        self._settle_timer.timeout.connect(self._settle)
        self._clock = QElapsedTimer()
        self._clock.start()
        self.clear()

    # -- what happens ------------------------------------------------------------------

    def clear(self) -> None:
        """Empty, as before a draft."""
        self.transcript = DraftTranscript()
        self._block_length = 0
        self._is_filling = False
        self._message = ""
        self._following: tuple[DraftWord, ...] = ()
        self._committed_at_ms: dict[int, int] = {}
        self._highlighted_block: int | None = None
        self._highlighted_until_ms = 0
        self._placed: list[PlacedWord] = []
        self._bars: list[list[QRectF]] = []  # one list of line pieces per masked block
        self._refresh()

    def begin(self, message: str = "") -> None:
        """A draft was asked for; the prompt is not read yet."""
        self.clear()
        self._message = message or self.tr("Reading the film…")
        self._refresh()

    def set_prefill(self, event: PrefillDone) -> None:
        """The film is read: masked blocks appear."""
        self._message = ""
        self._is_filling = True
        self._block_length = event.block_length
        self.transcript.start_clock(event.elapsed_ms)
        self._ask_refresh()

    def restart(self, text: str, following: str) -> None:
        """A redraft: this much stands, quietly, and after the masked blocks what is kept of the
        rest."""
        self.transcript.restart(text)
        rest = DraftTranscript()
        rest.restart(following)
        self._following = rest.words()
        self._ask_refresh()

    def add_block(self, event: BlockCommitted) -> None:
        """A block is final: its words stand where its bar was."""
        self._message = ""
        self._is_filling = True
        self.transcript.add_block(event)
        self._committed_at_ms[event.index] = self._clock.elapsed()
        self._ask_refresh()

    def finish(self) -> None:
        """No more blocks come, whatever the reason; what is committed stays."""
        self._is_filling = False
        self._message = ""
        self._ask_refresh()

    def jump_to_block(self, index: int) -> None:
        """Scroll to a block's words and mark them for a moment."""
        self._refresh()
        rects = [placed.rect for placed in self._placed if placed.word.block_index == index]
        if not rects:
            return
        self._highlighted_block = index
        self._highlighted_until_ms = self._clock.elapsed() + HIGHLIGHT_MS
        top, bottom = rects[0].top(), rects[-1].bottom()
        bar, height = self.verticalScrollBar(), self.viewport().height()
        if top < bar.value() or bottom > bar.value() + height:
            bar.setValue(int(top - height / 3))
        self.viewport().update()
        QTimer.singleShot(HIGHLIGHT_MS + REFRESH_MS, self.viewport().update)

    # -- what is shown -----------------------------------------------------------------

    @property
    def placeholder_count(self) -> int:
        """Masked blocks on screen: the one being filled and a hint of those that follow."""
        return len(self._bars)

    def placed_words(self) -> tuple[PlacedWord, ...]:
        """The words on screen and where they stand."""
        return tuple(self._placed)

    def word_at(self, position: QPoint) -> DraftWord | None:
        """The word under a point of the viewport."""
        point = QPointF(position) + QPointF(0, self.verticalScrollBar().value())
        for placed in self._placed:
            if placed.rect.adjusted(-1, 0, 1, 0).contains(point):
                return placed.word
        return None

    # -- layout ------------------------------------------------------------------------

    def _ask_refresh(self) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _refresh(self) -> None:
        bar = self.verticalScrollBar()
        was_at_end = bar.value() >= bar.maximum() - 4
        height = self._lay_out()
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(24)
        bar.setRange(0, max(0, int(height) - self.viewport().height()))
        if was_at_end:
            bar.setValue(bar.maximum())
        self.setAccessibleDescription(self.transcript.raw_text)
        self.viewport().update()
        if self.is_motion_enabled and self._is_settling():
            self._settle_timer.start()

    def _settle(self) -> None:
        """Paint again, without a new layout, until the newest words have settled."""
        self.viewport().update()
        if not self._is_settling():
            self._settle_timer.stop()

    def _is_settling(self) -> bool:
        latest = max(self._committed_at_ms.values(), default=-SETTLE_MS)
        return self._clock.elapsed() - latest < SETTLE_MS

    def _lay_out(self) -> float:
        """Place words and bars in lines; returns the height of all [px]."""
        metrics = QFontMetricsF(report_font())
        line_height = metrics.height() * 1.45
        left, right = _MARGIN, max(_MARGIN + 80, self.viewport().width() - _MARGIN)
        self._placed = []
        x, y = self._lay_out_words(self.transcript.words(), left, _MARGIN, left, right)
        x, y = self._lay_out_bars(x, y, left, right, line_height, metrics)
        if self._following:
            x += metrics.horizontalAdvance("  ")
            x, y = self._lay_out_words(self._following, x, y, left, right)
        return y + line_height + _MARGIN

    def _lay_out_words(
        self, words: Sequence[DraftWord], x: float, y: float, left: float, right: float
    ) -> tuple[float, float]:
        """Flow words from a point on; returns where the last one ends."""
        metrics = QFontMetricsF(report_font())
        line_height = metrics.height() * 1.45
        space = metrics.horizontalAdvance(" ")
        for word in words:
            if word.is_heading:
                y += line_height * 1.4 if self._placed else 0.0
                width = QFontMetricsF(_heading_font()).horizontalAdvance(_heading_text(word))
                self._placed.append(PlacedWord(word, QRectF(left, y, width, metrics.height())))
                x, y = left, y + line_height
                continue
            width = metrics.horizontalAdvance(word.text)
            if word.has_space_before and x > left:
                x += space
            if x + width > right and x > left:
                x, y = left, y + line_height
            self._placed.append(PlacedWord(word, QRectF(x, y, width, metrics.height())))
            x += width
        return x, y

    def _lay_out_bars(
        self,
        x: float,
        y: float,
        left: float,
        right: float,
        line_height: float,
        metrics: QFontMetricsF,
    ) -> tuple[float, float]:
        """Flow the masked blocks after the last word, broken over lines as text would be."""
        self._bars = []
        if not self._is_filling:
            return x, y
        gap = metrics.horizontalAdvance("  ")
        thickness = metrics.xHeight() + 4
        for _ in range(1 + HINTED_BLOCKS):
            remaining = self._expected_block_width(metrics)
            pieces = []
            x += gap if x > left else 0.0
            while remaining > 0:
                if right - x < 24:
                    x, y = left, y + line_height
                width = min(remaining, right - x)
                if remaining - width < 14:  # no stump on the next line
                    remaining = width
                top = y + metrics.ascent() - metrics.xHeight() / 2 - thickness / 2
                pieces.append(QRectF(x, top, width, thickness))
                x += width
                remaining -= width
            self._bars.append(pieces)
        return x, y

    def _expected_block_width(self, metrics: QFontMetricsF) -> float:
        """As wide as the mean of what came so far; before that, by the block length [px]."""
        spoken = [block for block in self.transcript.blocks if block.text]
        if spoken:
            characters = sum(len(block.text) for block in spoken) / len(spoken)
        else:
            characters = _CHARACTERS_PER_TOKEN * max(1, self._block_length)
        return max(18.0, metrics.averageCharWidth() * characters)

    # -- painting ----------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), QColor(COLOURS.panel))
        if self._message:
            painter.setFont(ui_font())
            painter.setPen(QColor(COLOURS.muted_text))
            painter.drawText(QPointF(_MARGIN, _MARGIN + 14), self._message)
        painter.translate(0, -self.verticalScrollBar().value())
        now_ms = self._clock.elapsed()
        for placed in self._placed:
            self._paint_word(painter, placed, now_ms)
        for rank, pieces in enumerate(self._bars):
            self._paint_bar(painter, pieces, rank)
        painter.end()

    def _paint_word(self, painter: QPainter, placed: PlacedWord, now_ms: int) -> None:
        word, rect = placed.word, placed.rect
        if word.block_index == self._highlighted_block and now_ms < self._highlighted_until_ms:
            painter.fillRect(rect.adjusted(-2, -1, 2, 1), QColor(COLOURS.accent_dim))
        painter.setOpacity(self._settled_opacity(word.block_index, now_ms))
        baseline = QPointF(rect.left(), rect.top() + QFontMetricsF(report_font()).ascent())
        if word.is_heading:
            painter.setFont(_heading_font())
            painter.setPen(QColor(COLOURS.muted_text))
            painter.drawText(baseline, _heading_text(word))
        else:
            painter.setFont(report_font())
            is_kept = word.block_index == KEPT
            shade = QColor(COLOURS.muted_text) if is_kept else shade_of_confidence(word.confidence)
            painter.setPen(shade)
            painter.drawText(baseline, word.text)
            if word.confidence < LOW_CONFIDENCE:
                paint_doubt(painter, rect.left(), rect.right(), rect.bottom() + 1)
        painter.setOpacity(1.0)

    def _settled_opacity(self, block_index: int, now_ms: int) -> float:
        if not self.is_motion_enabled:
            return 1.0
        age_ms = now_ms - self._committed_at_ms.get(block_index, -SETTLE_MS)
        return 0.45 + 0.55 * min(1.0, max(0.0, age_ms / SETTLE_MS))

    def _paint_bar(self, painter: QPainter, pieces: list[QRectF], rank: int) -> None:
        is_being_filled = rank == 0
        fill = COLOURS.accent_dim if is_being_filled else COLOURS.placeholder
        painter.setBrush(colour(fill, (255, 255, 130)[min(rank, 2)]))
        painter.setPen(
            QPen(colour(COLOURS.accent, 150), 1) if is_being_filled else Qt.PenStyle.NoPen
        )
        for piece in pieces:
            radius = piece.height() / 2
            painter.drawRoundedRect(piece, radius, radius)

    # -- events ------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            word = self.word_at(event.pos())
            if word is None or word.is_heading:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self.describe_word(word), self)
            return True
        return super().viewportEvent(event)

    def describe_word(self, word: DraftWord) -> str:
        """The tooltip of a word: the model's confidence in the wording, nothing more."""
        if word.block_index == KEPT:
            return self.tr("kept as it is")
        text = self.tr("model confidence {0}").format(f"{word.confidence:.2f}")
        if word.confidence < LOW_CONFIDENCE:
            text += self.tr(" (low)")
        return text


def shade_of_confidence(confidence: float) -> QColor:
    """Text colour from muted (0.5 and below) to full (1.0); legible at both ends."""
    share = min(1.0, max(0.0, (confidence - 0.5) / 0.5))
    low, high = QColor(COLOURS.muted_text), QColor(COLOURS.bright_text)
    return QColor(
        *(
            round(a + (b - a) * share)
            for a, b in zip(low.getRgb()[:3], high.getRgb()[:3], strict=True)  # type: ignore[index]
        )
    )


def paint_doubt(painter: QPainter, left: float, right: float, y: float) -> None:
    """The dotted amber underline of low confidence."""
    pen = QPen(QColor(COLOURS.amber), 1.8, Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.RoundCap)
    pen.setDashPattern([0.1, 2.2])
    painter.setPen(pen)
    painter.drawLine(QPointF(left + 1, y), QPointF(right - 1, y))


def _heading_font() -> QFont:
    return ui_font(10.5, bold=True)


def _heading_text(word: DraftWord) -> str:
    return word.text.rstrip(":：")
