"""Reports in the catalog: a draft and the audit rows of its edits are saved in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update
from sqlalchemy.dialects.sqlite import insert

from workstation.accounts.login_name import login_name
from workstation.audit.audit_chain import canonical_json
from workstation.audit.audit_log import AuditEntry, AuditLog
from workstation.catalog.database import (
    CatalogUnavailable,
    database_path,
    read_transaction,
    write_transaction,
)
from workstation.catalog.schema import (
    AddendumRecord,
    AuditHeadRecord,
    CorrectionRecord,
    ReportRecord,
    SignatureRecord,
    StudyRecord,
)
from workstation.catalog.storable_text import storable_text
from workstation.catalog.study_catalog import UnknownStudy
from workstation.reporting.report_state import (
    SECTIONS,
    Edit,
    ReportChangedElsewhere,
    ReportSigned,
    ReportState,
    report_text,
    state_from_json,
    state_to_json,
)
from workstation.reporting.versions.report_version import (
    NO_ORIGIN,
    DraftOrigin,
    ReportVersion,
    add_version,
    origin_to_json,
    read_versions,
    version_details,
)
from workstation.reporting.versions.stored_report import (
    Addendum,
    OpenCorrection,
    StoredReport,
    make_stored_report,
    read_older_versions,
)


class DamagedReport(CatalogUnavailable):
    """What is saved of one study's report can't be read; the others' can."""


@dataclass(frozen=True)
class SaveBasis:
    """What a state was made from: the report as it was loaded or saved last, and which correction
    that belongs to ("" for none)."""

    state: ReportState
    correction_started_at: str = ""


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
            select(
                AddendumRecord.author,
                AddendumRecord.added_at,
                AddendumRecord.text,
                AddendumRecord.audit_row,
            )
            .where(AddendumRecord.study_instance_uid == study_instance_uid)
            .order_by(AddendumRecord.id)
        )
        with (
            read_transaction(self._engine) as connection,
            damage_named(self._engine, study_instance_uid),
        ):
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            added = tuple(Addendum(*each) for each in connection.execute(addenda))
            versions = read_versions(connection, study_instance_uid)
            correction = read_correction(connection, study_instance_uid)
            return make_stored_report(row, added, versions, correction)

    def versions(self, study_instance_uid: str) -> tuple[ReportVersion, ...]:
        """The version history, oldest first. Raises CatalogUnavailable.

        A report signed before there were versions has its AI draft, in one piece, and its final
        text all the same.
        """
        with (
            read_transaction(self._engine) as connection,
            damage_named(self._engine, study_instance_uid),
        ):
            versions = read_versions(connection, study_instance_uid)
            if any(version.kind == "final" for version in versions):
                return versions
            older = (*versions, *read_older_versions(connection, study_instance_uid))
        return tuple(replace(each, number=number) for number, each in enumerate(older, start=1))

    def save_draft(
        self,
        study_instance_uid: str,
        state: ReportState,
        edits: Sequence[Edit],
        *,
        origin: DraftOrigin | None = None,
        basis: SaveBasis | None = None,
    ) -> None:
        """Save the state and audit every edit, both or neither.

        origin: given when an AI draft has come in since the last save, which also writes a
        version; None keeps the one stored. A section that differs from the saved one without an
        edit to explain it is audited as "text". Of a signed report only an open correction is
        saved. basis: what must still be saved there; None takes its place whatever it is. Raises
        CatalogUnavailable (nothing saved; call again), ReportSigned, UnknownStudy,
        ReportChangedElsewhere.
        """
        with write_transaction(self._engine) as connection:
            correction = read_correction_row(connection, study_instance_uid)
            is_correction = correction is not None
            saved = self._saved_state(connection, study_instance_uid, is_correction)
            started_at = correction.started_at if correction is not None else ""
            if basis is not None and not _stands_on(basis, saved, started_at):
                raise ReportChangedElsewhere(study_instance_uid)
            audited = [*edits, *_unexplained_edits(saved or ReportState(), state, edits)]
            if origin is None and not audited and saved == state:
                return
            first_row = 1 + connection.execute(select(AuditHeadRecord.row)).scalar_one()
            for edit in audited:
                details: dict[str, Any] = asdict(edit)
                if origin is not None and edit.kind in ("draft", "redraft"):
                    details |= {"model_sha256": origin.model_sha256, "decoding": origin.decoding}
                self._append(connection, "edit", study_instance_uid, details)
            for override in state.overrides:
                if saved is None or override not in saved.overrides:
                    details = asdict(override)
                    self._append(connection, "check-overridden", study_instance_uid, details)
            state_json = state_to_json(state)
            if origin is not None:
                self._add_ai_draft(connection, study_instance_uid, state, state_json, origin)
            if is_correction:
                _update_correction(connection, study_instance_uid, state_json, origin)
            else:
                _upsert_report(connection, study_instance_uid, state_json, origin, first_row)

    def set_aside(
        self, study_instance_uid: str, state: ReportState, edits: Sequence[Edit], reason: str
    ) -> None:
        """Keep a state that could not be saved, and why, as a version that counts for nothing.

        Raises CatalogUnavailable (nothing kept; call again).
        """
        state_json = state_to_json(state)
        details = version_details(
            "set-aside", self._user, state_json, report_text(state), NO_ORIGIN, reason=reason
        )
        details |= {"text": report_text(state), "edits": [asdict(edit) for edit in edits]}
        with write_transaction(self._engine) as connection:
            entry = self._append(connection, "report-set-aside", study_instance_uid, details)
            add_version(connection, entry, state_json, NO_ORIGIN)

    def _append(
        self, connection: Connection, event: str, study_uid: str, details: Mapping[str, Any]
    ) -> AuditEntry:
        return self._audit.append(
            event,
            user=self._user,
            study_instance_uid=study_uid,
            details=details,
            connection=connection,
        )

    def _add_ai_draft(
        self,
        connection: Connection,
        study_uid: str,
        state: ReportState,
        state_json: str,
        origin: DraftOrigin,
    ) -> None:
        details = version_details("ai-draft", self._user, state_json, report_text(state), origin)
        details["model_sha256"] = origin.model_sha256
        entry = self._append(connection, "draft-taken-over", study_uid, details)
        add_version(connection, entry, state_json, origin)

    def _saved_state(
        self, connection: Connection, study_uid: str, is_correction: bool
    ) -> ReportState | None:
        if not is_correction:
            require_unsigned(connection, study_uid)
        has_study = select(StudyRecord.study_instance_uid).where(
            StudyRecord.study_instance_uid == study_uid
        )
        if connection.execute(has_study).first() is None:
            raise UnknownStudy(study_uid)
        record = CorrectionRecord if is_correction else ReportRecord
        query = select(record.state).where(record.study_instance_uid == study_uid)
        saved = connection.execute(query).scalar_one_or_none()
        try:
            return None if saved is None else state_from_json(saved)
        except ValueError:
            return None  # damaged: what is on screen now is audited whole, and replaces it


