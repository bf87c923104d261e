"""Statement list and section texts in step with each other, through one DraftReport."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from inference import Calibration
from workstation.reporting.checks.report_check import ReportCheck, ReportContext
from workstation.reporting.checks.spelling import Speller
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import SECTIONS, Edit, Section, check_section
from workstation.ui.report import report_keys
from workstation.ui.report.checks.check_bar import CheckBar
from workstation.ui.report.checks.live_checks import LiveChecks
from workstation.ui.report.report_changes import ReportChanges
from workstation.ui.report.section_editor import SectionEditor
from workstation.ui.report.section_heights import SectionHeights, SectionSplitter
from workstation.ui.report.statements.checklist_lines import ChecklistLine
from workstation.ui.report.statements.finding_picker import FindingPicker
from workstation.ui.report.statements.statement_pages import StatementPages
from workstation.ui.theme import font_scale

_LOW = 620
"""Below this height [px] the texts need every line."""


class ReportEditor(QWidget):
    """Every change goes to the DraftReport first; widgets show what it then says.

    report_changed is emitted after each change; refused(text) says why one was not made;
    report_shown after another report has come.
    """

    report_changed = Signal()
    report_shown = Signal()
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("report_editor")
        self._report: DraftReport | None = None
        self._stop_observing = _do_nothing
        self._speller: Speller | None = None
        self.listing = StatementPages(self)
        self.statement_list, self.checklist = self.listing.statements, self.listing.checklist
        self.add_button = self.listing.add_button
        self.check_bar = CheckBar(self)
        self.finding_picker = FindingPicker(self)
        self.finding_picker.hide()
        self.editors: dict[Section, SectionEditor] = {
            section: SectionEditor(section, self) for section in SECTIONS
        }
        self.editors["findings"].setAccessibleName(self.tr("Findings"))
        self.editors["impression"].setAccessibleName(self.tr("Impression"))
        self._changes = ReportChanges(self.flush_typing, self)
        self._live_checks = LiveChecks(
            self.check_bar, self.statement_list, self.editors, self._changes.make, self
        )
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        listing = QWidget(self)
        column = QVBoxLayout(listing)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        column.addWidget(self.listing, 1)
        column.addWidget(self.finding_picker)
        self.splitter = SectionSplitter(self)
        self.splitter.addWidget(listing)
        for section, title, height in (
            ("findings", self.tr("Findings"), 84),
            ("impression", self.tr("Impression"), 84),
        ):
            self.splitter.addWidget(
                self._titled(title, self.editors[check_section(section)], height)
            )
        self.heights = SectionHeights(
            self.splitter, self.listing, self.editors["findings"], self.editors["impression"]
        )
        for index, stretch in enumerate((4, 3, 1)):
            self.splitter.setStretchFactor(index, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.splitter, 1)
        layout.addWidget(self.check_bar)

    def _titled(self, title: str, editor: SectionEditor, minimum_height: int) -> QWidget:
        box = QWidget(self)
        label = QLabel(title, box)
        label.setProperty("role", "heading")
        label.setBuddy(editor)
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 4, 0, 2)
        column.setSpacing(3)
        head = QHBoxLayout()
        head.addWidget(label)
        if editor.section == "findings":
            head.addWidget(self._legend(), 1)
        column.addLayout(head)
        column.addWidget(editor, 1)
        box.setMinimumHeight(minimum_height)
        return box

    def _legend(self) -> QLabel:
        legend = QLabel(self.tr("▏AI    ┊edited    plain: by hand"), self)
        legend.setObjectName("provenance_legend")
        legend.setProperty("role", "muted")
        legend.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        return legend

    def _connect(self) -> None:
        changes, rows = self._changes, self.statement_list
        changes.refused.connect(self.refused)
        rows.flip_requested.connect(changes.flip)
        rows.restate_requested.connect(changes.restate)
        rows.withdraw_requested.connect(changes.withdraw)
        rows.accept_requested.connect(changes.accept)
        rows.lock_requested.connect(changes.lock)
        rows.delete_requested.connect(changes.delete)
        rows.sentence_edited.connect(changes.edit)
        rows.refused.connect(self.refused)
        rows.row_hovered.connect(self._on_row_hovered)
        rows.hover_ended.connect(self._on_hover_ended)
        rows.row_clicked.connect(self._on_row_clicked)
        self.checklist.status_requested.connect(changes.set_status)
        self.checklist.line_clicked.connect(self._on_line_clicked)
        self.listing.page_changed.connect(self._show_listing)
        self.add_button.clicked.connect(self.open_finding_picker)
        self.finding_picker.sentence_added.connect(changes.add_finding)
        self.finding_picker.closed.connect(self.add_button.show)
        self.finding_picker.closed.connect(self._fit_provenance)
        self.check_bar.chip.toggled.connect(self._fit_provenance)
        self.finding_picker.closed.connect(self.heights.share)
        self.editors["findings"].typed.connect(self._on_findings_typed)
        self.editors["impression"].typed.connect(self._on_impression_typed)
        for editor in self.editors.values():
            editor.undo_requested.connect(self.undo)
            editor.redo_requested.connect(self.redo)
            editor.text_hovered.connect(self._on_text_hovered)
            editor.text_clicked.connect(self._on_text_clicked)
            editor.word_added.connect(self._on_word_added)
        for keys, slot in (
            (report_keys.STATEMENTS_KEY, self.listing.focus_statements),
            (report_keys.CHECKLIST_KEY, self.listing.focus_checklist),
            (report_keys.FINDINGS_KEY, self.editors["findings"].setFocus),
            (report_keys.IMPRESSION_KEY, self.editors["impression"].setFocus),
            (report_keys.CHECKS_KEY, self.check_bar.show_next),
            (report_keys.ADD_KEY, self.open_finding_picker),
        ):
            inside = Qt.ShortcutContext.WidgetWithChildrenShortcut
            QShortcut(QKeySequence(keys), self, context=inside).activated.connect(slot)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_provenance()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.heights.share()

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
        self._changes.set_report(report)
        self.finding_picker.hide()
        self._fit_provenance()
        self.add_button.show()
        self._show_report()
        self.heights.share()
        if report is not None:
            self.report_shown.emit()

    def flush_typing(self) -> None:
        """Hand what was typed over to the report now."""
        for editor in self.editors.values():
            editor.flush_typing()

    def end_typing(self) -> None:
        """The same, and what is typed next is an undo step of its own."""
        self._changes.end_typing()

    def undo(self) -> None:
        self._changes.undo()

    def redo(self) -> None:
        self._changes.redo()

    def open_finding_picker(self) -> None:
        if self._report is not None:
            self.finding_picker.language = self._report.language
        self.add_button.hide()
        self.check_bar.close_list()
        self.finding_picker.open_picker()
        self._fit_provenance()

    def _fit_provenance(self) -> None:
        """In a low column the line about a sentence is short and gives way to picker and checks."""
        is_low = self.height() < _LOW * font_scale()
        is_crowded = not self.finding_picker.isHidden() or self.check_bar.is_open
        self.listing.show_provenance_lines((0 if is_crowded else 1) if is_low else 2)

    def _on_edit(self, edit: Edit) -> None:
        self._show_report()
        self.report_changed.emit()

    def _show_report(self) -> None:
        report = self._report
        for section, editor in self.editors.items():
            editor.show_sentences(report.state.sentences(section) if report else ())
        self._show_listing()
        self._live_checks.show_report(report)

    def _show_listing(self) -> None:
        self.listing.show_report(self._report)

    # -- checks and spelling -----------------------------------------------------------------

    @property
    def checks(self) -> tuple[ReportCheck, ...]:
        """What fails now, set aside or not."""
        return self._live_checks.checks

    def set_context(self, context: ReportContext) -> None:
        """What is known beside the text: whether there is a prior, a lateral film; and what the
        site asks of a report."""
        self._live_checks.set_context(context)
        self.listing.required = context.required
        self._show_listing()

    @property
    def context(self) -> ReportContext:
        return self._live_checks.context

    def set_calibration(self, calibration: Calibration | None) -> None:
        """How the confidences of the report shown are read; None: as the model gives them."""
        self.listing.set_calibration(calibration)
        for editor in self.editors.values():
            editor.calibration = calibration

    def set_speller(self, speller: Speller | None) -> None:
        """Who knows the words of the sections; None: none is marked."""
        self._speller = speller
        for editor in self.editors.values():
            editor.set_speller(speller)

    def _on_findings_typed(self, text: str) -> None:
        self._changes.take_typing("findings", text)

    def _on_impression_typed(self, text: str) -> None:
        self._changes.take_typing("impression", text)

    def _on_word_added(self, word: str) -> None:
        if self._speller is None:
            return
        try:
            self._speller.add_word(word)
        except OSError as error:
            self.refused.emit(self.tr("“{0}” was not kept: {1}").format(word, error))
        self.set_speller(self._speller)

    # -- one place in list and text ----------------------------------------------------------

    def _on_line_clicked(self, line: ChecklistLine) -> None:
        if line.statement is not None:
            self.editors[line.section].jump_to(line.statement.start, line.statement.end)
            self.editors[line.section].light_words(line.statement.start, line.statement.end)

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

    def _on_text_hovered(self, offset: int) -> None:
        section = self._section_of(self.sender())
        row = self.statement_list.find_row(section, offset) if offset >= 0 else -1
        self.statement_list.light_row(row)

    def _on_text_clicked(self, offset: int) -> None:
        section = self._section_of(self.sender())
        row = self.statement_list.find_row(section, offset) if offset >= 0 else -1
        if row >= 0:
            self.statement_list.select_row(row)

    def _section_of(self, editor: object) -> Section:
        return next(section for section, each in self.editors.items() if each is editor)


def _do_nothing() -> None:
    """Stands in where no report is observed."""
