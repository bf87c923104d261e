"""Text templates at work: picked, typed as short forms, put into the report, edited."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextCursor

from inference import resource_folder
from workstation.reporting.report_state import JOINERS, Section
from workstation.reporting.templates.auto_text import find_short_form
from workstation.reporting.templates.text_templates import (
    TemplateShelf,
    TextTemplate,
    find_fields,
    load_templates,
)
from workstation.ui.report.report_editor import ReportEditor
from workstation.ui.report.section_editor import SectionEditor
from workstation.ui.report.templates.template_dialog import TemplateDialog
from workstation.ui.report.templates.template_fields import TemplateFields
from workstation.ui.report.templates.template_picker import TemplatePicker

FOLDER_NAME = "templates"


class TemplateDesk(QObject):
    """Joins the site's templates to a report editor. site_folder need not be there yet.

    trouble(text): what the reader has to know, also of files that are no templates.
    changed(details): a template of the site was saved or deleted, for the audit log.
    """

    trouble = Signal(str)
    changed = Signal(dict)

    def __init__(self, editor: ReportEditor, site_folder: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._editor, self.site_folder = editor, site_folder
        self._shipped_folder = resource_folder() / FOLDER_NAME
        self._place: tuple[SectionEditor, int] | None = None
        self.fields: dict[Section, TemplateFields] = {
            section: TemplateFields(each, self._expand) for section, each in editor.editors.items()
        }
        self.picker = TemplatePicker(editor)
        self.picker.picked.connect(self.insert)
        self.picker.edit_requested.connect(self.edit_templates)
        self.shelf = TemplateShelf()
        self.reload()

    def reload(self) -> None:
        """Read the files anew; those that are no templates are named."""
        self.shelf = load_templates(self.site_folder, self._shipped_folder)

    def tell_broken(self) -> None:
        """Name the files that are no templates, if there are any."""
        if self.shelf.broken:
            first = self.shelf.broken[0]
            words = self.tr("{0} is no text template: {1}.").format(first.path.name, first.reason)
            if len(self.shelf.broken) > 1:
                more = self.tr("{0} more are named in the templates’ editor.")
                words = f"{words} {more.format(len(self.shelf.broken) - 1)}"
            self.trouble.emit(words)

    def open_picker(self) -> None:
        """Offer the templates of the report's language; they go in where the cursor is now."""
        report = self._editor.report
        if report is None or report.is_signed:
            self.trouble.emit(self.tr("There is no open report to write into."))
            return
        self.reload()
        self.tell_broken()
        self._place = self._focused_place()
        self.picker.offer(self.shelf.of_language(report.language))
        self.picker.open()

    def edit_templates(self) -> None:
        """The templates' editor; what is saved there counts at once."""
        self.picker.reject()
        self.reload()
        report = self._editor.report
        language = report.language if report is not None else "en"
        dialog = TemplateDialog(self.site_folder, self._shipped_folder, language, self._editor)
        dialog.changed.connect(self._on_changed)
        dialog.open()

    def insert(self, template: TextTemplate) -> None:
        """At the cursor if that is in the template's section, else at the section's end."""
        editor = self._editor.editors[template.section]
        place = self._place
        cursor = QTextCursor(editor.document())
        if place is not None and place[0] is editor:
            cursor.setPosition(min(place[1], editor.document().characterCount() - 1))
        else:
            cursor.movePosition(QTextCursor.MoveOperation.End)
        self._write(editor, cursor, template)

    def _expand(self, editor: SectionEditor, by_space: bool) -> bool:
        """Make a short form before the cursor its text; True where there was one."""
        report, cursor = self._editor.report, editor.textCursor()
        if report is None or report.is_signed or cursor.hasSelection():
            return False
        block = cursor.block().text()
        before = block.encode("utf-16-le")[: 2 * cursor.positionInBlock()].decode("utf-16-le")
        found = find_short_form(before, self.shelf.templates, report.language)
        if found is None:
            return False
        steps = found.end - found.start
        keep = QTextCursor.MoveMode.KeepAnchor
        cursor.movePosition(QTextCursor.MoveOperation.Left, keep, steps)
        self._write(editor, cursor, found.template, follow=" " if by_space else "")
        return True

    def _write(
        self, editor: SectionEditor, cursor: QTextCursor, template: TextTemplate, follow: str = ""
    ) -> None:
        """One undo step of its own; then the first field is selected, or the cursor goes behind.

        follow: what is typed after a text without fields.
        """
        report = self._editor.report
        if report is None or report.is_signed:
            self.trouble.emit(self.tr("There is no open report to write into."))
            return
        self._editor.end_typing()
        joiner = JOINERS[report.language]
        text = template.inserted_text
        before, after = _neighbours(editor, cursor)
        lead = joiner if before and not before.isspace() else ""
        tail = joiner if after and not after.isspace() else ""
        has_fields = bool(find_fields(text))
        if after or has_fields:
            follow = ""
        editor.setFocus()
        cursor.insertText(f"{lead}{text}{follow}{tail}")
        self._editor.end_typing()
        cursor.setPosition(cursor.position() - len(tail))
        editor.setTextCursor(cursor)
        if has_fields:
            end = len(_text_before(editor, cursor.position()))
            self.fields[editor.section].select_next(end - len(text))

    def _focused_place(self) -> tuple[SectionEditor, int] | None:
        for editor in self._editor.editors.values():
            if editor.hasFocus():
                return editor, editor.textCursor().selectionEnd()
        return None

    def _on_changed(self, details: dict[str, str]) -> None:
        self.reload()
        self.changed.emit(details)


def _neighbours(editor: SectionEditor, cursor: QTextCursor) -> tuple[str, str]:
    """The characters before and after what the cursor will replace, "" at the ends."""
    text = editor.toPlainText()
    start = len(_text_before(editor, cursor.selectionStart()))
    end = len(_text_before(editor, cursor.selectionEnd()))
    return text[start - 1 : start] if start else "", text[end : end + 1]


def _text_before(editor: SectionEditor, position: int) -> str:
    """The text before a position of Qt's count."""
    encoded = editor.toPlainText().encode("utf-16-le")
    return encoded[: 2 * position].decode("utf-16-le", "replace")
