"""Signing: preliminary, final, addendum, corrected. A final report is frozen for ever; a corrected
one is a version of its own beside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, update

from workstation.accounts.account import Account, RoleMissing
from workstation.accounts.account_store import AccountStore, Authentication
from workstation.audit.audit_log import AuditEntry, AuditLog
from workstation.catalog.database import read_transaction, write_transaction
from workstation.catalog.schema import (
    AddendumRecord,
    CorrectionRecord,
    ReportRecord,
    SignatureRecord,
)
from workstation.catalog.storable_text import storable_text
from workstation.reporting.checks.report_check import ReportContext
from workstation.reporting.checks.report_checks import check_report, context_of, open_checks
from workstation.reporting.checks.site_rules import UnreadableRules, load_rules
from workstation.reporting.report_state import (
    ReportState,
    Sentence,
    report_text,
    state_from_json,
    state_to_json,
)
from workstation.reporting.signing.signature import (
    MEANINGS,
    CorrectionOpen,
    NothingToSign,
    NotSigned,
    Signature,
    SignatureKind,
    UnsavedEdits,
)
from workstation.reporting.signing.signature_rows import (
    drop_correction,
    read_signed,
    require_difference,
    require_name,
    require_report,
    require_signed,
    require_signer,
    require_solved,
    signature_of,
    signature_of_version,
    signature_query,
)
from workstation.reporting.versions.report_store import (
    damage_named,
    read_correction_row,
    require_unsigned,
)
from workstation.reporting.versions.report_version import (
    DraftOrigin,
    add_version,
    origin_from_json,
    origin_to_json,
    read_versions,
    version_details,
)
from workstation.reporting.versions.stored_report import Addendum, origin_of

_SIGNATURE_COLUMNS = [column.name for column in SignatureRecord.__table__.columns]


class SignOff:
    """Signs saved reports. Everything it writes is audited in the same transaction.

    accounts: where anybody has an account, a signature takes its name and role from the account
    that an ``authentication`` proves, and ``signer`` is not looked at. Raised by every signing
    method: SignerMissing without a name; NotAuthenticated, RoleMissing where there are accounts;
    CatalogUnavailable.
    """

    def __init__(
        self, engine: Engine, audit: AuditLog, accounts: AccountStore | None = None
    ) -> None:
        self._engine = engine
        self._audit = audit
        self._accounts = accounts

    # -- signing -----------------------------------------------------------------------------

    def sign(
        self,
        study_instance_uid: str,
        signer: str = "",
        *,
        seen: ReportState | None = None,
        authentication: Authentication | None = None,
    ) -> Signature:
        """Sign the saved report as final, or its open correction as corrected.

        seen: what the signer had on screen; must equal the saved one. Raises NothingToSign,
        UnsavedEdits, ChecksOpen, ReportSigned; UnreadableRules where the site's can't be read.
        """
        name, account = self._identify(signer, authentication)
        require_signer(account)
        rules = load_rules(self._audit.data_folder)
        with write_transaction(self._engine) as connection:
            correction = read_correction_row(connection, study_instance_uid)
            if correction is None:
                require_unsigned(connection, study_instance_uid)
            kind: SignatureKind = "final" if correction is None else "corrected"
            row = correction or require_report(connection, study_instance_uid)
            state = self._signable_state(row, seen)
            origin = origin_of(row) if correction is None else origin_from_json(row.origin)
            require_solved(state, rules)
            if correction is not None:
                require_difference(connection, study_instance_uid, state)
            reason = correction.reason if correction is not None else ""
            entry = self._record(connection, row, kind, state, origin, name, account, reason)
            if correction is None:
                signature = signature_of(entry)
                columns = {key: getattr(signature, key) for key in _SIGNATURE_COLUMNS}
                connection.execute(insert(SignatureRecord).values(columns))
            else:
                drop_correction(connection, study_instance_uid)
        return signature_of(entry)

    def sign_preliminary(
        self,
        study_instance_uid: str,
        signer: str = "",
        *,
        seen: ReportState | None = None,
        authentication: Authentication | None = None,
    ) -> Signature:
        """Sign the saved report provisionally; it stays a draft that can be edited.

        Checks may be open. Raises NothingToSign, UnsavedEdits, ReportSigned.
        """
        name, account = self._identify(signer, authentication)
        with write_transaction(self._engine) as connection:
            require_unsigned(connection, study_instance_uid)
            row = require_report(connection, study_instance_uid)
            state = self._signable_state(row, seen)
            entry = self._record(
                connection, row, "preliminary", state, origin_of(row), name, account
            )
            is_it = ReportRecord.study_instance_uid == study_instance_uid
            connection.execute(update(ReportRecord).where(is_it).values(stage="preliminary"))
        return signature_of(entry)

    def _identify(
        self, signer: str, authentication: Authentication | None
    ) -> tuple[str, Account | None]:
        if self._accounts is not None and self._accounts.are_in_use:
            account = self._accounts.redeem(authentication)
            return account.full_name, account
        return require_name(signer), None

    def _signable_state(self, row: Row[Any], seen: ReportState | None) -> ReportState:
        with damage_named(self._engine, row.study_instance_uid):
            state = state_from_json(row.state)
        if state.is_blank:
            raise NothingToSign("The report has no text yet; there is nothing to sign.")
        if seen is not None and state_to_json(seen) != row.state:
            raise UnsavedEdits("The report changed since it was saved; save it, then sign.")
        return state

    def _record(
        self,
        connection: Connection,
        row: Row[Any],
        kind: SignatureKind,
        state: ReportState,
        origin: DraftOrigin,
        name: str,
        account: Account | None,
        reason: str = "",
    ) -> AuditEntry:
        """The audit row of a signature, and the version it is given to."""
        text, sentences = report_text(state), (*state.findings, *state.impression)
        role = account.signing_role if account is not None else ""
        details = version_details(
            kind, name, row.state, text, origin, role=role, meaning=MEANINGS[kind], reason=reason
        )
        details |= {
            "text": text,
            "provenance": dict(Counter(sentence.provenance for sentence in sentences)),
            "sentences": [_describe_origin(each) for each in sentences],
        }
        if account is not None:
            details |= {"account": account.name, "reauthenticated": True}
        if state.overrides:
            details["overrides"] = [asdict(override) for override in state.overrides]
        unsolved = open_checks(check_report(state, self._context()), state.overrides)
        if unsolved:
            details["open_checks"] = [check.message for check in unsolved]
        events = {"preliminary": "sign-preliminary", "final": "sign", "corrected": "correct"}
        entry = self._append(connection, events[kind], row.study_instance_uid, name, details)
        add_version(connection, entry, row.state, origin)
        return entry

    def _context(self) -> ReportContext:
        """The site's rules; a preliminary signature does without where they can't be read."""
        try:
            return context_of(load_rules(self._audit.data_folder))
        except UnreadableRules:
            return ReportContext()

    def _append(
        self, connection: Connection, event: str, study_uid: str, user: str, details: dict[str, Any]
    ) -> AuditEntry:
        return self._audit.append(
            event,
            user=user,
            study_instance_uid=study_uid,
            details=details,
            connection=connection,
        )

    # -- after signing -----------------------------------------------------------------------

    def add_addendum(
        self,
        study_instance_uid: str,
        author: str,
        text: str,
        *,
        authentication: Authentication | None = None,
    ) -> Addendum:
        """Append to a signed report. Raises NotSigned, ValueError if blank."""
        text = storable_text(text.strip())
        if not text:
            raise ValueError("The addendum has no text.")
        author, account = self._identify(author, authentication)
        require_signer(account)
        with write_transaction(self._engine) as connection:
            require_signed(connection, study_instance_uid)
            details = {"author": author, "text": text}
            if account is not None:
                details["account"] = account.name
            entry = self._append(connection, "addendum", study_instance_uid, author, details)
            addendum = Addendum(author, entry.recorded_at, text, entry.row)
            columns = {**asdict(addendum), "audit_head": entry.hash}
            connection.execute(
                insert(AddendumRecord).values(study_instance_uid=study_instance_uid, **columns)
            )
        return addendum

    def start_correction(
        self, study_instance_uid: str, author: str, reason: str, *, account: Account | None = None
    ) -> ReportState:
        """Begin to correct a signed report: what is edited and saved from now on is a draft beside
        it, until it is signed or given up. reason: why; it becomes part of the signature.

        account: of who asks, where there are accounts. Raises NotSigned, CorrectionOpen,
        RoleMissing, ValueError for a blank reason.
        """
        author, reason = require_name(author), storable_text(reason.strip())
        if not reason:
            raise ValueError("A correction needs a reason.")
        require_signer(self._current(account))
        with write_transaction(self._engine) as connection:
            require_signed(connection, study_instance_uid)
            if read_correction_row(connection, study_instance_uid) is not None:
                raise CorrectionOpen("A correction of this report is being written already.")
            with damage_named(self._engine, study_instance_uid):
                state, origin = read_signed(connection, study_instance_uid)
            details = {"reason": reason, "author": author, "corrects": state_to_json(state)}
            entry = self._append(
                connection, "correction-started", study_instance_uid, author, details
            )
            row = {
                "study_instance_uid": study_instance_uid,
                "state": state_to_json(state),
                "origin": origin_to_json(origin),
                "reason": reason,
                "author": author,
                "started_at": entry.recorded_at,
                "updated_at": entry.recorded_at,
            }
            connection.execute(insert(CorrectionRecord).values(row))
        return state

    def abandon_correction(self, study_instance_uid: str, author: str) -> None:
        """Give an open correction up; its edits stay in the audit log. Raises NotSigned where
        there is none."""
        with write_transaction(self._engine) as connection:
            row = read_correction_row(connection, study_instance_uid)
            if row is None:
                raise NotSigned("No correction of this report is being written.")
            details = {"text": report_text(state_from_json(row.state)), "reason": row.reason}
            self._append(connection, "correction-abandoned", study_instance_uid, author, details)
            drop_correction(connection, study_instance_uid)

    def _current(self, account: Account | None) -> Account | None:
        """The account as it is now; None where nobody has one."""
        if self._accounts is None or not self._accounts.are_in_use:
            return None
        if account is None:
            raise RoleMissing("Log in first.")
        return self._accounts.account(account.name)

    def signature(self, study_instance_uid: str) -> Signature | None:
        """The signature that counts: of the newest correction, else the final one; None while
        the report is unsigned."""
        with read_transaction(self._engine) as connection:
            row = connection.execute(signature_query(study_instance_uid)).one_or_none()
            if row is None:
                return None
            with damage_named(self._engine, study_instance_uid):
                versions = read_versions(connection, study_instance_uid)
        of_signatures = [v for v in versions if v.kind in ("final", "corrected")]
        if of_signatures:
            return signature_of_version(study_instance_uid, of_signatures[-1])
        return Signature(**row._asdict())


def _describe_origin(sentence: Sentence) -> dict[str, Any]:
    """Where a signed sentence comes from; its words are in the signed text."""
    origin = asdict(sentence.origin) if sentence.origin is not None else {}
    told = {"by": sentence.touched_by, "at": sentence.touched_at, **origin}
    kept = {key: value for key, value in told.items() if value not in ("", None)}
    return {"id": sentence.id, "provenance": sentence.provenance, **kept}
