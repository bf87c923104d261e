"""Take a study off the list: what goes with it, and what never does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from workstation.catalog.schema import InstanceRecord, ReportRecord, SignatureRecord, StudyRecord
from workstation.catalog.study_catalog import UnknownStudy
from workstation.catalog.study_rows import StudyStatus


@dataclass(frozen=True)
class RemovedStudy:
    """films: SOP Instance UID and file of each. status: how far its report was; a signed one is
    kept, a preliminary one too, and the study stays in the database, off the list."""

    study_instance_uid: str
    status: StudyStatus
    films: tuple[tuple[str, Path], ...]

    @property
    def keeps_report(self) -> bool:
        return self.status not in ("new", "draft")


def describe_study(connection: Connection, study_instance_uid: str) -> RemovedStudy:
    """What `remove_study` would take off the list. Raises UnknownStudy."""
    uid = study_instance_uid
    is_there = select(StudyRecord.study_instance_uid).where(StudyRecord.study_instance_uid == uid)
    if connection.execute(is_there).first() is None:
        raise UnknownStudy(uid)
    films = connection.execute(
        select(InstanceRecord.sop_instance_uid, InstanceRecord.path).where(
            InstanceRecord.study_instance_uid == uid
        )
    )
    stage = connection.execute(
        select(ReportRecord.stage).where(ReportRecord.study_instance_uid == uid)
    ).scalar_one_or_none()
    status: StudyStatus = "new" if stage is None else "draft"
    if stage == "preliminary":
        status = "preliminary"
    signed = select(SignatureRecord.signer).where(SignatureRecord.study_instance_uid == uid)
    if connection.execute(signed).first() is not None:
        status = "signed"
    return RemovedStudy(uid, status, tuple((sop_uid, Path(path)) for sop_uid, path in films))


def remove_study(connection: Connection, study_instance_uid: str) -> RemovedStudy:
    """In a `write_transaction`: a study that is not signed goes with its films, measurements and
    draft; one that keeps its report keeps everything and is no longer listed. No file is
    touched."""
    removed = describe_study(connection, study_instance_uid)
    uid = study_instance_uid
    if removed.keeps_report:
        off = update(StudyRecord).where(StudyRecord.study_instance_uid == uid)
        connection.execute(off.values(removed_at=datetime.now(UTC).isoformat()))
        return removed
    for record in (ReportRecord, InstanceRecord, StudyRecord):  # measurements go with instances
        connection.execute(delete(record).where(record.study_instance_uid == uid))
    return removed
