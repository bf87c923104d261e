"""The window's menus, one method a menu: a new action of the window is one line here.

The table of the viewer's keys is `viewer/actions`; a key must not be in both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from inference import DECODING_MODES, REGION_MODES, EngineDescription
from inference.report_language import LANGUAGES, Language
from workstation.ui.theme import FONT_SCALES

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_LANGUAGE_NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}  # each in its own


class WindowMenus(QObject):
    """Fills the menu bar of one window; its actions call the window's public methods."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.decoding_group, self.language_group = QActionGroup(self), QActionGroup(self)
        self.layout_group, self.text_size_group = QActionGroup(self), QActionGroup(self)
        self.detach_actions: dict[str, QAction] = {}
        self._fill_file_menu()
        self._fill_study_menu()
        self._fill_view_menu()
        self._fill_draft_menu()
        self._fill_report_menu()
        self._fill_help_menu()
        self._reach_every_window()

    def actions(self) -> list[QAction]:
        """Every action that is offered in a menu, for the cheat sheet."""
        menus = self._window.menuBar().findChildren(QMenu)
        return [action for menu in menus for action in menu.actions() if action.isVisible()]

    def offer(self, description: EngineDescription) -> None:
        """Only what the model offers can be chosen; checked is what it will do."""
        for group, offered in (
            (self.decoding_group, description.decoding_modes),
            (self.language_group, description.languages),
        ):
            for action in group.actions():
                action.setEnabled(action.data() in offered)
                if action.data() in REGION_MODES:
                    action.setVisible(action.data() in offered)
        self._check(self.decoding_group, self._window.desk.mode_of(description))
        self.quickest_action.setVisible(description.decoding_times is not None)

    def _fill_file_menu(self) -> None:
        window, menu = self._window, self._menu(self.tr("&File"))
        self._add(menu, self.tr("Open &films…"), "Ctrl+O", window.ask_for_files)
        self._add(menu, self.tr("Open f&older…"), "Ctrl+Shift+O", window.ask_for_folder)
        self._add(menu, self.tr("&Watched folder…"), "", window.intake.ask_watched_folder)
        words = self.tr("Get studies from a &server…")
        self._add(menu, words, "Ctrl+Shift+F", window.network.show_query)
        self._add(menu, self.tr("Net&work…"), "", window.network.show_settings)
        menu.addSeparator()
        window.accounts.fill_menu(menu)
        menu.addSeparator()
        self._add(menu, self.tr("&Quit"), "Ctrl+Q", window.close)

    def _fill_study_menu(self) -> None:
        window, menu = self._window, self._menu(self.tr("&Study"))
        studies = window.study_list
        self._add(menu, self.tr("&Find study"), "Ctrl+F", studies.focus_search)
        self._add(menu, self.tr("Next ne&w study"), "Ctrl+N", self._open_next_new)
        self._add(menu, self.tr("&Next study"), "Ctrl+PgDown", studies.activate_next)
        self._add(menu, self.tr("&Previous study"), "Ctrl+PgUp", studies.activate_previous)
        self._add(menu, self.tr("Fetch p&riors"), "Ctrl+Shift+P", window.fetch_priors)
        words = self.tr("Patient and &view of a picture…")
        self._add(menu, words, "", window.intake.describe_open_picture)
        self._add(menu, self.tr("&Remove studies…"), "", window.intake.remove_selected)

    def _open_next_new(self) -> None:
        """The next study that nobody has begun a report of."""
        if not self._window.study_list.activate_next_new():
            self._window.show_trouble(self.tr("No other study in the list is new."))

    def show_layout(self, layout: str) -> None:
        """Mark the layout chosen, "" for as the study asks."""
        self._check(self.layout_group, layout)

    def show_text_size(self, scale: float) -> None:
        self._check(self.text_size_group, scale)

    def show_detached(self, name: str, detached: bool) -> None:
        self.detach_actions[name].setChecked(detached)

    def show_linked(self, linked: bool) -> None:
        self.link_action.setChecked(linked)

    def _fill_view_menu(self) -> None:
        """Keys of the viewer's table are only named here: they work where a film has the focus."""
        window, menu = self._window, self._menu(self.tr("&View"))
        for text, layout in (
            (self.tr("Hang as the study asks"), ""),
            (self.tr("One viewport"), "1x1"),
            (self.tr("Two viewports"), "1x2"),
            (self.tr("Four viewports"), "2x2"),
        ):
            key = window.shortcuts.shown_keys(f"layout.{layout}" if layout else "hang")
            self.add_choice(menu, self.layout_group, f"{text}\t{key}", layout)
        self.layout_group.triggered.connect(self._on_layout_chosen)
        menu.addSeparator()
        for text, action_id in (
            (self.tr("Prior beside the current film"), "compare"),
            (self.tr("Prior and current in turn"), "blink"),
            (self.tr("Link zoom, pan and window"), "link"),
        ):
            action = menu.addAction(f"{text}\t{window.shortcuts.shown_keys(action_id)}")
            action.setData(action_id)
            action.triggered.connect(self._on_desk_action)
        self.link_action = action
        self.link_action.setCheckable(True)
        menu.addSeparator()
        for text, action_id in (
            (self.tr("Key image: keep what is on screen, or no longer"), "key_image.keep"),
            (self.tr("Next key image of the film"), "key_image.next"),
        ):
            action = menu.addAction(f"{text}\t{window.shortcuts.shown_keys(action_id)}")
            action.setData(action_id)
            action.triggered.connect(self._on_film_action)
        menu.addSeparator()
        self._add(menu, self.tr("Go to the films"), "F6", window.focus_films)
        self._add(menu, self.tr("Go to the report"), "F7", window.focus_report)
        self.studies_action = self._add(menu, self.tr("Study list"), "F9", self._show_studies)
        self.studies_action.setCheckable(True)
        self.studies_action.setChecked(True)
        self._fill_text_sizes(menu.addMenu(self.tr("Text size")))
        for text, name in (
            (self.tr("Films in a window of their own"), "films"),
            (self.tr("Report in a window of its own"), "report"),
        ):
            action = self._add(menu, text, "", self._on_detach)
            action.setCheckable(True)
            action.setData(name)
            self.detach_actions[name] = action

    def _fill_text_sizes(self, menu: QMenu) -> None:
        window = self._window
        for scale in FONT_SCALES:
            self.add_choice(menu, self.text_size_group, f"{scale:.0%}", scale)
        self.text_size_group.triggered.connect(self._on_text_size_chosen)
        menu.addSeparator()
        self._add(menu, self.tr("Larger"), "Ctrl++", lambda: window.text_size.step(1))
        self._add(menu, self.tr("Smaller"), "Ctrl+-", lambda: window.text_size.step(-1))

    def _on_layout_chosen(self, action: QAction) -> None:
        self._window.films.choose_layout(action.data() or None)

    def _on_text_size_chosen(self, action: QAction) -> None:
        self._window.text_size.choose(action.data())

    def _on_desk_action(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction)
        self._window.films.perform(action.data())
        self.link_action.setChecked(self._window.grid.links.is_on)

    def _on_film_action(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction)
        self._window.grid.perform(action.data())

    def _show_studies(self) -> None:
        self._window.study_list.setVisible(self.studies_action.isChecked())

    def _on_detach(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction)
        self._window.columns.set_detached(action.data(), action.isChecked())

    def _reach_every_window(self) -> None:
        """Keys of the menus and of the report work too where a column has its own window."""
        panel, films = self._window.report_panel, self._window.grid
        for column in (films, panel):
            column.addActions([each for each in self.actions() if not each.shortcut().isEmpty()])
        films.addActions(panel.window_actions)

    def _check(self, group: QActionGroup, value: object) -> None:
        for action in group.actions():
            if action.data() == value:
                action.setChecked(True)

    def _fill_draft_menu(self) -> None:
        menu, keys = self._menu(self.tr("&Draft")), self._window.report_panel.keys
        menu.addActions([keys.draft, *keys.partial_redrafts])
        menu.addSeparator()
        self.read_first_action = self._add(
            menu, self.tr("Read &first, then reveal"), "", self._on_read_first
        )
        self.read_first_action.setCheckable(True)
        menu.addAction(keys.reveal)
        menu.addSeparator()
        for language in LANGUAGES:
            self.add_choice(menu, self.language_group, _LANGUAGE_NAMES[language], language)
        menu.addSeparator()
        self._fill_decoding_menu(menu.addMenu(self.tr("De&coding")))
        self._add(menu, self.tr("&Model…"), "Ctrl+Shift+M", self._window.choose_model)
        race = self._window.race_strategies
        self._add(menu, self.tr("&Race decoding strategies…"), "Ctrl+R", race)

    def _fill_decoding_menu(self, menu: QMenu) -> None:
        names = {
            "one-step": self.tr("One-step (a block a pass)"),
            "adaptive": self.tr("Adaptive (a second look where in doubt)"),
            "guided": self.tr("Guided (autoregressive checks the draft)"),
            "multi-step": self.tr("Multi-step (several passes a block)"),
            "autoregressive": self.tr("Autoregressive (word by word)"),
            "regions": self.tr("Regions (all at the same time, then the impression)"),
            "regions-adaptive": self.tr("Regions, adaptive (a second look where in doubt)"),
            "regions-multi-step": self.tr("Regions, multi-step (several passes a block)"),
        }
        for mode in (*DECODING_MODES, *REGION_MODES):
            choice = self.add_choice(menu, self.decoding_group, names[mode], mode)
            choice.setVisible(mode not in REGION_MODES)  # these only where a model offers them
        menu.addSeparator()
        words = self.tr("&Quickest here, as measured")
        choose = self._window.draft_choices.choose_quickest
        self.quickest_action = self._add(menu, words, "", choose)
        self.quickest_action.setVisible(False)

    def _on_read_first(self) -> None:
        self._window.draft_choices.read_first(self.read_first_action.isChecked())

    def _fill_report_menu(self) -> None:
        window, menu = self._window, self._menu(self.tr("&Report"))
        keys = window.report_panel.keys
        menu.addActions([keys.sign, keys.prior])
        words = self.tr("&Versions of the report…")
        self._add(menu, words, "Ctrl+Shift+V", window.desk.signing.show_versions)
        menu.addSeparator()
        words = self.tr("&Measurements into the report")
        self._add(menu, words, "Ctrl+M", window.add_measurements_to_report)
        self._add(menu, self.tr("&Insert a text…"), "Ctrl+T", window.templates.open_picker)
        self._add(menu, self.tr("Text &templates…"), "", window.templates.edit_templates)
        words = self.tr("&Required of a report…")
        self._add(menu, words, "", window.report_rules.open_dialog)
        menu.addSeparator()
        window.exports.fill_menu(menu)

    def _fill_help_menu(self) -> None:
        window, menu = self._window, self._menu(self.tr("&Help"))
        self._add(menu, self.tr("&Keys"), "F1", window.show_keys)
        self._add(menu, self.tr("Audit &log…"), "Ctrl+Shift+A", window.show_audit_log)
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
