"""From the wish for a redraft to what of it enters the report."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from workstation.drafting.redraft_run import RedraftFinished
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.redrafting.redraft import (
    NothingToRedraft,
    RedraftPlan,
    RedraftScope,
    plan_redraft,
)
from workstation.reporting.redrafting.redraft_review import (
    ReviewPiece,
    compare_redraft,
    merge_redraft,
)
from workstation.reporting.redrafting.region_redraft import (
    IMPRESSION,
    part_of_sentence,
    plan_region_redraft,
)
from workstation.reporting.report_state import ReportState, Section, SentenceOrigin
from workstation.ui.draft.draft_endings import find_sentence_at_cursor
from workstation.ui.report.redrafting.redraft_review_page import RedraftReviewPage
from workstation.ui.report.report_editor import ReportEditor


@dataclass(frozen=True)
class RedraftReviewed:
    """How a review ended: pieces offered, and of them accepted."""

    event: RedraftFinished
    offered: int
    accepted: int


class RedraftFlow(QObject):
    """Of one report at a time.

    planned(RedraftPlan) is to be asked of the model; reviewed(RedraftReviewed) follows each
    review; said(text) tells why there is nothing to do, asked(question, answer) whether to vary.
    """

    planned = Signal(object)
    reviewed = Signal(object)
    said = Signal(str)
    asked = Signal(str, str)

    def __init__(
        self, page: RedraftReviewPage, editor: ReportEditor, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._page, self._editor = page, editor
        self._report: DraftReport | None = None
        self._compared: ReportState | None = None
        self._pieces: tuple[ReviewPiece, ...] = ()
        self._event: RedraftFinished | None = None
        self._same_model = True
        self._origin: SentenceOrigin | None = None
        self._plan: RedraftPlan | None = None
        page.closed.connect(self._on_closed)

    def hold(self, report: DraftReport | None) -> None:
        """Another report: a review of the one before is dropped with it."""
        self._report, self._event, self._plan = report, None, None
        self._page.clear()

    def ask(
        self,
        scope: RedraftScope,
        section: Section = "findings",
        sentence_id: int | None = None,
        *,
        varied: bool = False,
    ) -> None:
        """One sentence or region is always varied: asked the same again, the model says the same
        again. A region is that of the sentence; of one of the impression, the impression."""
        if self._report is None:
            return
        varied = varied or scope in ("sentence", "region")
        state = self._report.state
        try:
            if scope == "impression":
                plan = plan_region_redraft(state, IMPRESSION, varied=varied)
            elif scope == "region" and sentence_id is not None:
                part = part_of_sentence(state, sentence_id)
                plan = plan_region_redraft(state, part, varied=varied)
            else:
                plan = plan_redraft(state, scope, section, sentence_id, varied=varied)
        except NothingToRedraft as error:
            self.said.emit(self.tr("Nothing to redraft: {0}.").format(error))
            return
        self._plan = plan
        self.planned.emit(plan)

    def ask_at_cursor(self, scope: RedraftScope) -> None:
        """The sentence the reader is at, or from it on."""
        place = find_sentence_at_cursor(self._editor, self._report) if self._report else None
        if place is None:
            self.said.emit(self.tr("Put the cursor into a sentence first, or choose its row."))
            return
        section, sentence = place
        self.ask(scope, section, sentence.id)

    def ask_again(self) -> None:
        """The yes to asked: what was redrafted last, in other words; else all."""
        plan = self._plan
        if plan is None or plan.scope in ("all", "impression"):
            self.ask(plan.scope if plan else "all", varied=plan is not None)
        else:
            section, sentence = plan.places[plan.head]
            self.ask(plan.scope, section, sentence.id, varied=True)

    def show(
        self, event: RedraftFinished, *, same_model: bool, origin: SentenceOrigin | None = None
    ) -> bool:
        """Begin the review; False where the redraft says the same as the report.

        same_model: as drafted the report. Confidences of two models can't be compared, so that
        with another one accepted the sentences that stay lose theirs. origin: which draft it is.
        """
        assert self._report is not None
        self._compared = self._report.state
        self._pieces = compare_redraft(self._compared, event.sentences)
        if not any(piece.is_change for piece in self._pieces):
            self._say_it_is_the_same()
            return False
        self._event, self._same_model, self._origin = event, same_model, origin
        self._page.show_pieces(self._pieces)
        return True

    def _say_it_is_the_same(self) -> None:
        if self._plan is not None and self._plan.varied:
            self.said.emit(self.tr("Asked to vary, the model says the same as the report."))
        else:
            words = self.tr("The redraft says the same as the report.")
            self.asked.emit(words, self.tr("Vary the wording"))

    def _on_closed(self, accepted: frozenset[int]) -> None:
        event, report, self._event = self._event, self._report, None
        if event is None or report is None:
            return
        pieces, origin = self._pieces, self._origin
        if report.state != self._compared:
            self.said.emit(
                self.tr("The report was changed meanwhile: nothing was taken over. Redraft again.")
            )
            accepted = frozenset()
        else:
            keep = self._same_model or not accepted
            report.change_state(
                "redraft",
                lambda now, new_id: merge_redraft(
                    now, pieces, accepted, new_id, keep_confidences=keep, origin=origin
                ),
            )
        offered = sum(piece.is_change for piece in pieces)
        self.reviewed.emit(RedraftReviewed(event, offered, len(accepted)))
