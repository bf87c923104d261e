"""The window's menus, one method a menu: a new action of the window is one line here.

The table of the viewer's keys is `viewer/actions`; a key must not be in both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from inference import DECODING_MODES, EngineDescription
from inference.report_language import LANGUAGES, Language

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_LANGUAGE_NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}  # each in its own


class WindowMenus(QObject):
    """Fills the menu bar of one window; its actions call the window's public methods."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.decoding_group, self.language_group = QActionGroup(self), QActionGroup(self)
        self._fill_file_menu()
        self._fill_study_menu()
        self._fill_draft_menu()
        self._fill_help_menu()

    def actions(self) -> list[QAction]:
        """Every action of every menu, for the cheat sheet."""
        menus = self._window.menuBar().findChildren(QMenu)
        return [action for menu in menus for action in menu.actions()]

    def offer(self, description: EngineDescription) -> None:
        """Only what the model offers can be chosen."""
        for group, offered in (
            (self.decoding_group, description.decoding_modes),
            (self.language_group, description.languages),
        ):
            for action in group.actions():
                action.setEnabled(action.data() in offered)

    def _fill_file_menu(self) -> None:
        window, menu = self._window, self._menu(self.tr("&File"))
        self._add(menu, self.tr("Open &films…"), "Ctrl+O", window.ask_for_files)
        self._add(menu, self.tr("Open f&older…"), "Ctrl+Shift+O", window.ask_for_folder)
        menu.addSeparator()
        self._add(menu, self.tr("&Quit"), "Ctrl+Q", window.close)

    def _fill_study_menu(self) -> None:
        window, menu = self._window, self._menu(self.tr("&Study"))
        studies = window.study_list
        self._add(menu, self.tr("&Find study"), "Ctrl+F", studies.focus_search)
        self._add(menu, self.tr("&Next study"), "Ctrl+PgDown", studies.activate_next)
        self._add(menu, self.tr("&Previous study"), "Ctrl+PgUp", studies.activate_previous)
        words = self.tr("&Measurements into the report")
        self._add(menu, words, "Ctrl+M", window.add_measurements_to_report)

    def _fill_draft_menu(self) -> None:
        menu = self._menu(self.tr("&Draft"))
        names = {
            "one-step": self.tr("One-step (a block a pass)"),
            "adaptive": self.tr("Adaptive (a second look where in doubt)"),
            "guided": self.tr("Guided (autoregressive checks the draft)"),
            "multi-step": self.tr("Multi-step (several passes a block)"),
            "autoregressive": self.tr("Autoregressive (word by word)"),
        }
        for mode in DECODING_MODES:
            self.add_choice(menu, self.decoding_group, names[mode], mode)
        menu.addSeparator()
        for language in LANGUAGES:
            self.add_choice(menu, self.language_group, _LANGUAGE_NAMES[language], language)
        menu.addSeparator()
        race = self._window.race_strategies
        self._add(menu, self.tr("&Race decoding strategies…"), "Ctrl+R", race)

    def _fill_help_menu(self) -> None:
        window, menu = self._window, self._menu(self.tr("&Help"))
        self._add(menu, self.tr("&Keys"), "F1", window.show_keys)
        self._add(menu, self.tr("Verify &audit log"), "", window.verify_audit)

    def _menu(self, title: str) -> QMenu:
        return self._window.menuBar().addMenu(title)

    def _add(self, menu: QMenu, text: str, keys: str, slot: Callable[[], object]) -> QAction:
        action = QAction(text, self._window)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(slot)
        menu.addAction(action)
        return action

    def add_choice(self, menu: QMenu, group: QActionGroup, text: str, value: object) -> QAction:
        """One of several, of which one is checked; value is its data."""
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setData(value)
        group.addAction(action)
        return action
