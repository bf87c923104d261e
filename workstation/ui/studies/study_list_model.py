"""Rows of the study list for Qt's views: found, in order, earlier studies under their patient."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from workstation.catalog.study_index import SortKey, StudyFilter, StudyHits, StudyIndex
from workstation.catalog.study_rows import StudyRow, StudyStatus
from workstation.ui.film.header_wording import age_at, iso_date, join_present

STUDY_ROLE = Qt.ItemDataRole.UserRole + 1
"""The `StudyRow` of an index."""

AnyIndex = QModelIndex | QPersistentModelIndex


class StudyListModel(QAbstractListModel):
    """One row a patient, or a search's hit; a patient's earlier studies below when opened."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.studies = StudyIndex()
        self._filter = StudyFilter()
        self._sort: SortKey = "date"
        self._is_descending = True
        self._hits = StudyHits([])
        self._visible: list[int] = []  # positions in studies
        self._earlier: set[int] = set()  # of them, those below their patient's first
        self._opened: set[str] = set()  # Study Instance UIDs of opened rows

    @property
    def rows(self) -> tuple[StudyRow, ...]:
        """What is shown, top to bottom."""
        return tuple(self.studies.rows[at] for at in self._visible)

    @property
    def hits(self) -> StudyHits:
        return self._hits

    @property
    def filter(self) -> StudyFilter:
        return self._filter

    def set_rows(self, rows: Sequence[StudyRow]) -> None:
        """Replace the studies; the same ones in the same order only repaint."""
        before = self._shown_uids()
        self.studies.replace_all(rows)
        self._find(before)

    def put(self, row: StudyRow) -> None:
        """One study that is new or has changed."""
        before = self._shown_uids()
        self.studies.put(row)
        self._find(before)

    def discard(self, study_instance_uids: set[str]) -> None:
        """Studies that are gone."""
        before = self._shown_uids()
        self.studies.discard(study_instance_uids)
        self._find(before)

    def show_only(self, wanted: StudyFilter) -> None:
        """Search and filter."""
        self._filter = wanted
        self._find()

    def sort_by(self, key: SortKey, *, is_descending: bool) -> None:
        self._sort, self._is_descending = key, is_descending
        self._find()

    def position_of(self, study_instance_uid: str) -> int:
        """The row number of a study, -1 where it is not shown."""
        at = self.studies.position_of(study_instance_uid)
        if at is None:
            return -1
        try:
            return self._visible.index(at)
        except ValueError:
            return -1

    def reveal(self, study_instance_uid: str) -> int:
        """The row number of a study, its patient's row opened for it; -1 if it is not found."""
        at = self.studies.position_of(study_instance_uid)
        if at is not None and self.position_of(study_instance_uid) < 0:
            head = next((head for head, others in self._hits.others.items() if at in others), None)
            if head is not None:
                self.open(self._visible.index(head))
        return self.position_of(study_instance_uid)

    def next_of_status(self, status: StudyStatus, after: int) -> int:
        """The row number of the next study of a status below a row, then from the top; -1 if there
        is no other. Earlier studies of a patient are there to compare with, and are passed over."""
        rows, visible = self.studies.rows, self._visible
        for number in (*range(after + 1, len(visible)), *range(max(after, 0))):
            at = visible[number]
            if rows[at].status == status and at not in self._earlier:
                return number
        return -1

    def earlier_count(self, row: int) -> int:
        """How many other studies of the patient a row can open to."""
        return len(self._hits.others.get(self._visible[row], ()))

    def is_earlier(self, row: int) -> bool:
        """Whether the row stands below its patient's first."""
        return self._visible[row] in self._earlier

    def is_open(self, row: int) -> bool:
        return self._uid_at(row) in self._opened

    def first_row_of(self, row: int) -> int:
        """The row of the patient that a row stands below, itself where it is the first."""
        while row > 0 and self.is_earlier(row):
            row -= 1
        return row

    def open(self, row: int) -> None:
        """Show the patient's other studies below a row."""
        others = self._hits.others.get(self._visible[row], ())
        if not others or self.is_open(row):
            return
        self._opened.add(self._uid_at(row))
        self.beginInsertRows(QModelIndex(), row + 1, row + len(others))
        self._visible[row + 1 : row + 1] = others
        self._earlier.update(others)
        self.endInsertRows()
        self._repaint(row)

    def close(self, row: int) -> None:
        """Put the patient's other studies away."""
        if not self.is_open(row):
            return
        self._opened.discard(self._uid_at(row))
        count = self.earlier_count(row)
        self.beginRemoveRows(QModelIndex(), row + 1, row + count)
        self._earlier.difference_update(self._visible[row + 1 : row + 1 + count])
        del self._visible[row + 1 : row + 1 + count]
        self.endRemoveRows()
        self._repaint(row)

    def earlier_rows(self) -> list[int]:
        """Rows that stand below a patient's first."""
        if not self._earlier:
            return []
        return [row for row, at in enumerate(self._visible) if at in self._earlier]

    def short_status_word(self, status: str) -> str:
        """For a row, which has room for the date beside it in a narrow column too."""
        return self.tr("prelim.") if status == "preliminary" else self.status_word(status)

    def status_word(self, status: str) -> str:
        """The word shown beside the status mark."""
        words = {
            "new": self.tr("new"),
            "draft": self.tr("draft"),
            "preliminary": self.tr("preliminary"),
            "signed": self.tr("signed"),
            "addended": self.tr("addended"),
            "corrected": self.tr("corrected"),
        }
        return words.get(status, status)

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._visible)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._visible):
            return None
        row = self.studies.rows[self._visible[index.row()]]
        if role == STUDY_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return self.name_of(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._describe(row, index.row(), "\n")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._describe(row, index.row(), ", ")
        return None

    def name_of(self, row: StudyRow) -> str:
        return row.patient_name or self.tr("(no name)")

    def _find(self, before: list[str] | None = None) -> None:
        """Find again. before: what was shown, where the studies' positions are new."""
        self._hits = self.studies.find(self._filter, self._sort, is_descending=self._is_descending)
        visible, earlier = self._hits.heads, set[int]()
        if self._opened:
            visible = []
            for head in self._hits.heads:
                visible.append(head)
                others = self._hits.others.get(head)
                if others and self.studies.rows[head].study_instance_uid in self._opened:
                    visible.extend(others)
                    earlier.update(others)
        if visible is self._hits.heads:
            visible = visible.copy()  # opening a row changes it
        if before is None:
            is_same = visible == self._visible
        else:
            rows = self.studies.rows
            is_same = before == [rows[at].study_instance_uid for at in visible]
        if is_same:
            self._visible, self._earlier = visible, earlier
            if visible:
                self.dataChanged.emit(self.index(0), self.index(len(visible) - 1))
            return
        self.beginResetModel()
        self._visible, self._earlier = visible, earlier
        self.endResetModel()

    def _shown_uids(self) -> list[str]:
        rows = self.studies.rows
        return [rows[at].study_instance_uid for at in self._visible]

    def _uid_at(self, row: int) -> str:
        return self.studies.rows[self._visible[row]].study_instance_uid

    def _repaint(self, row: int) -> None:
        self.dataChanged.emit(self.index(row), self.index(row))

    def _describe(self, row: StudyRow, number: int, separator: str) -> str:
        films = (
            self.tr("1 film")
            if row.instance_count == 1
            else self.tr("{0} films").format(row.instance_count)
        )
        born = iso_date(row.patient_birth_date)
        others = self.earlier_count(number)
        return join_present(
            self.name_of(row),
            self.tr("ID {0}").format(row.patient_id) if row.patient_id else "",
            join_present(
                self.tr("born {0}").format(born) if born else "",
                age_at(row.patient_birth_date, row.study_date),
                row.patient_sex,
            ),
            join_present(
                iso_date(row.study_date),
                "/".join(row.modalities),
                " ".join(row.views),
                row.study_description,
            ),
            self.tr("accession {0}").format(row.accession_number) if row.accession_number else "",
            join_present(films, self.status_word(row.status)),
            self.tr("{0} more of this patient").format(others) if others else "",
            separator=separator,
        )
