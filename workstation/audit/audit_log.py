"""The audit log: append-only and hash-chained, in the catalog's own file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

EVENTS = (
    "import",
    "study-opened",
    "draft-started",
    "draft-finished",
    "draft-cancelled",
    "draft-failed",
    "edit",
    "sign",
    "addendum",
    "settings",
    "verify",
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
    """first_broken_row is None if all is well, or if what is wrong is not a row (see reason)."""

    ok: bool
    entries: int
    head: str
    first_broken_row: int | None = None
    reason: str = ""


class AuditLog:
    """Append and verify. now: the clock, for tests."""

    def __init__(self, engine: Engine, now: Callable[[], datetime] | None = None) -> None:
        raise NotImplementedError

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
        raise NotImplementedError

    def entries(
        self, study_instance_uid: str | None = None, limit: int | None = None
    ) -> list[AuditEntry]:
        """Rows in order; limit: only that many of the newest."""
        raise NotImplementedError

    def head(self) -> str:
        """Hash of the newest row: what a signature or an export carries away."""
        raise NotImplementedError

    def verify(self) -> VerifyResult:
        """Check every row, the stored head, and every signature's head. Changes nothing."""
        raise NotImplementedError

    def verify_and_record(self, user: str) -> VerifyResult:
        """``verify``, and the outcome as a row of its own."""
        raise NotImplementedError
