"""The slim bars over the film: a button for each action that has an icon or a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QAction, QActionGroup, QIcon
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton, QWidget

from workstation.ui.theme import COLOURS, font_scale
from workstation.ui.viewer.actions import ACTIONS, ActionGroup, ViewerAction
from workstation.ui.viewer.shortcuts import Shortcuts
from workstation.ui.viewer.tool_icons import DRAWINGS, GRID, tool_icon

Presets = Callable[[], Sequence[tuple[str, bool]]]
"""-> (name, whether it is shown) of each preset from the first on."""

FILM_GROUPS: tuple[ActionGroup, ...] = ("Pointer", "View", "Measure")
VIEWPORT_GROUPS: tuple[ActionGroup, ...] = ("Compare",)


def _is_on_bar(action: ViewerAction) -> bool:
    return bool(action.word) or action.id in DRAWINGS


class ViewerToolBar(QToolBar):
    """perform(action id) is called for what is clicked. groups: whose actions are on it;
    presets: names the windows that a menu offers, None for no such menu."""

    def __init__(
        self,
        shortcuts: Shortcuts,
        perform: Callable[[str], object],
        parent: QWidget | None = None,
        groups: tuple[ActionGroup, ...] = FILM_GROUPS,
        presets: Presets | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("viewer_tools" if groups == FILM_GROUPS else "viewport_tools")
        is_for_film = groups == FILM_GROUPS
        name = self.tr("Film tools") if is_for_film else self.tr("Viewports and comparison")
        self.setAccessibleName(name)
        self.setMovable(False)
        self._size_icons()
        self.setStyleSheet(
            # No min-width here: it would let words be squeezed to an ellipsis.
            "QToolButton { padding: 1px 0; }"
            "QToolButton[face='icon'] { padding: 1px; }"
            f"QToolBar {{ padding: 2px 6px; {'' if is_for_film else 'border: 0;'} }}"
            "QToolButton#qt_toolbar_ext_button { padding: 0; }"
            "QToolButton::menu-indicator { image: none; }"
            f"QToolButton:checked {{ background: {COLOURS.accent_dim};"
            f" color: {COLOURS.bright_text}; border: 1px solid {COLOURS.accent}; }}"
        )
        self._shortcuts, self._perform = shortcuts, perform
        self._buttons: dict[str, QAction] = {}
        self._presets: Presets = list
        self.preset_menu: QMenu | None = None
        tools = QActionGroup(self)
        group = ""
        for action in (each for each in ACTIONS if _is_on_bar(each) and each.group in groups):
            if group and action.group != group:
                if group == "View" and presets is not None:
                    self.preset_menu = self._add_preset_menu(presets)
                self.addSeparator()
            group = action.group
            button = self._add_button(action)
            if action.id.startswith("tool."):
                button.setCheckable(True)
                tools.addAction(button)
        self.show_tool("window")
        self._show_keys()
        self._name_overflow()
        shortcuts.changed.connect(self._show_keys)

    def show_tool(self, tool: str) -> None:
        """Mark the tool in use."""
        button = self._buttons.get(f"tool.{tool}")
        if button is not None:
            button.setChecked(True)

    def show_checked(self, action_id: str, checked: bool) -> None:
        """Mark an action that is on, or what is shown."""
        button = self._buttons[action_id]
        button.setCheckable(True)
        button.setChecked(checked)

    def button(self, action_id: str) -> QAction:
        return self._buttons[action_id]

    def _add_button(self, action: ViewerAction) -> QAction:
        # The name is what the list of tools without room shows; on the bar stands the icon.
        button = self.addAction(tool_icon(action.id), action.word or action.text)
        button.setIconVisibleInMenu(False)  # it would stand in the place of the mark of what is on
        button.setData(action.id)
        button.triggered.connect(self._on_triggered)
        widget = self.widgetForAction(button)
        widget.setAccessibleName(action.text)
        widget.setProperty("role", "quiet")
        widget.setProperty("face", "word" if action.word else "icon")
        self._buttons[action.id] = button
        return button

    def _add_preset_menu(self, presets: Presets) -> QMenu:
        """Every window and LUT of the film by its name, made anew when it is opened."""
        menu = QMenu(self)
        button = QToolButton(self)
        button.setObjectName("preset_menu")
        button.setText(self.tr("W/L") + " ▾")
        button.setAccessibleName(self.tr("Window presets"))
        button.setToolTip(self.tr("Window presets"))
        button.setProperty("role", "quiet")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(menu)
        menu.aboutToShow.connect(self._fill_preset_menu)
        self._presets = presets
        self.addWidget(button)
        return menu

    def _fill_preset_menu(self) -> None:
        assert self.preset_menu is not None
        self.preset_menu.clear()
        for number, (name, is_shown) in enumerate(self._presets(), 1):
            action_id = f"preset.{number}"
            is_keyed = any(each.id == action_id for each in ACTIONS)
            keys = self._shortcuts.shown_keys(action_id) if is_keyed else ""
            entry = self.preset_menu.addAction(f"{name}\t{keys}" if keys else name)
            entry.setData(action_id)
            entry.setCheckable(True)
            entry.setChecked(is_shown)
            entry.triggered.connect(self._on_triggered)
        if self.preset_menu.isEmpty():
            self.preset_menu.addAction(self.tr("No film")).setEnabled(False)

    def changeEvent(self, event: QEvent) -> None:
        """Icons grow with the text."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._size_icons()

    def _size_icons(self) -> None:
        side = round(GRID * font_scale())
        if self.iconSize().width() != side:  # setting it is a change of style by itself
            self.setIconSize(QSize(side, side))

    def _name_overflow(self) -> None:
        """Qt's button for what has no room: its own arrow is dark on dark, and nameless."""
        button = self.findChild(QToolButton, "qt_toolbar_ext_button")
        if button is not None:
            button.setIcon(QIcon())
            button.setText("»")
            button.setAccessibleName(self.tr("More tools"))
            button.setToolTip(self.tr("More tools"))

    def _on_triggered(self) -> None:
        button = self.sender()
        assert isinstance(button, QAction)
        self._perform(str(button.data()))

    def _show_keys(self) -> None:
        for action_id, button in self._buttons.items():
            name = next(each.text for each in ACTIONS if each.id == action_id)
            keys = self._shortcuts.shown_keys(action_id)
            button.setToolTip(f"{name}   ({keys})" if keys else name)
