"""The checks of the report being edited, in step with it: bar, marks in text and rows, jumps,
fixes, overrides."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from workstation.reporting.check_override import CheckOverride
from workstation.reporting.checks.report_check import Fix, ReportCheck, ReportContext
from workstation.reporting.checks.report_checks import apply_fix, check_report, open_checks
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import SECTIONS, Section, sentence_spans
from workstation.ui.report.checks.check_bar import CheckBar
from workstation.ui.report.section_editor import SectionEditor
from workstation.ui.report.statements.statement_list import StatementList

Change = Callable[[DraftReport], object]


class LiveChecks(QObject):
    """Recomputed after each edit (0.6 ms, p99 2 ms of CPU on the development reports of OpenI).

    make_change: how an edit is made; it says why where one can't be.
    """

    def __init__(
        self,
        bar: CheckBar,
        statement_list: StatementList,
        editors: dict[Section, SectionEditor],
        make_change: Callable[[Change], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._bar, self._rows, self._editors = bar, statement_list, editors
        self._make_change = make_change
        self._report: DraftReport | None = None
        self._context = ReportContext()
        self.checks: tuple[ReportCheck, ...] = ()
        bar.jump_requested.connect(self.jump_to)
        bar.fix_requested.connect(self._on_fix_requested)
        bar.overridden.connect(self._on_overridden)

    def set_context(self, context: ReportContext) -> None:
        """What is known beside the text: whether there is a prior, a lateral film."""
        self._context = context
        self.show_report(self._report)

    @property
    def context(self) -> ReportContext:
        return self._context

    def show_report(self, report: DraftReport | None) -> None:
        """Check a report as it stands and mark what fails."""
        self._report = report
        self.checks = ()
        overrides: tuple[CheckOverride, ...] = ()
        if report is not None and not report.is_signed:
            self.checks = check_report(report.state, self._context)
            overrides = report.state.overrides
        blocking: dict[int, bool] = {}
        messages: dict[int, str] = {}
        for check in open_checks(self.checks, overrides):
            for sentence_id in check.sentence_ids:
                blocking[sentence_id] = blocking.get(sentence_id, False) or check.is_blocking
                said = messages.get(sentence_id)
                messages[sentence_id] = f"{said}\n{check.message}" if said else check.message
        self._rows.set_checks(blocking, messages)
        for editor in self._editors.values():
            editor.show_checks(blocking, messages)
        self._bar.show_checks(self.checks, overrides)

    def jump_to(self, check: ReportCheck) -> None:
        """Show the sentence a check speaks of first, in text and list."""
        if self._report is None or not check.sentence_ids:
            return
        wanted = check.sentence_ids[0]
        for section in SECTIONS:
            sentences = self._report.state.sentences(section)
            for sentence, (start, end) in zip(sentences, sentence_spans(sentences), strict=True):
                if sentence.id == wanted:
                    self._editors[section].jump_to(start, end)
                    self._editors[section].light_words(start, end)
                    self._rows.select_sentence(wanted)
                    return

    def _on_fix_requested(self, fix: Fix) -> None:
        self._make_change(lambda report: apply_fix(report, fix))

    def _on_overridden(self, override: CheckOverride) -> None:
        sections = {check.key: check.section for check in self.checks}
        section: Section = sections.get(override.key, "findings")
        self._make_change(lambda report: report.add_override(override, section))
