"""Paints the rows of the statement list: region, sentence with its chips, status, provenance,
lock, delete."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import (
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from inference import Calibration
from workstation.reporting.report_state import Sentence
from workstation.ui.draft.draft_transcript import LOW_CONFIDENCE
from workstation.ui.report.sentence_provenance import read_confidence
from workstation.ui.report.statements.chip_painter import (
    CHIP_GAP,
    chip_height,
    paint_chip,
    paint_lock,
    paint_status,
    paint_warning,
)
from workstation.ui.report.statements.statement_chips import Chip, list_chips
from workstation.ui.report.statements.statement_rows import StatementRow
from workstation.ui.theme import COLOURS, font_scale, ui_font

AnyIndex = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
REGION, SENTENCE, STATUS, PROVENANCE, LOCK, DELETE = range(6)
COLUMN_WIDTHS = {REGION: 97, STATUS: 82, PROVENANCE: 64, LOCK: 20, DELETE: 22}
NARROW_WIDTHS = {REGION: 0, STATUS: 76, PROVENANCE: 68, LOCK: 18, DELETE: 18}
NARROW = 460
"""Below this width of the list [px] the regions give way to the sentences."""
TIGHT_WIDTHS = NARROW_WIDTHS | {PROVENANCE: 18}
TIGHT = 320
"""Below this the provenance is its bar alone; its words are said below the list."""
ROW_POINT_SIZE = 10.0
SURE = 0.9
"""From this figure on it is grey: the eye is to find the others."""
_PADDING = 6
_WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop


class StatementRowPainter(QStyledItemDelegate):
    """One delegate for every column, so that a row looks like one thing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hovered_row = -1
        self.lit_row = -1
        """The row of the words under the pointer in the text."""
        self.checked_sentences: dict[int, bool] = {}
        """Sentences that a check speaks of: id -> whether one of them blocks signing."""
        self.calibration: Calibration | None = None

    def is_sure(self, sentence: Sentence) -> bool:
        """Of an AI sentence whose confidence is shown, as it is shown: calibrated."""
        share = read_confidence(sentence, self.calibration)
        return share is not None and share >= SURE

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        row: StatementRow = index.data(ROW_ROLE)
        metrics = QFontMetricsF(ui_font(ROW_POINT_SIZE))
        if row.kind == "heading":
            return QSize(0, round(metrics.height() + 12))
        if index.column() != SENTENCE:
            return QSize(0, round(metrics.height() + 11))
        view = option.widget
        assert isinstance(view, QTableView)
        width = view.columnWidth(SENTENCE)
        height = _text_height(row, width) + 11
        chips = place_chips(row, QRect(0, 0, width, 0))
        if chips:
            height = max(place.bottom() for _, place in chips) + 5
        return QSize(0, round(height))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row: StatementRow = index.data(ROW_ROLE)
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(ui_font(ROW_POINT_SIZE))
        if row.kind == "heading":
            self._paint_heading(painter, rect, str(index.data()))
            painter.restore()
            return
        is_current = bool(state & QStyle.StateFlag.State_Selected)
        is_hovered = index.row() in (self.hovered_row, self.lit_row)
        if is_current or is_hovered:
            painter.fillRect(rect, QColor(COLOURS.accent_dim if is_current else COLOURS.hover))
        text = str(index.data() or "")
        match index.column():
            case 0:
                self._paint_region(painter, rect, row)
            case 1:
                self._paint_sentence(painter, rect, row)
            case 2 if row.statement is not None:
                paint_status(painter, _first_line(rect), row.statement.status, text)
            case 3:
                self._paint_provenance(painter, rect, row, text)
            case 4 if row.kind == "sentence" and row.sentence is not None:
                if row.sentence.locked or is_current or is_hovered:
                    paint_lock(painter, _first_line(rect), row.sentence.locked)
            case 5 if (is_current or is_hovered) and row.kind == "sentence":
                painter.setPen(QColor(COLOURS.muted_text))
                painter.drawText(_first_line(rect), Qt.AlignmentFlag.AlignCenter, "×")
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, text: str) -> None:
        painter.setFont(ui_font(9.5, bold=True))
        painter.setPen(QColor(COLOURS.muted_text))
        inner = rect.adjusted(_PADDING + 2, 4, 0, -2)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_region(self, painter: QPainter, rect: QRect, row: StatementRow) -> None:
        painter.setFont(ui_font(9.5))
        painter.setPen(QColor(COLOURS.muted_text))
        inner = _first_line(rect).adjusted(_PADDING + 2, 0, -2, 0)
        painter.drawText(
            inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, row.region
        )

    def _paint_sentence(self, painter: QPainter, rect: QRect, row: StatementRow) -> None:
        says_presence = row.statement is not None and row.statement.status != "absent"
        painter.setPen(QColor(COLOURS.bright_text if says_presence else COLOURS.text))
        if row.kind == "statement":
            painter.setPen(QColor(COLOURS.muted_text))
        painter.drawText(_text_rect(row, rect), int(_WRAP), row.text)
        if row.kind == "sentence" and row.sentence is not None:
            blocks = self.checked_sentences.get(row.sentence.id)
            if blocks is not None:
                paint_warning(painter, QPointF(rect.left() + 1, rect.top() + 8), blocks)
        for chip, place in place_chips(row, rect):
            paint_chip(painter, place, chip.text, chip.is_set)

    def _paint_provenance(
        self, painter: QPainter, rect: QRect, row: StatementRow, text: str
    ) -> None:
        if row.sentence is None or not text:
            return
        painter.setFont(ui_font(9.5))
        line = _first_line(rect)
        middle, x = line.center().y(), line.left() + 5
        provenance = row.sentence.provenance
        doubtful = row.sentence.confidence is not None and row.sentence.confidence < LOW_CONFIDENCE
        ink = COLOURS.amber if doubtful else COLOURS.accent
        if row.sentence.accepted:
            ink = COLOURS.muted_text
        ink = {"edited": COLOURS.muted_text, "human": COLOURS.text}.get(provenance, ink)
        if provenance != "human":  # the same bar as in the text
            pen = QPen(QColor(ink), 1 if row.sentence.accepted else 2)
            if provenance == "edited":
                pen.setDashPattern([1.5, 1.5])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLine(QPointF(x, middle - 6), QPointF(x, middle + 7))
        painter.setPen(QColor(COLOURS.muted_text if self.is_sure(row.sentence) else ink))
        if rect.width() <= TIGHT_WIDTHS[PROVENANCE] * font_scale() + 1:
            return
        inner = line.adjusted(11, 0, 0, 0)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: AnyIndex
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setObjectName("sentence_field")
        editor.setAccessibleName(self.tr("Sentence"))
        editor.setStyleSheet("padding: 0 4px; border-radius: 3px;")
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: AnyIndex
    ) -> None:
        """Over the columns to the right too: a sentence is longer than its column."""
        view = option.widget
        assert isinstance(view, QTableView)
        rect = QRect(option.rect)
        rect.setRight(rect.right() + view.columnWidth(STATUS) + view.columnWidth(PROVENANCE))
        height = max(26, min(rect.height(), 30))
        editor.setGeometry(QRect(rect.left(), rect.top(), rect.width(), height))


