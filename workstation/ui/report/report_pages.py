"""The pages of the report column, one for each state it can be in."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QWidget

from workstation.ui.draft.draft_cover import DraftCover
from workstation.ui.draft.draft_view import DraftView
from workstation.ui.report.redrafting.redraft_review_page import RedraftReviewPage
from workstation.ui.report.report_bars import PanelState
from workstation.ui.report.report_editor import ReportEditor
from workstation.ui.report.signing.signed_page import SignedPage
from workstation.ui.report.start_page import StartPage


class ReportPages(QStackedWidget):
    """Exactly one is seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("report_pages")
        self.start_page, self.draft_view = StartPage(self), DraftView(self)
        self.cover, self.review_page = DraftCover(self), RedraftReviewPage(self)
        self.editor, self.signed_page = ReportEditor(self), SignedPage(self)
        self._page_of: dict[PanelState, QWidget] = {
            "no-study": self.start_page,
            "not-drafted": self.start_page,
            "drafting": self.draft_view,
            "covered": self.cover,
            "editing": self.editor,
            "reviewing": self.review_page,
            "signed": self.signed_page,
        }
        for page in dict.fromkeys(self._page_of.values()):
            self.addWidget(page)

    def show_state(self, state: PanelState) -> None:
        self.setCurrentWidget(self._page_of[state])

    def focus_current(self) -> None:
        """The keyboard to what is shown: the findings while they can be written."""
        page = self.currentWidget()
        if page is self.editor:
            self.editor.editors["findings"].setFocus()
        elif page is self.cover:
            self.cover.impression_editor.setFocus()
        elif page is self.start_page and self.start_page.draft_button.isEnabled():
            self.start_page.draft_button.setFocus()
        elif page is not None:
            page.setFocus()
