"""The site's text templates: looked through, changed, added, deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from inference.report_language import LANGUAGES, Language
from workstation.reporting.report_state import SECTIONS
from workstation.reporting.templates.text_templates import (
    TemplateRefused,
    TextTemplate,
    load_templates,
    make_template,
    save_template,
)
from workstation.ui.theme import report_font

_TEMPLATE_ROLE = Qt.ItemDataRole.UserRole
_LANGUAGE_NAMES: dict[str, str] = {"en": "English", "zh": "中文"}


class TemplateDialog(QDialog):
    """changed(details) after a template was saved or deleted. A shipped template that is changed
    becomes a file of the site's; deleting that brings the shipped one back."""

    changed = Signal(dict)

    def __init__(
        self, site_folder: Path, shipped_folder: Path, language: Language, parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("template_dialog")
        self.setWindowTitle(self.tr("Text templates"))
        self.setModal(True)
        self.resize(900, 560)
        self._site_folder, self._shipped_folder = site_folder, shipped_folder
        self._language = language
        self._shown = TextTemplate("", language, "findings", "")
        self._make_fields()
        self._lay_out()
        self._connect()
        self.refresh()

    def _make_fields(self) -> None:
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Templates"))
        self.list.setStyleSheet("QListWidget::item { padding: 4px 6px; }")
        self.broken_label = QLabel(self)
        self.broken_label.setProperty("role", "warning")
        self.broken_label.setWordWrap(True)
        self.name_field, self.short_field = QLineEdit(self), QLineEdit(self)
        self.short_field.setPlaceholderText(self.tr("for instance .nl"))
        self.language_box, self.section_box = QComboBox(self), QComboBox(self)
        for language in LANGUAGES:
            self.language_box.addItem(_LANGUAGE_NAMES.get(language, language), language)
        names = {"findings": self.tr("Findings"), "impression": self.tr("Impression")}
        for section in SECTIONS:
            self.section_box.addItem(names[section], section)
        self.text_field = QPlainTextEdit(self)
        self.text_field.setFont(report_font())
        self.text_field.setTabChangesFocus(True)
        self.message = QLabel(self)
        self.message.setWordWrap(True)
        self.new_button = QPushButton(self.tr("&New"), self)
        self.delete_button = QPushButton(self)
        self.save_button = QPushButton(self.tr("&Save"), self)
        self.save_button.setProperty("role", "primary")
        self.close_button = QPushButton(self.tr("Close"), self)
        for button in (self.new_button, self.delete_button, self.save_button, self.close_button):
            button.setAutoDefault(False)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(self.tr("Na&me"), self.name_field)
        form.addRow(self.tr("&Language"), self.language_box)
        form.addRow(self.tr("Sec&tion"), self.section_box)
        form.addRow(self.tr("Short &form"), self.short_field)
        form.addRow(self.tr("Te&xt"), self.text_field)
        explain = QLabel(
            self.tr(
                "Fields: [finding] anything · [depth mm] a figure with its unit · "
                "[side: left|right] one of these. A short form becomes the text at Space or Tab."
            ),
            self,
        )
        explain.setProperty("role", "muted")
        explain.setWordWrap(True)
        buttons = QHBoxLayout()
        for button in (self.delete_button, self.close_button, self.save_button):
            buttons.addWidget(button)
        buttons.insertStretch(1, 1)
        right = QVBoxLayout()
        right.addLayout(form, 1)
        right.addWidget(explain)
        right.addWidget(self.message)
        right.addLayout(buttons)
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addWidget(self.broken_label)
        left.addWidget(self.new_button)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 12)
        layout.setSpacing(14)
        layout.addLayout(left, 4)
        layout.addLayout(right, 6)

    def _connect(self) -> None:
        self.list.currentItemChanged.connect(self._on_current_changed)
        for field in (self.name_field, self.short_field):
            field.textChanged.connect(self._check)
        self.text_field.textChanged.connect(self._check)
        self.language_box.currentIndexChanged.connect(self._check)
        self.section_box.currentIndexChanged.connect(self._check)
        self.new_button.clicked.connect(self.begin_new)
        self.delete_button.clicked.connect(self.delete)
        self.save_button.clicked.connect(self.save)
        self.close_button.clicked.connect(self.reject)

    # -- the list ----------------------------------------------------------------------------

    def refresh(self, file_name: str = "") -> None:
        """Read the files anew; file_name: the template to show."""
        shelf = load_templates(self._site_folder, self._shipped_folder)
        self.list.blockSignals(True)
        self.list.clear()
        for template in sorted(shelf.templates, key=lambda t: t.language != self._language):
            item = QListWidgetItem(f"{template.name}   {template.short}".rstrip())
            words = self.tr("shipped") if template.is_shipped else self.tr("the site’s own")
            language = _LANGUAGE_NAMES.get(template.language, template.language)
            item.setToolTip(f"{language} · {words} · {template.file_name}")
            if not template.is_shipped:
                item.setText(f"{item.text()}   ✎")
            item.setData(_TEMPLATE_ROLE, template)
            self.list.addItem(item)
        self.list.blockSignals(False)
        named = [f"▲ {each.path.name}: {each.reason}" for each in shelf.broken]
        self.broken_label.setText("\n".join(named))
        self.broken_label.setVisible(bool(named))
        self.show_template(file_name)

    def show_template(self, file_name: str) -> None:
        """Choose a template by its file; the first one for a name that isn't there."""
        rows = [
            row
            for row in range(self.list.count())
            if self.list.item(row).data(_TEMPLATE_ROLE).file_name == file_name
        ]
        self.list.setCurrentRow(-1)
        self.list.setCurrentRow(rows[0] if rows else 0)

    def _on_current_changed(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._fill(item.data(_TEMPLATE_ROLE))

    def _fill(self, template: TextTemplate) -> None:
        self._shown = template
        self.name_field.setText(template.name)
        self.short_field.setText(template.short)
        self.language_box.setCurrentIndex(self.language_box.findData(template.language))
        self.section_box.setCurrentIndex(self.section_box.findData(template.section))
        self.text_field.setPlainText(template.text)
        is_own = bool(template.file_name) and not template.is_shipped
        is_over_shipped = is_own and (self._shipped_folder / template.file_name).exists()
        self.delete_button.setEnabled(is_own)
        self.delete_button.setText(
            self.tr("As &shipped") if is_over_shipped else self.tr("&Delete")
        )
        self._check()

    # -- changing ----------------------------------------------------------------------------

    @property
    def edited(self) -> TextTemplate:
        """What stands in the fields."""
        return replace(
            self._shown,
            name=self.name_field.text().strip(),
            language=self.language_box.currentData(),
            section=self.section_box.currentData(),
            short=self.short_field.text().strip(),
            text=self.text_field.toPlainText().strip(),
        )

    def begin_new(self) -> None:
        """Empty fields; nothing is written before it is saved."""
        self.list.setCurrentRow(-1)
        self._fill(TextTemplate("", self._language, "findings", ""))
        self.name_field.setFocus()

    def save(self) -> None:
        """Write the template; why it can't be is said, and the fields stay."""
        try:
            saved = save_template(self.edited, self._site_folder)
        except TemplateRefused as error:
            self._say(self.tr("Not saved: {0}.").format(error), "warning")
            return
        except OSError as error:
            self._say(self.tr("Not saved: {0}").format(error.strerror or error), "error")
            return
        self.refresh(saved.file_name)
        self._say(self.tr("Saved as {0}.").format(saved.file_name), "muted")
        self.changed.emit({"template": saved.name, "file": saved.file_name, "change": "saved"})

    def delete(self) -> None:
        """Delete the site's own file, after a yes."""
        template = self._shown
        question = self.tr("Delete the site’s own “{0}”?").format(template.name)
        answer = QMessageBox.question(self, self.tr("Text templates"), question)
        if answer != QMessageBox.StandardButton.Yes:
            return
        try:
            (self._site_folder / template.file_name).unlink()
        except OSError as error:
            self._say(self.tr("Not deleted: {0}").format(error.strerror or error), "error")
            return
        self.refresh(template.file_name)
        details = {"template": template.name, "file": template.file_name, "change": "deleted"}
        self.changed.emit(details)

    def _check(self) -> None:
        """Say at once what would keep it from being saved."""
        edited = self.edited
        is_changed = edited != self._shown
        try:
            make_template(
                {
                    "name": edited.name,
                    "language": edited.language,
                    "section": edited.section,
                    "text": edited.text,
                    "short": edited.short,
                }
            )
        except TemplateRefused as error:
            self.save_button.setEnabled(False)
            self._say(self.tr("▲ Not yet: {0}.").format(error) if is_changed else "", "warning")
            return
        self.save_button.setEnabled(is_changed)
        self._say(self.tr("Not saved yet.") if is_changed else "", "muted")

    def _say(self, words: str, role: str) -> None:
        self.message.setProperty("role", role)
        self.message.style().polish(self.message)
        self.message.setText(words)
