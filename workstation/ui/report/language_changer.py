"""The report in the other language, and what is said of the sentences that could not follow."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from inference.report_language import LANGUAGES, Language
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.language_switch import switch_language, switch_with

_NAMED_AT_MOST = 3


class LanguageChanger(QObject):
    """said(text) where all of it is rewritten; asked(question, answer) where sentences were left:
    a redraft in the new language may reach those that are not locked."""

    said = Signal(str)
    asked = Signal(str, str)

    def switch(self, report: DraftReport) -> None:
        """One undo step; nothing is changed where nothing is understood."""
        language = other_language(report.language)
        name = self._name(language)
        switched = switch_language(report.state, language)
        sentences = (*report.state.findings, *report.state.impression)
        left = switched.left
        if len(left) == len(sentences):
            self.said.emit(
                self.tr("Not rewritten in {0}: no sentence could be, word for word.").format(name)
            )
            return
        report.change_state("language", switch_with(language))
        if not left:
            self.said.emit(self.tr("Rewritten in {0}. Undo brings it back.").format(name))
            return
        named = " ".join(f"“{each.text}”" for each in left[:_NAMED_AT_MOST])
        if len(left) > _NAMED_AT_MOST:
            named += self.tr(" and {0} more").format(len(left) - _NAMED_AT_MOST)
        question = self.tr("Rewritten in {0}, but for {1} sentences that stay as they are: {2}")
        answer = self.tr("Redraft in {0}").format(name)
        self.asked.emit(question.format(name, len(left), named), answer)

    def _name(self, language: Language) -> str:
        return {"en": self.tr("English"), "zh": self.tr("Chinese")}[language]


def other_language(language: Language) -> Language:
    return next(each for each in LANGUAGES if each != language)
