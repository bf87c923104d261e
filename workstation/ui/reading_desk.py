"""One study on the desk: its film, its draft, its edits, its signature.

Joins the services (catalog, reports, audit, drafting) to the two widgets a reader looks at.
Everything here runs on the main thread.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from inference import (
    BlockCommitted,
    DecodingMode,
    DraftCancelled,
    DraftFinished,
    EngineDescription,
    GenerationRequest,
    PrefillDone,
)
from inference.report_language import Language
from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import InstanceRow, StudyCatalog, UnknownStudy
from workstation.dicom.display_pipeline import model_image
from workstation.dicom.instance_reader import Film
from workstation.dicom.view_position import choose_model_films, find_lateral
from workstation.drafting.drafting_worker import DraftingService
from workstation.drafting.eligibility import describe_unseen, reason_not_to_draft
from workstation.reading.measurement_store import MeasurementStore
from workstation.reporting.autosave import Autosave
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import ReportSigned, ReportState
from workstation.reporting.report_store import DraftOrigin, ReportStore
from workstation.reporting.sign_off import NothingToSign, NotSigned, SignOff, UnsavedEdits
from workstation.ui.block_rail import BlockRail
from workstation.ui.draft_ledger import DraftLedger, RunningDraft
from workstation.ui.film_loader import FilmLoader
from workstation.ui.lateral_companion import LateralCompanion
from workstation.ui.report_panel import ReportPanel
from workstation.ui.viewer.image_viewer import ImageViewer

_log = logging.getLogger(__name__)
SAVE_RETRY_MS = 2000


@dataclass(frozen=True)
class Records:
    """The services behind the desk, all on one database."""

    catalog: StudyCatalog
    audit: AuditLog
    reports: ReportStore
    sign_off: SignOff
    user: str
    measurements: MeasurementStore


class ReadingDesk(QObject):
    """Holds at most one open study. Signals: study_changed(study_instance_uid) after its report's
    status may have changed; trouble(text) for what the reader has to know."""

    study_changed = Signal(str)
    films_changed = Signal(list, int)  # list[InstanceRow], which one is shown
    trouble = Signal(str)

    def __init__(
        self, records: Records, drafting: DraftingService, loader: FilmLoader,
        viewer: ImageViewer, panel: ReportPanel, rail: BlockRail, parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._records, self._drafting, self._loader = records, drafting, loader
        self._viewer, self._panel, self._rail = viewer, panel, rail
        self._companion = LateralCompanion(self)
        self.decoding: DecodingMode = "one-step"
        self._language: Language = "en"
        self._study_uid = ""
        self._films: list[InstanceRow] = []
        self._shown_film = 0
        self._model_sha256 = ""  # of the model that drafted the report shown
        self._autosave: Autosave | None = None
        self._ledger = DraftLedger(records.audit, records.user, self.trouble.emit)
        self._is_draft_waiting = False  # for the lateral film
        self._engine_trouble = self.tr("The model is still loading.")
        self._retry = QTimer(self)
        self._retry.setInterval(SAVE_RETRY_MS)
        self._retry.timeout.connect(self.save)
        self._connect()
        self._show_whether_draftable()

    def _connect(self) -> None:
        self._loader.film_loaded.connect(self._on_film_loaded)
        self._loader.film_failed.connect(self._on_film_failed)
        self._companion.settled.connect(self._on_companion_settled)
        self._panel.draft_requested.connect(self.draft)
        self._panel.stop_requested.connect(self._drafting.cancel)
        self._panel.edits_made.connect(self.save)
        self._panel.addendum_requested.connect(self._add_addendum)
        self._rail.block_clicked.connect(self._panel.jump_to_block)
        self._drafting.engine_ready.connect(self._on_engine_ready)
        self._drafting.engine_failed.connect(self._on_engine_failed)
        self._drafting.prefill_done.connect(self._on_prefill_done)
        self._drafting.block_committed.connect(self._on_block_committed)
        self._drafting.draft_finished.connect(self._on_draft_finished)
        self._drafting.draft_cancelled.connect(self._on_draft_cancelled)
        self._drafting.draft_failed.connect(self._on_draft_failed)
        self._drafting.superseded_draft_ended.connect(self._on_superseded_draft_ended)

    @property
    def study_instance_uid(self) -> str:
        """The open study, "" for none."""
        return self._study_uid

    @property
    def language(self) -> Language:
        """What new drafts, and reports not begun yet, are written in."""
        return self._language

    def choose_language(self, language: Language) -> None:
        """For new drafts; a report with a text keeps its own."""
        self._language = language
        if self._panel.report is not None:
            self._panel.report.choose_language(language)

    # -- opening -----------------------------------------------------------------------------

    def open_study(self, study_instance_uid: str) -> bool:
        """Put a study on the desk. False where the one before could not be saved: it stays."""
        if study_instance_uid == self._study_uid:
            return True
        if not self.leave_study():
            return False
        try:
            self._films = self._records.catalog.instances(study_instance_uid)
            stored = self._records.reports.load(study_instance_uid)
            self._records.audit.append(
                "study-opened",
                user=self._records.user,
                study_instance_uid=study_instance_uid,
                details={"films": len(self._films)},
            )
        except (CatalogUnavailable, UnknownStudy) as error:
            self.trouble.emit(str(error))
            return True
        self._study_uid = study_instance_uid
        self._rail.clear()
        if stored is not None and stored.status == "signed":
            self._panel.show_signed(stored)
        else:
            blank = ReportState(language=self._language)
            report = DraftReport(stored.state if stored is not None else blank)
            self._autosave = Autosave(self._records.reports, study_instance_uid, report)
            self._panel.show_report(report)
        self._model_sha256 = stored.model_sha256 if stored is not None else ""
        self._show_calibration()
        self._show_unseen()
        self.show_film(self._first_film())
        return True

    def _first_film(self) -> int:
        """A frontal film, if there is one: it is what the model is asked about."""
        chosen = choose_model_films([film.view_position for film in self._films], max_images=1)
        return chosen[0] if chosen else 0

    def leave_study(self) -> bool:
        """Save and clear the desk. False (and nothing changed) where saving failed."""
        self._panel.flush_typing()
        if not self.save():
            return False
        self._drafting.cancel()
        if self._autosave is not None:
            self._autosave.close()
        self._autosave, self._study_uid, self._films = None, "", []
        self._model_sha256, self._is_draft_waiting = "", False
        self._loader.cancel()
        self._companion.clear()
        self._viewer.set_film(None)
        self._panel.show_no_study()
        self.films_changed.emit([], -1)
        return True

    def show_film(self, index: int) -> None:
        """Decode and show one of the study's films."""
        if not 0 <= index < len(self._films):
            self._viewer.set_message(self.tr("This study has no films."))
            return
        self._shown_film, self._is_draft_waiting = index, False
        self._viewer.set_film(None)
        self._viewer.set_message(self.tr("Opening the film…"))
        self._show_whether_draftable()
        self._loader.request(self._films[index].path)
        self._find_companion(index)
        self.films_changed.emit(list(self._films), index)

    def _find_companion(self, shown: int) -> None:
        """The lateral film that goes to the model with the one shown, if the model takes two."""
        description = self._drafting.engine_description
        max_images = description.max_images if description is not None else 1
        views = [film.view_position for film in self._films]
        lateral = find_lateral(views)
        if max_images < 2 or lateral is None or lateral == shown:
            self._companion.clear()
        else:
            self._companion.request(self._films[lateral].path, self._study_uid)
        self._show_unseen()

    def _on_companion_settled(self) -> None:
        self._show_unseen()
        if self._is_draft_waiting and self._autosave is not None:
            self.draft()

    def _show_unseen(self) -> None:
        has_lateral = self._companion.film is not None or self._companion.is_loading
        self._panel.set_unseen(describe_unseen(len(self._films), has_lateral=has_lateral))

    def _on_film_loaded(self, path: str, film: Film) -> None:
        if film.header.study_instance_uid != self._study_uid:
            # The file was replaced on disk since its import: never show it under another name.
            self._on_film_failed(path, self.tr("the file now belongs to another study"))
            return
        self._viewer.set_film(film)
        self._show_whether_draftable()

    def _on_film_failed(self, path: str, reason: str) -> None:
        self._viewer.set_film(None)
        self._viewer.set_message(
            self.tr("This film can't be shown"), f"{path}\n{reason}", is_error=True
        )
        self._show_whether_draftable()

    # -- drafting ----------------------------------------------------------------------------

    def draft(self) -> None:
        """Ask the model for a draft of the film shown, and of the lateral one if it takes two."""
        film = self._viewer.film
        description = self._drafting.engine_description
        if self._reason_not_to_draft() or film is None or description is None:
            self._is_draft_waiting = False
            self._show_whether_draftable()
            return
        self._is_draft_waiting = self._companion.is_loading
        if self._is_draft_waiting:
            return
        lateral = self._companion.film
        films = [film] if lateral is None else [film, lateral]
        request = self._make_request(films, description)
        not_seen = self._panel.unseen_label.text()
        if not self._ledger.begin(self._study_uid, request, films, description, not_seen):
            return
        self._panel.begin_drafting()
        self._rail.begin(request.decoding)
        self._drafting.request_draft(request)

    def _make_request(self, films: list[Film], description: EngineDescription) -> GenerationRequest:
        """What was chosen, as far as the model offers it."""
        modes, languages = description.decoding_modes, description.languages
        return GenerationRequest(
            uuid.uuid4().hex,
            tuple(model_image(film) for film in films),
            language=self._language if self._language in languages else languages[0],
            decoding=self.decoding if self.decoding in modes else modes[0],
        )

    def _on_prefill_done(self, event: PrefillDone) -> None:
        if self._is_here(event.request_id):
            self._panel.set_prefill(event)
            self._rail.set_prefill(event)

    def _on_block_committed(self, event: BlockCommitted) -> None:
        if self._is_here(event.request_id):
            self._panel.add_block(event)
            self._rail.add_block(event)

    def _on_draft_finished(self, event: DraftFinished) -> None:
        is_here = self._is_here(event.request_id)
        outcome: dict[str, Any] = {
            "text": event.text,
            "stop_reason": event.stop_reason,
            "passes": event.passes,
            "extra_passes": event.extra_passes,
            "tokens": event.tokens,
            "prefill_ms": round(event.prefill_ms, 1),
            "decode_ms": round(event.decode_ms, 1),
        }
        if event.refused:
            outcome["refusal"] = event.refusal
            self._ledger.end("draft-refused", event.request_id, outcome)
            if is_here:
                self._panel.refuse_drafting(event)
                self._rail.refuse()
            return
        outcome["taken_over"] = is_here
        draft = self._ledger.end("draft-finished", event.request_id, outcome)
        if is_here and draft is not None:
            self._take_over(event, draft)

    def _take_over(self, event: DraftFinished, draft: RunningDraft) -> None:
        if self._autosave is None:
            return
        self._rail.finish(event)
        self._autosave.set_origin(
            DraftOrigin(
                model_sha256=draft.details["model_sha256"],
                decoding=draft.details["decoding"],
                ai_findings=event.findings,
                ai_impression=event.impression,
                model_name=draft.details["model_name"],
                image_sha256=draft.image_sha256,
            )
        )
        self._model_sha256 = draft.details["model_sha256"]
        self._show_calibration()
        self._panel.finish_drafting(event, draft.language)
        self.save()

    def _on_draft_cancelled(self, event: DraftCancelled) -> None:
        is_here = self._is_here(event.request_id)
        self._ledger.end("draft-cancelled", event.request_id, {"passes": event.passes})
        if is_here:
            self._panel.cancel_drafting(event)
            self._rail.cancel(event)

    def _on_draft_failed(self, request_id: str, message: str) -> None:
        is_here = self._is_here(request_id)
        self._ledger.end("draft-failed", request_id, {"reason": message})
        if is_here:
            self._panel.fail_drafting(message)
            self._rail.fail()

    def _on_superseded_draft_ended(self, request_id: str) -> None:
        self._ledger.end("draft-cancelled", request_id, {"superseded": True})

    def _is_here(self, request_id: str) -> bool:
        """Whether the draft belongs to the study on the desk: text never lands on another."""
        return bool(self._study_uid) and self._ledger.study_of(request_id) == self._study_uid

    # -- saving, signing ---------------------------------------------------------------------

    def save(self) -> bool:
        """Save what is unsaved; on failure say so, keep it, and try again every two seconds."""
        if self._autosave is None:
            return True
        try:
            was_saved = self._autosave.flush()
        except (CatalogUnavailable, ReportSigned, UnknownStudy) as error:
            if not self._retry.isActive():
                self._retry.start()
            text = self.tr("Not saved yet: {0}. Your text is kept and will be tried again.")
            self._panel.show_notice(text.format(error))
            self.trouble.emit(str(error))
            return False
        if self._retry.isActive():
            self._retry.stop()
            self._panel.show_notice(self.tr("Saved."))
        if was_saved:
            self.study_changed.emit(self._study_uid)
        return True

    def sign(self, ask_signer: Callable[[DraftReport], str | None]) -> bool:
        """Sign the report as it stands. ask_signer shows it and returns a name, None to stop."""
        report = self._panel.report
        if report is None or not self.save():
            return False
        signer = ask_signer(report)
        if signer is None:
            return False
        try:
            self._records.sign_off.sign(self._study_uid, signer, seen=report.state)
        except (NothingToSign, UnsavedEdits, ReportSigned, ValueError, CatalogUnavailable) as error:
            self._panel.show_notice(self.tr("Not signed: {0}").format(error))
            return False
        self._drafting.cancel()
        self._autosave = None
        self._show_signed()
        return True

    def _add_addendum(self, text: str) -> None:
        try:
            self._records.sign_off.add_addendum(self._study_uid, self._records.user, text)
        except (NotSigned, ValueError, CatalogUnavailable) as error:
            self._panel.show_notice(self.tr("Addendum not saved: {0}").format(error))
            return
        self._show_signed()

    def _show_signed(self) -> None:
        stored = self._records.reports.load(self._study_uid)
        if stored is not None:
            self._panel.show_signed(stored)
        self.study_changed.emit(self._study_uid)

    def close(self) -> bool:
        """Before the window closes: stop drafting, save. False where saving failed."""
        self._drafting.cancel()
        self._ledger.cancel_all({"window_closed": True})  # no event will come after shutdown
        return self.leave_study()

    def shutdown(self) -> None:
        """When the window is gone: end the thread that reads the lateral film."""
        self._companion.shutdown()

    # -- whether the model can be asked ------------------------------------------------------

    def _on_engine_ready(self, description: EngineDescription) -> None:
        self._engine_trouble = ""
        self._rail.set_engine(description)
        self._show_calibration()
        self._show_whether_draftable()
        if self._films:
            self._find_companion(self._shown_film)

    def _on_engine_failed(self, message: str) -> None:
        self._engine_trouble = self.tr("The model can't be loaded: {0}").format(message)
        self._rail.set_engine(None)
        self.trouble.emit(self._engine_trouble)
        self._show_whether_draftable()

    def _reason_not_to_draft(self) -> str:
        if self._engine_trouble:
            return self._engine_trouble
        film = self._viewer.film
        if film is None:
            return self.tr("No film is shown, so there is nothing to draft from.")
        return reason_not_to_draft(film.header)

    def _show_calibration(self) -> None:
        """The confidences of a report are read by the calibration of the model that wrote it."""
        engine = self._drafting.engine_description
        is_its_own = engine is not None and engine.model_sha256 == self._model_sha256
        self._panel.set_calibration(engine.calibration if engine and is_its_own else None)

    def _show_whether_draftable(self) -> None:
        reason = self._reason_not_to_draft()
        self._panel.set_can_draft(not reason, reason)
