"""Studies and their films: what was imported, and how far the report is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)

from workstation.catalog.database import database_path, read_transaction, write_transaction
from workstation.catalog.schema import (
    Base,
    InstanceRecord,
    StudyRecord,
    table_of,
)
from workstation.catalog.storable_text import storable_text
from workstation.catalog.study_rows import InstanceRow, StudyRow, make_study_row, query_studies
from workstation.catalog.study_search import fold_text, make_search_text, search_words
from workstation.dicom.film import InstanceHeader
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.view_position import FRONTAL_VIEWS

_PATHS_A_QUERY = 500


class UnknownStudy(KeyError):
    """No study of this Study Instance UID is in the catalog."""

    def __str__(self) -> str:
        return f"no study {self.args[0]} in the catalog"


class InstanceConflict(UnreadableInstance):
    """The file contradicts what the catalog knows; it was not added."""


class PatientConflict(InstanceConflict):
    """The file carries the Study Instance UID of another patient's study; it was not added."""


class DuplicateUid(InstanceConflict):
    """The file carries the SOP Instance UID of another film; it was not added."""


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
        Raises PatientConflict where the study is certainly another patient's, DuplicateUid where
        the film of that UID is another one: to call it known would lose this one.
        """
        with nullcontext(connection) if connection else write_transaction(self._engine) as opened:
            known = opened.execute(_FIND_INSTANCE, {"uid": header.sop_instance_uid}).one_or_none()
            if known is not None:
                _check_same_film(known, header, path)
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

    def lists_file(self, path: Path, connection: Connection) -> bool:
        """Whether a film of the catalog is in this file."""
        query = select(InstanceRecord.sop_instance_uid).where(InstanceRecord.path == str(path))
        return connection.execute(query).first() is not None

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
        query = query_studies(wanted, counts_few=bool(words))
        with read_transaction(self._engine) as connection:
            return [make_study_row(*row) for row in connection.execute(query)]

    def study(self, study_instance_uid: str) -> StudyRow:
        """Raises UnknownStudy."""
        wanted = select(StudyRecord.study_instance_uid).where(
            StudyRecord.study_instance_uid == study_instance_uid
        )
        query = query_studies(wanted, counts_few=True)
        with read_transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownStudy(study_instance_uid)
        return make_study_row(*row)

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
    elif contradiction := find_contradiction(known, header):
        reason = (
            f"its study is already there for another patient ({contradiction}); it was not added"
        )
        raise PatientConflict(path, reason)
    elif known.removed_at:
        _list_again(connection, header.study_instance_uid)


def _check_same_film(known: Any, header: InstanceHeader, path: Path) -> None:
    """Raises DuplicateUid. A picture may have been described since: then the catalog knows more
    of it than its file does."""
    if header.source_format != "DICOM":
        return
    difference = find_contradiction(known, header)
    if known.study_instance_uid != header.study_instance_uid:
        difference = f"of study {known.study_instance_uid}"
    elif (known.rows, known.columns) != (header.rows, header.columns):
        difference = f"of {known.rows} x {known.columns} pixels"
    if difference:
        reason = (
            f"its SOP Instance UID {header.sop_instance_uid} is already there for another film "
            f"({difference}); it was not added"
        )
        raise DuplicateUid(path, reason)


def find_contradiction(known: Any, header: InstanceHeader) -> str:
    """What shows that a study's patient is not the file's; "" where nothing does. known: a row with
    the columns of PATIENT, or another header.

    One Patient ID for two people is told by name and birth date; a name alone may be spelled anew,
    and counts only where there is no ID at all.
    """
    if known.patient_id != storable_text(header.patient_id):
        return f"Patient ID {known.patient_id!r}, in this file {header.patient_id!r}"
    names = _name_words(known.patient_name), _name_words(header.patient_name)
    is_other_name = all(names) and names[0] != names[1]
    dates = known.patient_birth_date, header.patient_birth_date
    is_other_date = all(dates) and dates[0] != dates[1]
    if (is_other_name and is_other_date) or (is_other_name and not header.patient_id):
        return "the same Patient ID, but another name" + " and birth date" * is_other_date
    return ""


def _name_words(name: str) -> list[str]:
    return fold_text(name).replace(",", " ").split()


# Made once: building these for each of ten thousand films takes longer than running them.
PATIENT = (StudyRecord.patient_id, StudyRecord.patient_name, StudyRecord.patient_birth_date)
_FIND_INSTANCE = (
    select(
        InstanceRecord.study_instance_uid,
        InstanceRecord.rows,
        InstanceRecord.columns,
        StudyRecord.removed_at,
        *PATIENT,
    )
    .join(StudyRecord, StudyRecord.study_instance_uid == InstanceRecord.study_instance_uid)
    .where(InstanceRecord.sop_instance_uid == bindparam("uid"))
)
_FIND_STUDY = select(StudyRecord.removed_at, *PATIENT).where(
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
    return storable_text(value) if isinstance(value, str) else value


def _utc_now() -> str:
    return datetime.now(UTC).isoformat()
