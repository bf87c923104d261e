"""The block rail: one tile per committed block, and what the draft cost."""

from __future__ import annotations

from itertools import accumulate, pairwise

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolTip, QWidget

from inference import (
    BlockCommitted,
    DraftCancelled,
    DraftFinished,
    EngineDescription,
    PrefillDone,
)
from workstation.ui.draft.draft_transcript import LOW_CONFIDENCE, DraftBlock, DraftTranscript
from workstation.ui.draft.region_names import name_region
from workstation.ui.theme import COLOURS, ui_font

_TILE_PITCH = 13.0
_TILE_GAP = 3.0
_MASKED_TILES = 4
_PASS_GAP = 5.0  # between the regions' blocks of one pass and those of the next


class BlockTiles(QWidget):
    """The tiles; hover tells tokens, looks and milliseconds, a click or Enter jumps to the text.

    A block that was looked at again carries one notch for each look beyond the first.
    """

    block_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("block_tiles")
        self.setAccessibleName(self.tr("Blocks of the draft"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.blocks: list[DraftBlock] = []
        self.is_running = False
        self._current = -1

    def sizeHint(self) -> QSize:
        return QSize(200, 30)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 30)

    @property
    def tile_count(self) -> int:
        """Tiles of committed blocks; masked ones are not counted."""
        return len(self.blocks)

    def tile_rect(self, rank: int) -> QRectF:
        """Where a tile stands; its height is the block's mean confidence."""
        shown = len(self.blocks) + (_MASKED_TILES if self.is_running else 0)
        gaps = self._gaps_before()
        pitch = min(_TILE_PITCH, max(1.0, (self.width() - 4 - gaps[-1]) / max(1, shown)))
        gap = min(_TILE_GAP, pitch * 0.25)
        full = self.height() - 8.0
        height = full
        if rank < len(self.blocks):
            height = max(3.0, full * self.blocks[rank].mean_confidence)
        left = 2 + rank * pitch + gaps[min(rank, len(gaps) - 1)]
        return QRectF(left, self.height() - 4 - height, pitch - gap, height)

    def _gaps_before(self) -> list[float]:
        """Room that sets passes of several regions apart, before each tile of theirs [px]."""
        if not any(block.region for block in self.blocks[:1]):
            return [0.0]
        begins = (block.passed != before.passed for before, block in pairwise(self.blocks))
        return [0.0, *(_PASS_GAP * count for count in accumulate(begins))]

    def rank_at(self, position: QPoint) -> int | None:
        """The tile under a point, anywhere in its column."""
        for rank in range(len(self.blocks)):
            tile = self.tile_rect(rank)
            if tile.left() - 1 <= position.x() <= tile.right() + 2:
                return rank
        return None

    def describe_block(self, rank: int) -> str:
        """The tooltip of a tile."""
        block = self.blocks[rank]
        text = self.tr("Block {0}: {1} tokens in {2} ms, mean model confidence {3}").format(
            block.index + 1,
            block.tokens,
            f"{block.duration_ms:.1f}",
            f"{block.mean_confidence:.2f}",
        )
        if block.region:
            text = f"{name_region(block.region)} · {text}"
        if block.second_looks:
            looks = 1 + block.second_looks
            text += "\n" + self.tr("In doubt at first: looked at {0} times").format(looks)
        return text + "\n" + (block.text.strip() or self.tr("(end of the answer)"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        full = self.height() - 8.0
        for rank, block in enumerate(self.blocks):
            tile = self.tile_rect(rank)
            is_low = block.mean_confidence < LOW_CONFIDENCE
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(COLOURS.line))  # full height: confidence 1
            painter.drawRoundedRect(QRectF(tile.left(), 4, tile.width(), full), 1.5, 1.5)
            painter.setBrush(QColor(COLOURS.amber if is_low else COLOURS.accent))
            painter.drawRoundedRect(tile, 1.5, 1.5)
            self._paint_second_looks(painter, tile, block.second_looks)
            if rank == self._current and self.hasFocus():
                painter.setPen(QPen(QColor(COLOURS.bright_text), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(tile.left() - 1, 1, tile.width() + 2, self.height() - 2))
        if self.is_running:
            self._paint_masked(painter)
        painter.end()

    def _paint_second_looks(self, painter: QPainter, tile: QRectF, count: int) -> None:
        """Notches from the foot of a tile upwards: seen without colour, and as many as looks."""
        painter.setPen(QPen(QColor(COLOURS.panel), 1.5))
        for number in range(count):
            y = tile.bottom() - 4 - 4 * number
            if y < tile.top() + 2:
                break
            painter.drawLine(QPointF(tile.left(), y), QPointF(tile.right(), y))

    def _paint_masked(self, painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for rank in range(len(self.blocks), len(self.blocks) + _MASKED_TILES):
            is_being_filled = rank == len(self.blocks)
            painter.setPen(
                QPen(QColor(COLOURS.accent if is_being_filled else COLOURS.strong_line), 1)
            )
            painter.drawRoundedRect(self.tile_rect(rank).adjusted(0.5, 0.5, -0.5, -0.5), 1.5, 1.5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        rank = self.rank_at(event.position().toPoint())
        if rank is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = rank
            self.block_clicked.emit(self.blocks[rank].index)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        is_over = self.rank_at(event.position().toPoint()) is not None
        shape = Qt.CursorShape.PointingHandCursor if is_over else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None and self.blocks:
            self._current = min(len(self.blocks) - 1, max(0, self._current + step))
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current >= 0:
            self.block_clicked.emit(self.blocks[self._current].index)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._current = max(0, self._current)
        super().focusInEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            rank = self.rank_at(event.pos())
            if rank is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self.describe_block(rank), self)
            return True
        return super().event(event)


class BlockRail(QWidget):
    """Tiles and figures of one draft: passes, tokens, tokens per second, time, mode, model."""

    block_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("block_rail")
        self.tiles = BlockTiles(self)
        self.tiles.block_clicked.connect(self.block_clicked)
        self.figures_label = QLabel(self)
        self.figures_label.setObjectName("block_rail_figures")
        self.figures_label.setAccessibleName(self.tr("Figures of the draft"))
        self.figures_label.setFont(ui_font(9.5))
        self.model_label = QLabel(self.tr("no model"), self)
        self.model_label.setObjectName("block_rail_model")
        self.model_label.setFont(ui_font(9.5))
        self.model_label.setProperty("role", "muted")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 1, 10, 1)
        layout.setSpacing(14)
        layout.addWidget(self.tiles, 1)
        layout.addWidget(self.figures_label)
        layout.addWidget(self.model_label)
        self.clear()

    def clear(self) -> None:
        """As before a draft; the model stays named."""
        self._transcript = DraftTranscript()
        self._mode = ""
        self._prefill_ms = 0.0
        self._figures: tuple[int, int, float, float] | None = None
        self._region_looks = 0  # passes of second looks, by regions: told at the end
        self._ending = ""
        self.tiles.is_running = False
        self._show()

    def cover(self, *, is_ready: bool) -> None:
        """A draft the reader has not revealed: that it is there, and nothing of what it says."""
        self.clear()
        self._ending = (
            self.tr("a draft is ready, covered · Ctrl+E reveals it")
            if is_ready
            else self.tr("drafting, covered…")
        )
        self._show()

    def show_loading(self, model: str) -> None:
        """A model is being loaded; which one is told by the status bar."""
        self.model_label.setText(self.tr("model is loading…"))
        self.model_label.setToolTip(model)

    def set_engine(self, description: EngineDescription | None) -> None:
        """Name the model that drafts; None: there is none."""
        if description is None:
            self.model_label.setText(self.tr("no model"))
            self.model_label.setToolTip("")
            return
        self.model_label.setText(
            f"{description.model_name} {description.model_version} · "
            f"{description.model_sha256[:8]} · {description.device}"
        )
        self.model_label.setToolTip(
            self.tr("Model {0} {1}\nsha256 {2}\n{3}, {4}, blocks of {5} tokens").format(
                description.model_name,
                description.model_version,
                description.model_sha256,
                description.device,
                description.computed_in,
                description.block_length,
            )
        )

    def begin(self, decoding: str) -> None:
        """A draft in this decoding mode was asked for."""
        self.clear()
        self._mode = decoding
        self.tiles.is_running = True
        self._show()

    def set_prefill(self, event: PrefillDone) -> None:
        """The prompt is read; blocks are timed from here."""
        self._prefill_ms = event.elapsed_ms
        self._transcript.start_clock(event.elapsed_ms)
        self._figures = (0, 0, 0.0, event.elapsed_ms)
        self._show()

    def add_block(self, event: BlockCommitted) -> None:
        """One more tile."""
        self._transcript.add_block(event)
        tokens = sum(block.tokens for block in self._transcript.blocks)
        decode_ms = event.elapsed_ms - self._prefill_ms
        per_second = 1000.0 * tokens / decode_ms if decode_ms > 0 else 0.0
        self._figures = (event.passes, tokens, per_second, event.elapsed_ms)
        self._show()

    def finish(self, event: DraftFinished) -> None:
        """The engine's own figures replace the running ones."""
        self.tiles.is_running = False
        self._region_looks = event.extra_passes if self._mode == "regions-adaptive" else 0
        elapsed_ms = event.prefill_ms + event.decode_ms
        self._figures = (event.passes, event.tokens, event.tokens_per_second, elapsed_ms)
        if event.stop_reason == "length":
            self._ending = self.tr("stopped at the length limit")
        elif event.stop_reason == "repetition":
            self._ending = self.tr("stopped: the model repeated itself")
        self._show()

    def cancel(self, event: DraftCancelled) -> None:
        """The draft was stopped."""
        self.tiles.is_running = False
        self._ending = self.tr("stopped")
        self._show()

    def refuse(self) -> None:
        """The model gave no report; why is said by the report column."""
        self.tiles.is_running = False
        self._ending = self.tr("refused")
        self._show()

    def fail(self) -> None:
        """The draft failed; the message is shown by the report."""
        self.tiles.is_running = False
        self._ending = self.tr("failed")
        self._show()

    def _show(self) -> None:
        self.tiles.blocks = self._transcript.blocks
        self.tiles.update()
        self.figures_label.setText(self.figures_text())

    def figures_text(self) -> str:
        """For instance "6 passes · 41 tokens · 820 tok/s · 0.06 s · one-step".

        Adaptive: "7 passes (1 second look) · …": those beyond one a block.
        """
        parts = []
        if self._figures is not None:
            passes, tokens, per_second, elapsed_ms = self._figures
            parts = [
                self._passes_text(passes),
                self.tr("1 token") if tokens == 1 else self.tr("{0} tokens").format(tokens),
                self.tr("{0} tok/s").format(f"{per_second:.0f}"),
                self.tr("{0} s").format(f"{elapsed_ms / 1000:.2f}"),
            ]
        parts += [part for part in (self._mode, self._ending) if part]
        return " · ".join(parts)

    def _passes_text(self, passes: int) -> str:
        text = self.tr("1 pass") if passes == 1 else self.tr("{0} passes").format(passes)
        # Regions that are looked at again in the same pass share it: their looks are no passes.
        looks = sum(block.second_looks for block in self.tiles.blocks if not block.region)
        looks += self._region_looks
        if looks == 0:
            return text
        return (
            text
            + " "
            + (
                self.tr("(1 second look)")
                if looks == 1
                else self.tr("({0} second looks)").format(looks)
            )
        )
