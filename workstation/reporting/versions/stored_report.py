"""A report as it was saved, with all that was signed of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from workstation.catalog.schema import ReportRecord, SignatureRecord
from workstation.reporting.report_state import ReportState, Sentence, report_text, state_from_json
from workstation.reporting.versions.report_version import DraftOrigin, ReportStage, ReportVersion


@dataclass(frozen=True)
class Addendum:
    """What was added to a signed report."""

    author: str
    added_at: str  # UTC, ISO 8601
    text: str
    audit_row: int = field(default=0, compare=False)  # what came first, also by a clock set back


@dataclass(frozen=True)
class OpenCorrection:
    """A correction of a signed report that is being written: nothing of it counts yet."""

    state: ReportState
    reason: str
    author: str
    started_at: str  # UTC, ISO 8601


@dataclass(frozen=True)
class StoredReport:
    """A report as saved. signed_by and signed_at (UTC, ISO 8601) are "" while it is a draft.

    Of a corrected report everything is the newest correction's; the final one it replaces is among
    `ReportStore.versions`. correction: the next one, while it is being written. preliminary: the
    newest provisional signature of a report that is not final yet; is_edited_since: whether the
    report says something else by now.
    """

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
    stage: ReportStage = "draft"
    preliminary: ReportVersion | None = None
    is_edited_since: bool = False
    correction: OpenCorrection | None = None
    correction_reason: str = ""


def origin_of(row: Row[Any]) -> DraftOrigin:
    """Where the draft of a row of the report table came from."""
    return DraftOrigin(
        model_sha256=row.model_sha256,
        decoding=json.loads(row.decoding),
        ai_findings=row.ai_findings,
        ai_impression=row.ai_impression,
        model_name=row.model_name,
        image_sha256=tuple(json.loads(row.image_sha256)),
    )


def make_stored_report(
    row: Row[Any],
    addenda: tuple[Addendum, ...],
    versions: tuple[ReportVersion, ...],
    correction: OpenCorrection | None,
) -> StoredReport:
    """row: of the report, with signer and signed_at of its signature, None where it is unsigned.
    Raises ValueError where what is stored is damaged."""
    is_signed = row.signer is not None
    stored = StoredReport(
        study_instance_uid=row.study_instance_uid,
        state=state_from_json(row.state),
        status="signed" if is_signed else "draft",
        updated_at=row.updated_at,
        signed_by=row.signer or "",
        signed_at=row.signed_at or "",
        **vars(origin_of(row)),
        addenda=addenda,
        stage="final" if is_signed else "draft",
        correction=correction,
    )
    if not is_signed:
        provisional = [version for version in versions if version.kind == "preliminary"]
        return _as_preliminary(stored, provisional[-1]) if provisional else stored
    corrected = [version for version in versions if version.kind == "corrected"]
    return _as_corrected(stored, corrected[-1]) if corrected else stored


def _as_preliminary(stored: StoredReport, version: ReportVersion) -> StoredReport:
    is_edited = report_text(stored.state) != report_text(version.state)
    return replace(stored, stage="preliminary", preliminary=version, is_edited_since=is_edited)


def _as_corrected(stored: StoredReport, version: ReportVersion) -> StoredReport:
    return replace(
        stored,
        state=version.state,
        signed_by=version.author,
        signed_at=version.created_at,
        updated_at=version.created_at,
        stage="corrected",
        correction_reason=version.reason,
        **vars(version.origin),
    )


def read_older_versions(connection: Connection, study_uid: str) -> list[ReportVersion]:
    """Of a report signed before version 4: what it keeps of its AI draft, and what was signed."""
    report, signature = ReportRecord.__table__, SignatureRecord.__table__
    query = (
        select(report, signature)
        .join(signature, signature.c.study_instance_uid == report.c.study_instance_uid)
        .where(report.c.study_instance_uid == study_uid)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return []
    state, origin = state_from_json(row.state), origin_of(row)
    signed = ReportVersion(
        0, "final", row.signer, row.signed_at, state, meaning=row.meaning, origin=origin,
        text_sha256=row.text_sha256, state_sha256=row.state_sha256,
        audit_row=row.audit_row, audit_head=row.audit_head,
    )  # fmt: skip
    if not (origin.ai_findings or origin.ai_impression):
        return [signed]
    drafted = ReportState(
        tuple(Sentence(1, text, "ai") for text in [origin.ai_findings] if text),
        tuple(Sentence(2, text, "ai") for text in [origin.ai_impression] if text),
        state.language,
    )
    return [ReportVersion(0, "ai-draft", "", "", drafted, origin=origin), signed]
