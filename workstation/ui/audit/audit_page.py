"""The audit log's rows: filter, table, the chosen row in full, check and export."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtGui import QFontMetrics, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workstation.audit.audit_export import ExportFormat, ExportOutcome
from workstation.audit.audit_log import AuditLog
from workstation.audit.audit_query import AuditFilter, AuditReader, StudyLabel
from workstation.audit.stamped_head import StampedHead
from workstation.ui.audit.audit_details import AuditDetails
from workstation.ui.audit.audit_filter_bar import AuditFilterBar
from workstation.ui.audit.audit_jobs import AuditJob, CheckOutcome, check_log, export_log
from workstation.ui.audit.audit_table_model import (
    DETAILS,
    ROW,
    STUDY,
    WHAT,
    WHEN,
    WHO,
    AnyIndex,
    AuditTableModel,
)

_WIDTHS = {ROW: 9, WHEN: 21, WHO: 15, WHAT: 23, STUDY: 35}  # in digits


class AuditPage(QWidget):
    """audit: the log; user: who is audited as having checked or exported it, asked each time."""

    def __init__(
        self, audit: AuditLog, user: Callable[[], str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._audit, self._user = audit, user
        self._reader = AuditReader(audit.engine)
        self.listing, self.job = AuditJob(self), AuditJob(self)
        self._awaits_listing = False
        self._row_wanted: int | None = None  # to be jumped to once the list is read
        self.filter_bar = AuditFilterBar(self)
        self.model = AuditTableModel(self._reader, self)
        self.table = self._make_table()
        self.details = AuditDetails(self)
        self.status_label = QLabel(self)
        self.status_label.setObjectName("audit_status")
        self.status_label.setWordWrap(True)
        self.progress_bar = QProgressBar(self)
        self.progress_bar.setAccessibleName(self.tr("Rows done"))
        self.progress_bar.setMaximumWidth(240)
        self._make_buttons()
        self._lay_out()
        self._connect()
        self._refresh_buttons()

    # -- making ------------------------------------------------------------------------------

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setObjectName("audit_table")
        table.setAccessibleName(self.tr("Rows of the audit log, newest first"))
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setStyleSheet("QTableView::item { padding-left: 5px; }")  # under the headings
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.horizontalHeader().setHighlightSections(False)
        table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        metrics = QFontMetrics(table.font())
        # One height for all: the view must not ask 100,000 rows for theirs.
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(metrics.height() + 9)
        for column, digits in _WIDTHS.items():
            table.setColumnWidth(column, metrics.horizontalAdvance("0") * digits)
        header = table.horizontalHeader()
        header.setSectionResizeMode(DETAILS, QHeaderView.ResizeMode.Stretch)
        return table

    def _make_buttons(self) -> None:
        self.verify_button = QPushButton(self.tr("&Verify"), self)
        self.verify_button.setToolTip(self.tr("Check every row, and name the first broken one"))
        self.against_button = QPushButton(self.tr("Verify a&gainst a head…"), self)
        self.against_button.setToolTip(
            self.tr("A stamped head kept elsewhere shows rows that were cut off the end")
        )
        self.export_button = QPushButton(self.tr("&Export"), self)
        menu = QMenu(self.export_button)
        menu.addAction(self.tr("&All rows…")).triggered.connect(self._ask_export_all)
        self.export_shown_action = menu.addAction(self.tr("&Rows shown…"))
        self.export_shown_action.triggered.connect(self._ask_export_shown)
        menu.addAction(self.tr("&Stamped head alone…")).triggered.connect(self._ask_export_head)
        self.export_button.setMenu(menu)
        self.stop_button = QPushButton(self.tr("Stop"), self)
        self.reload_button = QPushButton(self.tr("Reload"), self)
        self.reload_button.setToolTip(self.tr("Read what was written since (F5)"))
        self.reload_button.setProperty("role", "quiet")

    def _lay_out(self) -> None:
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([460, 230])
        bottom = QHBoxLayout()
        bottom.addWidget(self.status_label, 1)
        for widget in (
            self.progress_bar,
            self.stop_button,
            self.reload_button,
            self.export_button,
            self.against_button,
            self.verify_button,
        ):
            bottom.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(9)
        layout.addWidget(self.filter_bar)
        layout.addWidget(splitter, 1)
        layout.addLayout(bottom)

    def _connect(self) -> None:
        self.filter_bar.filter_changed.connect(self.reload)
        self.listing.succeeded.connect(self._on_listed)
        self.listing.failed.connect(self._on_failed)
        self.table.selectionModel().currentChanged.connect(self._on_current_changed)
        self.model.trouble.connect(self._warn)
        self.verify_button.clicked.connect(self._on_verify_clicked)
        self.against_button.clicked.connect(self._ask_head)
        self.reload_button.clicked.connect(self.reload)
        self.stop_button.clicked.connect(self.job.stop)
        self.job.progressed.connect(self._on_progressed)
        self.job.succeeded.connect(self._on_succeeded)
        self.job.failed.connect(self._on_failed)
        self.job.stopped.connect(self._on_stopped)
        for keys, slot in (("F5", self.reload), ("Ctrl+F", self._focus_search)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    # -- rows --------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read anew which rows answer the filter; what is asked meanwhile is read after."""
        wanted = self.filter_bar.filter
        if not self.listing.start(partial(_list_rows, self._reader, wanted)):
            self._awaits_listing = True

    def jump_to(self, row: int) -> None:
        """Select a row of the log; where the filter hides it, everything is shown first."""
        if row in set(self.model.row_numbers) or self.filter_bar.filter.is_empty:
            self._select(row)
            return
        self._row_wanted = row
        self.filter_bar.clear()

    def _select(self, row: int) -> None:
        place = self.model.place_of(row)
        if place is None:
            return
        index = self.model.index(place, ROW)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.table.selectionModel().setCurrentIndex(
            index, flags | QItemSelectionModel.SelectionFlag.Rows
        )
        self.table.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _on_listed(self, listed: Listing) -> None:
        chosen = self._chosen_row()
        self.model.set_rows(listed.rows, listed.labels)
        self.filter_bar.offer_users(listed.users)
        self.export_shown_action.setEnabled(bool(listed.rows))
        if self._awaits_listing:
            self._awaits_listing = False
            self.reload()
            return
        if self._row_wanted is not None:
            self._select(self._row_wanted)
            self._row_wanted = None
            return  # what the check said stays on screen
        if chosen is not None and chosen in set(listed.rows):
            self._select(chosen)
        elif listed.rows:
            self._select(listed.rows[0])
        else:
            self.details.clear_entry()
        if not self.job.is_running:
            self._say(self._count_words(len(listed.rows)))

    def _count_words(self, count: int) -> str:
        if self.filter_bar.filter.is_empty:
            return self.tr("{0} rows").format(f"{count:,}")
        return self.tr("{0} rows answer the filter").format(f"{count:,}")

    def _chosen_row(self) -> int | None:
        entry = self.model.entry_at(self.table.currentIndex().row())
        return entry.row if entry is not None else None

    def _on_current_changed(self, current: AnyIndex, _before: QModelIndex) -> None:
        entry = self.model.entry_at(current.row()) if current.isValid() else None
        if entry is None:
            self.details.clear_entry()
        else:
            self.details.show_entry(entry, self.model.study_words(entry))

    def _focus_search(self) -> None:
        self.filter_bar.text_field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    # -- checking ----------------------------------------------------------------------------

    def verify(self, head: Path | None = None) -> None:
        """Check the log on a thread; head: against this stamped head too."""
        call = partial(check_log, self._audit, self._user(), self.job.tell_progress, head)
        if self.job.start(call):
            self._say(self.tr("Checking every row …"))
            self._refresh_buttons()

    def _on_verify_clicked(self) -> None:
        self.verify()

    def _ask_head(self) -> None:
        title, kinds = self.tr("Stamped head"), self.tr("Stamped heads (*.json)")
        path, _ = QFileDialog.getOpenFileName(self, title, "", kinds)
        if path:
            self.verify(Path(path))

    def _on_checked(self, outcome: CheckOutcome) -> None:
        result = outcome.result
        note = f" ({outcome.note})" if outcome.note else ""
        self.model.mark_broken(result.first_broken_row)
        if result.ok:
            words = self.tr("✓ The log is intact: {0} rows.").format(f"{result.entries:,}")
            self._say(words + note)
            return
        if result.first_broken_row is None:
            self._warn(self.tr("▲ {0}").format(result.reason) + note)
            return
        words = self.tr("▲ The log is broken at row {0}: {1}.")
        self._warn(words.format(result.first_broken_row, result.reason) + note)
        self.jump_to(result.first_broken_row)

    # -- exporting ---------------------------------------------------------------------------

    def export(
        self, path: Path, file_format: ExportFormat | None, rows: list[int] | None = None
    ) -> None:
        """Write rows (None: all) and the head to a file; file_format None: the head alone."""
        call = partial(
            export_log, self._audit, self._user(), self.job.tell_progress, path, file_format, rows
        )
        if self.job.start(call):
            self._say(self.tr("Writing {0} …").format(path.name))
            self._refresh_buttons()

    def _ask_export_all(self) -> None:
        self._ask_export(None)

    def _ask_export_shown(self) -> None:
        self._ask_export(self.model.row_numbers)

    def _ask_export(self, rows: list[int] | None) -> None:
        csv, lines = self.tr("Table (*.csv)"), self.tr("JSON lines (*.jsonl)")
        path, chosen = QFileDialog.getSaveFileName(
            self, self.tr("Export the audit log"), "audit.csv", f"{csv};;{lines}"
        )
        if path:
            is_lines = path.endswith(".jsonl") or (chosen == lines and not path.endswith(".csv"))
            self.export(Path(path), "jsonl" if is_lines else "csv", rows)

    def _ask_export_head(self) -> None:
        title, kinds = self.tr("Stamped head"), self.tr("Stamped heads (*.json)")
        path, _ = QFileDialog.getSaveFileName(self, title, "audit.head.json", kinds)
        if path:
            self.export(Path(path), None)

    # -- jobs --------------------------------------------------------------------------------

    def _on_progressed(self, done: int, total: int) -> None:
        self.progress_bar.setRange(0, max(1, total))
        self.progress_bar.setValue(done)
        self.progress_bar.setFormat(self.tr("{0} of {1} rows").format(f"{done:,}", f"{total:,}"))

    def _on_succeeded(self, result: object) -> None:
        self._refresh_buttons()
        if isinstance(result, CheckOutcome):
            self._on_checked(result)
        elif isinstance(result, ExportOutcome):
            words = self.tr("✓ {0} rows written to {1}; its stamped head is {2}.")
            names = (result.path, result.head_path.name)
            self._say(words.format(f"{result.rows:,}", *names))
        elif isinstance(result, StampedHead):
            self._say(self.tr("✓ The head of row {0} was written.").format(result.row))

    def _on_failed(self, reason: str) -> None:
        self._refresh_buttons()
        self._warn(f"▲ {reason}")

    def _on_stopped(self) -> None:
        self._refresh_buttons()
        self._say(self.tr("Stopped."))

    def _refresh_buttons(self) -> None:
        is_running = self.job.is_running
        for button in (self.verify_button, self.against_button, self.export_button):
            button.setEnabled(not is_running)
        self.stop_button.setVisible(is_running)
        self.progress_bar.setVisible(is_running)
        if not is_running:
            self.progress_bar.reset()

    def _say(self, words: str, role: str = "muted") -> None:
        self.status_label.setProperty("role", role)
        self.status_label.style().polish(self.status_label)
        self.status_label.setText(words)

    def _warn(self, words: str) -> None:
        self._say(words, "warning")

    def shutdown(self) -> None:
        """Before the window goes: nothing runs on."""
        self.listing.shutdown()
        self.job.shutdown()


class Listing:
    """What one reading of the log brings: the rows asked for, and what the filter can offer."""

    def __init__(self, rows: list[int], labels: dict[str, StudyLabel], users: list[str]) -> None:
        self.rows, self.labels, self.users = rows, labels, users


def _list_rows(reader: AuditReader, wanted: AuditFilter) -> Listing:
    return Listing(reader.row_numbers(wanted), reader.study_labels(), reader.users())
