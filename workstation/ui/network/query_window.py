"""Search a server for studies and fetch those chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workstation.network.failures import InvalidSettings
from workstation.network.settings import Server
from workstation.network.study_query import (
    MAX_STUDIES,
    FoundStudy,
    RetrieveOutcome,
    StudyQuery,
    check_query,
)
from workstation.ui.network.found_studies_model import FoundStudiesModel
from workstation.ui.network.network_jobs import NetworkJobs, OpenSource

_MODALITIES = ("", "CR", "DX", "CT", "MR", "MG", "RF", "XA", "US", "OT")
_FIXED_COLUMNS = {0: 130, 1: 200, 2: 110, 3: 96, 4: 96, 5: 84}


class QueryWindow(QDialog):
    """Not modal: the reader reads on while films arrive.

    query_sent(Server, StudyQuery) with every search; found(tuple) after each that succeeded;
    ended() once another can begin.
    known_uids: the studies of the catalog, asked after each search.
    """

    query_sent = Signal(object, object)
    found = Signal(object)
    ended = Signal()

    def __init__(
        self,
        jobs: NetworkJobs,
        open_source: Callable[[Server], OpenSource | None],
        known_uids: Callable[[], frozenset[str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("query_window")
        self.setWindowTitle(self.tr("Get studies from a server"))
        self.resize(1100, 600)
        self._jobs, self._open_source, self._known_uids = jobs, open_source, known_uids
        self._servers: tuple[Server, ...] = ()
        self._asked: Server | None = None  # whom the studies in the table came from
        self._is_ours = False  # whether the job that runs is this window's
        self._left = 0
        self._totals = RetrieveOutcome()
        self._build_fields()
        self._build_results()
        self._lay_out()
        self._connect()
        self._refresh()

    def set_servers(self, servers: Sequence[Server]) -> None:
        chosen = self.server_box.currentText()
        self._servers = tuple(servers)
        self.server_box.clear()
        self.server_box.addItems([server.name for server in servers])
        self.server_box.setCurrentIndex(max(0, self.server_box.findText(chosen)))
        if not servers:
            self._say(self.tr("No server is set up: File → Network…"))
        self._refresh()

    @property
    def server(self) -> Server | None:
        row = self.server_box.currentIndex()
        return self._servers[row] if 0 <= row < len(self._servers) else None

    @property
    def query(self) -> StudyQuery:
        """As typed; dates with any punctuation."""
        return StudyQuery(
            patient_name=self.name_field.text().strip(),
            patient_id=self.id_field.text().strip(),
            date_from=_bare_date(self.from_field.text()),
            date_to=_bare_date(self.to_field.text()),
            modality=self.modality_box.currentText().strip().upper(),
            accession_number=self.accession_field.text().strip(),
        )

    def show_query(self, query: StudyQuery) -> None:
        self.name_field.setText(query.patient_name)
        self.id_field.setText(query.patient_id)
        self.from_field.setText(query.date_from)
        self.to_field.setText(query.date_to)
        self.modality_box.setCurrentText(query.modality)
        self.accession_field.setText(query.accession_number)

    # -- making ------------------------------------------------------------------------------

    def _build_fields(self) -> None:
        self.server_box = QComboBox(self)
        self.server_box.setObjectName("query_server")
        self.name_field = QLineEdit(self)
        self.name_field.setPlaceholderText(self.tr("Doe, J"))
        self.id_field = QLineEdit(self)
        self.from_field, self.to_field = QLineEdit(self), QLineEdit(self)
        for field in (self.from_field, self.to_field):
            field.setPlaceholderText("2026-04-12")
            field.setMinimumWidth(112)
        self.modality_box = QComboBox(self)
        self.modality_box.setEditable(True)
        self.modality_box.addItems(_MODALITIES)
        self.modality_box.setMinimumWidth(84)
        for box in (self.server_box, self.modality_box):
            box.setMinimumHeight(30)
        self.accession_field = QLineEdit(self)
        self.search_button = QPushButton(self.tr("&Search"), self)
        self.search_button.setObjectName("search_server")
        self.search_button.setDefault(True)

    def _build_results(self) -> None:
        self.model = FoundStudiesModel(self)
        self.table = QTableView(self)
        self.table.setObjectName("found_studies")
        self.table.setAccessibleName(self.tr("Studies found"))
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        for column, width in _FIXED_COLUMNS.items():
            self.table.setColumnWidth(column, width)
        header.setSectionResizeMode(6, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(7, 60)
        self.progress_bar = QProgressBar(self)
        self.progress_bar.setObjectName("retrieve_progress")
        self.progress_bar.setMaximumWidth(240)
        self.status_label = QLabel(self)
        self.status_label.setObjectName("query_status")
        self.status_label.setWordWrap(True)
        self.stop_button = QPushButton(self.tr("S&top"), self)
        self.stop_button.setObjectName("stop_network")
        self.retrieve_button = QPushButton(self.tr("&Retrieve"), self)
        self.retrieve_button.setObjectName("retrieve_studies")
        self.retrieve_button.setProperty("role", "primary")
        self.retrieve_button.setAutoDefault(False)
        self.stop_button.setAutoDefault(False)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        for column, (words, field, stretch) in enumerate(
            (
                (self.tr("Server"), self.server_box, 3),
                (self.tr("Patient"), self.name_field, 4),
                (self.tr("Patient ID"), self.id_field, 3),
                (self.tr("From"), self.from_field, 2),
                (self.tr("To"), self.to_field, 2),
                (self.tr("Modality"), self.modality_box, 1),
                (self.tr("Accession"), self.accession_field, 2),
            )
        ):
            label = QLabel(words, self)
            label.setProperty("role", "muted")
            label.setBuddy(field)
            field.setAccessibleName(words)
            grid.addWidget(label, 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, stretch)
        grid.addWidget(self.search_button, 1, 7)
        bottom = QHBoxLayout()
        bottom.setSpacing(10)
        bottom.addWidget(self.status_label, 1)
        for widget in (self.progress_bar, self.stop_button, self.retrieve_button):
            bottom.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        layout.addLayout(grid)
        layout.addWidget(self.table, 1)
        layout.addLayout(bottom)

    def _connect(self) -> None:
        self.search_button.clicked.connect(self._on_search_clicked)
        self.retrieve_button.clicked.connect(self.retrieve_selected)
        self.table.doubleClicked.connect(self.retrieve_selected)
        self.stop_button.clicked.connect(self._jobs.stop)
        self.table.selectionModel().selectionChanged.connect(self._refresh)
        for keys in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            shortcut = QShortcut(QKeySequence(keys), self.table)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(self.retrieve_selected)
        self._jobs.found.connect(self._on_found)
        self._jobs.progressed.connect(self._on_progressed)
        self._jobs.retrieved.connect(self._on_retrieved)
        self._jobs.failed.connect(self._on_failed)
        self._jobs.finished.connect(self._on_finished)

    # -- searching ---------------------------------------------------------------------------

    def search(self) -> bool:
        """Send what is typed to the server chosen; whether it was sent."""
        server, query = self.server, self.query
        if server is None:
            return False
        try:
            check_query(query)
        except InvalidSettings as error:
            self._say(f"▲ {error.reason}")
            return False
        source = self._open_source(server)
        if source is None:
            return False
        if not self._jobs.find(source, query):
            self._say(self.tr("▲ Something else is under way; stop it or wait."))
            return False
        self._is_ours, self._asked = True, server
        self.model.set_studies((), {})
        self._say(self.tr("Searching {0} …").format(server.name))
        self.query_sent.emit(server, query)
        self._refresh()
        return True

    def _on_search_clicked(self) -> None:
        self.search()

    def _on_found(self, studies: tuple[FoundStudy, ...]) -> None:
        if not self._is_ours:
            return
        known = self._known_uids()
        here = self.tr("✓ here")
        notes = {s.study_instance_uid: here for s in studies if s.study_instance_uid in known}
        self.model.set_studies(studies, notes)
        if not studies:
            self._say(self.tr("Nothing found."))
        elif len(studies) >= MAX_STUDIES:
            words = self.tr("▲ {0} studies shown, there are more: narrow the search.")
            self._say(words.format(len(studies)))
        else:
            self._say(self.tr("{0} studies found.").format(len(studies)))
        self.found.emit(studies)

    # -- fetching ----------------------------------------------------------------------------

    @property
    def selected_studies(self) -> list[FoundStudy]:
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.studies[row] for row in rows]

    def select(self, studies: Sequence[FoundStudy]) -> None:
        wanted = {study.study_instance_uid for study in studies}
        selection = self.table.selectionModel()
        selection.clearSelection()
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row, study in enumerate(self.model.studies):
            if study.study_instance_uid in wanted:
                selection.select(self.model.index(row, 0), flags)

    def retrieve_selected(self) -> None:
        """Fetch the selected studies from the server they were found on."""
        studies = self.selected_studies
        source = self._open_source(self._asked) if studies and self._asked else None
        if source is None or not self._jobs.retrieve(source, studies):
            return
        self._is_ours, self._left, self._totals = True, len(studies), RetrieveOutcome()
        for study in studies:
            self.model.set_note(study.study_instance_uid, self.tr("waiting"))
        self.progress_bar.setRange(0, 0)
        self._say(self.tr("Fetching {0} studies …").format(len(studies)))
        self._refresh()

    def _on_progressed(self, study_instance_uid: str, done: int, total: int) -> None:
        self.progress_bar.setRange(0, total)
        self.progress_bar.setValue(done)
        words = self.tr("{0} of {1}").format(done, total) if total else self.tr("{0}").format(done)
        self.model.set_note(study_instance_uid, words)

    def _on_retrieved(self, study: FoundStudy, outcome: RetrieveOutcome) -> None:
        self._left -= 1
        self._totals = _sum(self._totals, outcome)
        lost = outcome.refused + outcome.failed
        note = self.tr("▲ {0} not fetched").format(lost) if lost else self.tr("✓ here")
        self.model.set_note(study.study_instance_uid, note)
        self._say(self._summary())

    def _summary(self) -> str:
        totals = self._totals
        words = self.tr("{0} films added, {1} known already, {2} refused, {3} not sent.")
        summary = words.format(totals.stored, totals.known, totals.refused, totals.failed)
        return f"{summary} {totals.reason}".strip()

    def _on_failed(self, reason: str) -> None:
        if self._is_ours:
            self._say(f"▲ {reason}")

    def _on_finished(self, was_stopped: bool) -> None:
        if self._is_ours and was_stopped:
            self._say(self.tr("Stopped; what had arrived is kept."))
        if self._is_ours and self._left:
            for study in self.selected_studies:
                self._clear_waiting(study)
        self._is_ours, self._left = False, 0
        self._refresh()
        self.ended.emit()

    def _clear_waiting(self, study: FoundStudy) -> None:
        uid = study.study_instance_uid
        is_here = uid in self._known_uids()
        self.model.set_note(uid, self.tr("▲ in part") if is_here else "")

    # -- state -------------------------------------------------------------------------------

    def _say(self, words: str) -> None:
        role = "warning" if words.startswith("▲") else "muted"
        self.status_label.setProperty("role", role)
        self.status_label.style().polish(self.status_label)
        self.status_label.setText(words)

    def _refresh(self, *_: object) -> None:
        is_running = self._jobs.is_running
        count = len(self.table.selectionModel().selectedRows())
        self.search_button.setEnabled(self.server is not None and not is_running)
        self.retrieve_button.setEnabled(bool(count) and not is_running)
        self.retrieve_button.setText(
            self.tr("&Retrieve {0}").format(count) if count else self.tr("&Retrieve")
        )
        self.stop_button.setVisible(is_running and self._is_ours)
        self.progress_bar.setVisible(is_running and self._left > 0)


def _bare_date(text: str) -> str:
    return "".join(each for each in text if each not in "-./ ")


def _sum(first: RetrieveOutcome, second: RetrieveOutcome) -> RetrieveOutcome:
    return RetrieveOutcome(
        first.stored + second.stored,
        first.known + second.known,
        first.refused + second.refused,
        first.failed + second.failed,
        second.reason or first.reason,
    )