@contextmanager
def damage_named(engine: Engine, study_instance_uid: str) -> Iterator[None]:
    """A saved report that can't be parsed as DamagedReport, naming the study."""
    try:
        yield
    except ValueError as error:
        reason = f"the saved report of study {study_instance_uid} is damaged"
        raise DamagedReport(database_path(engine), reason) from error


def require_unsigned(connection: Connection, study_instance_uid: str) -> None:
    """Raises ReportSigned if the study's report carries a signature."""
    query = select(SignatureRecord.signer).where(
        SignatureRecord.study_instance_uid == study_instance_uid
    )
    if connection.execute(query).first() is not None:
        raise ReportSigned(study_instance_uid)


def _stands_on(basis: SaveBasis, saved: ReportState | None, correction_started_at: str) -> bool:
    if basis.correction_started_at != correction_started_at:
        return False
    if saved is None or (saved.is_blank and basis.state.is_blank):
        return True  # nothing there, or nothing that can be read: nothing to take the place of
    # As it is stored: a text may hold what no database does.
    return saved in (basis.state, state_from_json(state_to_json(basis.state)))


def _unexplained_edits(saved: ReportState, state: ReportState, edits: Sequence[Edit]) -> list[Edit]:
    explained = {edit.section for edit in edits}
    return [
        Edit("text", section, saved.text(section), state.text(section))
        for section in SECTIONS
        if section not in explained and saved.sentences(section) != state.sentences(section)
    ]


def read_correction_row(connection: Connection, study_instance_uid: str) -> Row[Any] | None:
    """The correction being written as it is stored; None where there is none."""
    table = CorrectionRecord.__table__
    query = select(table).where(table.c.study_instance_uid == study_instance_uid)
    return connection.execute(query).one_or_none()


def read_correction(connection: Connection, study_instance_uid: str) -> OpenCorrection | None:
    """The correction being written, if there is one. Raises ValueError if it is damaged."""
    row = read_correction_row(connection, study_instance_uid)
    if row is None:
        return None
    return OpenCorrection(state_from_json(row.state), row.reason, row.author, row.started_at)


def _update_correction(
    connection: Connection, study_uid: str, state_json: str, origin: DraftOrigin | None
) -> None:
    columns = {"state": state_json, "updated_at": datetime.now(UTC).isoformat()}
    if origin is not None:
        columns["origin"] = origin_to_json(origin)
    is_it = CorrectionRecord.study_instance_uid == study_uid
    connection.execute(update(CorrectionRecord).where(is_it).values(**columns))


def _upsert_report(
    connection: Connection,
    study_uid: str,
    state_json: str,
    origin: DraftOrigin | None,
    first_audit_row: int,
) -> None:
    columns: dict[str, Any] = {"state": state_json, "updated_at": datetime.now(UTC).isoformat()}
    if origin is not None:
        columns |= {
            "model_name": origin.model_name,
            "model_sha256": origin.model_sha256,
            "decoding": canonical_json(origin.decoding),
            "ai_findings": storable_text(origin.ai_findings),
            "ai_impression": storable_text(origin.ai_impression),
            "image_sha256": json.dumps(origin.image_sha256),
        }
    statement = insert(ReportRecord).values(
        study_instance_uid=study_uid, first_audit_row=first_audit_row, **columns
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=["study_instance_uid"], set_=columns)
    )
