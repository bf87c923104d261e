"""The audit log: append-only and hash-chained, in the catalog's own file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from workstation.audit.audit_chain import ChainBreak, ChainRow, canonical_json, find_break, hash_row
from workstation.audit.version_check import find_version_mismatch, version_anchor_queries
from workstation.catalog.database import (
    CatalogUnavailable,
    database_path,
    read_transaction,
    write_transaction,
)
from workstation.catalog.schema import (
    GENESIS_HASH,
    SCHEMA_VERSION,
    TRIGGERS,
    AuditHeadRecord,
    AuditRecord,
    trigger_table,
)
from workstation.catalog.storable_text import storable_text

EVENTS = (
    "import",
    "picture-described",
    "study-removed",
    "files-deleted",
    "study-opened",
    "draft-started",
    "draft-finished",
    "draft-refused",
    "draft-cancelled",
    "draft-failed",
    "draft-revealed",
    "draft-never-revealed",
    "redraft-reviewed",
    "prior-report-opened",
    "race-started",
    "race-finished",
    "race-cancelled",
    "race-failed",
    "edit",
    "check-overridden",
    "draft-taken-over",
    "sign-preliminary",
    "sign",
    "addendum",
    "correction-started",
    "correction-abandoned",
    "correct",
    "report-set-aside",
    "export",
    "login",
    "login-failed",
    "logout",
    "locked",
    "unlocked",
    "account-created",
    "account-changed",
    "settings",
    "query",
    "verify",
    "audit-opened",
    "audit-exported",
)
_ROWS_A_REPORT = 2000
_TAMPERED = (
    "the audit log was changed by another program and takes no more rows; "
    "run 'echo-workstation audit verify'"
)


@dataclass(frozen=True)
class AuditEntry:
    """One row. row counts from 1 without gaps; recorded_at is UTC, ISO 8601."""

    row: int
    recorded_at: str
    event: str
    user: str
    study_instance_uid: str
    details: Mapping[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class VerifyResult:
    """first_broken_row is None if all is well, or if what is wrong is not a row (see reason).
    head is the hash of newest_row, 0 for an empty log."""

    ok: bool
    entries: int
    head: str
    first_broken_row: int | None = None
    reason: str = ""
    newest_row: int = 0


OnProgress = Callable[[int, int], object]  # rows done, rows there are; may raise to stop


class AuditLog:
    """Append and verify. now: the clock, for tests."""

    def __init__(self, engine: Engine, now: Callable[[], datetime] | None = None) -> None:
        self._engine = engine
        self._now = now or (lambda: datetime.now(UTC))

    @property
    def engine(self) -> Engine:
        """The database the log is in."""
        return self._engine

    @property
    def data_folder(self) -> Path:
        """Where that database lies."""
        return database_path(self._engine).parent

    def append(
        self,
        event: str,
        *,
        user: str,
        study_instance_uid: str = "",
        details: Mapping[str, Any] | None = None,
        connection: Connection | None = None,
    ) -> AuditEntry:
        """Add one row. connection: a ``write_transaction`` to take part in; else its own.

        Raises ValueError for an unknown event or details that aren't JSON, CatalogUnavailable.
        """
        if event not in EVENTS:
            raise ValueError(f"unknown audit event {event!r}")
        details_json = canonical_json(details or {})
        with nullcontext(connection) if connection else write_transaction(self._engine) as open_one:
            return self._append_row(
                open_one,
                event,
                storable_text(user),
                storable_text(study_instance_uid),
                details_json,
            )

    def _append_row(
        self, connection: Connection, event: str, user: str, study_uid: str, details: str
    ) -> AuditEntry:
        # The stored head, not the newest row, is what is followed: if rows were cut off the end,
        # the gap stays visible for ever.
        head = connection.execute(select(AuditHeadRecord.row, AuditHeadRecord.hash)).one_or_none()
        if head is None:
            raise CatalogUnavailable(database_path(self._engine), _TAMPERED)
        row, recorded_at = head.row + 1, self._now().astimezone(UTC).isoformat()
        own_hash = hash_row(row, recorded_at, event, user, study_uid, details, head.hash)
        entry = AuditEntry(
            row, recorded_at, event, user, study_uid, json.loads(details), head.hash, own_hash
        )
        columns = {**vars(entry), "details": details}
        try:
            connection.execute(insert(AuditRecord).values(columns))
            connection.execute(update(AuditHeadRecord).values(row=row, hash=own_hash))
        except IntegrityError as error:
            raise CatalogUnavailable(database_path(self._engine), _TAMPERED) from error
        return entry

    def entries(
        self, study_instance_uid: str | None = None, limit: int | None = None
    ) -> list[AuditEntry]:
        """Rows in order; limit: only that many of the newest."""
        query = select(AuditRecord.__table__).order_by(AuditRecord.row.desc()).limit(limit)
        if study_instance_uid is not None:
            query = query.where(AuditRecord.study_instance_uid == study_instance_uid)
        with read_transaction(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            AuditEntry(**{**row._asdict(), "details": parse_details(row.details)})
            for row in reversed(rows)
        ]

    def head(self) -> str:
        """Hash of the newest row: what a signature or an export carries away."""
        with read_transaction(self._engine) as connection:
            return connection.execute(select(AuditHeadRecord.hash)).scalar_one()

    def verify(
        self,
        known: Mapping[int, str] | None = None,
        on_progress: OnProgress | None = None,
    ) -> VerifyResult:
        """Check every row, the stored head, what was signed, and the triggers. Changes nothing.

        known: hashes by row that were carried away (a stamped head): rows cut off the end after
        the stored head was rewritten show only by them. on_progress is called on the caller's
        thread; what it raises ends the check.
        """
        with read_transaction(self._engine) as connection, tolerant_text(connection):
            count, newest, head = _count_rows(connection)
            rows = _chain_rows(connection)
            if on_progress is not None:
                rows = _tell_progress(rows, count, on_progress)
            problem = (
                find_break(rows, _anchors(connection, known or {}))
                or _find_row_beyond_head(connection, count)
                or _find_signed_mismatch(connection)
                or find_version_mismatch(connection)
            )
            if problem:
                return VerifyResult(False, count, head, problem.row, problem.reason, newest)
            missing = _changed_triggers(connection)
        if missing:
            reason = f"the rows hold, but protection was removed (triggers: {', '.join(missing)})"
            return VerifyResult(False, count, head, None, reason, newest)
        return VerifyResult(True, count, head, newest_row=newest)

    def record_verification(self, result: VerifyResult, user: str) -> AuditEntry:
        """The outcome of ``verify``, as a row of its own."""
        return self.append("verify", user=user, details=vars(result))


def parse_details(details: str) -> Mapping[str, Any]:
    """The details of a stored row; {"unreadable": text} where they are not a JSON object."""
    try:
        parsed = json.loads(details)
    except (TypeError, ValueError):
        parsed = None
    return parsed if isinstance(parsed, dict) else {"unreadable": str(details)}


@contextmanager
def tolerant_text(connection: Connection) -> Iterator[None]:
    """Read text that is not UTF-8 as replacement characters: a tampered row must not stop us."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        yield
    finally:
        driver.text_factory = str


