"""A signed report: read-only text, who signed it and when, and its addenda."""

from __future__ import annotations

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

from workstation.reporting.report_state import SECTIONS, Section, Sentence
from workstation.reporting.versions.stored_report import Addendum, StoredReport
from workstation.ui.report.section_editor import SectionEditor
from workstation.ui.report.signing.version_wording import format_utc
from workstation.ui.theme import COLOURS, report_font


class SignedPage(QWidget):
    """Shows one signed report. Signals: addendum_written(text) asks for an addendum,
    correction_requested() for a corrected version, versions_requested() to see all versions."""

    addendum_written = Signal(str)
    correction_requested = Signal()
    versions_requested = Signal()

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
        self.correct_button = self._button("correct_button", self.tr("Correct…"))
        self.versions_button = self._button("versions_button", self.tr("Versions…"))
        self.versions_button.setProperty("role", "quiet")
        self.correct_button.clicked.connect(self.correction_requested)
        self.versions_button.clicked.connect(self.versions_requested)
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
        buttons.addWidget(self.correct_button)
        buttons.addStretch(1)
        buttons.addWidget(self.versions_button)
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
            "\n".join((*self._say_stage(report), self._say_sentences(report)))
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

    def _say_stage(self, report: StoredReport) -> list[str]:
        if report.stage == "corrected":
            words = self.tr("✓✓ CORRECTED report — signed by {0} on {1}")
            reason = [self.tr("Reason: {0}").format(report.correction_reason)]
        else:
            words, reason = self.tr("✓ FINAL report — signed by {0} on {1}"), []
        signed = words.format(report.signed_by, format_utc(report.signed_at))
        count = len(report.addenda)
        added = [self.tr("Addenda, below: {0}").format(count)] if count else []
        return [signed, *reason, *added]

    def _say_sentences(self, report: StoredReport) -> str:
        sentences = report.state.findings + report.state.impression
        return self.tr("Sentences: {0}").format(count_provenance(self, sentences))

    def allow_signing(self, reason: str) -> None:
        """reason: why this reader may neither add nor correct; "" lets them."""
        for button in (self.addendum_button, self.correct_button):
            button.setEnabled(not reason)
            button.setToolTip(reason)

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
        self.correct_button.setVisible(not is_open)

    def _save_addendum(self) -> None:
        """The field stays until the report is shown anew, so that a failed save loses nothing."""
        text = self.addendum_field.toPlainText().strip()
        if text:
            self.addendum_written.emit(text)


def count_provenance(widget: QWidget, sentences: tuple[Sentence, ...]) -> str:
    """For instance "11 AI · 1 edited · 2 by hand"; what there is none of is not counted."""
    counts = {"ai": 0, "edited": 0, "human": 0}
    for sentence in sentences:
        counts[sentence.provenance] += 1
    words = {
        "ai": widget.tr("{0} AI"),
        "edited": widget.tr("{0} edited"),
        "human": widget.tr("{0} by hand"),
    }
    return " · ".join(words[each].format(count) for each, count in counts.items() if count)
