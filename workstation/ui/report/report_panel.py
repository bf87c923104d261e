"""The report column: nothing, an offer to draft, the live draft, the report under edit, or the
signed one."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from inference import BlockCommitted, Calibration, DraftCancelled, DraftFinished, PrefillDone
from inference.report_language import Language
from workstation.reporting.draft_report import DraftReport, Edit, locate_confidences
from workstation.reporting.report_store import StoredReport
from workstation.ui.draft.draft_endings import DraftEndings, show_passage
from workstation.ui.draft.draft_view import DraftView
from workstation.ui.notice_bar import NoticeBar
from workstation.ui.report.edit_recorder import EditRecorder
from workstation.ui.report.report_bars import ReportFoot, ReportHead
from workstation.ui.report.report_editor import ReportEditor
from workstation.ui.report.signed_page import SignedPage, count_provenance
from workstation.ui.report.start_page import StartPage

PanelState = Literal["no-study", "not-drafted", "drafting", "editing", "signed"]


class ReportPanel(QWidget):
    """What the reader does with one study's report. Holds a DraftReport, never saves it.

    edits_made is coalesced; take_edits() then gives what is to be saved and audited.
    """

    draft_requested = Signal()
    stop_requested = Signal()
    edits_made = Signal()
    sign_requested = Signal()
    addendum_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("report_panel")
        self._state: PanelState = "no-study"
        self._report: DraftReport | None = None
        self._recorder, self._endings = EditRecorder(self), DraftEndings(self)
        self._can_draft, self._cannot_draft_reason = True, ""
        self._make_pages()
        self._make_bars()
        self._lay_out()
        self._connect()
        self.show_no_study()

    # -- making ------------------------------------------------------------------------------

    def _make_pages(self) -> None:
        self.start_page = StartPage(self)
        self.draft_view = DraftView(self)
        self.editor = ReportEditor(self)
        self.signed_page = SignedPage(self)
        self.pages = QStackedWidget(self)
        self.pages.setObjectName("report_pages")
        for page in (self.start_page, self.draft_view, self.editor, self.signed_page):
            self.pages.addWidget(page)

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
        self.unseen_label.setWordWrap(True)
        self.unseen_label.hide()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(7)
        layout.addWidget(self.head)
        layout.addWidget(self.notice)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.unseen_label)
        layout.addWidget(self.foot)

    def _connect(self) -> None:
        self.start_page.draft_requested.connect(self.request_draft)
        self.start_page.write_requested.connect(self.write_by_hand)
        self.stop_button.clicked.connect(self.stop_requested)
        self.redraft_button.clicked.connect(self.request_draft)
        self.sign_button.clicked.connect(self._request_sign)
        self.undo_button.clicked.connect(self.editor.undo)
        self.redo_button.clicked.connect(self.editor.redo)
        self._recorder.edits_made.connect(self.edits_made)
        self.editor.report_changed.connect(self._show_buttons)
        self.editor.refused.connect(self.notice.say)
        self.notice.accepted.connect(self.draft_requested)
        self.signed_page.addendum_written.connect(self.addendum_requested)
        inside = Qt.ShortcutContext.WidgetWithChildrenShortcut
        self._shortcut("Ctrl+Z", inside).activated.connect(self.editor.undo)
        self._shortcut("Ctrl+Y", inside).activated.connect(self.editor.redo)
        self._shortcut("Ctrl+Shift+Z", inside).activated.connect(self.editor.redo)
        self._draft_key = self._window_action(self.tr("Draft"), "Ctrl+D")
        self._draft_key.triggered.connect(self.request_draft)
        self._stop_key = self._window_action(self.tr("Stop"), "Esc")
        self._stop_key.triggered.connect(self.stop_requested)
        self._sign_key = self._window_action(self.tr("Sign…"), "Ctrl+Return")
        self._sign_key.triggered.connect(self._request_sign)

    def _shortcut(self, keys: str, context: Qt.ShortcutContext) -> QShortcut:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(context)
        return shortcut

    def focus_page(self) -> None:
        """The keyboard to what is shown: the findings while they can be written."""
        page = self.pages.currentWidget()
        if page is self.editor:
            self.editor.editors["findings"].setFocus()
        elif page is self.start_page and self.start_page.draft_button.isEnabled():
            self.start_page.draft_button.setFocus()
        elif page is not None:
            page.setFocus()

    @property
    def window_actions(self) -> list[QAction]:
        """Draft, stop and sign: for any other window whose keyboard should reach them."""
        return [self._draft_key, self._stop_key, self._sign_key]

    def _window_action(self, text: str, keys: str) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(keys))
        self.addAction(action)
        return action

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
        self.editor.statement_list.set_calibration(calibration)

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

    # -- drafting ----------------------------------------------------------------------------

    def request_draft(self) -> None:
        """Ask for a draft; a report with edits is replaced only after a yes."""
        if not self._can_draft:
            self.notice.say(self._cannot_draft_reason)
        elif self._state == "not-drafted":
            self.draft_requested.emit()
        elif self._state == "editing":
            self.editor.flush_typing()
            if self.has_edits:
                self.notice.ask(
                    self.tr(
                        "A new draft replaces this report and your edits. Undo brings it back."
                    ),
                    self.tr("Redraft"),
                )
            else:
                self.draft_requested.emit()

    @property
    def has_edits(self) -> bool:
        """Whether anything in the report was edited or written by hand."""
        if self._report is None:
            return False
        state = self._report.state
        return any(each.provenance != "ai" for each in state.findings + state.impression)

    def begin_drafting(self) -> None:
        """A draft of the report shown was asked of the engine."""
        self.editor.flush_typing()
        self.draft_view.begin()
        self._enter("drafting")
        self.draft_view.setFocus()

    def set_prefill(self, event: PrefillDone) -> None:
        self.draft_view.set_prefill(event)

    def add_block(self, event: BlockCommitted) -> None:
        self.draft_view.add_block(event)

    def finish_drafting(self, event: DraftFinished, language: Language = "en") -> None:
        """Take the finished draft over into the report."""
        if self._state != "drafting" or self._report is None:
            return
        transcript = self.draft_view.transcript
        self.draft_view.finish()
        texts, confidences = transcript.token_texts(), transcript.token_confidences()
        self._report.set_from_draft(
            event.findings,
            event.impression,
            locate_confidences(event.text, event.findings, texts, confidences),
            locate_confidences(event.text, event.impression, texts, confidences, last=True),
            language,
        )
        self.show_current_report()
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
        if self._state == "drafting":
            self.draft_view.finish()
            self.show_current_report()
            self.notice.say(notice)

    # -- edits -------------------------------------------------------------------------------

    def flush_typing(self) -> None:
        """Hand typing that waits for a pause over to the report now."""
        self.editor.flush_typing()

    def pending_edits(self) -> list[Edit]:
        """The edits since the last take_edits, typing included."""
        self.flush_typing()
        return self._recorder.edits

    def take_edits(self) -> list[Edit]:
        """The same, and the list starts anew."""
        taken = self.pending_edits()
        self._recorder.clear()
        return taken

    def jump_to_block(self, index: int) -> None:
        """Show where a block of the rail stands: in the draft, or in the report made of it."""
        if self._state == "drafting":
            self.draft_view.jump_to_block(index)
        elif self._state == "editing":
            self._jump_in_report(index)

    def _jump_in_report(self, index: int) -> None:
        words = [w for w in self.draft_view.transcript.words() if w.block_index == index]
        if words and self._report is not None:
            passage = self.draft_view.transcript.raw_text[words[0].start : words[-1].end]
            show_passage(self.editor, self._report, passage)

    def _hold_report(self, report: DraftReport | None) -> None:
        self.editor.set_report(report)
        self._recorder.listen_to(report)
        self._report = report
        self.notice.hide()

    def _request_sign(self) -> None:
        if self._state == "editing":
            self.flush_typing()
            self.sign_requested.emit()

    # -- showing -----------------------------------------------------------------------------

    def _enter(self, state: PanelState) -> None:
        self._state = state
        if state == "drafting":
            self.notice.hide()
        self.pages.setCurrentWidget(
            {
                "no-study": self.start_page,
                "not-drafted": self.start_page,
                "drafting": self.draft_view,
                "editing": self.editor,
                "signed": self.signed_page,
            }[state]
        )
        self._show_buttons()

    def _show_buttons(self) -> None:
        state, report = self._state, self._report
        is_editing = state == "editing" and report is not None
        self.stop_button.setVisible(state == "drafting")
        self.redraft_button.setVisible(is_editing)
        self.redraft_button.setEnabled(self._can_draft)
        self.sign_button.setVisible(is_editing)
        self.undo_button.setVisible(is_editing)
        self.redo_button.setVisible(is_editing)
        if is_editing and report is not None:
            self.undo_button.setEnabled(report.can_undo)
            self.redo_button.setEnabled(report.can_redo)
            self.sign_button.setEnabled(not report.state.is_blank)
        self._draft_key.setEnabled(state in ("not-drafted", "editing"))
        self._stop_key.setEnabled(state == "drafting")
        self._sign_key.setEnabled(is_editing)
        self.unseen_label.setVisible(bool(self.unseen_label.text()) and state != "no-study")
        self.state_label.setText(self._state_text())

    def _state_text(self) -> str:
        if self._state == "editing" and self._report is not None:
            state = self._report.state
            return self.tr("draft · {0}").format(
                count_provenance(self, state.findings + state.impression)
            )
        return {
            "no-study": "",
            "not-drafted": self.tr("not drafted"),
            "drafting": self.tr("drafting…"),
            "editing": "",
            "signed": self.tr("✓ signed"),
        }[self._state]
