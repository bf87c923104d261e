"""What a race is about, and what the audit log says of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from inference import DecodingMode, EngineDescription, GenerationRequest
from inference.report_language import Language
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.dicom.film import Film
from workstation.dicom.model_image import model_image
from workstation.drafting.race import RACING_ORDER, RaceLane, RaceResult


@dataclass(frozen=True, eq=False)
class RaceSubject:
    """The films all strategies read (the first is shown), and the model that reads them."""

    study_instance_uid: str
    films: tuple[Film, ...]
    language: Language
    engine: EngineDescription

    @property
    def strategies(self) -> tuple[DecodingMode, ...]:
        """Those the model offers, the slowest kind first."""
        return tuple(mode for mode in RACING_ORDER if mode in self.engine.decoding_modes)

    @property
    def written_language(self) -> Language:
        """The one chosen, or the first the model writes."""
        offered = self.engine.languages
        return self.language if self.language in offered else offered[0]

    def requests(self, strategies: Sequence[DecodingMode]) -> tuple[GenerationRequest, ...]:
        """One for each strategy, alike in everything else."""
        images = tuple(model_image(film) for film in self.films)
        return tuple(
            GenerationRequest(
                uuid.uuid4().hex, images, language=self.written_language, decoding=mode
            )
            for mode in strategies
        )


class RaceLedger:
    """Audits a race when it begins and when it ends. It is no draft and changes no report.

    tell_trouble: called with the reason where the audit log can't be written.
    """

    def __init__(self, audit: AuditLog, user: str, tell_trouble: Callable[[str], object]) -> None:
        self._audit, self._user, self._tell_trouble = audit, user, tell_trouble
        self._study_uid = ""
        self._details: dict[str, Any] | None = None

    def begin(self, subject: RaceSubject, requests: Sequence[GenerationRequest]) -> bool:
        """Audit "race-started"; False, and there is no race, where that failed."""
        engine = subject.engine
        self._study_uid = subject.study_instance_uid
        self._details = {
            "race_id": uuid.uuid4().hex,
            "model_name": engine.model_name,
            "model_version": engine.model_version,
            "model_sha256": engine.model_sha256,
            "device": engine.device,
            **engine.precision,
            "image_sha256": [film.image_sha256 for film in subject.films],
            "strategies": [request.settings for request in requests],
        }
        if self._append("race-started", {}):
            return True
        self._details = None
        return False

    def finish(self, result: RaceResult) -> None:
        """Audit "race-finished" with every strategy's text and figures."""
        outcome = {
            "counted_laps": result.counted_laps,
            "has_warm_up": result.has_warm_up,
            "lanes": [_describe_lane(lane) for lane in result.lanes],
        }
        self._end("race-finished", outcome)

    def cancel(self) -> None:
        """Audit "race-cancelled"; nothing is done where no race is running."""
        self._end("race-cancelled", {})

    def fail(self, reason: str) -> None:
        self._end("race-failed", {"reason": reason})

    def _end(self, event: str, outcome: dict[str, Any]) -> None:
        if self._details is not None:
            self._append(event, outcome)
            self._details = None

    def _append(self, event: str, outcome: dict[str, Any]) -> bool:
        details = (self._details or {}) | outcome
        try:
            self._audit.append(
                event, user=self._user, study_instance_uid=self._study_uid, details=details
            )
        except CatalogUnavailable as error:
            self._tell_trouble(str(error))
            return False
        return True


def _describe_lane(lane: RaceLane) -> dict[str, Any]:
    if lane.shown is None:
        return {"mode": lane.decoding, "failure": lane.failure}
    ending = lane.shown.ending
    return {
        "mode": lane.decoding,
        "text": ending.text,
        "stop_reason": ending.stop_reason,
        "refusal": ending.refusal,
        "passes": ending.passes,
        "tokens": ending.tokens,
        "prefill_ms": round(ending.prefill_ms, 1),
        "decode_ms": round(ending.decode_ms, 1),
        "laps_ms": [round(lap_ms, 1) for lap_ms in lane.laps_ms],
    }
