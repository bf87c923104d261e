"""Statement list and section texts in step with each other, through one DraftReport."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from inference.report_language import CannotRewrite
from workstation.reporting.draft_report import (
    SECTIONS,
    DraftReport,
    Edit,
    ReportSigned,
    Section,
    StatementGone,
)
from workstation.reporting.report_state import check_section
from workstation.reporting.sentence_place import place_sentence
from workstation.ui.report.finding_picker import FindingPicker
from workstation.ui.report.section_editor import SectionEditor
from workstation.ui.report.statement_list import StatementList
from workstation.ui.report.statement_rows import StatementRow, list_rows

TYPING_BURST_MS = 1500
"""Typing with shorter pauses than this is one undo step."""


class ReportEditor(QWidget):
    """Every change goes to the DraftReport first; widgets show what it then says.

    report_changed is emitted after each change; refused(text) says why one was not made.
    """

    report_changed = Signal()
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("report_editor")
        self._report: DraftReport | None = None
        self._stop_observing = _do_nothing
        self._typing_clock = QElapsedTimer()
        self._typing_section: Section | None = None
        self.statement_list = StatementList(self)
        self.add_button = QPushButton(self.tr("Add finding…"), self)
        self.add_button.setObjectName("add_finding_button")
        self.add_button.setProperty("role", "quiet")
        self.finding_picker = FindingPicker(self)
        self.finding_picker.hide()
        self.editors: dict[Section, SectionEditor] = {
            section: SectionEditor(section, self) for section in SECTIONS
        }
        self.editors["findings"].setAccessibleName(self.tr("Findings"))
        self.editors["impression"].setAccessibleName(self.tr("Impression"))
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        listing = QWidget(self)
        column = QVBoxLayout(listing)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        column.addWidget(self.statement_list, 1)
        column.addWidget(self.finding_picker)
        add_row = QHBoxLayout()
        add_row.addWidget(self.add_button)
        add_row.addStretch(1)
        add_row.addWidget(self._legend())
        column.addLayout(add_row)
        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.splitter.setObjectName("report_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(listing)
        for section, title, height in (
            ("findings", self.tr("Findings"), 130),
            ("impression", self.tr("Impression"), 84),
        ):
            self.splitter.addWidget(
                self._titled(title, self.editors[check_section(section)], height)
            )
        self.splitter.setSizes([430, 250, 110])
        for index, stretch in enumerate((4, 3, 1)):
            self.splitter.setStretchFactor(index, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def _titled(self, title: str, editor: SectionEditor, minimum_height: int) -> QWidget:
        box = QWidget(self)
        label = QLabel(title, box)
        label.setProperty("role", "heading")
        label.setBuddy(editor)
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 4, 0, 2)
        column.setSpacing(3)
        column.addWidget(label)
        column.addWidget(editor, 1)
        box.setMinimumHeight(minimum_height)
        return box

    def _legend(self) -> QLabel:
        legend = QLabel(self.tr("▏AI    ┊edited    plain: by hand"), self)
        legend.setObjectName("provenance_legend")
        legend.setProperty("role", "muted")
        return legend

    def _connect(self) -> None:
        rows = self.statement_list
        rows.flip_requested.connect(self._on_flip_requested)
        rows.delete_requested.connect(self._on_delete_requested)
        rows.sentence_edited.connect(self._on_sentence_edited)
        rows.row_hovered.connect(self._on_row_hovered)
        rows.hover_ended.connect(self._on_hover_ended)
        rows.row_clicked.connect(self._on_row_clicked)
        self.add_button.clicked.connect(self.open_finding_picker)
        self.finding_picker.sentence_added.connect(self._on_sentence_added)
        self.finding_picker.closed.connect(self.add_button.show)
        self.editors["findings"].typed.connect(self._on_findings_typed)
        self.editors["impression"].typed.connect(self._on_impression_typed)
        for editor in self.editors.values():
            editor.undo_requested.connect(self.undo)
            editor.redo_requested.connect(self.redo)

    # -- the report ------------------------------------------------------------------------

    @property
    def report(self) -> DraftReport | None:
        return self._report

    def set_report(self, report: DraftReport | None) -> None:
        """Edit another report; what was typed into the one before is handed over first."""
        self.flush_typing()
        self._stop_observing()
        self._report = report
        self._stop_observing = report.on_edit(self._on_edit) if report else _do_nothing
        self._typing_section = None
        self.finding_picker.hide()
        self.add_button.show()
        self._show_report()

    def flush_typing(self) -> None:
        """Hand what was typed over to the report now."""
        for editor in self.editors.values():
            editor.flush_typing()

    def end_typing(self) -> None:
        """The same, and what is typed next is an undo step of its own."""
        self.flush_typing()
        self._typing_section = None

    def undo(self) -> None:
        self.flush_typing()
        if self._report is not None:
            self._typing_section = None
            self._report.undo()

    def redo(self) -> None:
        self.flush_typing()
        if self._report is not None:
            self._typing_section = None
            self._report.redo()

    def open_finding_picker(self) -> None:
        if self._report is not None:
            self.finding_picker.language = self._report.language
        self.add_button.hide()
        self.finding_picker.open_picker()

    def _on_edit(self, edit: Edit) -> None:
        self._show_report()
        self.report_changed.emit()

    def _show_report(self) -> None:
        report = self._report
        self.statement_list.set_rows(list_rows(report) if report else ())
        for section, editor in self.editors.items():
            editor.show_sentences(report.state.sentences(section) if report else ())

    # -- what the reader asks ----------------------------------------------------------------

    def _on_findings_typed(self, text: str) -> None:
        self._take_typing("findings", text)

    def _on_impression_typed(self, text: str) -> None:
        self._take_typing("impression", text)

    def _take_typing(self, section: Section, text: str) -> None:
        if self._report is None or self._report.is_signed:
            return
        is_burst = (
            self._typing_section == section and self._typing_clock.elapsed() < TYPING_BURST_MS
        )
        self._report.set_section_text(section, text, merge=is_burst)
        self._typing_section = section
        self._typing_clock.start()

    def _on_flip_requested(self, row: StatementRow) -> None:
        assert row.sentence is not None
        assert row.statement is not None
        sentence, statement = row.sentence, row.statement
        self._change(lambda r: r.flip_statement(row.section, sentence.id, statement))

    def _on_delete_requested(self, section: str, sentence_id: int) -> None:
        self._change(lambda r: r.delete_sentence(check_section(section), sentence_id))

    def _on_sentence_edited(self, section: str, sentence_id: int, text: str) -> None:
        self._change(lambda r: r.edit_sentence(check_section(section), sentence_id, text))

    def _on_sentence_added(self, text: str) -> None:
        if self._report is None:
            return
        self.flush_typing()
        place = place_sentence(self._report, "findings", text)
        replaced = place.replaces
        if replaced is not None:
            self._change(lambda r: r.edit_sentence("findings", replaced.id, text))
        else:
            self._change(lambda r: r.add_sentence("findings", text, place.index))
        if place.disagrees is not None:
            self.refused.emit(
                self.tr("Added. “{0}” says something else: please check it.").format(
                    place.disagrees.text
                )
            )

    def _change(self, change: Callable[[DraftReport], object]) -> None:
        """Make one change; a refusal is said in words and changes nothing."""
        if self._report is None:
            return
        self.flush_typing()
        self._typing_section = None
        try:
            change(self._report)
        except CannotRewrite as error:
            self.refused.emit(
                self.tr("Not changed: {0} Please edit the sentence.").format(
                    error.reason.rstrip(".") + "."
                )
            )
        except StatementGone:
            self.refused.emit(self.tr("Not changed: the sentence was edited meanwhile."))
        except ReportSigned as error:
            self.refused.emit(str(error))

    def _on_row_hovered(self, section: str, start: int, end: int) -> None:
        for name, editor in self.editors.items():
            if name == section:
                editor.light_words(start, end)
            else:
                editor.unlight_words()

    def _on_hover_ended(self) -> None:
        for editor in self.editors.values():
            editor.unlight_words()

    def _on_row_clicked(self, section: str, start: int, end: int) -> None:
        self.editors[check_section(section)].jump_to(start, end)


def _do_nothing() -> None:
    """Stands in where no report is observed."""
