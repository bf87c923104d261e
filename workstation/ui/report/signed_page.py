"""A signed report: read-only text, who signed it and when, and its addenda."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from workstation.reporting.draft_report import SECTIONS, Section, Sentence
from workstation.reporting.report_store import Addendum, StoredReport
from workstation.ui.report.section_editor import SectionEditor
from workstation.ui.theme import COLOURS, report_font


def format_utc(timestamp: str) -> str:
    """An ISO 8601 UTC time as local time to the minute; the text itself if it isn't one."""
    try:
        local = datetime.fromisoformat(timestamp).astimezone()
    except ValueError:
        return timestamp
    return local.strftime("%Y-%m-%d %H:%M %Z").strip()


class SignedPage(QWidget):
    """Shows one signed report. addendum_written(text) asks for an addendum."""

    addendum_written = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("signed_page")
        self.signature_label = QLabel(self)
        self.signature_label.setObjectName("signature_line")
        self.signature_label.setWordWrap(True)
        self.editors: dict[Section, SectionEditor] = {
            section: SectionEditor(section, self) for section in SECTIONS
        }
        for section, editor in self.editors.items():
            editor.setObjectName(f"signed_{section}")
            editor.setReadOnly(True)
        self.editors["findings"].setAccessibleName(self.tr("Signed findings"))
        self.editors["impression"].setAccessibleName(self.tr("Signed impression"))
        self.addenda_box = QWidget(self)
        self.addenda_box.setObjectName("addenda")
        self.addendum_field = QPlainTextEdit(self)
        self.addendum_field.setObjectName("addendum_field")
        self.addendum_field.setAccessibleName(self.tr("Addendum"))
        self.addendum_field.setPlaceholderText(self.tr("Addendum to the signed report"))
        self.addendum_field.setProperty("role", "report")
        self.addendum_field.setTabChangesFocus(True)
        self.addendum_field.setFixedHeight(92)
        self.addendum_button = self._button("addendum_button", self.tr("Addendum…"))
        self.save_addendum_button = self._button("save_addendum", self.tr("Add addendum"))
        self.save_addendum_button.setProperty("role", "primary")
        self.cancel_addendum_button = self._button("cancel_addendum", self.tr("Cancel"))
        self.addendum_button.clicked.connect(self.open_addendum)
        self.save_addendum_button.clicked.connect(self._save_addendum)
        self.cancel_addendum_button.clicked.connect(self.close_addendum)
        self._lay_out()
        self.close_addendum()

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        return button

    def _lay_out(self) -> None:
        banner = QFrame(self)
        banner.setObjectName("signature_banner")
        banner.setStyleSheet(
            f"QFrame#signature_banner {{ background: {COLOURS.raised}; border: 0;"
            f" border-left: 3px solid {COLOURS.accent}; border-radius: 3px; }}"
        )
        inside = QVBoxLayout(banner)
        inside.setContentsMargins(12, 8, 12, 8)
        inside.addWidget(self.signature_label)
        self._addenda_layout = QVBoxLayout(self.addenda_box)
        self._addenda_layout.setContentsMargins(0, 0, 0, 0)
        self._addenda_layout.setSpacing(8)
        addenda = QScrollArea(self)
        addenda.setObjectName("addenda_scroll")
        addenda.setWidgetResizable(True)
        addenda.setWidget(self.addenda_box)
        self._addenda_scroll = addenda
        buttons = QHBoxLayout()
        buttons.addWidget(self.addendum_button)
        buttons.addWidget(self.save_addendum_button)
        buttons.addWidget(self.cancel_addendum_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(banner)
        layout.addWidget(self._heading(self.tr("Findings")))
        layout.addWidget(self.editors["findings"], 5)
        layout.addWidget(self._heading(self.tr("Impression")))
        layout.addWidget(self.editors["impression"], 2)
        layout.addWidget(addenda, 2)
        layout.addWidget(self.addendum_field)
        layout.addLayout(buttons)

    def _heading(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("role", "heading")
        return label

    def show_report(self, report: StoredReport) -> None:
        """Show a signed report and everything added to it since."""
        self.signature_label.setText(
            self.tr("✓ Signed by {0} on {1}\nSentences: {2}").format(
                report.signed_by,
                format_utc(report.signed_at),
                count_provenance(self, report.state.findings + report.state.impression),
            )
        )
        for section, editor in self.editors.items():
            editor.show_sentences(report.state.sentences(section))
        while (item := self._addenda_layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for addendum in report.addenda:
            self._addenda_layout.addWidget(self._addendum_label(addendum))
        self._addenda_layout.addStretch(1)
        self._addenda_scroll.setVisible(bool(report.addenda))
        self.close_addendum()

    def _addendum_label(self, addendum: Addendum) -> QWidget:
        box = QWidget(self.addenda_box)
        head = QLabel(
            self.tr("Addendum, {0}, {1}").format(addendum.author, format_utc(addendum.added_at)),
            box,
        )
        head.setProperty("role", "muted")
        text = QLabel(addendum.text, box)
        text.setObjectName("addendum_text")
        text.setFont(report_font())
        text.setWordWrap(True)
        text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        column = QVBoxLayout(box)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        column.addWidget(head)
        column.addWidget(text)
        return box

    def open_addendum(self) -> None:
        """Write an addendum."""
        self._show_addendum_field(True)
        self.addendum_field.setFocus()

    def close_addendum(self) -> None:
        self.addendum_field.clear()
        self._show_addendum_field(False)

    def _show_addendum_field(self, is_open: bool) -> None:
        self.addendum_field.setVisible(is_open)
        self.save_addendum_button.setVisible(is_open)
        self.cancel_addendum_button.setVisible(is_open)
        self.addendum_button.setVisible(not is_open)

    def _save_addendum(self) -> None:
        """The field stays until the report is shown anew, so that a failed save loses nothing."""
        text = self.addendum_field.toPlainText().strip()
        if text:
            self.addendum_written.emit(text)


def count_provenance(widget: QWidget, sentences: tuple[Sentence, ...]) -> str:
    """For instance "11 AI · 1 edited · 2 by hand"."""
    counts = {"ai": 0, "edited": 0, "human": 0}
    for sentence in sentences:
        counts[sentence.provenance] += 1
    return " · ".join(
        (
            widget.tr("{0} AI").format(counts["ai"]),
            widget.tr("{0} edited").format(counts["edited"]),
            widget.tr("{0} by hand").format(counts["human"]),
        )
    )
