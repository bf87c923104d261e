"""Studies and their films: what was imported, and how far the report is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    select,
    update,
)

from workstation.catalog.database import database_path, read_transaction, write_transaction
from workstation.catalog.schema import (
    AddendumRecord,
    Base,
    InstanceRecord,
    ReportRecord,
    ReportVersionRecord,
    SignatureRecord,
    StudyRecord,
    table_of,
)
from workstation.dicom.film import InstanceHeader
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.view_position import FRONTAL_VIEWS

StudyStatus = Literal["new", "draft", "preliminary", "signed", "addended", "corrected"]

_PATHS_A_QUERY = 500
_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{2})(?:[-/.](\d{2}))?")


class UnknownStudy(KeyError):
    """No study of this Study Instance UID is in the catalog."""

    def __str__(self) -> str:
        return f"no study {self.args[0]} in the catalog"


class PatientConflict(UnreadableInstance):
    """The file carries the Study Instance UID of another patient's study; it was not added."""


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One line of the study list. Dates are "YYYYMMDD" or "". modalities: e.g. ("CR",); views:
    e.g. ("PA", "LL"), without blanks. search_text: folded, what a search looks in."""

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
    views: tuple[str, ...] = ()
    is_removed: bool = False
    search_text: str = field(default="", repr=False, compare=False)


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

    @property
    def engine(self) -> Engine:
        """Of the database behind, for services that write more than one table at a time."""
        return self._engine

    @property
    def folder(self) -> Path:
        """The data folder: where the database is, and what belongs to it."""
        return database_path(self._engine).parent

    def add_instance(
        self, header: InstanceHeader, path: Path, *, connection: Connection | None = None
    ) -> bool:
        """Add a film; False if its SOP Instance UID is there already (then nothing changes, but
        that a study taken off the list is listed again).

        connection: a ``write_transaction`` to take part in, e.g. with the import's audit row.
        Raises PatientConflict where the study is there under another Patient ID.
        """
        with nullcontext(connection) if connection else write_transaction(self._engine) as opened:
            known = opened.execute(_FIND_INSTANCE, {"uid": header.sop_instance_uid}).one_or_none()
            if known is not None:
                if known.removed_at:
                    _list_again(opened, known.study_instance_uid)
                return False
            _add_study(opened, header, path)
            size, mtime_ns = file_state(path)
            row = {
                **_shared_columns(header, InstanceRecord),
                "path": str(Path(path).absolute()),
                "added_at": _utc_now(),
                "file_size": size,
                "file_mtime_ns": mtime_ns,
            }
            opened.execute(_ADD_INSTANCE, row)
            return True

    def find_unchanged(self, paths: Sequence[Path]) -> dict[Path, tuple[str, str]]:
        """(Study, SOP Instance UID) of those of these files that are in the catalog and have the
        size and time of change that they had when they were read; studies off the list left out."""
        found: dict[Path, tuple[str, str]] = {}
        record = InstanceRecord
        query = (
            select(
                record.path,
                record.study_instance_uid,
                record.sop_instance_uid,
                record.file_size,
                record.file_mtime_ns,
            )
            .join(StudyRecord, StudyRecord.study_instance_uid == record.study_instance_uid)
            .where(StudyRecord.removed_at == "", record.file_size > 0)
        )
        with read_transaction(self._engine) as connection:
            for start in range(0, len(paths), _PATHS_A_QUERY):
                asked = [str(path) for path in paths[start : start + _PATHS_A_QUERY]]
                for row in connection.execute(query.where(record.path.in_(asked))):
                    if file_state(Path(row.path)) == (row.file_size, row.file_mtime_ns):
                        uids = (row.study_instance_uid, row.sop_instance_uid)
                        found[Path(row.path)] = uids
        return found

    def list_studies(self, search: str = "", *, with_removed: bool = False) -> list[StudyRow]:
        """Newest first. Every word of search must be in the name, id, accession or date.

        with_removed: also studies off the list, whose signed reports are kept.
        """
        wanted = select(StudyRecord.study_instance_uid)
        if not with_removed:
            wanted = wanted.where(StudyRecord.removed_at == "")
        words = search_words(search)
        for word in words:
            # instr takes the word literally: % and _ are no wildcards here.
            wanted = wanted.where(func.instr(StudyRecord.search_text, word) > 0)
        query = _study_query(wanted, counts_few=bool(words))
        with read_transaction(self._engine) as connection:
            return [_study_row(*row) for row in connection.execute(query)]

    def study(self, study_instance_uid: str) -> StudyRow:
        """Raises UnknownStudy."""
        wanted = select(StudyRecord.study_instance_uid).where(
            StudyRecord.study_instance_uid == study_instance_uid
        )
        query = _study_query(wanted, counts_few=True)
        with read_transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownStudy(study_instance_uid)
        return _study_row(*row)

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


def file_state(path: Path) -> tuple[int, int]:
    """Size in bytes and time of change in ns; (0, 0) for a file that is not there."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _list_again(connection: Connection, study_instance_uid: str) -> None:
    study = StudyRecord
    is_it = study.study_instance_uid == study_instance_uid
    connection.execute(update(study).where(is_it).values(removed_at=""))


