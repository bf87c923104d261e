"""The one window: studies, film, report; block rail and status below. Layout and wiring only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QLabel,
    QMainWindow,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import UnknownStudy
from workstation.drafting.drafting_service import DraftingService
from workstation.intake.instance_recorder import RecordInstance
from workstation.reading.hanging import PLACES
from workstation.ui.accounts.account_desk import AccountDesk
from workstation.ui.audit.audit_window import AuditOpener
from workstation.ui.draft.block_rail import BlockRail
from workstation.ui.draft.draft_choices import DraftChoices
from workstation.ui.exports.export_desk import ExportDesk
from workstation.ui.film.film_column import FilmColumn
from workstation.ui.film.film_desk import FilmDesk
from workstation.ui.film.film_loader import FilmLoader
from workstation.ui.intake.import_controls import ImportControls
from workstation.ui.intake.import_report import RefusedFilesPanel
from workstation.ui.intake.importer import Importer
from workstation.ui.intake.intake_desk import IntakeDesk
from workstation.ui.models.model_chooser import ModelChooser
from workstation.ui.models.model_progress import ModelProgress
from workstation.ui.network.network_desk import NetworkDesk
from workstation.ui.race.race_opener import RaceOpener
from workstation.ui.reading_desk import ReadingDesk, Records
from workstation.ui.report.checks.rules_desk import RulesDesk
from workstation.ui.report.report_panel import ReportPanel
from workstation.ui.report.templates.template_desk import FOLDER_NAME, TemplateDesk
from workstation.ui.studies.study_dragging import StudyDragging
from workstation.ui.studies.study_list import StudyList
from workstation.ui.text_size import TextSize
from workstation.ui.viewer.cheat_sheet import CheatSheet
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.shortcuts import Shortcuts
from workstation.ui.window_columns import WindowColumns
from workstation.ui.window_menus import WindowMenus


class MainWindow(QMainWindow):
    """Takes its services through the constructor; builds only widgets."""

    def __init__(
        self, records: Records, drafting: DraftingService, record_instance: RecordInstance,
        settings: QSettings | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.setObjectName("main_window")
        who = f" — {records.account.full_name}" if records.account is not None else ""
        self.setWindowTitle("ECHO Workstation" + who)
        self.setAcceptDrops(True)
        self._records, self._drafting, self._settings = records, drafting, settings
        self.importer = Importer(record_instance, self)
        self.loader = FilmLoader(self, records.catalog.folder)
        self.text_size = TextSize(settings, self)
        self._build_widgets()
        self.films = FilmDesk(records.catalog, self.grid, self.loader, self)
        self.desk = ReadingDesk(
            records, drafting, self.films, self.report_panel, self.block_rail, self
        )
        self.draft_choices = DraftChoices(self.desk, drafting, settings, self)
        self.models = ModelChooser(drafting, records.audit, records.user, settings, self)
        self.races = RaceOpener(records, drafting, self.films, self.desk, self)
        self.intake = IntakeDesk(records, self.importer, self.study_list, self.desk, settings, self)
        self.network = NetworkDesk(records, settings, self)
        self.exports = ExportDesk(records, self.desk, self.network, settings, self)
        self.audit_log = AuditOpener(records.audit, self._name_user, self)
        self.accounts = AccountDesk(records, settings, self)
        self.is_leaving_for_another_user = False
        folder = records.audit.data_folder / FOLDER_NAME
        self.templates = TemplateDesk(self.report_panel.editor, folder, self)
        self.report_rules = RulesDesk(
            records.audit.data_folder, self.report_panel.editor, self.desk.signing,
            records.account, self,
        )  # fmt: skip
        self.menus = WindowMenus(self)
        self.decoding_group = self.menus.decoding_group
        self.language_group = self.menus.language_group
        self._connect()
        self._restore_layout()
        self.draft_choices.follow(self.decoding_group, self.language_group)
        self.menus.read_first_action.setChecked(self.desk.is_reading_first)
        self._restore_view_choices()
        self.refresh_studies()
        self.intake.start()
        self.network.restore()

    # -- making ------------------------------------------------------------------------------

    def _build_widgets(self) -> None:
        self.study_list = StudyList(self)
        self.shortcuts = Shortcuts(self._settings, parent=self)
        self.study_dragging = StudyDragging(self.study_list.view)
        film_column = FilmColumn(self.shortcuts, self)
        self.grid, self.film_tabs = film_column.grid, film_column.film_tabs
        self.tool_bar, self.viewport_bar = film_column.tool_bar, film_column.viewport_bar
        self.grid.set_measurement_store(self._records.measurements)
        self.report_panel = ReportPanel(self)
        self.block_rail = BlockRail(self)
        self.refused_panel = RefusedFilesPanel(self)
        self.refused_panel.hide()
        self.columns = WindowColumns(
            {"studies": self.study_list, "films": film_column, "report": self.report_panel},
            self._settings,
            self,
        )
        central = QWidget(self)
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.columns, 1)
        layout.addWidget(self.refused_panel)
        layout.addWidget(self.block_rail)
        self.setCentralWidget(central)
        self._build_status_bar()
        self.resize(1500, 900)

    def _build_status_bar(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        self.import_controls = ImportControls(self.importer, self.refused_panel, self)
        self.research_label = QLabel(self.tr("Research use — not for diagnosis"), self)
        self.research_label.setObjectName("research_use")
        self.research_label.setContentsMargins(0, 0, 10, 0)
        self.model_progress = ModelProgress(self._drafting, self)
        bar.addPermanentWidget(self.model_progress)
        bar.addPermanentWidget(self.import_controls)
        bar.addPermanentWidget(self.research_label)
        self.import_controls.hide()

    def _connect(self) -> None:
        self.intake.said.connect(self.show_trouble)
        self.intake.studies_changed.connect(self.refresh_studies)
        self.study_list.study_activated.connect(self._on_study_activated)
        self.study_list.study_confirmed.connect(self.focus_films)
        self.film_tabs.tabBarClicked.connect(self.films.show_film)
        self.grid.study_step_requested.connect(self._on_study_step_requested)
        self.grid.trouble.connect(self.show_trouble)
        self.grid.keys_requested.connect(self.show_keys)
        self.desk.study_changed.connect(self._on_study_changed)
        self.films.films_changed.connect(self.film_tabs.show_films)
        self.films.films_arrived.connect(self.film_tabs.mark_new)
        self.importer.instance_imported.connect(self.films.expect_arrivals)
        self.network.films_arrived.connect(self.films.look_for_arrivals)
        self.films.layout_chosen.connect(self._on_layout_chosen)
        self.films.study_requested.connect(self.study_list.activate_study)
        self.films.trouble.connect(self.show_trouble)
        self.columns.detached_changed.connect(self.menus.show_detached)
        self.grid.links.changed.connect(self.menus.show_linked)
        self.text_size.changed.connect(self.menus.show_text_size)
        self.desk.trouble.connect(self.show_trouble)
        self.races.trouble.connect(self.show_trouble)
        self.accounts.trouble.connect(self.show_trouble)
        self.accounts.locking.connect(self._save_before_lock)
        self.accounts.leave_requested.connect(self.leave_for_another_user)
        self.audit_log.trouble.connect(self.show_trouble)
        self.templates.trouble.connect(self.show_trouble)
        self.templates.changed.connect(self._audit_setting)
        self.report_rules.trouble.connect(self.show_trouble)
        self.report_rules.changed.connect(self._audit_setting)
        self.report_rules.load()
        self.models.trouble.connect(self.show_trouble)
        self.models.decoding_chosen.connect(self.draft_choices.choose_mode)
        self.draft_choices.said.connect(self._say_briefly)
        self.statusBar().insertPermanentWidget(0, self.network.light)
        self.network.films_arrived.connect(self.refresh_studies)
        self.network.refused.connect(self.refused_panel.add)
        self.network.trouble.connect(self.show_trouble)
        self.exports.trouble.connect(self.show_trouble)
        self.report_panel.sign_requested.connect(self.sign)
        self._drafting.engine_ready.connect(self.menus.offer)
        self.import_controls.first_film_imported.connect(self._open_imported)
        self.import_controls.summed_up.connect(self._on_import_summed_up)
        self.importer.import_failed.connect(self.show_trouble)

    # -- studies -----------------------------------------------------------------------------

    def refresh_studies(self) -> None:
        """Read the list again; the selection stays."""
        try:
            self.study_list.set_studies(self._records.catalog.list_studies(with_removed=True))
        except CatalogUnavailable as error:
            self.show_trouble(str(error))

    def _on_study_activated(self, study_instance_uid: str) -> None:
        if not self.desk.open_study(study_instance_uid):
            self.study_list.activate_study(self.desk.study_instance_uid)

    def _on_study_step_requested(self, step: int) -> None:
        if step > 0:
            self.study_list.activate_next()
        else:
            self.study_list.activate_previous()

    def _on_study_changed(self, study_instance_uid: str) -> None:
        try:
            self.study_list.put_study(self._records.catalog.study(study_instance_uid))
        except (CatalogUnavailable, UnknownStudy) as error:
            self.show_trouble(str(error))

    @property
    def viewer(self) -> ImageViewer:
        """The viewer of the active viewport."""
        return self.grid.active.viewer

    def focus_films(self) -> None:
        """The keyboard to the active viewport, in whatever window it is."""
        self.grid.window().activateWindow()
        self.viewer.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_report(self) -> None:
        """The keyboard to the report, in whatever window it is."""
        self.report_panel.window().activateWindow()
        self.report_panel.focus_page()

    def _on_layout_chosen(self, layout: str) -> None:
        if self._settings is not None:
            self._settings.setValue("layout", layout or "auto")
        self.menus.show_layout(layout)

    # -- import ------------------------------------------------------------------------------

    def ask_for_files(self) -> None:
        self.import_controls.ask_for_files()

    def ask_for_folder(self) -> None:
        self.import_controls.ask_for_folder()

    def import_paths(self, paths: list[Path], *, open_first: bool = True) -> None:
        """Import films; the first one is opened, as somebody who opens a file expects."""
        self.import_controls.import_paths(paths, open_first=open_first)

    def import_demo_film(self, path: str) -> None:
        """A demo film was rendered; the first is opened, later ones only join the list."""
        self.import_paths([Path(path)], open_first=not self.desk.study_instance_uid)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.import_paths(paths)

    def _open_imported(self, study_instance_uid: str) -> None:
        self.study_list.show_all()
        self.refresh_studies()
        self.study_list.activate_study(study_instance_uid)
        self.films.fill_while_importing(True)

    def _on_import_summed_up(self, text: str) -> None:
        self.films.look_for_arrivals()
        self.films.fill_while_importing(False)
        self.refresh_studies()
        self._say_briefly(text)

    def fetch_priors(self) -> None:
        """The open patient's other films, from the first server of the network settings."""
        self.network.fetch_priors(self.desk.study_instance_uid)

    # -- drafting and signing ----------------------------------------------------------------

    def choose_model(self) -> None:
        """Which model drafts, where it runs and how it decodes."""
        self.models.open(self.desk.decoding)

    def race_strategies(self) -> None:
        """Decode the open study by several strategies side by side; no report is touched."""
        self.races.open()

    def _restore_view_choices(self) -> None:
        layout = self._settings.value("layout") if self._settings is not None else None
        self.films.layout_choice = layout if layout in PLACES else None
        self.menus.show_layout(self.films.layout_choice or "")
        self.text_size.restore()

    def sign(self) -> None:
        """Show what would be signed, ask for the name, sign."""
        if self.desk.sign(self.desk.signing.ask):
            self.show_trouble(self.tr("Signed. Ctrl+N opens the next new study."))

    def add_measurements_to_report(self) -> None:
        """The figures of the film shown, as sentences at the end of the findings."""
        self.desk.add_measurements(self.viewer)

    def show_keys(self) -> None:
        """The cheat sheet; the viewer's keys are changed there."""
        CheatSheet(self.shortcuts, self.menus.actions(), self).exec()

    def show_audit_log(self) -> None:
        """The rows of the log, what changed in them, checks and exports."""
        self.audit_log.open()

    def verify_audit(self) -> None:
        """Show the log and check the whole chain."""
        self.audit_log.open_and_verify()

    def _name_user(self) -> str:
        return self._records.user

    def _audit_setting(self, details: dict[str, Any]) -> None:
        try:
            self._records.audit.append("settings", user=self._name_user(), details=details)
        except CatalogUnavailable as error:
            self.show_trouble(str(error))

    def _say_briefly(self, text: str) -> None:
        self.statusBar().showMessage(text, 10_000)

    def show_trouble(self, text: str) -> None:
        """Something the reader should know; nothing stops for it."""
        self.statusBar().showMessage(text, 30_000)

    # -- window ------------------------------------------------------------------------------

    def _restore_layout(self) -> None:
        if self._settings is None:
            return
        geometry = self._settings.value("geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self.columns.restore()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save first; where that fails, the reader decides whether to leave anyway."""
        if not self.desk.close() and not (self.desk.is_unsaved and self._confirm_losing_edits()):
            event.ignore()
            return
        if self._settings is not None:
            self._settings.setValue("geometry", self.saveGeometry())
        self.accounts.log_out()
        self.columns.remember()
        self.columns.close_windows()
        self.audit_log.shutdown()
        self.network.shutdown()
        self.exports.shutdown()
        self.importer.shutdown()
        self.intake.shutdown()
        self.loader.shutdown()
        self.films.shutdown()
        self._drafting.shutdown()
        event.accept()

    def leave_for_another_user(self) -> None:
        """Save and close; whoever runs the window then asks who is there. Where saving fails and
        the reader stays, nothing has changed."""
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QDialog) and dialog.objectName() != "lock_dialog":
                dialog.reject()
        self.is_leaving_for_another_user = self.close()

    def _save_before_lock(self) -> None:
        """What was typed last is on the disk before nobody is there."""
        self.report_panel.flush_typing()
        self.desk.save()

    def _confirm_losing_edits(self) -> bool:
        answer = QMessageBox.warning(
            self,
            self.tr("Not saved"),
            self.tr("The last edits could not be saved. Close and lose them?"),
            QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        return answer == QMessageBox.StandardButton.Discard
