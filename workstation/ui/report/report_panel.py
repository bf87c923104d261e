"""The report column: nothing, an offer to draft, the live draft or its cover, the report under
edit, the review of a redraft, or the signed report."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from inference import BlockCommitted, Calibration, DraftCancelled, DraftFinished, PrefillDone
from inference.report_language import Language
from workstation.drafting.redraft_run import AnswerRestarted, RedraftFinished
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.redrafting.redraft import RedraftScope
from workstation.reporting.report_state import SentenceOrigin
from workstation.reporting.token_confidences import locate_confidences
from workstation.reporting.versions.stored_report import StoredReport
from workstation.ui.draft.draft_endings import DraftEndings, show_passage
from workstation.ui.notice_bar import NoticeBar
from workstation.ui.report.edit_pause import EditPause
from workstation.ui.report.language_changer import LanguageChanger
from workstation.ui.report.panel_keys import PanelKeys
from workstation.ui.report.prior.prior_pane import PriorPane
from workstation.ui.report.redrafting.redraft_flow import RedraftFlow
from workstation.ui.report.report_bars import PanelState, ReportFoot, ReportHead
from workstation.ui.report.report_pages import ReportPages
from workstation.ui.theme import ui_font


class ReportPanel(QWidget):
    """What the reader does with one study's report. Holds a DraftReport, never saves it.

    edits_made is coalesced: the report is then to be saved. A first draft fills a blank report; a
    redraft of one with a text (redraft_requested carries its RedraftPlan) enters it only as far as
    redraft_reviewed tells.
    """

    draft_requested = Signal()
    redraft_requested = Signal(object)  # RedraftPlan
    redraft_reviewed = Signal(object)  # RedraftReviewed
    reveal_requested = Signal()
    stop_requested = Signal()
    edits_made = Signal()
    sign_requested = Signal()
    addendum_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("report_panel")
        self._state: PanelState = "no-study"
        self._report: DraftReport | None = None
        self._is_draft_ready = False  # behind the cover
        self._edit_pause, self._endings = EditPause(self), DraftEndings(self)
        self._can_draft, self._cannot_draft_reason = True, ""
        self._make_pages()
        self._make_bars()
        self.keys = PanelKeys(self)
        self.foot.offer_redrafts(self.keys.partial_redrafts)
        self.redrafts = RedraftFlow(self.review_page, self.editor, self)
        self.languages = LanguageChanger(self)
        self._lay_out()
        self._connect()
        self.show_no_study()

    # -- making ------------------------------------------------------------------------------

    def _make_pages(self) -> None:
        self.pages, self.prior_pane = ReportPages(self), PriorPane(self)
        self.start_page, self.draft_view = self.pages.start_page, self.pages.draft_view
        self.cover, self.review_page = self.pages.cover, self.pages.review_page
        self.editor, self.signed_page = self.pages.editor, self.pages.signed_page

    def _make_bars(self) -> None:
        self.head, self.foot = ReportHead(self), ReportFoot(self)
        self.state_label = self.head.state_label
        self.undo_button, self.redo_button = self.head.undo_button, self.head.redo_button
        self.stop_button, self.redraft_button = self.foot.stop_button, self.foot.redraft_button
        self.sign_button = self.foot.sign_button
        self.notice = NoticeBar(self)
        self.unseen_label = QLabel(self)
        self.unseen_label.setObjectName("unseen_line")
        self.unseen_label.setProperty("role", "muted")
        self.unseen_label.setFont(ui_font(9.5))
        self.unseen_label.setWordWrap(True)
        self.unseen_label.hide()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(7)
        layout.addWidget(self.head)
        layout.addWidget(self.notice)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.prior_pane)
        layout.addWidget(self.unseen_label)
        layout.addWidget(self.foot)

    def _connect(self) -> None:
        self.start_page.draft_requested.connect(self.request_draft)
        self.start_page.write_requested.connect(self.write_by_hand)
        self.stop_button.clicked.connect(self.stop_requested)
        self.redraft_button.clicked.connect(self.request_draft)
        self.sign_button.clicked.connect(self.request_sign)
        self.undo_button.clicked.connect(self.editor.undo)
        self.redo_button.clicked.connect(self.editor.redo)
        self._edit_pause.edits_made.connect(self.edits_made)
        self.editor.report_changed.connect(self._show_buttons)
        self.editor.refused.connect(self.notice.say)
        self.notice.accepted.connect(self._redraft_again)
        self.signed_page.addendum_written.connect(self.addendum_requested)
        self.cover.reveal_requested.connect(self.reveal_requested)
        self.redrafts.planned.connect(self.redraft_requested)
        self.redrafts.reviewed.connect(self._on_redraft_reviewed)
        for speaker in (self.redrafts, self.languages):
            speaker.said.connect(self.notice.say)
            speaker.asked.connect(self.notice.ask)

    def focus_page(self) -> None:
        """The keyboard to what is shown: the findings while they can be written."""
        self.pages.focus_current()

    @property
    def window_actions(self) -> list[QAction]:
        """Draft, stop and sign: for any other window whose keyboard should reach them."""
        return self.keys.window_actions

    # -- states ------------------------------------------------------------------------------

    @property
    def state(self) -> PanelState:
        return self._state

    @property
    def report(self) -> DraftReport | None:
        """The report shown; None without a study, and for a signed one."""
        return self._report

    def show_no_study(self) -> None:
        """Nothing is open."""
        self._hold_report(None)
        self.start_page.show_no_study()
        self._enter("no-study")

    def show_report(self, report: DraftReport) -> None:
        """Show an unsigned report: the offer to draft while it is blank, else the editor."""
        self._hold_report(report)
        self.show_current_report()

    def show_current_report(self) -> None:
        """Leave the draft view for the report as it is."""
        if self._report is None:
            self.show_no_study()
        elif self._report.state.is_blank and not self._report.can_undo:
            self.start_page.show_offer(self._can_draft, self._cannot_draft_reason)
            self._enter("not-drafted")
        else:
            self._enter("editing")

    def show_signed(self, report: StoredReport) -> None:
        """Show a signed report, read-only."""
        self._hold_report(None)
        self.signed_page.show_report(report)
        self._enter("signed")

    def set_can_draft(self, can_draft: bool, reason: str = "") -> None:
        """Whether a draft can be asked for now; reason is told where it can't."""
        self._can_draft, self._cannot_draft_reason = can_draft, reason
        if self._state == "not-drafted":
            self.start_page.show_offer(can_draft, reason)
        self._show_buttons()

    def set_calibration(self, calibration: Calibration | None) -> None:
        """How to read the confidences of the report shown: its model's calibration, or None."""
        self.editor.set_calibration(calibration)

    def set_unseen(self, text: str) -> None:
        """What the model did not see, for instance the lateral film; "" hides the line."""
        self.unseen_label.setText(text)
        self._show_buttons()

    def show_notice(self, text: str) -> None:
        """Say something about this report without stopping the reader."""
        self.notice.say(text)

    def write_by_hand(self) -> None:
        """Start from an empty report."""
        if self._report is None:
            return
        self._enter("editing")
        self.editor.editors["findings"].setFocus()

    # -- asking ------------------------------------------------------------------------------

    def request_draft(self) -> None:
        """A first draft of a blank report; of one with a text a redraft, which is reviewed."""
        may_ask = self._may_ask()
        is_blank = self._report is not None and self._report.state.is_blank
        if may_ask and is_blank:
            self.draft_requested.emit()
        elif may_ask:
            self.redrafts.ask("all")

    def redraft_at_cursor(self, scope: RedraftScope) -> None:
        """The sentence the reader is at, its region, or all from it on but what is locked."""
        if self._may_ask():
            self.redrafts.ask_at_cursor(scope)

    def rewrite_impression(self) -> None:
        """From the findings as they stand."""
        if self._may_ask():
            self.redrafts.ask("impression")

    def offer_regions(self, is_offered: bool) -> None:
        """Whether the model can redraft a region, or the impression, alone."""
        self.keys.offer_regions(is_offered)

    def _redraft_again(self) -> None:
        if self._may_ask():
            self.redrafts.ask_again()

    def _may_ask(self) -> bool:
        """Whether a draft can be asked for; all that was typed is handed over first."""
        if not self._can_draft:
            self.notice.say(self._cannot_draft_reason)
            return False
        self.flush_typing()
        return self._state in ("not-drafted", "editing")

    def switch_language(self) -> None:
        """The report in the other language, as far as the grammar understands it; one undo step."""
        if self._state == "editing" and self._report is not None:
            self.flush_typing()
            self.languages.switch(self._report)

    # -- drafting ----------------------------------------------------------------------------

    def begin_drafting(self, language: Language = "en") -> None:
        """A draft of the report shown was asked of the engine, in this language."""
        self.flush_typing()
        self.draft_view.begin(language=language)
        self._enter("drafting")
        self.draft_view.setFocus()

    def begin_covered(self) -> None:
        """A first draft is made in the background; the reader reads first."""
        self._is_draft_ready = False
        self.cover.show_report(self._report)
        self.cover.show_progress(is_ready=False)
        self._enter("covered")

    def show_covered(self) -> None:
        """The draft in the background is done, and stays covered."""
        self._is_draft_ready = True
        self.cover.show_progress(is_ready=True)
        self._show_buttons()

    def set_prefill(self, event: PrefillDone) -> None:
        self.draft_view.set_prefill(event)

    def restart_answer(self, event: AnswerRestarted) -> None:
        """A redraft goes on from here."""
        if event.regions:
            self.draft_view.keep_regions(event.regions)
        else:
            self.draft_view.restart(event.text, event.following)

    def add_block(self, event: BlockCommitted) -> None:
        self.draft_view.add_block(event)

    def finish_drafting(
        self,
        event: DraftFinished,
        language: Language = "en",
        origin: SentenceOrigin | None = None,
    ) -> None:
        """Take the finished draft over into the report, beside what the reader jotted before."""
        if self._state != "drafting" or self._report is None:
            return
        self.draft_view.finish()
        tokens = self.draft_view.transcript.answer(language)
        texts, confidences = [text for text, _ in tokens], [each for _, each in tokens]
        self._report.set_from_draft(
            event.findings,
            event.impression,
            locate_confidences(event.text, event.findings, texts, confidences),
            locate_confidences(event.text, event.impression, texts, confidences, last=True),
            language,
            origin,
        )
        self.show_current_report()
        self._say_how_it_ended(event)

    def review_redraft(
        self,
        event: RedraftFinished,
        *,
        same_model: bool = True,
        origin: SentenceOrigin | None = None,
    ) -> None:
        """Show how the finished redraft differs; nothing of it is in the report yet."""
        if self._state != "drafting" or self._report is None:
            return
        self.draft_view.finish()
        self._enter("editing")
        if self.redrafts.show(event, same_model=same_model, origin=origin):
            self._enter("reviewing")
            self.review_page.focus_open()
        self._say_how_it_ended(event)

    def _on_redraft_reviewed(self, reviewed: object) -> None:
        if self._state == "reviewing":
            self.show_current_report()
            self.focus_page()
        self.redraft_reviewed.emit(reviewed)

    def _say_how_it_ended(self, event: DraftFinished) -> None:
        notice = self._endings.finished(event)
        if notice:
            self.notice.say(notice)

    def cancel_drafting(self, event: DraftCancelled | None = None) -> None:
        """The draft was stopped: the report stays what it was."""
        self._end_without_report(self._endings.cancelled())

    def refuse_drafting(self, event: DraftFinished) -> None:
        """The model gave no report: that is said, and the report stays what it was."""
        self._end_without_report(self._endings.refused(event))

    def fail_drafting(self, message: str) -> None:
        """The draft failed: the report stays what it was."""
        self._end_without_report(self._endings.failed(message))

    def _end_without_report(self, notice: str) -> None:
        if self._state in ("drafting", "covered"):
            self.cover.flush_typing()
            self.draft_view.finish()
            self.show_current_report()
            self.notice.say(notice)

    # -- edits -------------------------------------------------------------------------------

    def flush_typing(self) -> None:
        """Hand typing that waits for a pause over to the report now."""
        self.editor.flush_typing()
        self.cover.flush_typing()

    def jump_to_block(self, index: int) -> None:
        """Show where a block of the rail stands: in the draft, or in the report made of it."""
        if self._state == "drafting":
            self.draft_view.jump_to_block(index)
        elif self._state == "editing" and self._report is not None:
            passage = self.draft_view.passage_of(index)
            if passage:
                show_passage(self.editor, self._report, passage)

    def _hold_report(self, report: DraftReport | None) -> None:
        self.cover.show_report(None)
        self.editor.set_report(report)
        self.redrafts.hold(report)
        self._edit_pause.listen_to(report)
        self._report = report
        self.notice.hide()

    def request_sign(self) -> None:
        """Ask for the signature under what stands now, typing included."""
        if self._state == "editing":
            self.flush_typing()
            self.sign_requested.emit()

    # -- showing -----------------------------------------------------------------------------

    def _enter(self, state: PanelState) -> None:
        self._state = state
        if state == "drafting":
            self.notice.hide()
        self.pages.show_state(state)
        self._show_buttons()

    def _show_buttons(self) -> None:
        report = self._report.state if self._report is not None else None
        self.head.show_state(self._state, self._report)
        self.foot.show_state(
            self._state,
            can_draft=self._can_draft,
            is_blank=report is None or report.is_blank,
            is_running=not self._is_draft_ready,
        )
        self.keys.enable(self._state, is_running=not self._is_draft_ready)
        is_told = bool(self.unseen_label.text()) and self._state not in ("no-study", "signed")
        self.unseen_label.setVisible(is_told)
