"""Signing freezes a report; an addendum is all that can follow."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.reporting.report_state import ReportSigned, ReportState
from workstation.reporting.report_store import Addendum

MEANING = "Author of the report: read, edited where needed, and approved"


class NothingToSign(Exception):
    """There is no saved report of this study, or it has no text."""


class SignerMissing(ValueError):
    """A signature needs a name."""


class UnsavedEdits(Exception):
    """The saved report is not what the signer saw: save first, then sign."""


class NotSigned(Exception):
    """An addendum belongs to a signed report; a draft is edited instead."""


@dataclass(frozen=True)
class Signature:
    """signed_at is UTC, ISO 8601. audit_head is the chain's head with this signature's own row."""

    study_instance_uid: str
    signer: str
    signed_at: str
    meaning: str
    text_sha256: str
    state_sha256: str
    audit_row: int
    audit_head: str


class SignOff:
    """Signs saved reports. Everything it writes is audited in the same transaction."""

    def __init__(self, engine: Engine, audit: AuditLog) -> None:
        raise NotImplementedError

    def sign(
        self, study_instance_uid: str, signer: str, *, seen: ReportState | None = None
    ) -> Signature:
        """Sign the saved report. seen: what the signer had on screen; must equal the saved one.

        Raises NothingToSign, SignerMissing, UnsavedEdits, ReportSigned, CatalogUnavailable.
        """
        raise NotImplementedError

    def add_addendum(self, study_instance_uid: str, author: str, text: str) -> Addendum:
        """Append to a signed report. Raises NotSigned, SignerMissing, ValueError if blank."""
        raise NotImplementedError

    def signature(self, study_instance_uid: str) -> Signature | None:
        raise NotImplementedError


__all__ = [
    "MEANING",
    "NotSigned",
    "NothingToSign",
    "ReportSigned",
    "SignOff",
    "Signature",
    "SignerMissing",
    "UnsavedEdits",
]
