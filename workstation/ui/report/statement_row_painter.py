"""Paints the rows of the statement list: region, sentence, status chip, provenance, delete."""

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

from workstation.ui.draft.draft_transcript import LOW_CONFIDENCE
from workstation.ui.report.statement_rows import StatementRow
from workstation.ui.theme import COLOURS, ui_font

AnyIndex = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
REGION, SENTENCE, STATUS, PROVENANCE, DELETE = range(5)
COLUMN_WIDTHS = {REGION: 97, STATUS: 82, PROVENANCE: 64, DELETE: 24}
ROW_POINT_SIZE = 10.0
_PADDING = 6
_WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class StatementRowPainter(QStyledItemDelegate):
    """One delegate for every column, so that a row looks like one thing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hovered_row = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        row: StatementRow = index.data(ROW_ROLE)
        metrics = QFontMetricsF(ui_font(ROW_POINT_SIZE))
        if row.kind == "heading":
            return QSize(0, round(metrics.height() + 12))
        if index.column() != SENTENCE:
            return QSize(0, round(metrics.height() + 9))
        view = option.widget
        assert isinstance(view, QTableView)
        width = view.columnWidth(SENTENCE) - 2 * _PADDING - _indent(row)
        bounds = metrics.boundingRect(QRectF(0, 0, max(60, width), 2000), _WRAP, row.text)
        return QSize(0, round(bounds.height() + 9))

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
        is_hovered = index.row() == self.hovered_row
        if is_current or is_hovered:
            painter.fillRect(rect, QColor(COLOURS.accent_dim if is_current else COLOURS.hover))
        match index.column():
            case 0:
                self._paint_region(painter, rect, row)
            case 1:
                self._paint_sentence(painter, rect, row)
            case 2:
                self._paint_chip(painter, rect, str(index.data() or ""))
            case 3:
                self._paint_provenance(painter, rect, row, str(index.data() or ""))
            case 4 if (is_current or is_hovered) and row.kind == "sentence":
                painter.setPen(QColor(COLOURS.muted_text))
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "×")
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, text: str) -> None:
        painter.setFont(ui_font(9.5, bold=True))
        painter.setPen(QColor(COLOURS.muted_text))
        inner = rect.adjusted(_PADDING + 2, 4, 0, -2)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_region(self, painter: QPainter, rect: QRect, row: StatementRow) -> None:
        painter.setFont(ui_font(9.5))
        painter.setPen(QColor(COLOURS.muted_text))
        inner = rect.adjusted(_PADDING + 2, 0, -2, 0)
        painter.drawText(
            inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, row.region
        )

    def _paint_sentence(self, painter: QPainter, rect: QRect, row: StatementRow) -> None:
        says_presence = row.statement is not None and row.statement.status != "absent"
        painter.setPen(QColor(COLOURS.bright_text if says_presence else COLOURS.text))
        if row.kind == "statement":
            painter.setPen(QColor(COLOURS.muted_text))
        inner = rect.adjusted(_PADDING + _indent(row), 0, -_PADDING, 0)
        painter.drawText(inner, int(_WRAP), row.text)

    def _paint_chip(self, painter: QPainter, rect: QRect, status: str) -> None:
        """present is filled, absent hollow, uncertain broken: never by colour alone."""
        if not status:
            return
        painter.setFont(ui_font(9.5))
        height = QFontMetricsF(painter.font()).height() + 3
        chip = QRectF(rect.left() + 3, rect.center().y() - height / 2 + 0.5, 0, height)
        chip.setRight(rect.right() - 4)
        edge, ink, fill = {
            "present": (COLOURS.accent, COLOURS.on_accent, COLOURS.accent),
            "absent": (COLOURS.faint_text, COLOURS.muted_text, ""),
            "uncertain": (COLOURS.amber, COLOURS.amber, ""),
        }.get(status, (COLOURS.strong_line, COLOURS.text, ""))
        pen = QPen(QColor(edge), 1)
        if status == "uncertain":
            pen.setDashPattern([3, 2])
        painter.setPen(pen)
        painter.setBrush(QColor(fill) if fill else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(chip, height / 2, height / 2)
        painter.setPen(QColor(ink))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, status)

    def _paint_provenance(
        self, painter: QPainter, rect: QRect, row: StatementRow, text: str
    ) -> None:
        if row.sentence is None or not text:
            return
        painter.setFont(ui_font(9.5))
        middle, x = rect.center().y(), rect.left() + 5
        provenance = row.sentence.provenance
        doubtful = row.sentence.confidence is not None and row.sentence.confidence < LOW_CONFIDENCE
        ink = COLOURS.amber if doubtful else COLOURS.accent
        ink = {"edited": COLOURS.muted_text, "human": COLOURS.text}.get(provenance, ink)
        if provenance != "human":  # the same bar as in the text
            pen = QPen(QColor(ink), 2)
            if provenance == "edited":
                pen.setDashPattern([1.5, 1.5])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLine(QPointF(x, middle - 6), QPointF(x, middle + 7))
        painter.setPen(QColor(ink))
        inner = rect.adjusted(11, 0, 0, 0)
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
        rect = QRect(option.rect)
        rect.setRight(rect.right() + COLUMN_WIDTHS[STATUS] + COLUMN_WIDTHS[PROVENANCE])
        height = max(26, min(rect.height(), 30))
        editor.setGeometry(
            QRect(rect.left(), rect.center().y() - height // 2, rect.width(), height)
        )


def _indent(row: StatementRow) -> int:
    return 14 if row.kind == "statement" else 0
