"""Which drafts are running for which study, and what the audit log says of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from inference import EngineDescription, GenerationRequest
from inference.report_language import Language
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.dicom.film import Film
from workstation.reporting.report_state import SentenceOrigin


@dataclass(frozen=True)
class RunningDraft:
    """What is fixed when a draft is asked for; ended_at: UTC, ISO 8601, once it has ended."""

    study_instance_uid: str
    language: Language
    image_sha256: tuple[str, ...]
    details: dict[str, Any]
    ended_at: str = ""

    def sentence_origin(self) -> SentenceOrigin:
        """What every sentence of this draft keeps of it."""
        name = f"{self.details['model_name']} {self.details['model_version']}".strip()
        return SentenceOrigin(name, self.details["model_sha256"], self.ended_at)


class DraftLedger:
    """Every draft is audited when it begins and when it ends, on whatever study is open then.

    tell_trouble: called with the reason where the audit log can't be written.
    """

    def __init__(self, audit: AuditLog, user: str, tell_trouble: Callable[[str], object]) -> None:
        self._audit, self._user, self._tell_trouble = audit, user, tell_trouble
        self._running: dict[str, RunningDraft] = {}

    def begin(
        self,
        study_instance_uid: str,
        request: GenerationRequest,
        films: Sequence[Film],
        engine: EngineDescription,
        not_seen: str,
        asked: Mapping[str, Any] | None = None,
    ) -> bool:
        """Audit "draft-started"; False, and nothing is running, where that failed.

        asked: what more was asked for, for instance which sentences of a redraft stay.
        """
        details = {
            **(asked or {}),
            "request_id": request.request_id,
            "model_name": engine.model_name,
            "model_version": engine.model_version,
            "model_sha256": engine.model_sha256,
            "image_sha256": [film.image_sha256 for film in films],
            "views": [film.header.view_position for film in films],
            "not_seen": not_seen,
            "decoding": request.settings
            | {"block_length": engine.block_length, "device": engine.device}
            | engine.precision,
        }
        if not self._append("draft-started", study_instance_uid, details):
            return False
        self._running[request.request_id] = RunningDraft(
            study_instance_uid,
            request.language,
            tuple(film.image_sha256 for film in films),
            details,
        )
        return True

    def study_of(self, request_id: str) -> str:
        """The study a running draft belongs to, "" for one that isn't running."""
        draft = self._running.get(request_id)
        return draft.study_instance_uid if draft is not None else ""

    def end(self, event: str, request_id: str, outcome: dict[str, Any]) -> RunningDraft | None:
        """Audit how a draft ended; None for one that isn't running."""
        draft = self._running.pop(request_id, None)
        if draft is None:
            return None
        self._append(event, draft.study_instance_uid, draft.details | outcome)
        return replace(draft, ended_at=datetime.now(UTC).isoformat(timespec="seconds"))

    def tell(self, event: str, draft: RunningDraft, outcome: dict[str, Any]) -> bool:
        """Audit what the reader did with a draft that has ended; False where that failed."""
        told = ("request_id", "model_name", "model_version", "model_sha256")
        details = {name: draft.details[name] for name in told} | outcome
        return self._append(event, draft.study_instance_uid, details)

    def cancel_all(self, outcome: dict[str, Any]) -> None:
        """Audit "draft-cancelled" for all that are running."""
        for request_id in list(self._running):
            self.end("draft-cancelled", request_id, outcome)

    def _append(self, event: str, study_uid: str, details: dict[str, Any]) -> bool:
        try:
            self._audit.append(
                event, user=self._user, study_instance_uid=study_uid, details=details
            )
        except CatalogUnavailable as error:
            self._tell_trouble(str(error))
            return False
        return True
