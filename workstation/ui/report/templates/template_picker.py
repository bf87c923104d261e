"""Picks a text template while one types: list on the left, the whole text on the right."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from workstation.reporting.templates.text_templates import (
    TextTemplate,
    find_fields,
    search_templates,
)
from workstation.ui.theme import COLOURS, report_font

_TEMPLATE_ROLE = Qt.ItemDataRole.UserRole
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class TemplatePicker(QDialog):
    """picked(template) at Enter or a double click; edit_requested() for the templates' editor."""

    picked = Signal(object)
    edit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("template_picker")
        self.setWindowTitle(self.tr("Insert a text"))
        self.setModal(True)
        self.resize(760, 400)
        self._templates: tuple[TextTemplate, ...] = ()
        self.search_field = QLineEdit(self)
        self.search_field.setPlaceholderText(self.tr("Name, short form or words of the text"))
        self.search_field.setAccessibleName(self.tr("Search the templates"))
        self.search_field.installEventFilter(self)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Templates"))
        self.list.setStyleSheet("QListWidget::item { padding: 4px 6px; }")
        self.preview = QTextBrowser(self)
        self.preview.setAccessibleName(self.tr("The text"))
        self.preview.setFont(report_font())
        self.preview.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hint_label = QLabel(self.tr("Enter inserts · Tab goes from field to field"), self)
        self.hint_label.setProperty("role", "muted")
        self.edit_button = QPushButton(self.tr("&Edit templates…"), self)
        self.edit_button.setProperty("role", "quiet")
        self.edit_button.setAutoDefault(False)
        self.insert_button = QPushButton(self.tr("Insert"), self)
        self.insert_button.setProperty("role", "primary")
        self.insert_button.setDefault(True)
        self._lay_out()
        self.search_field.textChanged.connect(self._fill)
        self.list.currentItemChanged.connect(self._on_current_changed)
        self.list.itemDoubleClicked.connect(self._pick)
        self.insert_button.clicked.connect(self._pick)
        self.edit_button.clicked.connect(self.edit_requested)

    def offer(self, templates: Sequence[TextTemplate]) -> None:
        """These, with an empty search."""
        self._templates = tuple(templates)
        self.search_field.clear()
        self._fill()
        self.search_field.setFocus()

    @property
    def current(self) -> TextTemplate | None:
        item = self.list.currentItem()
        return item.data(_TEMPLATE_ROLE) if item is not None else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while one types in the field above."""
        is_key = watched is self.search_field and event.type() == QEvent.Type.KeyPress
        if is_key and isinstance(event, QKeyEvent) and event.key() in _MOVES:
            steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8}
            row = self.list.currentRow() + steps.get(Qt.Key(event.key()), 8)
            self.list.setCurrentRow(min(max(0, row), self.list.count() - 1))
            return True
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        middle = QHBoxLayout()
        middle.addWidget(self.list, 4)
        middle.addWidget(self.preview, 5)
        bottom = QHBoxLayout()
        bottom.addWidget(self.edit_button)
        bottom.addWidget(self.hint_label, 1, Qt.AlignmentFlag.AlignRight)
        bottom.addWidget(self.insert_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 12)
        layout.setSpacing(9)
        layout.addWidget(self.search_field)
        layout.addLayout(middle, 1)
        layout.addLayout(bottom)

    def _fill(self) -> None:
        self.list.clear()
        for template in search_templates(self._templates, self.search_field.text()):
            words = f"{template.name}   {template.short}" if template.short else template.name
            item = QListWidgetItem(words)
            item.setData(_TEMPLATE_ROLE, template)
            item.setToolTip(template.text)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self._on_current_changed()

    def _on_current_changed(self) -> None:
        template = self.current
        self.insert_button.setEnabled(template is not None)
        if template is None:
            words = self.tr("No template holds these words.")
            self.preview.setHtml(f"<p style='color:{COLOURS.muted_text}'>{escape(words)}</p>")
            return
        section = {
            "findings": self.tr("Findings"),
            "impression": self.tr("Impression"),
        }[template.section]
        self.preview.setHtml(
            f"<p style='color:{COLOURS.muted_text}'>{escape(section)}</p>"
            f"<p style='line-height:125%'>{mark_fields(template.text)}</p>"
        )

    def _pick(self) -> None:
        template = self.current
        if template is not None:
            self.accept()
            self.picked.emit(template)


def mark_fields(text: str) -> str:
    """A template's text as HTML, its fields set off."""
    pieces, position = [], 0
    for field in find_fields(text):
        shown = escape(text[field.start : field.end])
        style = f"background:{COLOURS.accent_dim};color:{COLOURS.bright_text}"
        pieces += [escape(text[position : field.start]), f"<span style='{style}'>{shown}</span>"]
        position = field.end
    return ("".join(pieces) + escape(text[position:])).replace("\n", "<br>")
