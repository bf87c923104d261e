"""Findings and negatives as rows: flip, edit, delete; every wish is a signal, nothing is changed
here."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from inference import Calibration, calibrate_confidence
from inference.report_language import CONCEPT_BY_NAME
from workstation.reporting.draft_report import Sentence
from workstation.ui.report.statement_row_painter import (
    COLUMN_WIDTHS,
    DELETE,
    PROVENANCE,
    REGION,
    ROW_ROLE,
    SENTENCE,
    STATUS,
    StatementRowPainter,
)
from workstation.ui.report.statement_rows import StatementRow

AnyIndex = QModelIndex | QPersistentModelIndex


class StatementTable(QAbstractTableModel):
    """The rows as a Qt model; editing the sentence column emits sentence_edited."""

    sentence_edited = Signal(str, int, str)  # section, sentence id, text

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[StatementRow, ...] = ()
        self.is_read_only = False
        self.calibration: Calibration | None = None

    def set_rows(self, rows: Sequence[StatementRow]) -> None:
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 5

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        if not index.isValid() or self.rows[index.row()].kind == "heading":
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == SENTENCE and not self.is_read_only:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.EditRole and index.column() == SENTENCE:
            return row.sentence.text if row.sentence is not None else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tool_tip(row, index.column())
        return None

    def setData(self, index: AnyIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self.rows[index.row()]
        if role != Qt.ItemDataRole.EditRole or row.sentence is None:
            return False
        text = str(value).strip()
        if text != row.sentence.text:
            self.sentence_edited.emit(row.section, row.sentence.id, text)
        return True

    def _text(self, row: StatementRow, column: int) -> str:
        if row.kind == "heading":
            titles = {"findings": self.tr("FINDINGS"), "impression": self.tr("IMPRESSION")}
            return titles[row.section] if column == REGION else ""
        if column == REGION:
            return row.region
        if column == SENTENCE:
            return row.text
        if column == STATUS:
            return row.statement.status if row.statement is not None else ""
        if column == PROVENANCE and row.sentence is not None and row.kind == "sentence":
            words = {"ai": self.tr("AI"), "edited": self.tr("edited"), "human": self.tr("by hand")}
            share = self._calibrated(row.sentence)
            word = words[row.sentence.provenance]
            return word if share is None else f"{word} {share:.2f}"
        return ""

    def _calibrated(self, sentence: Sentence) -> float | None:
        """The calibrated confidence of a sentence the model wrote, None where there is none."""
        if self.calibration is None or sentence.provenance != "ai" or sentence.confidence is None:
            return None
        return calibrate_confidence(self.calibration, sentence.confidence)

    def _tool_tip(self, row: StatementRow, column: int) -> str | None:
        if column == STATUS and row.statement is not None:
            said = row.statement
            slots = (said.status, said.side, said.zone, said.severity)
            text = f"{CONCEPT_BY_NAME[said.concept].label}: " + ", ".join(s for s in slots if s)
            if said.rule:
                text += "\n" + self.tr("rule: {0}").format(said.rule)
            if not self.is_read_only:
                text += "\n" + self.tr("Click or Space: present ↔ absent")
            return text
        if column == PROVENANCE and row.sentence is not None:
            if row.sentence.provenance == "ai" and row.sentence.confidence is not None:
                return self._describe_confidence(row.sentence, row.sentence.confidence)
            return {
                "ai": self.tr("AI, untouched"),
                "edited": self.tr("AI, edited by the reader"),
                "human": self.tr("Written by the reader"),
            }[row.sentence.provenance]
        if column == DELETE and not self.is_read_only and row.kind == "sentence":
            return self.tr("Delete this sentence (Del)")
        return None

    def _describe_confidence(self, sentence: Sentence, confidence: float) -> str:
        share = self._calibrated(sentence)
        if share is None:
            return self.tr("AI, confidence {0}").format(f"{confidence:.2f}")
        return self.tr(
            "AI, calibrated confidence {0}: of sentences the model was as sure of ({1}),\n"
            "that share was right on its own test films. Not a probability of disease."
        ).format(f"{share:.2f}", f"{confidence:.2f}")


class StatementList(QTableView):
    """Keys: Space flips, F2 or Enter edits, Del deletes. Spans are offsets into section text."""

    flip_requested = Signal(object)  # StatementRow with a statement
    delete_requested = Signal(str, int)  # section, sentence id
    sentence_edited = Signal(str, int, str)  # section, sentence id, text
    row_hovered = Signal(str, int, int)  # section, start, end
    hover_ended = Signal()
    row_clicked = Signal(str, int, int)  # section, start, end

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statement_list")
        self.setAccessibleName(self.tr("Findings and negatives"))
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

    def _set_up_headers(self) -> None:
        header = self.horizontalHeader()
        header.hide()
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(SENTENCE, QHeaderView.ResizeMode.Stretch)
        for column, width in COLUMN_WIDTHS.items():
            header.resizeSection(column, width)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(20)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def set_rows(self, rows: Sequence[StatementRow]) -> None:
        """Show these rows; the current sentence stays current."""
        current = self.current_row()
        row_number = self.currentIndex().row()
        scrolled = self.verticalScrollBar().value()
        self.row_painter.hovered_row = -1
        self.table.set_rows(rows)
        self.clearSpans()
        for number, row in enumerate(rows):
            if row.kind == "heading":
                self.setSpan(number, REGION, 1, 5)
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

    def set_calibration(self, calibration: Calibration | None) -> None:
        """How the confidences of the rows are to be read; None: as the model gives them."""
        if calibration != self.table.calibration:
            self.table.calibration = calibration
            self.viewport().update()

    def set_read_only(self, read_only: bool) -> None:
        self.table.is_read_only = read_only

    def select_row(self, number: int) -> None:
        """Make a row current."""
        self.setCurrentIndex(self.table.index(number, SENTENCE))

    def current_row(self) -> StatementRow | None:
        """The current sentence or statement."""
        number = self.currentIndex().row()
        if not 0 <= number < len(self.table.rows) or self.table.rows[number].kind == "heading":
            return None
        return self.table.rows[number]

    # -- pointer ---------------------------------------------------------------------------

    def _on_entered(self, index: QModelIndex) -> None:
        row = self.table.rows[index.row()]
        self.row_painter.hovered_row = index.row()
        self.viewport().update()
        is_button = index.column() in (STATUS, DELETE) and row.kind != "heading"
        shape = Qt.CursorShape.PointingHandCursor if is_button else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        if row.kind == "heading":
            self.hover_ended.emit()
        else:
            self.row_hovered.emit(row.section, row.start, row.end)

    def leaveEvent(self, event: QEvent) -> None:
        self.row_painter.hovered_row = -1
        self.viewport().update()
        self.hover_ended.emit()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton:
            return
        row = self.table.rows[index.row()]
        if row.kind == "heading" or row.sentence is None:
            return
        if index.column() == STATUS and row.statement is not None:
            self._flip(row)
        elif index.column() == DELETE and row.kind == "sentence":
            self._delete(row)
        else:
            self.row_clicked.emit(row.section, row.start, row.end)

    # -- keys ------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.current_row()
        key = event.key()
        if row is not None and key == Qt.Key.Key_Space:
            self._flip(row)
        elif row is not None and key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._delete(row)
        elif row is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2):
            if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.edit(self.table.index(self.currentIndex().row(), SENTENCE))
            else:
                event.ignore()
        else:
            super().keyPressEvent(event)

    def _flip(self, row: StatementRow) -> None:
        if row.statement is not None and not self.table.is_read_only:
            self.flip_requested.emit(row)

    def _delete(self, row: StatementRow) -> None:
        if row.sentence is not None and not self.table.is_read_only:
            self.delete_requested.emit(row.section, row.sentence.id)
