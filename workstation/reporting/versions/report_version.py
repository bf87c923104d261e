"""What a report was at the moments that count: AI draft, preliminary, final, corrected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, insert, select

from workstation.audit.audit_chain import canonical_json
from workstation.audit.audit_log import AuditEntry
from workstation.catalog.schema import ReportRecord, ReportVersionRecord
from workstation.catalog.storable_text import storable_text
from workstation.reporting.report_state import ReportState, state_from_json

VersionKind = Literal["ai-draft", "preliminary", "final", "corrected", "set-aside"]
"""set-aside: what could not be saved because another window had saved meanwhile. It counts for
nothing, and is kept for its author to take from."""

SIGNED_KINDS = ("preliminary", "final", "corrected")
ReportStage = Literal["draft", "preliminary", "final", "corrected"]
"""FHIR R4 DiagnosticReport.status has the words partial, preliminary, final and corrected."""


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


NO_ORIGIN = DraftOrigin("", {}, "", "")


@dataclass(frozen=True)
class ReportVersion:
    """One row of the version history; it is never changed.

    number: from 1, in the order they were made. author: who took the draft over, or signed.
    reason: why a final report was corrected. audit_head: the chain's head with audit_row; 0 and
    "" for what was reconstructed of a report signed before there were versions.
    """

    number: int
    kind: VersionKind
    author: str
    created_at: str  # UTC, ISO 8601
    state: ReportState
    role: str = ""
    meaning: str = ""
    reason: str = ""
    origin: DraftOrigin = field(default=NO_ORIGIN)
    text_sha256: str = ""
    state_sha256: str = ""
    audit_row: int = 0
    audit_head: str = ""


def sha256_of(text: str) -> str:
    """Of its UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def origin_to_json(origin: DraftOrigin) -> str:
    """Canonical JSON; "{}" where nothing was drafted."""
    if origin == NO_ORIGIN:
        return "{}"
    values = asdict(origin)
    values["ai_findings"] = storable_text(origin.ai_findings)
    values["ai_impression"] = storable_text(origin.ai_impression)
    return canonical_json(values)


def origin_from_json(stored: str) -> DraftOrigin:
    """The reverse. Raises ValueError."""
    values = json.loads(stored)
    if not values:
        return NO_ORIGIN
    try:
        return DraftOrigin(**{**values, "image_sha256": tuple(values["image_sha256"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"not the origin of a draft: {error}") from error


def version_details(
    kind: VersionKind,
    author: str,
    state_json: str,
    text: str,
    origin: DraftOrigin,
    *,
    role: str = "",
    meaning: str = "",
    reason: str = "",
) -> dict[str, Any]:
    """What the audit row of a version has to say for `audit verify` to compare."""
    details = {
        "version": kind,
        "signer": author,
        "text_sha256": sha256_of(text),
        "state_sha256": sha256_of(state_json),
        "origin_sha256": sha256_of(origin_to_json(origin)),
    }
    optional = {"role": role, "meaning": meaning, "reason": reason}
    return details | {key: value for key, value in optional.items() if value}


def add_version(
    connection: Connection, entry: AuditEntry, state_json: str, origin: DraftOrigin
) -> None:
    """Write the version that ``entry``, made of `version_details`, tells of."""
    said = entry.details
    connection.execute(
        insert(ReportVersionRecord).values(
            study_instance_uid=entry.study_instance_uid,
            kind=said["version"],
            author=said["signer"],
            role=said.get("role", ""),
            created_at=entry.recorded_at,
            meaning=said.get("meaning", ""),
            reason=said.get("reason", ""),
            state=state_json,
            origin=origin_to_json(origin),
            text_sha256=said["text_sha256"],
            state_sha256=said["state_sha256"],
            audit_row=entry.row,
            audit_head=entry.hash,
        )
    )


def read_versions(connection: Connection, study_instance_uid: str) -> tuple[ReportVersion, ...]:
    """The versions of the study's present report, oldest first; raises ValueError if damaged."""
    table = ReportVersionRecord.__table__
    query = (
        select(table)
        .join(ReportRecord, ReportRecord.study_instance_uid == table.c.study_instance_uid)
        .where(
            table.c.study_instance_uid == study_instance_uid,
            table.c.audit_row >= ReportRecord.first_audit_row,
        )
        .order_by(table.c.audit_row)
    )
    return tuple(
        ReportVersion(
            number=number,
            kind=row.kind,
            author=row.author,
            created_at=row.created_at,
            state=state_from_json(row.state),
            role=row.role,
            meaning=row.meaning,
            reason=row.reason,
            origin=origin_from_json(row.origin),
            text_sha256=row.text_sha256,
            state_sha256=row.state_sha256,
            audit_row=row.audit_row,
            audit_head=row.audit_head,
        )
        for number, row in enumerate(connection.execute(query), start=1)
    )