def _count_rows(connection: Connection) -> tuple[int, int, str]:
    """How many there are; number and hash of the newest."""
    count = connection.exec_driver_sql("SELECT count(*) FROM audit_entry").scalar_one()
    newest = connection.exec_driver_sql(
        "SELECT row, hash FROM audit_entry ORDER BY row DESC LIMIT 1"
    ).one_or_none()
    row, own_hash = newest or (0, GENESIS_HASH)
    return count, row, str(own_hash)


def _chain_rows(connection: Connection) -> Iterator[ChainRow]:
    # The driver's cursor: Row objects and type processing double the time over 100,000 rows.
    driver = connection.connection.driver_connection
    assert driver is not None
    return iter(
        driver.execute(
            "SELECT row, recorded_at, event, user, study_instance_uid, details, previous_hash, hash"
            " FROM audit_entry ORDER BY row"
        )
    )


def _tell_progress(
    rows: Iterator[ChainRow], count: int, on_progress: OnProgress
) -> Iterator[ChainRow]:
    on_progress(0, count)
    for done, row in enumerate(rows, 1):
        if done % _ROWS_A_REPORT == 0:
            on_progress(done, count)
        yield row
    on_progress(count, count)


def _anchors(connection: Connection, known: Mapping[int, str]) -> dict[int, str]:
    """Hashes by row that must be in the chain: those known from elsewhere, the stored head's and
    every signature's."""
    anchors = {row: own_hash for row, own_hash in known.items() if row > 0}
    queries = ["SELECT audit_row, audit_head FROM signature", "SELECT row, hash FROM audit_head"]
    for query in (*queries, *version_anchor_queries(connection)):
        for row, own_hash in connection.exec_driver_sql(query):
            if isinstance(row, int) and row > 0:
                agrees = anchors.setdefault(row, own_hash) == own_hash
                anchors[row] = own_hash if agrees else "two different hashes"
    return anchors


