"""The keyboard in a text with fields: Tab goes to the next, choices are picked in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QToolTip

from workstation.reporting.templates.text_templates import TemplateField, find_fields
from workstation.ui.report.section_editor import SectionEditor

_NO_KEYS_BUT_SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.KeypadModifier,
)


Expand = Callable[[SectionEditor, bool], bool]


@dataclass
class _Choice:
    """The field whose choices the arrows go through: what is selected now is one of them."""

    field: TemplateField
    shown: str


class TemplateFields(QObject):
    """Listens to the keys of one section editor; keys that mean nothing here go on to it.

    expand: asked at Space and Tab whether a short form stands before the cursor, True where it
    made it a text. Fields are found in the text itself, so that they also work after a restart.
    """

    def __init__(
        self, editor: SectionEditor, expand: Callable[[SectionEditor, bool], bool]
    ) -> None:
        super().__init__(editor)
        self._editor, self._expand = editor, expand
        self._choice: _Choice | None = None
        editor.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self._editor or not isinstance(event, QKeyEvent):
            return False
        if event.type() != QEvent.Type.KeyPress or self._editor.isReadOnly():
            return False
        return self._takes(event)

    def select_next(self, start: int | None = None) -> bool:
        """Select the first field at or after an offset (None: the cursor); False if there is
        none."""
        offset = self._offsets()[1] if start is None else start
        field = next((each for each in self._fields() if each.start >= offset), None)
        if field is not None:
            self._select(field)
        return field is not None

    def select_previous(self) -> bool:
        """Select the last field that ends before the cursor; False if there is none."""
        offset = self._offsets()[0]
        fields = [each for each in self._fields() if each.end <= offset]
        if fields:
            self._select(fields[-1])
        return bool(fields)

    def _takes(self, event: QKeyEvent) -> bool:
        key, modifiers = event.key(), event.modifiers()
        if modifiers not in _NO_KEYS_BUT_SHIFT:
            return False
        if key == Qt.Key.Key_Backtab:
            return self.select_previous()
        if key == Qt.Key.Key_Tab:
            return self._expand(self._editor, False) or self.select_next()
        if key == Qt.Key.Key_Space and self._expand(self._editor, True):
            return True
        choice = self._current_choice()
        if choice is None:
            return False
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(choice, 1 if key == Qt.Key.Key_Down else -1)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not self.select_next():
                self._collapse()
            return True
        return self._take_letter(choice, event.text())

    # -- choices -----------------------------------------------------------------------------

    def _current_choice(self) -> _Choice | None:
        """The choice under way; None where something else is selected by now."""
        choice = self._choice
        if choice is None or self._editor.textCursor().selectedText() != choice.shown:
            self._choice = None
        return self._choice

    def _step(self, choice: _Choice, step: int) -> None:
        choices = choice.field.choices
        if choice.shown in choices:
            place = (choices.index(choice.shown) + step) % len(choices)
        else:
            place = 0 if step > 0 else len(choices) - 1
        self._show(choice, choices[place])

    def _take_letter(self, choice: _Choice, letter: str) -> bool:
        """The next choice that begins with it; other letters are typed over the field."""
        choices = choice.field.choices
        start = choices.index(choice.shown) + 1 if choice.shown in choices else 0
        order = (*choices[start:], *choices[:start])
        if not letter.strip():
            return False
        begun = next((c for c in order if c.casefold().startswith(letter.casefold())), None)
        if begun is None:
            return False
        self._show(choice, begun)
        return True

    def _show(self, choice: _Choice, text: str) -> None:
        cursor = self._editor.textCursor()
        start = cursor.selectionStart()
        cursor.insertText(text)
        cursor.setPosition(start)
        cursor.setPosition(start + _units(text), QTextCursor.MoveMode.KeepAnchor)
        self._editor.setTextCursor(cursor)
        choice.shown = text

    # -- where -------------------------------------------------------------------------------

    def _fields(self) -> tuple[TemplateField, ...]:
        return find_fields(self._editor.toPlainText())

    def _offsets(self) -> tuple[int, int]:
        """Start and end of the selection as offsets of Python's text."""
        text, cursor = self._editor.toPlainText(), self._editor.textCursor()
        encoded = text.encode("utf-16-le")
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        return (
            len(encoded[: 2 * start].decode("utf-16-le", "replace")),
            len(encoded[: 2 * end].decode("utf-16-le", "replace")),
        )

    def _select(self, field: TemplateField) -> None:
        text = self._editor.toPlainText()
        cursor = self._editor.textCursor()
        cursor.setPosition(_units(text[: field.start]))
        cursor.setPosition(_units(text[: field.end]), QTextCursor.MoveMode.KeepAnchor)
        self._editor.setTextCursor(cursor)
        self._editor.ensureCursorVisible()
        self._choice = _Choice(field, text[field.start : field.end]) if field.choices else None
        self._show_hint(field)

    def _show_hint(self, field: TemplateField) -> None:
        if field.choices:
            choices = " | ".join(field.choices)
            words = self.tr("{0}: {1} — ↑ ↓ or first letter, Tab goes on").format(
                field.name, choices
            )
        else:
            words = self.tr("{0}: type it, Tab goes on").format(field.name)
        below = self._editor.cursorRect().bottomLeft()
        QToolTip.showText(self._editor.viewport().mapToGlobal(below), words, self._editor)

    def _collapse(self) -> None:
        cursor = self._editor.textCursor()
        cursor.setPosition(cursor.selectionEnd())
        self._editor.setTextCursor(cursor)


def _units(text: str) -> int:
    """Qt's length of a text: it counts UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2
