"""Studies and their films: what was imported, and how far the report is."""

from __future__ import annotations

import re
import unicodedata
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Engine, Select, case, func, insert, select

from workstation.catalog.database import read_transaction, write_transaction
from workstation.catalog.schema import InstanceRecord, ReportRecord, SignatureRecord, StudyRecord
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.view_position import FRONTAL_VIEWS

if TYPE_CHECKING:
    from workstation.dicom.instance_reader import InstanceHeader

StudyStatus = Literal["new", "draft", "signed"]

_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{2})(?:[-/.](\d{2}))?")


class UnknownStudy(KeyError):
    """No study of this Study Instance UID is in the catalog."""

    def __str__(self) -> str:
        return f"no study {self.args[0]} in the catalog"


class PatientConflict(UnreadableInstance):
    """The file carries the Study Instance UID of another patient's study; it was not added."""


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
        self._engine = engine

    def add_instance(
        self, header: InstanceHeader, path: Path, *, connection: Connection | None = None
    ) -> bool:
        """Add a film; False if its SOP Instance UID is there already (nothing changes then).

        connection: a ``write_transaction`` to take part in, e.g. with the import's audit row.
        Raises PatientConflict where the study is there under another Patient ID.
        """
        with nullcontext(connection) if connection else write_transaction(self._engine) as opened:
            is_known = select(InstanceRecord.sop_instance_uid).where(
                InstanceRecord.sop_instance_uid == header.sop_instance_uid
            )
            if opened.execute(is_known).first():
                return False
            _add_study(opened, header, path)
            columns = _shared_columns(header, InstanceRecord)
            opened.execute(
                insert(InstanceRecord).values(
                    **columns, path=str(Path(path).absolute()), added_at=_utc_now()
                )
            )
            return True

    def list_studies(self, search: str = "") -> list[StudyRow]:
        """Newest first. Every word of search must be in the name, id, accession or date."""
        query = _study_query()
        for word in _search_words(search):
            # instr takes the word literally: % and _ are no wildcards here.
            query = query.where(func.instr(StudyRecord.search_text, word) > 0)
        with read_transaction(self._engine) as connection:
            return [_study_row(row._asdict()) for row in connection.execute(query)]

    def study(self, study_instance_uid: str) -> StudyRow:
        """Raises UnknownStudy."""
        query = _study_query().where(StudyRecord.study_instance_uid == study_instance_uid)
        with read_transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownStudy(study_instance_uid)
        return _study_row(row._asdict())

    def instances(self, study_instance_uid: str) -> list[InstanceRow]:
        """The study's films, frontal views first, then in the order they were added."""
        record = InstanceRecord
        query = (
            select(
                record.sop_instance_uid,
                record.path,
                record.view_position,
                record.series_instance_uid,
                record.modality,
                record.image_laterality,
                record.rows,
                record.columns,
                record.source_format,
            )
            .where(record.study_instance_uid == study_instance_uid)
            .order_by(case((record.view_position.in_(FRONTAL_VIEWS), 0), else_=1), record.added_at)
        )
        with read_transaction(self._engine) as connection:
            rows = connection.execute(query).all()
        return [InstanceRow(**{**row._asdict(), "path": Path(row.path)}) for row in rows]


def _add_study(connection: Connection, header: InstanceHeader, path: Path) -> None:
    known = connection.execute(
        select(StudyRecord.patient_id, StudyRecord.patient_name).where(
            StudyRecord.study_instance_uid == header.study_instance_uid
        )
    ).one_or_none()
    if known is None:
        columns = _shared_columns(header, StudyRecord)
        search_text = _search_text(header)
        connection.execute(
            insert(StudyRecord).values(**columns, search_text=search_text, added_at=_utc_now())
        )
    elif known.patient_id != header.patient_id:
        reason = (
            f"its study is already there for another patient (Patient ID {known.patient_id!r}, "
            f"in this file {header.patient_id!r}); it was not added"
        )
        raise PatientConflict(path, reason)


def _shared_columns(header: InstanceHeader, record: type) -> dict[str, Any]:
    """The header's fields that the table has under the same name, storable as UTF-8."""
    names = set(record.__table__.columns.keys()) & set(header.__dataclass_fields__)  # type: ignore[attr-defined]
    return {name: _storable(getattr(header, name)) for name in names}


def _storable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _utc_now() -> str:
    return datetime.now(UTC).isoformat()


def _fold(text: str) -> str:
    """Case, width and composition made equal: ÅSTRÖM finds Åström, ＹＡＭＡＤＡ finds Yamada."""
    folded = unicodedata.normalize("NFKC", str(_storable(text))).casefold()
    return unicodedata.normalize("NFKC", folded).replace("^", " ")


def _search_text(header: InstanceHeader) -> str:
    date = header.study_date
    dashed = f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else ""
    fields = (header.patient_name, header.patient_id, header.accession_number, date, dashed)
    return "\n".join(_fold(field) for field in fields)


def _search_words(search: str) -> list[str]:
    return [_dash_date(word) for word in _fold(search).split()]


def _dash_date(word: str) -> str:
    """2026/04/12 and 2026.04.12 as the dashed date that is stored; anything else as it is."""
    match = _ISO_DATE.fullmatch(word)
    return "-".join(part for part in match.groups() if part) if match else word


def _study_query() -> Select[Any]:
    films = (
        select(
            InstanceRecord.study_instance_uid,
            func.count().label("instance_count"),
            func.group_concat(InstanceRecord.modality.distinct()).label("modalities"),
        )
        .group_by(InstanceRecord.study_instance_uid)
        .subquery()
    )
    status = case(
        (SignatureRecord.study_instance_uid.is_not(None), "signed"),
        (ReportRecord.study_instance_uid.is_not(None), "draft"),
        else_="new",
    )
    study = StudyRecord
    same_report = ReportRecord.study_instance_uid == study.study_instance_uid
    same_signature = SignatureRecord.study_instance_uid == study.study_instance_uid
    return (
        select(
            study.study_instance_uid,
            study.patient_name,
            study.patient_id,
            study.patient_birth_date,
            study.patient_sex,
            study.study_date,
            study.study_time,
            study.study_description,
            study.accession_number,
            films.c.modalities,
            func.coalesce(films.c.instance_count, 0).label("instance_count"),
            status.label("status"),
        )
        .outerjoin(films, films.c.study_instance_uid == study.study_instance_uid)
        .outerjoin(ReportRecord, same_report)
        .outerjoin(SignatureRecord, same_signature)
        .order_by(study.study_date.desc(), study.study_time.desc(), study.added_at.desc())
    )


def _study_row(columns: dict[str, Any]) -> StudyRow:
    modalities = sorted(filter(None, (columns["modalities"] or "").split(",")))
    return StudyRow(**{**columns, "modalities": tuple(modalities)})
