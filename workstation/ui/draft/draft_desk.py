"""Drafting for the study on the desk: whether it can be asked for, the request, its events."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from inference import (
    REGION_MODES,
    BlockCommitted,
    DraftCancelled,
    DraftFinished,
    EngineDescription,
    GenerationRequest,
    LoadProgress,
    PrefillDone,
)
from workstation.audit.audit_log import AuditLog
from workstation.dicom.model_image import model_image
from workstation.drafting.drafting_service import DraftingService
from workstation.drafting.eligibility import describe_unseen, reason_not_to_draft
from workstation.drafting.redraft_run import AnswerRestarted, RedraftFinished, RedraftRequest
from workstation.reporting.redrafting.redraft import NothingToRedraft, RedraftPlan
from workstation.ui.draft.block_rail import BlockRail
from workstation.ui.draft.covered_draft import CoveredDraft
from workstation.ui.draft.draft_ledger import DraftLedger, RunningDraft
from workstation.ui.draft.draft_requests import DraftRequests, describe_plan
from workstation.ui.film.film_desk import FilmDesk
from workstation.ui.models.model_progress import word_progress
from workstation.ui.report.redrafting.redraft_flow import RedraftReviewed
from workstation.ui.report.report_panel import ReportPanel


class DraftDesk(QObject):
    """Asks the model about the films on the desk and shows what it answers.

    Signals: draft_finished(DraftFinished, RunningDraft) for a first draft of the open study that
    gave a report; redraft_accepted(RedraftFinished, RunningDraft) once a piece of a redraft is in
    the report; engine_changed(); trouble(text). is_reading_first: first drafts are made as soon as
    they can be, and covered until the reader reveals them.
    """

    draft_finished = Signal(object, object)
    redraft_accepted = Signal(object, object)
    engine_changed = Signal()
    trouble = Signal(str)

    def __init__(
        self, drafting: DraftingService, films: FilmDesk, panel: ReportPanel, rail: BlockRail,
        audit: AuditLog, user: str, parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._drafting, self._films = drafting, films
        self._panel, self._rail = panel, rail
        self.requests = DraftRequests()
        self._study_uid = ""
        self._ledger = DraftLedger(audit, user, self.trouble.emit)
        self.is_reading_first = False
        self._covered: CoveredDraft | None = None
        self._has_begun_covered = False  # once a study: a stopped draft is not begun again
        self._reviewed: RunningDraft | None = None  # the redraft under review
        self._report_model = ""  # sha256 of the model that drafted the report shown
        self._is_waiting = False  # for the lateral film
        self._plan: RedraftPlan | None = None  # what waits; None: a first draft
        self._engine_trouble = self.tr("The model is still loading.")
        self._connect()
        self.show_whether_draftable()

    def _connect(self) -> None:
        self._films.film_changed.connect(self._on_film_changed)
        self._films.companion_settled.connect(self._on_companion_settled)
        self._panel.draft_requested.connect(self.draft)
        self._panel.redraft_requested.connect(self.redraft)
        self._panel.redraft_reviewed.connect(self._on_redraft_reviewed)
        self._panel.reveal_requested.connect(self.reveal)
        self._panel.stop_requested.connect(self._drafting.cancel)
        self._drafting.engine_loading.connect(self._on_engine_loading)
        self._drafting.load_progressed.connect(self._on_load_progressed)
        self._drafting.engine_ready.connect(self._on_engine_ready)
        self._drafting.engine_failed.connect(self._on_engine_failed)
        self._drafting.prefill_done.connect(self._on_prefill_done)
        self._drafting.answer_restarted.connect(self._on_answer_restarted)
        self._drafting.block_committed.connect(self._on_block_committed)
        self._drafting.draft_finished.connect(self._on_draft_finished)
        self._drafting.draft_cancelled.connect(self._on_draft_cancelled)
        self._drafting.draft_failed.connect(self._on_draft_failed)
        self._drafting.superseded_draft_ended.connect(self._on_superseded_draft_ended)

    # -- the open study ----------------------------------------------------------------------

    def open_study(self, study_instance_uid: str) -> None:
        """Drafts are of this study from now on; text of another never lands here."""
        self._study_uid, self._has_begun_covered = study_instance_uid, False
        self._rail.clear()

    def leave_study(self) -> None:
        self._drafting.cancel()
        covered, self._covered = self._covered, None
        if covered is not None and covered.draft is not None:
            outcome = {"covered_s": round(covered.covered_s, 1)}
            self._ledger.tell("draft-never-revealed", covered.draft, outcome)
        reviewed, self._reviewed = self._reviewed, None
        if reviewed is not None:
            self._ledger.tell("redraft-reviewed", reviewed, {"study_left": True})
        self._study_uid, self._is_waiting, self._plan = "", False, None

    def cancel(self) -> None:
        self._drafting.cancel()

    def end_all(self) -> None:
        """Before the window closes: no event will come after shutdown."""
        self._drafting.cancel()
        self._ledger.cancel_all({"window_closed": True})

    def show_calibration(self, model_sha256: str) -> None:
        """The confidences of a report are read by the calibration of the model that wrote it."""
        self._report_model = model_sha256
        engine = self._drafting.engine_description
        is_its_own = engine is not None and engine.model_sha256 == model_sha256
        self._panel.set_calibration(engine.calibration if engine and is_its_own else None)

    # -- asking ------------------------------------------------------------------------------

    def draft(self) -> None:
        """Ask the model for a draft of the film shown, and of the lateral one if it takes two."""
        self._ask(None)

    def redraft(self, plan: RedraftPlan) -> None:
        """The same around what the plan keeps, in the report's own language."""
        self._ask(plan)

    def _ask(self, plan: RedraftPlan | None) -> None:
        film = self._films.film
        description = self._drafting.engine_description
        self._plan = plan
        if self._reason_not_to_draft() or film is None or description is None:
            self._is_waiting = False
            self.show_whether_draftable()
            return
        self._is_waiting = self._films.is_lateral_loading
        if self._is_waiting:
            return
        lateral = self._films.lateral
        films = [film] if lateral is None else [film, lateral]
        images = [model_image(each) for each in films]
        try:
            request = self.requests.make(images, description, plan)
        except NothingToRedraft as error:
            self._panel.show_notice(self.tr("Nothing to redraft: {0}.").format(error))
            return
        if plan is not None and request.language != plan.state.language:
            self._panel.show_notice(self.tr("This model does not write the report's language."))
            return
        not_seen = self._panel.unseen_label.text()
        asked = {"redraft": describe_plan(plan)} if plan is not None else {}
        if self._ledger.begin(self._study_uid, request, films, description, not_seen, asked):
            self._begin(request, plan)

    def _begin(self, request: GenerationRequest, plan: RedraftPlan | None) -> None:
        if plan is None and self.is_reading_first and self._panel.state == "not-drafted":
            self._covered = CoveredDraft(request.request_id, request.decoding)
            self._has_begun_covered = True
            self._panel.begin_covered()
            self._rail.cover(is_ready=False)
        else:
            self._panel.begin_drafting(request.language)
            self._rail.begin(request.decoding)
        self._drafting.request_draft(request if plan is None else RedraftRequest(request, plan))

    def show_whether_draftable(self) -> None:
        reason = self._reason_not_to_draft()
        self._panel.set_can_draft(not reason, reason)
        is_first = self._panel.state == "not-drafted" and not self._has_begun_covered
        if self.is_reading_first and is_first and not reason and not self._is_waiting:
            self.draft()

    def _reason_not_to_draft(self) -> str:
        if self._engine_trouble:
            return self._engine_trouble
        film = self._films.film
        if film is None:
            return self.tr("No film is shown, so there is nothing to draft from.")
        return reason_not_to_draft(film.header)

    def _on_film_changed(self) -> None:
        if self._films.film is None:
            self._is_waiting = False
        self._show_unseen()
        self.show_whether_draftable()

    def _on_companion_settled(self) -> None:
        self._show_unseen()
        if self._is_waiting and self._panel.report is not None:
            self._ask(self._plan)

    def _show_unseen(self) -> None:
        has_lateral = self._films.lateral is not None or self._films.is_lateral_loading
        self._panel.set_unseen(describe_unseen(self._films.count, has_lateral=has_lateral))

    def _on_engine_loading(self, model: str) -> None:
        self._engine_trouble = self.tr("The model is still loading.")
        self._rail.show_loading(model)
        self.show_whether_draftable()

    def _on_load_progressed(self, progress: LoadProgress) -> None:
        words = word_progress(progress)
        if words != self._engine_trouble:
            self._engine_trouble = words
            self.show_whether_draftable()

    def _on_engine_ready(self, description: EngineDescription) -> None:
        self._engine_trouble = ""
        self._rail.set_engine(description)
        self._panel.offer_regions(bool({*REGION_MODES} & {*description.decoding_modes}))
        self._films.set_max_images(description.max_images)
        self._show_unseen()
        self.engine_changed.emit()
        self.show_whether_draftable()

    def _on_engine_failed(self, message: str) -> None:
        self._engine_trouble = self.tr("The model can't be loaded: {0}").format(message)
        self._rail.set_engine(None)
        self.trouble.emit(self._engine_trouble)
        self.show_whether_draftable()

    # -- answers -----------------------------------------------------------------------------

    def _on_prefill_done(self, event: PrefillDone) -> None:
        if self._is_covered(event.request_id):
            self._keep_covered(event)
        elif self._is_here(event.request_id):
            self._panel.set_prefill(event)
            self._rail.set_prefill(event)

    def _on_answer_restarted(self, event: AnswerRestarted) -> None:
        if self._is_here(event.request_id):
            self._panel.restart_answer(event)

    def _on_block_committed(self, event: BlockCommitted) -> None:
        if self._is_covered(event.request_id):
            self._keep_covered(event)
        elif self._is_here(event.request_id):
            self._panel.add_block(event)
            self._rail.add_block(event)

    def _keep_covered(self, event: PrefillDone | BlockCommitted) -> None:
        assert self._covered is not None
        self._covered.events.append(event)

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
                self._covered = None
                self._panel.refuse_drafting(event)
                self._rail.refuse()
            return
        is_covered, is_redraft = (
            self._is_covered(event.request_id),
            isinstance(event, RedraftFinished),
        )
        outcome["taken_over"] = is_here and not is_covered and not is_redraft
        draft = self._ledger.end("draft-finished", event.request_id, outcome)
        if not is_here or draft is None:
            return
        if is_covered:
            self._cover(event, draft)
            return
        self._rail.finish(event)
        if isinstance(event, RedraftFinished):
            own = self._report_model in ("", draft.details["model_sha256"])
            self._panel.review_redraft(event, same_model=own, origin=draft.sentence_origin())
            self._reviewed = draft if self._panel.state == "reviewing" else None
        else:
            self.draft_finished.emit(event, draft)

    def _cover(self, event: DraftFinished, draft: RunningDraft) -> None:
        assert self._covered is not None
        self._covered.finished, self._covered.draft = event, draft
        self._panel.show_covered()
        self._rail.cover(is_ready=True)

    def reveal(self) -> None:
        """Show the draft in the background as if it had just been made; audited first."""
        covered = self._covered
        if covered is None or covered.finished is None or covered.draft is None:
            return
        self._panel.flush_typing()
        outcome = {
            "covered_s": round(covered.covered_s, 1),
            "own_impression": self._panel.cover.own_impression,
        }
        if not self._ledger.tell("draft-revealed", covered.draft, outcome):
            return
        self._covered = None
        self._panel.begin_drafting(covered.draft.language)
        self._rail.begin(covered.decoding)
        for event in covered.events:
            if isinstance(event, PrefillDone):
                self._panel.set_prefill(event)
                self._rail.set_prefill(event)
            else:
                self._panel.add_block(event)
                self._rail.add_block(event)
        self._rail.finish(covered.finished)
        self.draft_finished.emit(covered.finished, covered.draft)

    def _on_redraft_reviewed(self, reviewed: RedraftReviewed) -> None:
        draft, self._reviewed = self._reviewed, None
        if draft is None:
            return
        outcome = {"pieces_offered": reviewed.offered, "pieces_accepted": reviewed.accepted}
        self._ledger.tell("redraft-reviewed", draft, outcome)
        if reviewed.accepted:
            self.redraft_accepted.emit(reviewed.event, draft)

    def _on_draft_cancelled(self, event: DraftCancelled) -> None:
        is_here = self._is_here(event.request_id)
        self._ledger.end("draft-cancelled", event.request_id, {"passes": event.passes})
        if is_here:
            self._covered = None
            self._panel.cancel_drafting(event)
            self._rail.cancel(event)

    def _on_draft_failed(self, request_id: str, message: str) -> None:
        is_here = self._is_here(request_id)
        self._ledger.end("draft-failed", request_id, {"reason": message})
        if is_here:
            self._covered = None
            self._panel.fail_drafting(message)
            self._rail.fail()

    def _on_superseded_draft_ended(self, request_id: str) -> None:
        self._ledger.end("draft-cancelled", request_id, {"superseded": True})

    def _is_covered(self, request_id: str) -> bool:
        return self._covered is not None and self._covered.request_id == request_id

    def _is_here(self, request_id: str) -> bool:
        """Whether the draft belongs to the study on the desk: text never lands on another."""
        return bool(self._study_uid) and self._ledger.study_of(request_id) == self._study_uid
