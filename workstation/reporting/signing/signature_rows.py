"""Rows of signatures and corrections, and what has to hold before one is written."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, select

from workstation.accounts.account import Account, RoleMissing
from workstation.audit.audit_log import AuditEntry
from workstation.catalog.schema import CorrectionRecord, ReportRecord, SignatureRecord
from workstation.catalog.storable_text import storable_text
from workstation.reporting.checks.report_checks import check_report, context_of, open_checks
from workstation.reporting.checks.site_rules import SiteRules
from workstation.reporting.report_state import ReportState, report_text, state_from_json
from workstation.reporting.signing.signature import (
    ChecksOpen,
    NothingToSign,
    NotSigned,
    Signature,
    SignerMissing,
)
from workstation.reporting.versions.report_version import DraftOrigin, ReportVersion, read_versions
from workstation.reporting.versions.stored_report import origin_of


def signature_of_version(study_uid: str, version: ReportVersion) -> Signature:
    """Of a version that was signed."""
    assert version.kind in ("preliminary", "final", "corrected")
    shared = {field.name for field in fields(Signature)} & vars(version).keys()
    return Signature(
        study_instance_uid=study_uid,
        signer=version.author,
        signed_at=version.created_at,
        **{name: getattr(version, name) for name in shared},
    )


def signature_of(entry: AuditEntry) -> Signature:
    """As its audit row tells it."""
    said = entry.details
    return Signature(
        study_instance_uid=entry.study_instance_uid,
        signer=said["signer"],
        signed_at=entry.recorded_at,
        meaning=said["meaning"],
        text_sha256=said["text_sha256"],
        state_sha256=said["state_sha256"],
        audit_row=entry.row,
        audit_head=entry.hash,
        kind=said["version"],
        role=said.get("role", ""),
        reason=said.get("reason", ""),
    )


def signature_query(study_instance_uid: str) -> Select[Any]:
    """The final signature of a report: one row or none."""
    table = SignatureRecord.__table__
    return select(table).where(table.c.study_instance_uid == study_instance_uid)


def require_signed(connection: Connection, study_instance_uid: str) -> None:
    """Raises NotSigned."""
    if connection.execute(signature_query(study_instance_uid)).first() is None:
        raise NotSigned("The report is not signed yet; edit it instead.")


def require_report(connection: Connection, study_instance_uid: str) -> Row[Any]:
    """The saved report. Raises NothingToSign where there is none."""
    table = ReportRecord.__table__
    query = select(table).where(table.c.study_instance_uid == study_instance_uid)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NothingToSign("There is no report of this study yet; there is nothing to sign.")
    return row


def read_signed(connection: Connection, study_instance_uid: str) -> tuple[ReportState, DraftOrigin]:
    """What counts of a signed report: the newest correction, else what was signed as final."""
    versions = read_versions(connection, study_instance_uid)
    corrected = [version for version in versions if version.kind == "corrected"]
    if corrected:
        return corrected[-1].state, corrected[-1].origin
    row = require_report(connection, study_instance_uid)
    return state_from_json(row.state), origin_of(row)


def require_difference(connection: Connection, study_instance_uid: str, state: ReportState) -> None:
    """Raises NothingToSign for a correction that corrects nothing."""
    signed, _ = read_signed(connection, study_instance_uid)
    if report_text(signed) == report_text(state):
        raise NothingToSign("The correction says the same as the signed report; change it first.")


def require_solved(state: ReportState, rules: SiteRules) -> None:
    """Raises ChecksOpen where a blocking check is neither mended nor overridden."""
    unsolved = open_checks(check_report(state, context_of(rules)), state.overrides)
    blocking = [check for check in unsolved if check.is_blocking]
    if blocking:
        raise ChecksOpen(blocking)


def drop_correction(connection: Connection, study_instance_uid: str) -> None:
    """The correction being written is one no more: it was signed, or given up."""
    is_it = CorrectionRecord.study_instance_uid == study_instance_uid
    connection.execute(delete(CorrectionRecord).where(is_it))


def require_signer(account: Account | None) -> None:
    """Raises RoleMissing for an account that may not sign; None: nobody has an account."""
    if account is not None and not account.can_sign:
        raise RoleMissing(
            "Your account drafts and edits; a final signature needs an account that may sign."
        )


def require_name(name: str) -> str:
    """The name, stripped. Raises SignerMissing for a blank one."""
    name = storable_text(name.strip())
    if not name:
        raise SignerMissing("A signature and an addendum need the name of a person.")
    return name
