"""What is said when a draft ends, and where its blocks stand in the report made of it."""

from __future__ import annotations

from PySide6.QtCore import QObject

from inference import DraftFinished
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import SECTIONS, Section, Sentence
from workstation.ui.report.report_editor import ReportEditor


class DraftEndings(QObject):
    """The words, translated."""

    def finished(self, event: DraftFinished) -> str:
        """Why a draft may not be whole; "" for one that ended by itself."""
        if event.stop_reason == "length":
            return self.tr("The model reached its length limit: the draft may be cut off.")
        if event.stop_reason == "repetition":
            return self.tr("The model repeated itself: the draft ends before the repetition.")
        return ""

    def refused(self, event: DraftFinished) -> str:
        reason = event.refusal
        if event.text:  # the model's own words, in the language it was asked in
            reason = self.tr("the model takes this for no frontal chest radiograph (“{0}”).")
            reason = reason.format(event.refusal)
        text = self.tr("No draft: {0} Nothing was taken over; you can write by hand.")
        return text.format(reason)

    def cancelled(self) -> str:
        return self.tr("Draft stopped. Nothing was taken over.")

    def failed(self, message: str) -> str:
        return self.tr("The draft failed: {0}").format(message)


def show_passage(editor: ReportEditor, report: DraftReport, passage: str) -> None:
    """Jump to where these words of the draft still stand in the report, if they do."""
    for section in SECTIONS:
        at = report.state.text(section).find(passage)
        if at >= 0:
            field = editor.editors[section]
            field.jump_to(at, at + len(passage))
            field.light_words(at, at + len(passage))
            return


def find_sentence_at_cursor(
    editor: ReportEditor, report: DraftReport
) -> tuple[Section, Sentence] | None:
    """The sentence the reader is at: under the cursor of the text that has the keyboard, else of
    the row chosen in the list."""
    for section, field in editor.editors.items():
        sentences = report.state.sentences(section)
        if field.hasFocus() and sentences:
            position = field.textCursor().position()
            found = field.sentence_at(position) or field.sentence_at(position - 1)
            return section, found or sentences[-1]
    row = editor.statement_list.current_row()
    if row is None or row.sentence is None:
        return None
    return row.section, row.sentence
