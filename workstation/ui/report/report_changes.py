"""What the reader asks of the report, as changes of one DraftReport; refusals are said in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QElapsedTimer, QObject, Signal

from inference.report_language import CannotRewrite, Language, Statement, Status, word_statement
from workstation.reporting.draft_report import DraftReport, StatementGone
from workstation.reporting.report_state import ReportSigned, Section, Sentence, check_section
from workstation.reporting.sentences.sentence_place import place_sentence
from workstation.ui.report.statements.checklist_lines import ChecklistLine
from workstation.ui.report.statements.statement_rows import StatementRow

UI_LANGUAGE: Language = "en"
"""What refusals are explained in: the language of the app's own words, not of the report."""

TYPING_BURST_MS = 1500
"""Typing with shorter pauses than this is one undo step."""


class ReportChanges(QObject):
    """Changes one report; without one, nothing happens.

    flush_typing: called before every change, so that what was just typed is in the report first.
    refused(text) says why a change was not made, or what it left to be looked at.
    """

    refused = Signal(str)

    def __init__(self, flush_typing: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._flush_typing = flush_typing
        self._report: DraftReport | None = None
        self._typing_clock = QElapsedTimer()
        self._typing_section: Section | None = None

    def set_report(self, report: DraftReport | None) -> None:
        """Change another report from now on."""
        self._report = report
        self._typing_section = None

    # -- typing and undo ---------------------------------------------------------------------

    def take_typing(self, section: Section, text: str) -> None:
        """The text of a section as it was typed."""
        if self._report is None or self._report.is_signed:
            return
        is_burst = (
            self._typing_section == section and self._typing_clock.elapsed() < TYPING_BURST_MS
        )
        self._report.set_section_text(section, text, merge=is_burst)
        self._typing_section = section
        self._typing_clock.start()

    def end_typing(self) -> None:
        """What is typed next is an undo step of its own."""
        self._flush_typing()
        self._typing_section = None

    def undo(self) -> None:
        self.end_typing()
        if self._report is not None:
            self._report.undo()

    def redo(self) -> None:
        self.end_typing()
        if self._report is not None:
            self._report.redo()

    # -- statements --------------------------------------------------------------------------

    def flip(self, row: StatementRow) -> None:
        sentence, statement = _stated(row)
        self.make(lambda r: r.flip_statement(row.section, sentence.id, statement))

    def restate(self, row: StatementRow, wanted: Statement) -> None:
        sentence, statement = _stated(row)
        self.make(lambda r: r.restate_statement(row.section, sentence.id, statement, wanted))

    def withdraw(self, row: StatementRow) -> None:
        sentence, statement = _stated(row)
        self.make(lambda r: r.withdraw_statement(row.section, sentence.id, statement))

    def set_status(self, line: ChecklistLine, status: Status | None) -> None:
        """The checklist: a statement gets another status, or a sentence its place."""
        assert line.concept is not None
        if line.state == (status or "not stated"):
            return
        said, sentence, section = line.statement, line.sentence, line.section
        if said is not None and sentence is not None:
            if status is None:
                self.make(lambda r: r.withdraw_statement(section, sentence.id, said))
            else:
                wanted = replace(said, status=status)
                self.make(lambda r: r.restate_statement(section, sentence.id, said, wanted))
        elif status is not None and self._report is not None:
            language = self._report.language
            self.add_finding(word_statement(line.concept.name, status, language=language))

    # -- sentences ---------------------------------------------------------------------------

    def accept(self, section: str, sentence_id: int, accepted: bool) -> None:
        self.make(lambda r: r.accept_sentence(check_section(section), sentence_id, accepted))

    def lock(self, section: str, sentence_id: int, locked: bool) -> None:
        self.make(lambda r: r.set_locked(check_section(section), sentence_id, locked))

    def delete(self, section: str, sentence_id: int) -> None:
        self.make(lambda r: r.delete_sentence(check_section(section), sentence_id))

    def edit(self, section: str, sentence_id: int, text: str) -> None:
        self.make(lambda r: r.edit_sentence(check_section(section), sentence_id, text))

    def add_finding(self, text: str) -> None:
        """A sentence of the findings, at its place in report order."""
        if self._report is None:
            return
        self._flush_typing()
        place = place_sentence(self._report, "findings", text)
        replaced = place.replaces
        if replaced is not None:
            self.make(lambda r: r.edit_sentence("findings", replaced.id, text))
        else:
            self.make(lambda r: r.add_sentence("findings", text, place.index))
        if place.disagrees is not None:
            self.refused.emit(
                self.tr("Added. “{0}” says something else: please check it.").format(
                    place.disagrees.text
                )
            )

    def make(self, change: Callable[[DraftReport], object]) -> None:
        """One change; a refusal is said in words and changes nothing."""
        if self._report is None:
            return
        self.end_typing()
        try:
            change(self._report)
        except CannotRewrite as error:
            self.refused.emit(
                self.tr("Not changed: {0} Please edit the sentence.").format(
                    error.explain(UI_LANGUAGE).rstrip(".") + "."
                )
            )
        except (StatementGone, KeyError):
            self.refused.emit(self.tr("Not changed: the sentence was edited meanwhile."))
        except ReportSigned as error:
            self.refused.emit(str(error))


def _stated(row: StatementRow) -> tuple[Sentence, Statement]:
    """Of a row that states something: only such rows ask for it to be changed."""
    assert row.sentence is not None
    assert row.statement is not None
    return row.sentence, row.statement
