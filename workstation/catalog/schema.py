"""Tables of ``echo.sqlite3``, and the triggers that keep signed and audited rows as they are.

One file for studies, reports and audit, so that a signature and its audit row commit together.
"""

from __future__ import annotations

import os
from collections.abc import Set
from typing import Any

from sqlalchemy import CheckConstraint, Dialect, ForeignKey, Table, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA_VERSION = 6  # PRAGMA user_version; raise it with every change of this module
APPLICATION_ID = 0x4543484F  # PRAGMA application_id: "ECHO"
GENESIS_HASH = "0" * 64  # previous_hash of the first audit row, and the head of an empty log


class PathText(TypeDecorator[str]):
    """A file name as text; as bytes where it isn't valid Unicode (PEP 383), so it comes back."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return os.fsencode(value)
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return os.fsdecode(value) if isinstance(value, bytes) else value


class Base(DeclarativeBase):
    pass


def table_of(record: type[Base]) -> Table:
    """The plain table of a record: statements on it skip the mapper, and cost half."""
    table = record.__table__
    assert isinstance(table, Table)
    return table


class StudyRecord(Base):
    """General Study and Patient modules (PS3.3 C.7.1.1, C.7.2.1) as displayable text."""

    __tablename__ = "study"

    study_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    patient_name: Mapped[str]
    patient_id: Mapped[str]
    patient_birth_date: Mapped[str]
    patient_sex: Mapped[str]
    study_date: Mapped[str]
    study_time: Mapped[str]
    study_description: Mapped[str]
    accession_number: Mapped[str]
    search_text: Mapped[str]  # what list_studies looks in, case-folded
    added_at: Mapped[str]
    # Since version 3: when a study with a signed report was taken off the list, "" while listed.
    removed_at: Mapped[str] = mapped_column(default="", server_default="")


class InstanceRecord(Base):
    """One film file. Order of import is the rowid's."""

    __tablename__ = "instance"

    sop_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("study.study_instance_uid"), index=True
    )
    series_instance_uid: Mapped[str]
    sop_class_uid: Mapped[str]
    modality: Mapped[str]
    view_position: Mapped[str]
    image_laterality: Mapped[str]
    rows: Mapped[int]
    columns: Mapped[int]
    source_format: Mapped[str]
    path: Mapped[str] = mapped_column(PathText, index=True)
    added_at: Mapped[str]
    # Since version 3: the file as it was when it was read, 0 where nobody looked.
    file_size: Mapped[int] = mapped_column(default=0, server_default="0")
    file_mtime_ns: Mapped[int] = mapped_column(default=0, server_default="0")


class WatchedFileRecord(Base):
    """A file of a watched folder that was dealt with (since version 3), as it was then: looked at
    again only when it has changed. reason: why it was refused, "" if it was not."""

    __tablename__ = "watched_file"

    path: Mapped[str] = mapped_column(PathText, primary_key=True)
    file_size: Mapped[int]
    file_mtime_ns: Mapped[int]
    reason: Mapped[str]
    seen_at: Mapped[str]


class MeasurementRecord(Base):
    """What is drawn on a film (since version 2). measurements: JSON of reading.measurements."""

    __tablename__ = "measurement"

    sop_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("instance.sop_instance_uid", ondelete="CASCADE"), primary_key=True
    )
    measurements: Mapped[str]
    updated_at: Mapped[str]


class DisplayStateRecord(Base):
    """How the reader left a film (since version 5). state: JSON of reading.display_state."""

    __tablename__ = "display_state"

    sop_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("instance.sop_instance_uid", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[str]
    updated_at: Mapped[str]


class KeyViewRecord(Base):
    """What a reader kept of a film as key images (since version 6). views: JSON of
    reading.key_views."""

    __tablename__ = "key_view"

    sop_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("instance.sop_instance_uid", ondelete="CASCADE"), primary_key=True
    )
    views: Mapped[str]
    updated_at: Mapped[str]


class ReportRecord(Base):
    """The report as it is now. state: canonical JSON of reporting.ReportState."""

    __tablename__ = "report"

    study_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("study.study_instance_uid"), primary_key=True
    )
    state: Mapped[str]
    updated_at: Mapped[str]
    model_name: Mapped[str] = mapped_column(default="")
    model_sha256: Mapped[str] = mapped_column(default="")
    decoding: Mapped[str] = mapped_column(default="{}")
    ai_findings: Mapped[str] = mapped_column(default="")
    ai_impression: Mapped[str] = mapped_column(default="")
    image_sha256: Mapped[str] = mapped_column(default="[]")
    # Since version 4. stage: "draft" or "preliminary"; a signature is what makes it final.
    # first_audit_row: of its first save; versions from before are of a report that was removed.
    stage: Mapped[str] = mapped_column(default="draft", server_default="draft")
    first_audit_row: Mapped[int] = mapped_column(default=0, server_default="0")


class SignatureRecord(Base):
    """The signature of a report; its presence is what makes the report signed."""

    __tablename__ = "signature"

    study_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("report.study_instance_uid"), primary_key=True
    )
    signer: Mapped[str]
    signed_at: Mapped[str]
    meaning: Mapped[str]
    text_sha256: Mapped[str]
    state_sha256: Mapped[str]
    audit_row: Mapped[int]
    audit_head: Mapped[str]


class AddendumRecord(Base):
    __tablename__ = "addendum"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("signature.study_instance_uid"), index=True
    )
    author: Mapped[str]
    added_at: Mapped[str]
    text: Mapped[str]
    audit_row: Mapped[int]
    # Since version 4: the head of the chain with this addendum's row, "" on older ones.
    audit_head: Mapped[str] = mapped_column(default="", server_default="")


