"""The upper part of the report column: statements as they stand, or the checklist of what could
be said."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from inference import Calibration
from workstation.reporting.checks.report_check import REQUIRED
from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.elided_label import ElidedLabel
from workstation.ui.report.report_keys import ADD_KEY, CHECKLIST_KEY, STATEMENTS_KEY, report_keys
from workstation.ui.report.sentence_provenance import describe_provenance, summarise_provenance
from workstation.ui.report.statements.checklist_lines import list_lines
from workstation.ui.report.statements.negatives_checklist import NegativesChecklist
from workstation.ui.report.statements.statement_list import StatementList
from workstation.ui.report.statements.statement_row_painter import NARROW
from workstation.ui.report.statements.statement_rows import list_rows
from workstation.ui.theme import COLOURS, font_scale, ui_font

_LEAST_LIST = 34  # px, at the usual text size: a row
_WIDEST = 780  # px, at the usual text size


class StatementPages(QWidget):
    """Two views of one draft; both are kept in step whichever is shown."""

    page_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statement_pages")
        self.statements = StatementList(self)
        self.checklist = NegativesChecklist(self)
        self.required: tuple[str, ...] = REQUIRED
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.statements)
        self.pages.addWidget(self.checklist)
        self.pages.setMinimumHeight(1)  # else the buttons above would be squeezed instead
        for page in (self.statements, self.checklist):
            page.setMinimumHeight(1)
        self.statements_button = self._page_button("statements_page", self.tr("Statements"))
        self.statements_button.setToolTip(self._list_keys())
        self.checklist_button = self._page_button("checklist_page", self.tr("Checklist"))
        self.checklist_button.setToolTip(
            self.tr("Findings and negatives in anatomical order ({0})").format(CHECKLIST_KEY)
        )
        self.all_button = self._page_button("all_concepts", self.tr("all"))
        self.all_button.setToolTip(self.tr("Also what reports need not mention"))
        self.all_button.setAccessibleName(self.tr("All findings and devices"))
        self.add_button = QPushButton(self.tr("Add finding…"), self)
        self.add_button.setObjectName("add_finding_button")
        self.add_button.setToolTip(self.tr("Add a finding ({0})").format(ADD_KEY))
        self.add_button.setAccessibleName(self.tr("Add finding…"))
        self.add_button.setProperty("role", "quiet")
        self.page_group = QButtonGroup(self)
        self.page_group.addButton(self.statements_button, 0)
        self.page_group.addButton(self.checklist_button, 1)
        self.statements_button.setChecked(True)
        self.setStyleSheet(
            "QToolButton[role='page'] { padding: 3px 9px; }"
            f"QToolButton[role='page']:checked {{ background: {COLOURS.accent_dim};"
            f" border-color: {COLOURS.accent}; color: {COLOURS.bright_text}; }}"
        )
        self.provenance_line = ElidedLabel(self)
        self.provenance_line.setFont(ui_font(9.0))
        self.provenance_line.setObjectName("provenance_line")
        self.provenance_line.setProperty("role", "muted")
        self.provenance_line.setAccessibleName(self.tr("Where the sentence comes from"))
        self.show_provenance_lines(2)
        self._lay_out()
        self.page_group.idToggled.connect(self._on_page_toggled)
        self.all_button.toggled.connect(self.page_changed)
        self.statements.row_shown.connect(self._show_provenance)
        self.all_button.hide()

    def _page_button(self, name: str, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setText(text)
        button.setCheckable(True)
        button.setProperty("role", "page")
        return button

    def _list_keys(self) -> str:
        lines = [f"{each.shown}   {each.text}" for each in report_keys()]
        return "\n".join([self.tr("Statements ({0})").format(STATEMENTS_KEY), *lines])

    def _lay_out(self) -> None:
        switch = QHBoxLayout()
        switch.setSpacing(4)
        for widget in (self.statements_button, self.checklist_button, self.all_button):
            switch.addWidget(widget)
        switch.addStretch(1)
        switch.addWidget(self.add_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(switch)
        row = QHBoxLayout()  # in a wide window what belongs together must not drift apart
        row.addWidget(self.pages, 1)
        row.addStretch(0)
        self.pages.setMaximumWidth(round(_WIDEST * font_scale()))
        column.addLayout(row, 1)
        column.addWidget(self.provenance_line)

    def show_provenance_lines(self, count: int) -> None:
        """Always so many, said or not: the list must not move under the pointer."""
        line = self.provenance_line
        line.setFixedHeight(count * line.fontMetrics().lineSpacing())

    def minimumSizeHint(self) -> QSize:
        """The words of the buttons get shorter, so they need not hold the column open; a list may
        be as low as a row, the buttons over it not lower than they are."""
        above = self.statements_button.sizeHint().height() + 4
        below = self.provenance_line.height() + 4 if self.provenance_line.isVisible() else 0
        row = round(_LEAST_LIST * font_scale())
        return QSize(300, above + row + below)

    def wanted_height(self) -> int:
        """Of the list's rows, so that every one is seen [px]."""
        rows = range(self.statements.table.rowCount())
        return sum(self.statements.sizeHintForRow(row) for row in rows)

    def show_report(self, report: DraftReport | None) -> None:
        """Both views as the report says."""
        self.statements.set_rows(list_rows(report) if report else ())
        every = self.all_button.isChecked()
        lines = list_lines(report, every_concept=every, required=self.required) if report else ()
        self.checklist.set_lines(lines, report.language if report else "en")
        self._name_checklist()
        self._show_provenance()

    def set_calibration(self, calibration: Calibration | None) -> None:
        """How the confidences of the rows are to be read; None: as the model gives them."""
        self.statements.set_calibration(calibration)
        self._show_provenance()

    def _show_provenance(self) -> None:
        """Of the row under the pointer, else of the current one."""
        row = self.statements.shown_row()
        sentence = row.sentence if row is not None else None
        calibration = self.statements.table.calibration
        said = summarise_provenance(sentence, calibration) if sentence is not None else ""
        self.provenance_line.setText(said)
        lines = describe_provenance(sentence, calibration) if sentence is not None else []
        self.provenance_line.setToolTip("\n".join(lines))

    def _name_checklist(self) -> None:
        count, is_narrow = self.checklist.unstated_count, self.width() < NARROW * font_scale()
        said = self.tr("Checklist ✓")
        if count:
            words = (
                self.tr("Checklist ○{0}") if is_narrow else self.tr("Checklist · {0} not stated")
            )
            said = words.format(count)
        offer = self.tr("Add…") if is_narrow else self.tr("Add finding…")
        if is_narrow and self.checklist_button.isChecked():  # "all" stands beside it then
            said, offer = self.tr("Checklist"), "+"
        self.checklist_button.setText(said)
        self.add_button.setText(offer)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._name_checklist()

    def focus_statements(self) -> None:
        """The keyboard to the list of statements."""
        self.statements_button.setChecked(True)
        self.statements.setFocus()
        if self.statements.current_row() is None:
            self.statements.move_by(1)

    def focus_checklist(self) -> None:
        """The keyboard to the checklist, at what is not stated."""
        self.checklist_button.setChecked(True)
        self.checklist.setFocus()
        if not self.checklist.go_to_unstated() and self.checklist.current_line() is None:
            self.checklist.select_line(1)

    def _on_page_toggled(self, page: int, is_checked: bool) -> None:
        if is_checked:
            self.pages.setCurrentIndex(page)
            self.all_button.setVisible(page == 1)
            self.provenance_line.setVisible(page == 0)
            self._name_checklist()