def _find_row_beyond_head(connection: Connection, count: int) -> ChainBreak | None:
    stored = connection.exec_driver_sql("SELECT row, hash FROM audit_head").one_or_none()
    if stored is None:
        return ChainBreak(count, "the stored head of the log was removed")
    if not isinstance(stored[0], int) or stored[0] < count:
        row = stored[0] + 1 if isinstance(stored[0], int) else count
        return ChainBreak(row, f"row {row} was added by another program, or the head was changed")
    return None


def _find_signed_mismatch(connection: Connection) -> ChainBreak | None:
    """Signed reports and addenda against their audit rows, both ways."""
    events = dict(
        (row, (event, parse_details(details)))
        for row, event, details in connection.exec_driver_sql(
            "SELECT row, event, details FROM audit_entry WHERE event IN ('sign', 'addendum')"
        )
    )
    signed = connection.exec_driver_sql(
        "SELECT s.audit_row, s.study_instance_uid, s.signer, s.state_sha256, s.text_sha256, r.state"
        " FROM signature s LEFT JOIN report r USING (study_instance_uid) ORDER BY s.audit_row"
    )
    for row, study_uid, signer, state_sha256, text_sha256, state in signed:
        event, details = events.pop(row, ("", {}))
        stored = {"signer": signer, "state_sha256": state_sha256, "text_sha256": text_sha256}
        if event != "sign" or any(details.get(key) != value for key, value in stored.items()):
            return ChainBreak(row, f"the signature of study {study_uid} is not the audited one")
        if hashlib.sha256(str(state).encode()).hexdigest() != state_sha256:
            return ChainBreak(row, f"the signed report of study {study_uid} was changed")
    addenda = connection.exec_driver_sql(
        "SELECT audit_row, study_instance_uid, author, text FROM addendum ORDER BY audit_row"
    )
    for row, study_uid, author, text in addenda:
        event, details = events.pop(row, ("", {}))
        if event != "addendum" or (details.get("author"), details.get("text")) != (author, text):
            return ChainBreak(row, f"an addendum of study {study_uid} is not the audited one")
    for row, (event, details) in sorted(events.items()):
        if details.keys() & {"state_sha256", "author"}:  # written by SignOff
            return ChainBreak(row, f"what was audited as {event!r} in row {row} is gone")
    return None


def _changed_triggers(connection: Connection) -> list[str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
    present = {name: sql for name, sql in rows}
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    is_older = isinstance(version, int) and version < SCHEMA_VERSION
    tables = set(inspect(connection).get_table_names())
    return sorted(
        name
        for name, sql in TRIGGERS.items()
        if present.get(name) != sql and (trigger_table(sql) in tables or not is_older)
    )
