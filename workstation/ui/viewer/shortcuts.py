"""Which key does what in the viewer: the table's keys, or the reader's own."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

from workstation.ui.viewer.actions import ACTIONS, ViewerAction

_GROUP = "shortcuts"
_NO_KEY = "none"


class KeyTaken(ValueError):
    """The key already does something else; its action is the argument."""


class Shortcuts(QObject):
    """Keys of every action; changes are kept in the settings and told by changed()."""

    changed = Signal()

    def __init__(
        self,
        settings: QSettings | None = None,
        actions: Sequence[ViewerAction] = ACTIONS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self.actions = tuple(actions)
        self._keys = {action.id: self._stored_keys(action) for action in self.actions}

    def keys(self, action_id: str) -> tuple[str, ...]:
        """Portable key sequences of an action, the first one is shown."""
        return self._keys[action_id]

    def shown_keys(self, action_id: str) -> str:
        """The keys as the reader's keyboard names them."""
        return "   ".join(
            QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
            for key in self._keys[action_id]
        )

    def action_of(self, key: str) -> ViewerAction | None:
        return next((each for each in self.actions if key in self._keys[each.id]), None)

    def find(self, event: QKeyEvent) -> str:
        """The id of the action a key press asks for, "" for none.

        Shift counts only where a key with Shift is mapped: "+" needs it on many keyboards.
        """
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        key = event.key()
        for held in (modifiers, modifiers & ~Qt.KeyboardModifier.ShiftModifier):
            pressed = QKeySequence(held.value | key).toString(
                QKeySequence.SequenceFormat.PortableText
            )
            action = self.action_of(pressed)
            if action is not None:
                return action.id
        return ""

    def assign(self, action_id: str, key: str) -> None:
        """Give an action one key of its own, or none for "". Raises KeyTaken."""
        taken = self.action_of(key) if key else None
        if taken is not None and taken.id != action_id:
            raise KeyTaken(taken.text)
        self._keys[action_id] = (key,) if key else ()
        if self._settings is not None:
            self._settings.setValue(f"{_GROUP}/{action_id}", key or _NO_KEY)
        self.changed.emit()

    def restore_all(self) -> None:
        """The keys as delivered."""
        if self._settings is not None:
            self._settings.remove(_GROUP)
        self._keys = {action.id: action.keys for action in self.actions}
        self.changed.emit()

    def _stored_keys(self, action: ViewerAction) -> tuple[str, ...]:
        stored = self._settings.value(f"{_GROUP}/{action.id}") if self._settings else None
        if not isinstance(stored, str) or not stored:
            return action.keys
        return () if stored == _NO_KEY else (stored,)
