"""Signing freezes a report; an addendum is all that can follow."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, insert, select

from workstation.audit.audit_chain import storable_text
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import read_transaction, write_transaction
from workstation.catalog.schema import AddendumRecord, ReportRecord, SignatureRecord
from workstation.reporting.report_state import (
    ReportSigned,
    ReportState,
    report_text,
    state_from_json,
    state_to_json,
)
from workstation.reporting.report_store import Addendum, damage_named, require_unsigned

MEANING = "I have reviewed the images and approve this report."


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
        self._engine = engine
        self._audit = audit

    def sign(
        self, study_instance_uid: str, signer: str, *, seen: ReportState | None = None
    ) -> Signature:
        """Sign the saved report. seen: what the signer had on screen; must equal the saved one.

        Raises NothingToSign, SignerMissing, UnsavedEdits, ReportSigned, CatalogUnavailable.
        """
        signer = _require_name(signer)
        with write_transaction(self._engine) as connection:
            require_unsigned(connection, study_instance_uid)
            stored = _stored_state(connection, study_instance_uid)
            with damage_named(self._engine, study_instance_uid):
                state = state_from_json(stored)
            if state.is_blank:
                raise NothingToSign("The report has no text yet; there is nothing to sign.")
            if seen is not None and state_to_json(seen) != stored:
                raise UnsavedEdits("The report changed since it was saved; save it, then sign.")
            return self._write_signature(connection, study_instance_uid, signer, stored, state)

    def _write_signature(
        self, connection: Connection, study_uid: str, signer: str, stored: str, state: ReportState
    ) -> Signature:
        text = report_text(state)
        hashes = {"text_sha256": _sha256(text), "state_sha256": _sha256(stored)}
        sentences = (*state.findings, *state.impression)
        details = {
            "signer": signer,
            "meaning": MEANING,
            "text": text,
            "provenance": dict(Counter(sentence.provenance for sentence in sentences)),
            **hashes,
        }
        entry = self._audit.append(
            "sign",
            user=signer,
            study_instance_uid=study_uid,
            details=details,
            connection=connection,
        )
        signature = Signature(
            study_instance_uid=study_uid,
            signer=signer,
            signed_at=entry.recorded_at,
            meaning=MEANING,
            audit_row=entry.row,
            audit_head=entry.hash,
            **hashes,
        )
        connection.execute(insert(SignatureRecord).values(asdict(signature)))
        return signature

    def add_addendum(self, study_instance_uid: str, author: str, text: str) -> Addendum:
        """Append to a signed report. Raises NotSigned, SignerMissing, ValueError if blank."""
        author, text = _require_name(author), storable_text(text.strip())
        if not text:
            raise ValueError("The addendum has no text.")
        with write_transaction(self._engine) as connection:
            if connection.execute(_signature_query(study_instance_uid)).first() is None:
                raise NotSigned("The report is not signed yet; edit it instead.")
            entry = self._audit.append(
                "addendum",
                user=author,
                study_instance_uid=study_instance_uid,
                details={"author": author, "text": text},
                connection=connection,
            )
            addendum = Addendum(author, entry.recorded_at, text)
            columns = {**asdict(addendum), "audit_row": entry.row}
            connection.execute(
                insert(AddendumRecord).values(study_instance_uid=study_instance_uid, **columns)
            )
        return addendum

    def signature(self, study_instance_uid: str) -> Signature | None:
        """The signature of a study's report, None while it is unsigned."""
        with read_transaction(self._engine) as connection:
            row = connection.execute(_signature_query(study_instance_uid)).one_or_none()
        return None if row is None else Signature(**row._asdict())


def _signature_query(study_instance_uid: str) -> Select[Any]:
    table = SignatureRecord.__table__
    return select(table).where(table.c.study_instance_uid == study_instance_uid)


def _stored_state(connection: Connection, study_instance_uid: str) -> str:
    query = select(ReportRecord.state).where(ReportRecord.study_instance_uid == study_instance_uid)
    stored = connection.execute(query).scalar_one_or_none()
    if stored is None:
        raise NothingToSign("There is no report of this study yet; there is nothing to sign.")
    return stored


def _require_name(name: str) -> str:
    name = storable_text(name.strip())
    if not name:
        raise SignerMissing("A signature and an addendum need the name of a person.")
    return name


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


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
