"""Gives the report editor a speller once its word list has been read, off the main thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from workstation.reporting.checks.site_words import SiteWords, UnreadableWordList
from workstation.reporting.checks.spelling import EnglishWords, Speller
from workstation.ui.report.report_editor import ReportEditor

LOOK_AGAIN_MS = 200


class SpellingDesk(QObject):
    """Waits for the words and hands them over, once. trouble(text): the site's list is no list;
    the words are then known without it."""

    trouble = Signal(str)

    def __init__(self, editor: ReportEditor, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor, self._folder = editor, folder
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_AGAIN_MS)
        self._clock.timeout.connect(self._look)
        editor.report_shown.connect(self._begin)

    def _begin(self) -> None:
        """The first report to be edited asks for the words."""
        self._editor.report_shown.disconnect(self._begin)
        EnglishWords.begin_reading()
        self._clock.start()

    def _look(self) -> None:
        words = EnglishWords.when_read()
        if words is None:
            if not EnglishWords.is_reading():
                self._clock.stop()  # the list can't be read; that is in the log
            return
        self._clock.stop()
        site_words = None
        try:
            site_words = SiteWords(self._folder)
        except UnreadableWordList as error:
            self.trouble.emit(self.tr("The site's words are not used: {0}").format(error))
        self._editor.set_speller(Speller(site_words, words))
