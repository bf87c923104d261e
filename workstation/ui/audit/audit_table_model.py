"""The audit log as a table: row numbers are all known, entries are read a page at a time."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from workstation.audit.audit_codes import audit_code
from workstation.audit.audit_log import AuditEntry
from workstation.audit.audit_query import AuditReader, StudyLabel
from workstation.catalog.database import CatalogUnavailable
from workstation.ui.audit.audit_wording import name_event, sum_up, word_study, word_time

AnyIndex = QModelIndex | QPersistentModelIndex
ROW, WHEN, WHO, WHAT, STUDY, DETAILS = range(6)
_PAGE = 200
_PAGES_KEPT = 50


class AuditTableModel(QAbstractTableModel):
    """Newest first. trouble(text): a page could not be read; its rows stay blank."""

    trouble = Signal(str)

    def __init__(self, reader: AuditReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._rows = array("q")
        self._labels: dict[str, StudyLabel] = {}
        self._pages: OrderedDict[int, dict[int, AuditEntry]] = OrderedDict()
        self._broken_row: int | None = None
        self._headings = (
            self.tr("Row"),
            self.tr("When"),
            self.tr("Who"),
            self.tr("What"),
            self.tr("Study"),
            self.tr("Details"),
        )

    def set_rows(self, rows: Iterable[int], labels: dict[str, StudyLabel]) -> None:
        """Show these rows, newest first; labels: what the studies are called."""
        self.beginResetModel()
        self._rows, self._labels = array("q", rows), labels
        self._pages.clear()
        self.endResetModel()

    def mark_broken(self, row: int | None) -> None:
        """The row a check found broken, None for none: it carries a mark and a word."""
        self._broken_row = row
        if self._rows:
            last = self.index(len(self._rows) - 1, DETAILS)
            self.dataChanged.emit(self.index(0, ROW), last)

    @property
    def row_numbers(self) -> list[int]:
        return self._rows.tolist()

    def place_of(self, row: int) -> int | None:
        """Where a row of the log stands in the table; the next older one for a row that is gone,
        None for an empty table."""
        if not self._rows:
            return None
        place = bisect_left(self._rows, -row, key=lambda each: -each)
        return min(place, len(self._rows) - 1)

    def entry_at(self, place: int) -> AuditEntry | None:
        """The entry in a line of the table; None where it can't be read."""
        if not 0 <= place < len(self._rows):
            return None
        number = place // _PAGE
        page = self._pages.get(number)
        if page is None:
            page = self._read_page(number)
        self._pages.move_to_end(number)
        return page.get(self._rows[place])

    def study_words(self, entry: AuditEntry) -> str:
        uid = entry.study_instance_uid
        return word_study(uid, self._labels.get(str(uid))) if uid else ""

    def _read_page(self, number: int) -> dict[int, AuditEntry]:
        wanted = self._rows[number * _PAGE : (number + 1) * _PAGE].tolist()
        try:
            page = self._reader.entries(wanted)
        except CatalogUnavailable as error:
            page = {}
            self.trouble.emit(str(error))
        self._pages[number] = page
        if len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        return page

    # -- Qt ----------------------------------------------------------------------------------

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._headings)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section]
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return None
        entry = self.entry_at(index.row())
        if entry is None:
            return str(self._rows[index.row()]) if index.column() == ROW else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(entry, index.column())
        return self._text(entry, index.column())

    def _text(self, entry: AuditEntry, column: int) -> str:
        if column == ROW:
            return f"▲ {entry.row}" if entry.row == self._broken_row else str(entry.row)
        if column == WHEN:
            return word_time(entry.recorded_at)
        if column == WHO:
            return str(entry.user)
        if column == WHAT:
            return name_event(str(entry.event))
        if column == STUDY:
            return self.study_words(entry)
        return sum_up(entry)

    def _tip(self, entry: AuditEntry, column: int) -> str:
        if column == ROW and entry.row == self._broken_row:
            return self.tr("The check broke off at this row.")
        if column == WHEN:
            return self.tr("UTC {0}").format(entry.recorded_at)
        if column == WHAT:
            code = audit_code(str(entry.event))
            return self.tr("DICOM {0} {1}").format(code.value, code.meaning)
        return str(entry.study_instance_uid) if column == STUDY else ""