def _add_study(connection: Connection, header: InstanceHeader, path: Path) -> None:
    known = connection.execute(_FIND_STUDY, {"uid": header.study_instance_uid}).one_or_none()
    if known is None:
        row = {
            **_shared_columns(header, StudyRecord),
            "search_text": make_search_text(
                header.patient_name, header.patient_id, header.accession_number, header.study_date
            ),
            "added_at": _utc_now(),
            "removed_at": "",
        }
        connection.execute(_ADD_STUDY, row)
    elif known.patient_id != header.patient_id:
        reason = (
            f"its study is already there for another patient (Patient ID {known.patient_id!r}, "
            f"in this file {header.patient_id!r}); it was not added"
        )
        raise PatientConflict(path, reason)
    elif known.removed_at:
        _list_again(connection, header.study_instance_uid)


# Made once: building these for each of ten thousand films takes longer than running them.
_FIND_INSTANCE = (
    select(InstanceRecord.study_instance_uid, StudyRecord.removed_at)
    .join(StudyRecord, StudyRecord.study_instance_uid == InstanceRecord.study_instance_uid)
    .where(InstanceRecord.sop_instance_uid == bindparam("uid"))
)
_FIND_STUDY = select(StudyRecord.patient_id, StudyRecord.removed_at).where(
    StudyRecord.study_instance_uid == bindparam("uid")
)
_ADD_STUDY = insert(table_of(StudyRecord))
_ADD_INSTANCE = insert(table_of(InstanceRecord))


def _shared_columns(header: InstanceHeader, record: type[Base]) -> dict[str, Any]:
    """The header's fields that the table has under the same name, storable as UTF-8."""
    return {name: _storable(getattr(header, name)) for name in _shared_names(record)}


@lru_cache
def _shared_names(record: type[Base]) -> tuple[str, ...]:
    names = {field.name for field in fields(InstanceHeader)}
    return tuple(column.name for column in table_of(record).columns if column.name in names)


def _storable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _utc_now() -> str:
    return datetime.now(UTC).isoformat()


def fold_text(text: str) -> str:
    """Case, width and composition made equal: ÅSTRÖM finds Åström, ＹＡＭＡＤＡ finds Yamada."""
    folded = unicodedata.normalize("NFKC", str(_storable(text))).casefold()
    return unicodedata.normalize("NFKC", folded).replace("^", " ")


def make_search_text(
    patient_name: str, patient_id: str, accession_number: str, study_date: str
) -> str:
    """What a search looks in: each of these folded, the date with and without dashes."""
    date = study_date
    dashed = f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else ""
    fields = (patient_name, patient_id, accession_number, date, dashed)
    return "\n".join(fold_text(text) for text in fields)


def search_words(search: str) -> list[str]:
    """The folded words of a search, each to be found in a `search_text`."""
    return [_dash_date(word) for word in fold_text(search).split()]


def _dash_date(word: str) -> str:
    """2026/04/12 and 2026.04.12 as the dashed date that is stored; anything else as it is."""
    match = _ISO_DATE.fullmatch(word)
    return "-".join(part for part in match.groups() if part) if match else word


def _study_query(wanted: Select[Any], *, counts_few: bool) -> Select[Any]:
    """The rows of the studies wanted. counts_few: they are few of many, so that counting the
    films of all would take most of the time."""
    counted = select(
        InstanceRecord.study_instance_uid,
        func.count().label("instance_count"),
        func.group_concat(InstanceRecord.modality.distinct()).label("modalities"),
        func.group_concat(InstanceRecord.view_position.distinct()).label("views"),
    ).group_by(InstanceRecord.study_instance_uid)
    if counts_few:
        counted = counted.where(InstanceRecord.study_instance_uid.in_(wanted))
    films = counted.subquery()
    is_corrected = exists().where(
        ReportVersionRecord.study_instance_uid == SignatureRecord.study_instance_uid,
        ReportVersionRecord.kind == "corrected",
    )
    has_addendum = exists().where(
        AddendumRecord.study_instance_uid == SignatureRecord.study_instance_uid
    )
    status = case(
        (and_(SignatureRecord.study_instance_uid.is_not(None), is_corrected), "corrected"),
        (and_(SignatureRecord.study_instance_uid.is_not(None), has_addendum), "addended"),
        (SignatureRecord.study_instance_uid.is_not(None), "signed"),
        (ReportRecord.stage == "preliminary", "preliminary"),
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
            study.study_description,
            study.accession_number,
            films.c.modalities,
            func.coalesce(films.c.instance_count, 0).label("instance_count"),
            status.label("status"),
            study.study_time,
            films.c.views,
            study.removed_at,
            study.search_text,
        )
        .outerjoin(films, films.c.study_instance_uid == study.study_instance_uid)
        .outerjoin(ReportRecord, same_report)
        .outerjoin(SignatureRecord, same_signature)
        .where(study.study_instance_uid.in_(wanted))
        .order_by(study.study_date.desc(), study.study_time.desc(), study.added_at.desc())
    )


def _study_row(*columns: Any) -> StudyRow:
    """The columns of `_study_query`, which are in the order of StudyRow's fields."""
    *first, modalities, count, status, time, views, removed_at, search_text = columns
    values: tuple[Any, ...] = (
        *first,
        _split_distinct(modalities or ""),
        count,
        status,
        time,
        _split_distinct(views or ""),
        bool(removed_at),
        search_text,
    )
    return StudyRow(*values)


@lru_cache(maxsize=1024)
def _split_distinct(joined: str) -> tuple[str, ...]:
    # Cached: a hundred thousand studies share a few dozen of these tuples.
    return tuple(sorted(filter(None, joined.split(","))))
