"""The rows of the statement list as a Qt model: texts, tooltips, and the sentence as a field."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from inference import Calibration
from workstation.reporting.report_state import Sentence
from workstation.ui.report.sentence_provenance import describe_provenance, read_confidence
from workstation.ui.report.statements.statement_chips import explain, word_value
from workstation.ui.report.statements.statement_row_painter import (
    DELETE,
    LOCK,
    PROVENANCE,
    REGION,
    ROW_ROLE,
    SENTENCE,
    STATUS,
    AnyIndex,
)
from workstation.ui.report.statements.statement_rows import StatementRow


class StatementTable(QAbstractTableModel):
    """The rows as a Qt model; editing the sentence column emits sentence_edited."""

    sentence_edited = Signal(str, int, str)  # section, sentence id, text

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[StatementRow, ...] = ()
        self.calibration: Calibration | None = None
        self.messages: dict[int, str] = {}
        """What checks say of a sentence: id -> messages."""

    def set_rows(self, rows: Sequence[StatementRow]) -> None:
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 6

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        if not index.isValid() or self.rows[index.row()].kind == "heading":
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == SENTENCE:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row, index.column())
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
            return titles[row.section] if column in (REGION, SENTENCE) else ""
        if column == REGION:
            return row.region
        if column == SENTENCE:
            return row.text
        if column == STATUS:
            return word_value(row.statement.status) if row.statement is not None else ""
        if column == PROVENANCE and row.sentence is not None and row.kind == "sentence":
            return self._provenance_word(row.sentence)
        return ""

    def _spoken(self, row: StatementRow, column: int) -> str | None:
        """For a screen reader: a sentence with what its chips and signs say."""
        text = self._text(row, column)
        if column != SENTENCE or row.sentence is None:
            return text or self._tool_tip(row, column)
        said = row.statement
        slots = (said.status, said.side, said.zone, said.severity) if said is not None else ()
        parts = [text, ", ".join(word_value(slot) for slot in slots if slot)]
        if row.kind == "sentence":
            parts.append(self.tr("locked") if row.sentence.locked else "")
            parts.append(self.messages.get(row.sentence.id, ""))
        return "; ".join(part for part in parts if part)

    def _provenance_word(self, sentence: Sentence) -> str:
        if sentence.accepted:
            return self.tr("AI ✓")
        words = {"ai": self.tr("AI"), "edited": self.tr("edited"), "human": self.tr("by hand")}
        share = read_confidence(sentence, self.calibration)
        word = words[sentence.provenance]
        return word if share is None else f"{word} {share:.2f}"

    def _tool_tip(self, row: StatementRow, column: int) -> str | None:
        if row.sentence is None:
            return None
        if column in (REGION, SENTENCE):
            lines = [self.messages.get(row.sentence.id, "")]
            if row.statement is not None:
                lines.append(self._explain(row))
            return "\n".join(line for line in lines if line) or None
        if column == STATUS and row.statement is not None:
            return self._explain(row) + "\n" + self.tr("Click: choices. Space: present ↔ absent")
        if column == PROVENANCE:
            return self._describe_provenance(row.sentence)
        if row.kind != "sentence":
            return None
        if column == LOCK:
            locked = self.tr("Locked: a redraft leaves this sentence as it is (L unlocks)")
            return locked if row.sentence.locked else self.tr("Lock against redrafts (L)")
        return self.tr("Delete this sentence (Del)") if column == DELETE else None

    def _explain(self, row: StatementRow) -> str:
        assert row.sentence is not None
        assert row.statement is not None
        statement, shift = row.statement, row.sentence_start
        trigger = row.sentence.text[statement.trigger_start - shift : statement.trigger_end - shift]
        return explain(statement, trigger)

    def _describe_provenance(self, sentence: Sentence) -> str:
        lines = describe_provenance(sentence, self.calibration)
        if sentence.provenance == "ai":
            take_back = self.tr("A: take the acceptance back")
            lines.append(take_back if sentence.accepted else self.tr("A: accept as it is"))
        return "\n".join(lines)