class ReportVersionRecord(Base):
    """A report as it stood at a moment that counts (since version 4); never changed.

    kind: "ai-draft" (taken over), "preliminary", "final", "corrected" or "set-aside" (it counts for
    nothing). state: canonical JSON. origin: canonical JSON of the AI draft it came from, "{}"
    without one. reason: why a final report was corrected, or this one set aside. audit_head: the
    chain's head with audit_row. No foreign key: a version outlives the draft of a study that is
    removed, as its audit rows do.
    """

    __tablename__ = "report_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    author: Mapped[str]
    role: Mapped[str]
    created_at: Mapped[str]
    meaning: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]
    origin: Mapped[str]
    text_sha256: Mapped[str]
    state_sha256: Mapped[str]
    audit_row: Mapped[int]
    audit_head: Mapped[str]


class CorrectionRecord(Base):
    """The correction of a signed report while it is being written (since version 4); the row goes
    when the correction is signed or given up. state, origin: canonical JSON."""

    __tablename__ = "correction"

    study_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("signature.study_instance_uid"), primary_key=True
    )
    state: Mapped[str]
    origin: Mapped[str]
    reason: Mapped[str]
    author: Mapped[str]
    started_at: Mapped[str]
    updated_at: Mapped[str]


class AccountRecord(Base):
    """Who may work here (since version 4). name: what is typed to log in, folded. roles: sorted,
    with commas. secret_hash: argon2id, in the PHC string format, of a password or a PIN."""

    __tablename__ = "account"

    name: Mapped[str] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    roles: Mapped[str]
    secret_kind: Mapped[str]
    secret_hash: Mapped[str]
    must_change: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[str] = mapped_column(default="")
    created_at: Mapped[str]
    changed_at: Mapped[str]
    deactivated_at: Mapped[str] = mapped_column(default="")


class AuditRecord(Base):
    """One audit row. details: canonical JSON, hashed as the text it is."""

    __tablename__ = "audit_entry"

    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recorded_at: Mapped[str]
    event: Mapped[str]
    user: Mapped[str]
    study_instance_uid: Mapped[str] = mapped_column(index=True)
    details: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class AuditHeadRecord(Base):
    """Number and hash of the newest audit row: what shows that rows were cut off the end."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row: Mapped[int]
    hash: Mapped[str]


# INSERT OR REPLACE deletes without firing DELETE triggers unless recursive_triggers is on, and
# other tools leave it off; a BEFORE INSERT trigger runs before REPLACE resolves the conflict.
def _protect(name: str, timing: str, table: str, condition: str, message: str) -> tuple[str, str]:
    when = f" WHEN {condition}" if condition else ""
    body = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    return name, f"CREATE TRIGGER {name} BEFORE {timing} ON {table}{when} {body}"


def _protect_rows(table: str, key: str, message: str) -> list[tuple[str, str]]:
    """No update, no delete, no replace."""
    is_there = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"
    return [
        _protect(f"{table}_no_update", "UPDATE", table, "", message),
        _protect(f"{table}_no_delete", "DELETE", table, "", message),
        _protect(f"{table}_no_replace", "INSERT", table, is_there, message),
    ]


def _signed(which: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM signature "
        f"WHERE signature.study_instance_uid = {which}.study_instance_uid)"
    )


def triggers_of(tables: Set[str]) -> list[str]:
    """The triggers on these tables, as SQL."""
    return [sql for sql in TRIGGERS.values() if trigger_table(sql) in tables]


def trigger_table(sql: str) -> str:
    """The table a trigger of TRIGGERS is on."""
    return sql.partition(" ON ")[2].split(maxsplit=1)[0]


_SIGNED_REPORT = "a signed report can not be changed"
TRIGGERS: dict[str, str] = dict(
    [
        *_protect_rows("audit_entry", "row", "the audit log is append-only"),
        *_protect_rows("signature", "study_instance_uid", "a signature can not be changed"),
        *_protect_rows("addendum", "id", "an addendum can not be changed"),
        *_protect_rows("report_version", "id", "a version of a report can not be changed"),
        *_protect_rows("account", "name", "an account can only be deactivated")[1:],
        _protect(
            "audit_entry_in_order",
            "INSERT",
            "audit_entry",
            "NOT EXISTS (SELECT 1 FROM audit_head"
            " WHERE NEW.row = audit_head.row + 1 AND NEW.previous_hash = audit_head.hash)",
            "an audit row must follow the head",
        ),
        _protect(
            "audit_head_follows",
            "UPDATE",
            "audit_head",
            "NEW.id <> 1 OR NEW.row <> OLD.row + 1 OR NOT EXISTS (SELECT 1 FROM audit_entry"
            " WHERE audit_entry.row = NEW.row AND audit_entry.hash = NEW.hash)",
            "the audit head only moves to the next row",
        ),
        _protect("audit_head_no_delete", "DELETE", "audit_head", "", "the audit head stays"),
        _protect(
            "audit_head_no_replace",
            "INSERT",
            "audit_head",
            "EXISTS (SELECT 1 FROM audit_head)",
            "the audit head stays",
        ),
        _protect("report_no_update", "UPDATE", "report", _signed("OLD"), _SIGNED_REPORT),
        _protect("report_no_delete", "DELETE", "report", _signed("OLD"), _SIGNED_REPORT),
        _protect("report_no_replace", "INSERT", "report", _signed("NEW"), _SIGNED_REPORT),
    ]
)
