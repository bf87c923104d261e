"""Findings and negatives as rows one can hold: flip, turn a chip, accept, lock, edit, delete.
Every wish is a signal, nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from inference import Calibration
from inference.report_language import Status
from workstation.ui.report.report_keys import Wish, find_wish
from workstation.ui.report.statements.statement_chips import Slot, list_choices, slots_of
from workstation.ui.report.statements.statement_row_painter import (
    DELETE,
    LOCK,
    NARROW,
    PROVENANCE,
    REGION,
    SENTENCE,
    STATUS,
    StatementRowPainter,
    place_chips,
    widths_for,
)
from workstation.ui.report.statements.statement_rows import StatementRow
from workstation.ui.report.statements.statement_table import StatementTable
from workstation.ui.theme import font_scale

_STATUSES: dict[Wish, Status] = {
    "present": "present",
    "absent": "absent",
    "uncertain": "uncertain",
}
_OF_STATEMENTS: frozenset[Wish] = frozenset(
    {"flip", "present", "absent", "uncertain", "withdraw", "side", "zone", "severity"}
)
_SLOTS: dict[Wish, Slot] = {"side": "side", "zone": "zone", "severity": "severity"}


class StatementList(QTableView):
    """Keys are those of `report_keys`. Spans are offsets into section text."""

    flip_requested = Signal(object)  # StatementRow with a statement
    restate_requested = Signal(object, object)  # the same, and the Statement wanted
    withdraw_requested = Signal(object)  # StatementRow with a statement
    accept_requested = Signal(str, int, bool)  # section, sentence id, accepted
    lock_requested = Signal(str, int, bool)  # section, sentence id, locked
    delete_requested = Signal(str, int)  # section, sentence id
    sentence_edited = Signal(str, int, str)  # section, sentence id, text
    row_hovered = Signal(str, int, int)  # section, start, end
    hover_ended = Signal()
    row_clicked = Signal(str, int, int)  # section, start, end
    row_shown = Signal()  # shown_row is another
    refused = Signal(str)  # why a key did nothing

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statement_list")
        self.setAccessibleName(self.tr("Findings and negatives"))
        self._fitted_width = NARROW
        self.table = StatementTable(self)
        self.row_painter = StatementRowPainter(self)
        self.setModel(self.table)
        self.setItemDelegate(self.row_painter)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self._set_up_headers()
        # Queued: the report changes after the sentence field has closed.
        self.table.sentence_edited.connect(self.sentence_edited, Qt.ConnectionType.QueuedConnection)
        self.entered.connect(self._on_entered)
        self.selectionModel().currentRowChanged.connect(self.row_shown)

    def _set_up_headers(self) -> None:
        header = self.horizontalHeader()
        header.hide()
        header.setMinimumSectionSize(16)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(SENTENCE, QHeaderView.ResizeMode.Stretch)
        self._fit_columns(self._fitted_width)
        self.verticalHeader().hide()
        # Hidden, it still counts in the height of the rows, with the theme's padding.
        self.verticalHeader().setStyleSheet("QHeaderView::section { padding: 0; }")
        self.verticalHeader().setMinimumSectionSize(20)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def _fit_columns(self, list_width: int) -> None:
        """Of a list so wide [px], whatever the text size."""
        widths, is_narrow = widths_for(list_width / font_scale())
        self.setColumnHidden(REGION, is_narrow)
        for column, width in widths.items():
            self.horizontalHeader().resizeSection(column, round(width * font_scale()))
        self._span_headings()

    def _span_headings(self) -> None:
        first = SENTENCE if self.isColumnHidden(REGION) else REGION
        self.clearSpans()
        for number, row in enumerate(self.table.rows):
            if row.kind == "heading":
                self.setSpan(number, first, 1, DELETE + 1 - first)

    def resizeEvent(self, event: QResizeEvent) -> None:
        before, after = self._fitted_width / font_scale(), event.size().width() / font_scale()
        self._fitted_width = event.size().width()
        if widths_for(before) != widths_for(after):
            self._fit_columns(self._fitted_width)
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Larger words need wider columns."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "table"):
            self._fit_columns(self._fitted_width)

    def set_rows(self, rows: Sequence[StatementRow]) -> None:
        """Show these rows; the current sentence stays current."""
        current = self.current_row()
        row_number = self.currentIndex().row()
        scrolled = self.verticalScrollBar().value()
        self.row_painter.hovered_row = self.row_painter.lit_row = -1
        self.table.set_rows(rows)
        self._span_headings()
        if current is not None:
            self._restore_current(current, row_number)
        self.verticalScrollBar().setValue(scrolled)

    def _restore_current(self, row: StatementRow, row_number: int) -> None:
        assert row.sentence is not None
        same = [
            number
            for number, each in enumerate(self.table.rows)
            if each.sentence is not None and each.sentence.id == row.sentence.id
        ]
        if row_number in same:
            self.select_row(row_number)
        elif same:
            self.select_row(same[0])
        elif self.table.rows:  # deleted: its neighbour
            self.select_row(min(row_number, len(self.table.rows) - 1))

    def set_checks(self, blocking: Mapping[int, bool], messages: Mapping[int, str]) -> None:
        """Mark the sentences that checks speak of. blocking: sentence id -> whether signing
        waits for it; messages: what their tooltips say."""
        self.row_painter.checked_sentences = dict(blocking)
        self.table.messages = dict(messages)
        self.viewport().update()

    def set_calibration(self, calibration: Calibration | None) -> None:
        """How the confidences of the rows are to be read; None: as the model gives them."""
        if calibration != self.table.calibration:
            self.table.calibration = self.row_painter.calibration = calibration
            self.viewport().update()

    # -- rows ------------------------------------------------------------------------------

    def select_row(self, number: int) -> None:
        """Make a row current."""
        self.setCurrentIndex(self.table.index(number, SENTENCE))

    def current_row(self) -> StatementRow | None:
        """The current sentence or statement."""
        number = self.currentIndex().row()
        if not 0 <= number < len(self.table.rows) or self.table.rows[number].kind == "heading":
            return None
        return self.table.rows[number]

    def shown_row(self) -> StatementRow | None:
        """The row under the pointer, else the current one."""
        number = self.row_painter.hovered_row
        if 0 <= number < len(self.table.rows) and self.table.rows[number].kind != "heading":
            return self.table.rows[number]
        return self.current_row()

    def find_row(self, section: str, offset: int) -> int:
        """The row of the words at an offset of a section's text: the statement's, else the
        sentence's; -1 for none."""
        found = -1
        for number, row in enumerate(self.table.rows):
            if row.section == section and row.sentence is not None:
                if row.kind == "sentence" and row.start <= offset < row.end:
                    found = number
                elif row.kind == "statement" and row.statement is not None and found >= 0:
                    said = row.statement
                    if said.trigger_start <= offset < said.trigger_end:
                        return number
        return found

    def select_sentence(self, sentence_id: int) -> None:
        """Make a sentence's row current."""
        for number, row in enumerate(self.table.rows):
            if row.sentence is not None and row.sentence.id == sentence_id:
                self.select_row(number)
                return

    def light_row(self, number: int) -> None:
        """Show which row the words under the pointer belong to; -1 for none."""
        if number != self.row_painter.lit_row:
            self.row_painter.lit_row = number
            if number >= 0:
                self.scrollTo(self.table.index(number, SENTENCE))
            self.viewport().update()

    def move_by(self, step: int) -> None:
        """The next or previous row that is no heading becomes current."""
        number = self.currentIndex().row() + step
        while 0 <= number < len(self.table.rows):
            if self.table.rows[number].kind != "heading":
                self.select_row(number)
                return
            number += step

    def _go_to_next_sentence(self, row: StatementRow) -> None:
        assert row.sentence is not None
        for number in range(self.currentIndex().row() + 1, len(self.table.rows)):
            sentence = self.table.rows[number].sentence
            if sentence is not None and sentence.id != row.sentence.id:
                self.select_row(number)
                return

    # -- pointer ---------------------------------------------------------------------------

    def _on_entered(self, index: QModelIndex) -> None:
        row = self.table.rows[index.row()]
        self.row_painter.hovered_row = index.row()
        self.viewport().update()
        if row.kind == "heading":
            self.hover_ended.emit()
        else:
            self.row_hovered.emit(row.section, row.start, row.end)
        self.row_shown.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        at = event.position().toPoint()
        index = self.indexAt(at)
        row = self.table.rows[index.row()] if index.isValid() else None
        is_button = row is not None and row.kind != "heading"
        is_button &= index.column() in (STATUS, LOCK, DELETE) or self.chip_at(at) is not None
        shape = Qt.CursorShape.PointingHandCursor if is_button else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def leaveEvent(self, event: QEvent) -> None:
        self.row_painter.hovered_row = -1
        self.viewport().update()
        self.hover_ended.emit()
        self.row_shown.emit()
        super().leaveEvent(event)

    def chip_at(self, point: QPoint) -> Slot | None:
        """The slot whose chip is at a point of the viewport."""
        index = self.indexAt(point)
        if not index.isValid() or index.column() != SENTENCE:
            return None
        for chip, place in place_chips(self.table.rows[index.row()], self.visualRect(index)):
            if place.contains(point):
                return chip.slot
        return None

    def chip_rect(self, number: int, slot: Slot) -> QRect:
        """Where a chip of a row is on the viewport; the status chip's cell for "status"."""
        if slot == "status":
            return self.visualRect(self.table.index(number, STATUS))
        cell = self.visualRect(self.table.index(number, SENTENCE))
        places = {c.slot: place for c, place in place_chips(self.table.rows[number], cell)}
        return places.get(slot, QRectF()).toRect()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        at = event.position().toPoint()
        index = self.indexAt(at)
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton:
            return
        row = self.table.rows[index.row()]
        if row.kind == "heading" or row.sentence is None:
            return
        chip = self.chip_at(at)
        if index.column() == STATUS and row.statement is not None:
            self.open_choices(index.row(), "status")
        elif chip is not None:
            self.open_choices(index.row(), chip)
        elif index.column() == PROVENANCE and row.kind == "sentence":
            self._accept(row)
        elif index.column() == LOCK and row.kind == "sentence":
            self._lock(row)
        elif index.column() == DELETE and row.kind == "sentence":
            self._delete(row)
        else:
            self.row_clicked.emit(row.section, row.start, row.end)

    def open_choices(self, number: int, slot: Slot) -> QMenu | None:
        """What a slot can be made to say, as a menu below its chip; None where it has none."""
        row = self.table.rows[number]
        if row.statement is None:
            return None
        if slot != "status" and slot not in slots_of(row.statement):
            return None
        menu = QMenu(self)
        menu.setObjectName("chip_choices")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for choice in list_choices(row.statement, slot):
            action = menu.addAction(choice.text)
            action.setCheckable(True)
            action.setChecked(choice.is_current)
            action.setData((row, choice.wanted))
            if choice.is_current:
                menu.setActiveAction(action)
        menu.triggered.connect(self._on_chosen)
        menu.popup(self.viewport().mapToGlobal(self.chip_rect(number, slot).bottomLeft()))
        return menu

    def _on_chosen(self, action: object) -> None:
        row, wanted = action.data()  # type: ignore[attr-defined]
        if wanted is None:
            self.withdraw_requested.emit(row)
        elif wanted != row.statement:
            self.restate_requested.emit(row, wanted)

    # -- keys ------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        wish = find_wish(event.key()) if held == Qt.KeyboardModifier.NoModifier else None
        row = self.current_row()
        if wish in ("next", "previous"):
            self.move_by(1 if wish == "next" else -1)
        elif wish is not None and row is not None:
            self._perform(wish, row)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _perform(self, wish: Wish, row: StatementRow) -> None:
        if row.statement is None and wish in _OF_STATEMENTS:
            self._refuse(row)
        elif wish == "flip":
            self._flip(row)
        elif wish in _STATUSES:
            self._set_status(row, _STATUSES[wish])
        elif wish in _SLOTS:
            self.open_choices(self.currentIndex().row(), _SLOTS[wish])
        elif wish == "withdraw":
            if row.statement is not None:
                self.withdraw_requested.emit(row)
        elif wish == "accept":
            was_accepted = row.sentence is not None and row.sentence.accepted
            self._accept(row)
            if not was_accepted:
                self._go_to_next_sentence(row)
        elif wish == "lock":
            self._lock(row)
        elif wish == "edit" and self.state() != QAbstractItemView.State.EditingState:
            self.edit(self.table.index(self.currentIndex().row(), SENTENCE))
        elif wish == "delete":
            self._delete(row)

    def _refuse(self, row: StatementRow) -> None:
        """A sentence without a statement of its own: of several, or of none."""
        below = self.currentIndex().row() + 1
        has_several = below < len(self.table.rows) and self.table.rows[below].kind == "statement"
        several = self.tr("This sentence states several things: choose one of the rows below it.")
        none = self.tr("This sentence states no finding that could be changed; F2 edits it.")
        self.refused.emit(several if has_several else none)

    def _flip(self, row: StatementRow) -> None:
        if row.statement is not None:
            self.flip_requested.emit(row)

    def _set_status(self, row: StatementRow, status: Status) -> None:
        said = row.statement
        if said is not None and said.status != status:
            self.restate_requested.emit(row, replace(said, status=status))

    def _accept(self, row: StatementRow) -> None:
        sentence = row.sentence
        if sentence is not None and sentence.provenance == "ai":
            self.accept_requested.emit(row.section, sentence.id, not sentence.accepted)

    def _lock(self, row: StatementRow) -> None:
        if row.sentence is not None:
            self.lock_requested.emit(row.section, row.sentence.id, not row.sentence.locked)

    def _delete(self, row: StatementRow) -> None:
        if row.sentence is not None:
            self.delete_requested.emit(row.section, row.sentence.id)
