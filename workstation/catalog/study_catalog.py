"""Studies and their films: what was imported, and how far the report is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, Engine

if TYPE_CHECKING:
    from workstation.dicom.instance_reader import InstanceHeader

StudyStatus = Literal["new", "draft", "signed"]


class UnknownStudy(KeyError):
    """No study of this Study Instance UID is in the catalog."""

    def __str__(self) -> str:
        return f"no study {self.args[0]} in the catalog"


class PatientConflict(Exception):
    """The file carries the Study Instance UID of another patient's study; it was not added."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class StudyRow:
    """One line of the study list. Dates are "YYYYMMDD" or "". modalities: e.g. ("CR",)."""

    study_instance_uid: str
    patient_name: str
    patient_id: str
    patient_birth_date: str
    patient_sex: str
    study_date: str
    study_description: str
    accession_number: str
    modalities: tuple[str, ...]
    instance_count: int
    status: StudyStatus
    study_time: str = ""


@dataclass(frozen=True)
class InstanceRow:
    """One film of a study, and where its file is."""

    sop_instance_uid: str
    path: Path
    view_position: str
    series_instance_uid: str = ""
    modality: str = ""
    image_laterality: str = ""
    rows: int = 0
    columns: int = 0
    source_format: str = "DICOM"


class StudyCatalog:
    """The catalog's studies. Every method may raise CatalogUnavailable."""

    def __init__(self, engine: Engine) -> None:
        raise NotImplementedError

    def add_instance(
        self, header: InstanceHeader, path: Path, *, connection: Connection | None = None
    ) -> bool:
        """Add a film; False if its SOP Instance UID is there already (nothing changes then).

        connection: a ``write_transaction`` to take part in, e.g. with the import's audit row.
        Raises PatientConflict where the study is there under another Patient ID.
        """
        raise NotImplementedError

    def list_studies(self, search: str = "") -> list[StudyRow]:
        """Newest first. Every word of search must be in the name, id, accession or date."""
        raise NotImplementedError

    def study(self, study_instance_uid: str) -> StudyRow:
        """Raises UnknownStudy."""
        raise NotImplementedError

    def instances(self, study_instance_uid: str) -> list[InstanceRow]:
        """The study's films, frontal views first, then in the order they were added."""
        raise NotImplementedError
