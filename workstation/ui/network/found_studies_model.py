"""The studies a server found, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workstation.network.study_query import FoundStudy

AnyIndex = QModelIndex | QPersistentModelIndex


class FoundStudiesModel(QAbstractTableModel):
    """One row a study; the first column says what became of it, or whether it is here already."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.studies: tuple[FoundStudy, ...] = ()
        self._notes: dict[str, str] = {}
        self._headings = (
            "",
            self.tr("Patient"),
            self.tr("ID"),
            self.tr("Born"),
            self.tr("Date"),
            self.tr("Modality"),
            self.tr("Study"),
            self.tr("Films"),
        )

    def set_studies(self, studies: Sequence[FoundStudy], notes: dict[str, str]) -> None:
        """notes: words for the first column, by Study Instance UID."""
        self.beginResetModel()
        self.studies, self._notes = tuple(studies), dict(notes)
        self.endResetModel()

    def set_note(self, study_instance_uid: str, note: str) -> None:
        self._notes[study_instance_uid] = note
        for row, study in enumerate(self.studies):
            if study.study_instance_uid == study_instance_uid:
                index = self.index(row, 0)
                self.dataChanged.emit(index, index)

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.studies)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._headings)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section]
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        study = self.studies[index.row()]
        return (
            self._notes.get(study.study_instance_uid, ""),
            study.patient_name,
            study.patient_id,
            _dashed(study.patient_birth_date),
            _dashed(study.study_date),
            ", ".join(study.modalities),
            study.study_description,
            str(study.instance_count or ""),
        )[index.column()]


def _dashed(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else date
