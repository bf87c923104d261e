"""Findings and pertinent negatives in anatomical order, with what is not stated made visible."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from inference.report_language import Language, Status
from workstation.ui.report.report_keys import find_wish
from workstation.ui.report.statements.checklist_lines import ChecklistLine
from workstation.ui.report.statements.chip_painter import paint_status
from workstation.ui.report.statements.statement_chips import word_value
from workstation.ui.report.statements.statement_row_painter import ROW_POINT_SIZE, AnyIndex
from workstation.ui.theme import COLOURS, ui_font

LABEL, STATE = range(2)
STATE_WIDTH = 112
_LINE_ROLE = Qt.ItemDataRole.UserRole + 1
_STATUSES: tuple[Status, ...] = ("present", "absent", "uncertain")


class ChecklistTable(QAbstractTableModel):
    """The lines as a Qt model."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[ChecklistLine, ...] = ()
        self.language: Language = "en"

    def set_lines(self, lines: Sequence[ChecklistLine], language: Language) -> None:
        self.beginResetModel()
        self.lines, self.language = tuple(lines), language
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 2

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        if not index.isValid() or self.lines[index.row()].concept is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        line = self.lines[index.row()]
        if role == _LINE_ROLE:
            return line
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(line, index.column())
        if role == Qt.ItemDataRole.ToolTipRole and line.concept is not None:
            if line.sentence is not None:
                return f"“{line.sentence.text}”"
            return self.tr("Neither affirmed nor denied. N: absent, P: present, U: uncertain")
        return None

    def _text(self, line: ChecklistLine, column: int) -> str:
        if line.concept is None:
            return line.region.upper() if column == LABEL else ""
        if column == LABEL:
            return line.concept.label_zh if self.language == "zh" else line.concept.label
        if line.statement is None:
            return self.tr("○ not stated")
        return word_value(line.statement.status)


class ChecklistPainter(QStyledItemDelegate):
    """A line: concept, and its state as the chip of the statement list."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        return QSize(0, round(QFontMetricsF(ui_font(ROW_POINT_SIZE)).height() + 8))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        line: ChecklistLine = index.data(_LINE_ROLE)
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        text = str(index.data() or "")
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(COLOURS.accent_dim))
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if line.concept is None:
            painter.setFont(ui_font(9.5, bold=True))
            painter.setPen(QColor(COLOURS.muted_text))
            painter.drawText(rect.adjusted(8, 3, 0, 0), middle, text)
        elif index.column() == LABEL:
            is_said = line.statement is not None
            is_present = is_said and line.state != "absent"
            is_quiet = not is_said and not line.is_pertinent
            ink = COLOURS.bright_text if is_present else COLOURS.text
            ink = COLOURS.faint_text if is_quiet else ink
            painter.setFont(ui_font(ROW_POINT_SIZE))
            painter.setPen(QColor(ink))
            words = painter.fontMetrics().elidedText(
                text, Qt.TextElideMode.ElideRight, rect.width() - 24
            )
            painter.drawText(rect.adjusted(20, 0, -4, 0), middle, words)
        elif line.statement is not None or line.is_pertinent:
            paint_status(painter, rect, line.state, text)
        else:
            painter.setFont(ui_font(9.5))
            painter.setPen(QColor(COLOURS.faint_text))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()


class NegativesChecklist(QTableView):
    """Keys: P, N, U state a concept as present, absent, uncertain; X takes it out; Enter jumps to
    its words; Tab goes on to what is not stated."""

    status_requested = Signal(object, object)  # ChecklistLine, Status or None (not stated)
    line_clicked = Signal(object)  # ChecklistLine with a statement

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("negatives_checklist")
        self.setAccessibleName(self.tr("Checklist of findings and negatives"))
        self.table = ChecklistTable(self)
        self.setModel(self.table)
        self.setItemDelegate(ChecklistPainter(self))
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.hide()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(LABEL, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(STATE, STATE_WIDTH)
        self.verticalHeader().hide()
        # Hidden, it still counts in the height of the rows, with the theme's padding.
        self.verticalHeader().setStyleSheet("QHeaderView::section { padding: 0; }")
        self.verticalHeader().setMinimumSectionSize(18)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def set_lines(self, lines: Sequence[ChecklistLine], language: Language) -> None:
        """Show these lines; the current concept stays current."""
        current, scrolled = self.current_line(), self.verticalScrollBar().value()
        self.table.set_lines(lines, language)
        self.clearSpans()
        for number, line in enumerate(lines):
            if line.concept is None:
                self.setSpan(number, LABEL, 1, 2)
            elif current is not None and line.concept == current.concept:
                self.select_line(number)
        self.verticalScrollBar().setValue(scrolled)

    @property
    def unstated_count(self) -> int:
        """Pertinent concepts that are neither affirmed nor denied."""
        return sum(line.is_pertinent and line.statement is None for line in self.table.lines)

    def select_line(self, number: int) -> None:
        self.setCurrentIndex(self.table.index(number, LABEL))

    def current_line(self) -> ChecklistLine | None:
        number = self.currentIndex().row()
        if not 0 <= number < len(self.table.lines) or self.table.lines[number].concept is None:
            return None
        return self.table.lines[number]

    def go_to_unstated(self) -> bool:
        """The next pertinent concept that is not stated becomes current; False for none."""
        lines, here = self.table.lines, self.currentIndex().row()
        order = [*range(here + 1, len(lines)), *range(0, here + 1)]
        for number in order:
            if lines[number].is_pertinent and lines[number].statement is None:
                self.select_line(number)
                return True
        return False

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton:
            return
        line = self.table.lines[index.row()]
        if line.concept is None:
            return
        if index.column() == STATE:
            self.open_choices(index.row())
        elif line.statement is not None:
            self.line_clicked.emit(line)

    def open_choices(self, number: int) -> QMenu:
        """What a concept can be stated as."""
        line = self.table.lines[number]
        menu = QMenu(self)
        menu.setObjectName("checklist_choices")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for status in (*_STATUSES, None):
            action = menu.addAction(word_value(status) if status else self.tr("not stated"))
            action.setCheckable(True)
            action.setChecked(line.state == (status or "not stated"))
            action.setData((line, status))
        menu.triggered.connect(self._on_chosen)
        cell = self.visualRect(self.table.index(number, STATE))
        menu.popup(self.viewport().mapToGlobal(cell.bottomLeft()))
        return menu

    def _on_chosen(self, action: object) -> None:
        self.status_requested.emit(*action.data())  # type: ignore[attr-defined]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        line = self.current_line()
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        wish = find_wish(event.key()) if held == Qt.KeyboardModifier.NoModifier else None
        if line is None or wish is None or wish in ("next", "previous"):
            self._move(event, wish)
        elif wish in _STATUSES:
            self.status_requested.emit(line, wish)
            self.go_to_unstated()
        elif wish == "flip":
            self.status_requested.emit(line, "present" if line.state == "absent" else "absent")
        elif wish in ("withdraw", "delete"):
            self.status_requested.emit(line, None)
        elif wish == "edit" and line.statement is not None:
            self.line_clicked.emit(line)
        else:
            event.ignore()

    def _move(self, event: QKeyEvent, wish: str | None) -> None:
        step = {"next": 1, "previous": -1}.get(wish or "", 0)
        number = self.currentIndex().row() + step
        while step and 0 <= number < len(self.table.lines):
            if self.table.lines[number].concept is not None:
                self.select_line(number)
                return
            number += step
        if not step:
            super().keyPressEvent(event)
