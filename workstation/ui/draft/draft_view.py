"""The draft while it is written: committed words, and quiet bars where blocks are still masked."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QElapsedTimer, QEvent, QPoint, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from inference import BlockCommitted, PrefillDone
from inference.report_language import Language
from workstation.ui.draft.draft_transcript import (
    KEPT,
    LOW_CONFIDENCE,
    DraftTranscript,
    DraftWord,
)
from workstation.ui.draft.region_draft import RegionDraft
from workstation.ui.draft.region_painter import paint_region
from workstation.ui.draft.region_rows import RegionRows
from workstation.ui.draft.text_flow import (
    PlacedWord,
    TextFlow,
    expect_block_width,
    heading_font,
    heading_text,
)
from workstation.ui.theme import COLOURS, colour, report_font, ui_font

REFRESH_MS = 16
SETTLE_MS = 150
HIGHLIGHT_MS = 1400
HINTED_BLOCKS = 2  # masked blocks shown after the one being filled
_MARGIN = 16.0


class DraftView(QAbstractScrollArea):
    """Live text of one draft; read only. One text, or a row for each region where they fill at
    the same time (PrefillDone.regions).

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
        self.regions: RegionDraft | None = None
        self._rows: RegionRows | None = None
        self._language: Language = "en"
        self._block_length = 0
        self._is_filling = False
        self._message = ""
        self._following: tuple[DraftWord, ...] = ()
        self._committed_at_ms: dict[int, int] = {}
        self._highlighted_block: int | None = None
        self._highlighted_until_ms = 0
        self._placed: list[PlacedWord] = []
        self._bars: list[list[QRectF]] = []  # one list of line pieces per masked block
        self._followed_to = 0  # where the scroll bar was put last; elsewhere, the reader moved it
        self._refresh()

    def begin(self, message: str = "", language: Language = "en") -> None:
        """A draft was asked for; the prompt is not read yet. language: of the draft."""
        self.clear()
        self._language = language
        self._message = message or self.tr("Reading the film…")
        self._refresh()

    def set_prefill(self, event: PrefillDone) -> None:
        """The film is read: masked blocks appear."""
        self._message = ""
        self._is_filling = True
        self._block_length = event.block_length
        self.transcript.start_clock(event.elapsed_ms)
        if event.regions:
            self.regions = RegionDraft(event.regions)
            self._rows = RegionRows(self.regions, self._language)
        self._ask_refresh()

    def keep_regions(self, texts: Iterable[tuple[str, str]]) -> None:
        """A redraft by regions: these (region, text) stand, quietly."""
        if self.regions is not None:
            self.regions.keep(texts)
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
        if self.regions is not None:
            self.regions.add_block(event)
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

    def passage_of(self, index: int) -> str:
        """The whole words that a block brought; "" for none."""
        return (self.regions or self.transcript).passage_of(index)

    # -- what is shown -----------------------------------------------------------------

    @property
    def placeholder_count(self) -> int:
        """Masked blocks on screen: the one being filled and a hint of those that follow; with
        regions the one being filled of each."""
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
        if self.regions is not None:  # nothing moves before the last of them is the one to watch
            is_last = self.regions.is_at_impression
            was_at_end = is_last and bar.value() == self._followed_to
        height = self._lay_out()
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(24)
        bar.setRange(0, max(0, int(height) - self.viewport().height()))
        if was_at_end:
            bar.setValue(bar.maximum())
            self._followed_to = bar.value()
        self.setAccessibleDescription(
            self.transcript.raw_text if self.regions is None else self.regions.spoken_text
        )
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
        """Place words and bars; returns the height of all [px]."""
        return self._lay_out_text() if self._rows is None else self._lay_out_regions(self._rows)

    def _lay_out_text(self) -> float:
        """One text from the top down."""
        flow = TextFlow(_MARGIN, _MARGIN, max(_MARGIN + 80, self.viewport().width() - _MARGIN))
        flow.add_words(self.transcript.words())
        self._bars = []
        if self._is_filling:
            width = expect_block_width(self.transcript.blocks, self._block_length)
            self._bars = [flow.add_bar(width) for _ in range(1 + HINTED_BLOCKS)]
        if self._following:
            flow.add_gap()
            flow.add_words(self._following)
        self._placed = flow.placed
        return flow.bottom + _MARGIN

    def _lay_out_regions(self, rows: RegionRows) -> float:
        """A row for each region, in a fixed place."""
        # With the scroll bar's width left free, its coming moves nothing.
        width = self.width() - self.verticalScrollBar().sizeHint().width()
        height = self.viewport().height()
        bottom = rows.place(width, height, self._block_length, is_filling=self._is_filling)
        self._placed = [placed for row in rows.rows for placed in row.words]
        self._bars = [row.bar for row in rows.rows if row.bar]
        return bottom

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
        if self.regions is not None and self._rows is not None:
            for row in self._rows.rows:
                paint_region(painter, row, self.regions, is_filling=self._is_filling)
        for placed in self._placed:
            self._paint_word(painter, placed, now_ms)
        for rank, pieces in enumerate(self._bars):
            self._paint_bar(painter, pieces, rank if self._rows is None else 0)
        painter.end()

    def _paint_word(self, painter: QPainter, placed: PlacedWord, now_ms: int) -> None:
        word, rect = placed.word, placed.rect
        if word.block_index == self._highlighted_block and now_ms < self._highlighted_until_ms:
            painter.fillRect(rect.adjusted(-2, -1, 2, 1), QColor(COLOURS.accent_dim))
        painter.setOpacity(self._settled_opacity(word.block_index, now_ms))
        baseline = QPointF(rect.left(), rect.top() + QFontMetricsF(report_font()).ascent())
        if word.is_heading:
            painter.setFont(heading_font())
            painter.setPen(QColor(COLOURS.muted_text))
            painter.drawText(baseline, heading_text(word))
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
