"""How new drafts are made: chosen in the menu, kept in the settings, the same at the next start."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QAction, QActionGroup

from inference import DecodingMode
from inference.report_language import Language
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.reading_desk import ReadingDesk

_FIRST_MODE: DecodingMode = "regions-adaptive"
"""With the embedded model the best in quality (its card). A model without it decodes adaptively in
one sequence."""
_FIRST_LANGUAGE: Language = "en"


class DraftChoices(QObject):
    """Decoding, language, and whether drafts stay covered at first. Signal: said(text), why a mode
    was chosen."""

    said = Signal(str)

    def __init__(
        self,
        desk: ReadingDesk,
        drafting: DraftingService,
        settings: QSettings | None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._drafting, self._settings = desk, drafting, settings
        self._modes, self._languages = QActionGroup(self), QActionGroup(self)

    def follow(self, modes: QActionGroup, languages: QActionGroup) -> None:
        """The menu's actions, whose data are decoding modes and languages; what was chosen last is
        chosen again."""
        self._modes, self._languages = modes, languages
        modes.triggered.connect(self._on_mode_chosen)
        languages.triggered.connect(self._on_language_chosen)
        self.restore()

    def restore(self) -> None:
        """As chosen last."""
        self._desk.decoding = self._check_kept(self._modes, "decoding", _FIRST_MODE).data()
        language = self._check_kept(self._languages, "draft_language", _FIRST_LANGUAGE)
        self._desk.choose_language(language.data())
        self._desk.is_reading_first = self._kept("read_first") == "on"

    def choose_mode(self, mode: str) -> None:
        """As if it were chosen in the menu; a mode that is not there is not chosen."""
        for action in self._modes.actions():
            if action.data() == mode:
                action.trigger()

    def choose_quickest(self) -> None:
        """Adaptive decoding in the layout that was quicker when the model was loaded."""
        description = self._drafting.engine_description
        if description is None or description.decoding_times is None:
            return
        sequence_ms, regions_ms = description.decoding_times
        self.choose_mode("regions-adaptive" if regions_ms < sequence_ms else "adaptive")
        words = self.tr("Decoding a typical report here: by regions {0} ms, in one sequence {1} ms")
        self.said.emit(words.format(round(regions_ms), round(sequence_ms)))

    def read_first(self, is_on: bool) -> None:
        """Whether first drafts stay covered until the reader reveals them."""
        self._desk.read_first(is_on)
        self._keep("read_first", "on" if is_on else "off")

    def _on_mode_chosen(self, action: QAction) -> None:
        self._desk.decoding = action.data()
        self._keep("decoding", action.data())

    def _on_language_chosen(self, action: QAction) -> None:
        self._desk.choose_language(action.data())
        self._keep("draft_language", action.data())

    def _check_kept(self, group: QActionGroup, key: str, first: str) -> QAction:
        """The action of the choice kept, else of the first one, checked."""
        chosen = self._kept(key) or first
        actions = group.actions()
        action = next((each for each in actions if each.data() == chosen), actions[0])
        action.setChecked(True)
        return action

    def _kept(self, key: str) -> object:
        return self._settings.value(key) if self._settings is not None else None

    def _keep(self, key: str, value: str) -> None:
        if self._settings is not None:
            self._settings.setValue(key, value)
