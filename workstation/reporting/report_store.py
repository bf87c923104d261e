"""Reports in the catalog: a draft and the audit rows of its edits are saved in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.reporting.report_state import Edit, ReportState


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
        raise NotImplementedError

    def load(self, study_instance_uid: str) -> StoredReport | None:
        """The saved report, or None if there is none. Raises CatalogUnavailable."""
        raise NotImplementedError

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
        A text that differs from the saved one without an edit to explain it is audited as "text".
        Raises CatalogUnavailable (nothing saved; call again), ReportSigned, UnknownStudy.
        """
