"""Reports in the catalog: a draft and the audit rows of its edits are saved in one transaction."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.dialects.sqlite import insert

from workstation.audit.audit_chain import canonical_json, storable_text
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import (
    CatalogUnavailable,
    database_path,
    read_transaction,
    write_transaction,
)
from workstation.catalog.schema import AddendumRecord, ReportRecord, SignatureRecord, StudyRecord
from workstation.catalog.study_catalog import UnknownStudy
from workstation.reporting.report_state import (
    SECTIONS,
    Edit,
    ReportSigned,
    ReportState,
    state_from_json,
    state_to_json,
)


@dataclass(frozen=True)
class DraftOrigin:
    """Where an AI draft came from: kept with the report until it is drafted again.

    decoding: JSON-able decoding settings (mode, steps, threshold ...).
    """

    model_sha256: str
    decoding: Mapping[str, Any]
    ai_findings: str
    ai_impression: str
    model_name: str = ""
    image_sha256: tuple[str, ...] = ()


@dataclass(frozen=True)
class Addendum:
    author: str
    added_at: str  # UTC, ISO 8601
    text: str


@dataclass(frozen=True)
class StoredReport:
    """A report as saved. signed_by and signed_at (UTC, ISO 8601) are "" while it is a draft."""

    study_instance_uid: str
    state: ReportState
    status: Literal["draft", "signed"]
    updated_at: str = ""  # UTC, ISO 8601
    signed_by: str = ""
    signed_at: str = ""
    model_sha256: str = ""
    model_name: str = ""
    decoding: Mapping[str, Any] = field(default_factory=dict)
    ai_findings: str = ""
    ai_impression: str = ""
    image_sha256: tuple[str, ...] = ()
    addenda: tuple[Addendum, ...] = ()


class ReportStore:
    """Loads and saves reports. user: who the edits are audited as (None: the login name)."""

    def __init__(self, engine: Engine, audit: AuditLog, user: str | None = None) -> None:
        self._engine = engine
        self._audit = audit
        self._user = user if user is not None else login_name()

    def load(self, study_instance_uid: str) -> StoredReport | None:
        """The saved report, or None if there is none. Raises CatalogUnavailable."""
        report, signature = ReportRecord.__table__, SignatureRecord.__table__
        query = (
            select(report, signature.c.signer, signature.c.signed_at)
            .outerjoin(signature, signature.c.study_instance_uid == report.c.study_instance_uid)
            .where(report.c.study_instance_uid == study_instance_uid)
        )
        addenda = (
            select(AddendumRecord.author, AddendumRecord.added_at, AddendumRecord.text)
            .where(AddendumRecord.study_instance_uid == study_instance_uid)
            .order_by(AddendumRecord.id)
        )
        with read_transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
            added = tuple(Addendum(*each) for each in connection.execute(addenda))
        if row is None:
            return None
        with damage_named(self._engine, study_instance_uid):
            return _stored_report(row, added)

    def save_draft(
        self,
        study_instance_uid: str,
        state: ReportState,
        edits: Sequence[Edit],
        *,
        origin: DraftOrigin | None = None,
    ) -> None:
        """Save the state and audit every edit, both or neither.

        origin: given when an AI draft has come in since the last save; None keeps the one stored.
        A section that differs from the saved one without an edit to explain it is audited as
        "text". Raises CatalogUnavailable (nothing saved; call again), ReportSigned, UnknownStudy.
        """
        with write_transaction(self._engine) as connection:
            saved = self._saved_state(connection, study_instance_uid)
            audited = [*edits, *_unexplained_edits(saved or ReportState(), state, edits)]
            if origin is None and not audited and saved == state:
                return
            for edit in audited:
                details: dict[str, Any] = asdict(edit)
                if origin is not None and edit.kind == "draft":
                    details |= {"model_sha256": origin.model_sha256, "decoding": origin.decoding}
                self._audit.append(
                    "edit",
                    user=self._user,
                    study_instance_uid=study_instance_uid,
                    details=details,
                    connection=connection,
                )
            _upsert_report(connection, study_instance_uid, state, origin)

    def _saved_state(self, connection: Connection, study_uid: str) -> ReportState | None:
        require_unsigned(connection, study_uid)
        has_study = select(StudyRecord.study_instance_uid).where(
            StudyRecord.study_instance_uid == study_uid
        )
        if connection.execute(has_study).first() is None:
            raise UnknownStudy(study_uid)
        query = select(ReportRecord.state).where(ReportRecord.study_instance_uid == study_uid)
        saved = connection.execute(query).scalar_one_or_none()
        try:
            return None if saved is None else state_from_json(saved)
        except ValueError:
            return None  # damaged: what is on screen now is audited whole, and replaces it


def login_name() -> str:
    """The operating system's user, "unknown" where it has no name (some containers)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


@contextmanager
def damage_named(engine: Engine, study_instance_uid: str) -> Iterator[None]:
    """A saved report that can't be parsed as CatalogUnavailable, naming the study."""
    try:
        yield
    except ValueError as error:
        reason = f"the saved report of study {study_instance_uid} is damaged"
        raise CatalogUnavailable(database_path(engine), reason) from error


def require_unsigned(connection: Connection, study_instance_uid: str) -> None:
    """Raises ReportSigned if the study's report carries a signature."""
    query = select(SignatureRecord.signer).where(
        SignatureRecord.study_instance_uid == study_instance_uid
    )
    if connection.execute(query).first() is not None:
        raise ReportSigned(study_instance_uid)


def _unexplained_edits(saved: ReportState, state: ReportState, edits: Sequence[Edit]) -> list[Edit]:
    explained = {edit.section for edit in edits}
    return [
        Edit("text", section, saved.text(section), state.text(section))
        for section in SECTIONS
        if section not in explained and saved.sentences(section) != state.sentences(section)
    ]


def _upsert_report(
    connection: Connection, study_uid: str, state: ReportState, origin: DraftOrigin | None
) -> None:
    columns: dict[str, Any] = {
        "state": state_to_json(state),
        "updated_at": datetime.now(UTC).isoformat(),
    }
    if origin is not None:
        columns |= {
            "model_name": origin.model_name,
            "model_sha256": origin.model_sha256,
            "decoding": canonical_json(origin.decoding),
            "ai_findings": storable_text(origin.ai_findings),
            "ai_impression": storable_text(origin.ai_impression),
            "image_sha256": json.dumps(origin.image_sha256),
        }
    statement = insert(ReportRecord).values(study_instance_uid=study_uid, **columns)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["study_instance_uid"], set_=columns)
    )


def _stored_report(row: Row[Any], addenda: tuple[Addendum, ...]) -> StoredReport:
    return StoredReport(
        study_instance_uid=row.study_instance_uid,
        state=state_from_json(row.state),
        status="signed" if row.signer is not None else "draft",
        updated_at=row.updated_at,
        signed_by=row.signer or "",
        signed_at=row.signed_at or "",
        model_sha256=row.model_sha256,
        model_name=row.model_name,
        decoding=json.loads(row.decoding),
        ai_findings=row.ai_findings,
        ai_impression=row.ai_impression,
        image_sha256=tuple(json.loads(row.image_sha256)),
        addenda=addenda,
    )