def widths_for(list_width: float) -> tuple[dict[int, int], bool]:
    """The columns' widths at the usual text size, and whether the regions are left out."""
    if list_width >= NARROW:
        return COLUMN_WIDTHS, False
    return (NARROW_WIDTHS if list_width >= TIGHT else TIGHT_WIDTHS), True


def place_chips(row: StatementRow, rect: QRect) -> tuple[tuple[Chip, QRectF], ...]:
    """The chips of a row and where they are, in the cell of its sentence: on lines of their own
    below the text."""
    if row.statement is None:
        return ()
    metrics = QFontMetricsF(ui_font(9.0))
    left = rect.left() + _PADDING + _indent(row)
    height = chip_height()
    x, y = float(left), rect.top() + 7 + _text_height(row, rect.width())
    placed: list[tuple[Chip, QRectF]] = []
    for chip in list_chips(row.statement):
        width = metrics.horizontalAdvance(chip.text) + 14
        if x > left and x + width > rect.right() - 2:
            x, y = float(left), y + height + CHIP_GAP
        placed.append((chip, QRectF(x, y, width, height)))
        x += width + CHIP_GAP
    return tuple(placed)


def _text_rect(row: StatementRow, rect: QRect) -> QRectF:
    inner = QRectF(rect).adjusted(_PADDING + _indent(row), 5, -_PADDING, 0)
    inner.setHeight(_text_height(row, rect.width()) + 1)
    return inner


def _text_height(row: StatementRow, width: int) -> float:
    metrics = QFontMetricsF(ui_font(ROW_POINT_SIZE))
    inner = max(60, width - 2 * _PADDING - _indent(row))
    return metrics.boundingRect(QRectF(0, 0, inner, 2000), int(_WRAP), row.text).height()


def _first_line(rect: QRect) -> QRect:
    """The part of a cell beside the first line of the sentence."""
    height = round(QFontMetricsF(ui_font(ROW_POINT_SIZE)).height()) + 11
    return QRect(rect.left(), rect.top(), rect.width(), min(rect.height(), height))


def _indent(row: StatementRow) -> int:
    return 14 if row.kind == "statement" else 4
