"""What comes in and what goes out, as the reader meets it: pictures that need a patient, a watched
folder, thumbnails, studies to remove. Joins the services of `workstation.intake` to the list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from PySide6.QtWidgets import QDialog, QWidget

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import StudyCatalog, UnknownStudy
from workstation.catalog.study_rows import InstanceRow
from workstation.intake.import_run import ImportRun
from workstation.intake.picture_details import PictureDescriber
from workstation.intake.study_removal import (
    RemovalOutcome,
    RemovalPlan,
    StudyChanged,
    StudyRemoval,
)
from workstation.intake.thumbnails import ThumbnailStore
from workstation.ui.background_task import BackgroundTask
from workstation.ui.film.header_wording import iso_date, join_present
from workstation.ui.intake.folder_watcher import FolderWatcher
from workstation.ui.intake.importer import Importer
from workstation.ui.intake.picture_desk import OpenStudy, PictureDesk
from workstation.ui.intake.picture_form import PictureForm
from workstation.ui.intake.watch_dialog import WatchDialog
from workstation.ui.studies.removal_dialog import RemovalDialog
from workstation.ui.studies.study_list import StudyList
from workstation.ui.studies.thumbnail_loader import ThumbnailLoader

REFRESH_EVERY_MS = 2000
"""While an import runs, and not before the first film of a pause: the list is read anew."""

_LAST_WAIT_MS = 30_000
"""A thread must not be destroyed while it decodes; the pool gives up a film before this."""

_FOLDER_KEY, _ON_KEY = "watched_folder", "watched_folder_on"


class IntakeRecords(Protocol):
    """Of reading_desk.Records, what is needed here."""

    @property
    def catalog(self) -> StudyCatalog: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def user(self) -> str: ...


class IntakeDesk(QObject):
    """Signals: said(text) for the status line; studies_changed() when the list has to be read
    again. Call `start` when the window is there, and `shutdown` when it closes."""

    said = Signal(str)
    studies_changed = Signal()

    def __init__(
        self,
        records: IntakeRecords,
        importer: Importer,
        studies: StudyList,
        desk: OpenStudy,
        settings: QSettings | None,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._catalog, self._importer, self._studies = records.catalog, importer, studies
        self._desk, self._settings, self._window = desk, settings, window
        self._removal = StudyRemoval(records.catalog, records.audit, records.user)
        self._thumbnail_store = ThumbnailStore(records.catalog.folder)
        self.thumbnails = ThumbnailLoader(records.catalog, self._thumbnail_store, self)
        self.watcher = FolderWatcher(importer, records.catalog.engine, self)
        self._watch_trouble = ""
        describer = PictureDescriber(records.catalog, records.audit, records.user)
        self._pictures = PictureDesk(
            records.catalog, describer, studies, desk, self.thumbnails, self._run, window
        )
        self._pictures.said.connect(self.said)
        self._pictures.studies_changed.connect(self.studies_changed)
        self._new_pictures: list[tuple[str, str]] = []
        self._tasks: set[BackgroundTask] = set()
        studies.removal_requested.connect(self.ask_removal)
        self.thumbnails.thumbnail_ready.connect(self._on_thumbnail_ready)
        self.watcher.trouble.connect(self._on_watch_trouble)
        self._refresh_pause = QTimer(self)
        self._refresh_pause.setSingleShot(True)
        self._refresh_pause.setInterval(REFRESH_EVERY_MS)
        self._refresh_pause.timeout.connect(self._read_studies)
        importer.instance_imported.connect(self._on_instance_imported)
        importer.picture_imported.connect(self._on_picture_imported)
        importer.run_ended.connect(self._on_run_ended)

    def start(self) -> None:
        """Thumbnails from now on, and the folder that was watched last time."""
        self._studies.show_thumbnails(self.thumbnails)
        self.watcher.watch(self._folder_to_watch())

    def shutdown(self) -> None:
        """End every thread; none begins afterwards."""
        self._refresh_pause.stop()
        self.watcher.shutdown(_LAST_WAIT_MS)
        self.thumbnails.shutdown(_LAST_WAIT_MS)
        for task in list(self._tasks):
            task.wait()

    # -- the list while films come in --------------------------------------------------------

    def _on_instance_imported(self, _study_instance_uid: str, _sop_instance_uid: str) -> None:
        if not self._refresh_pause.isActive():
            self._refresh_pause.start()

    def _read_studies(self) -> None:
        """On a thread: with many studies that takes longer than a reader should wait."""
        self._run(lambda: self._catalog.list_studies(with_removed=True), self._on_studies_read)

    def _on_studies_read(self, rows: object) -> None:
        assert isinstance(rows, list)
        if self._importer.is_running:  # at its end the window reads them itself, newer ones
            self._studies.set_studies(rows)

    # -- removal -----------------------------------------------------------------------------

    def remove_selected(self) -> None:
        """The selected studies, after a question."""
        chosen = self._studies.selected_studies()
        if chosen:
            self.ask_removal(chosen)
        else:
            self.said.emit(self.tr("No study is selected."))

    def ask_removal(self, study_instance_uids: list[str]) -> None:
        try:
            plan = self._removal.plan(study_instance_uids)
        except (CatalogUnavailable, UnknownStudy) as error:
            self.said.emit(str(error))
            return
        dialog = RemovalDialog(plan, self._names_of(study_instance_uids), self._window)
        dialog.finished.connect(lambda code: self._on_removal_answered(dialog, plan, code))
        dialog.open()

    def _on_removal_answered(self, dialog: RemovalDialog, plan: RemovalPlan, code: int) -> None:
        dialog.deleteLater()
        if code == QDialog.DialogCode.Accepted:
            self.remove(plan, delete_files=dialog.deletes_files)

    def remove(self, plan: RemovalPlan, *, delete_files: bool) -> None:
        """Do it: off the desk, off the list, then files and thumbnails in the background."""
        uids = {study.study_instance_uid for study in plan.studies}
        if self._desk.study_instance_uid in uids and not self._desk.leave_study():
            return
        self.thumbnails.forget(uids)
        films = [
            InstanceRow(sop_uid, path, "")
            for study in plan.studies
            for sop_uid, path in study.films
        ]

        def carry_out() -> RemovalOutcome:
            self._thumbnail_store.forget(films)
            return self._removal.remove(plan, delete_files=delete_files)

        self._run(carry_out, self._on_removed)

    def _on_removed(self, outcome: object) -> None:
        assert isinstance(outcome, RemovalOutcome)
        self._studies.discard_studies(set(outcome.removed))
        self.studies_changed.emit()
        count = len(outcome.removed)
        parts = [
            self.tr("1 study removed.")
            if count == 1
            else self.tr("{0} studies removed.").format(count)
        ]
        if outcome.deleted_files:
            parts.append(self.tr("{0} files deleted.").format(len(outcome.deleted_files)))
        if outcome.kept_files:
            path, reason = next(iter(outcome.kept_files.items()))
            text = self.tr("{0} files not deleted ({1}: {2}).")
            parts.append(text.format(len(outcome.kept_files), path.name, reason))
        self.said.emit(" ".join(parts))

    def _names_of(self, study_instance_uids: list[str]) -> list[str]:
        """With ID and date: two patients may share a name, and one has several studies."""
        index, names = self._studies.model.studies, []
        for uid in study_instance_uids:
            at = index.position_of(uid)
            if at is None:
                names.append(uid)
                continue
            row = index.rows[at]
            name = self._studies.model.name_of(row)
            names.append(join_present(name, row.patient_id, iso_date(row.study_date)))
        return names

    # -- pictures ----------------------------------------------------------------------------

    def describe_open_picture(self) -> None:
        """Ask patient and view of the picture on the desk, or of the selected study."""
        chosen = self._studies.selected_studies()[:1] or [self._desk.study_instance_uid]
        self._pictures.ask_about([(uid, "") for uid in chosen if uid])
        if self.form is None:
            self.said.emit(self.tr("This study has no PNG or JPEG picture."))

    def _on_picture_imported(self, study_instance_uid: str, sop_instance_uid: str) -> None:
        self._new_pictures.append((study_instance_uid, sop_instance_uid))

    def _on_run_ended(self, run: ImportRun) -> None:
        new, self._new_pictures = self._new_pictures, []
        # What a watched folder brings interrupts nobody; the menu asks about it later.
        if new and not self.watcher.is_from_here(run):
            self._pictures.ask_about(new)

    @property
    def form(self) -> PictureForm | None:
        """The one that asks just now."""
        return self._pictures.form

    # -- the watched folder ------------------------------------------------------------------

    def ask_watched_folder(self) -> None:
        folder, is_on = self._watch_settings()
        dialog = WatchDialog(folder, is_on=is_on, trouble=self._watch_trouble, parent=self._window)
        dialog.finished.connect(lambda code: self._on_watch_answered(dialog, code))
        dialog.open()

    def _on_watch_answered(self, dialog: WatchDialog, code: int) -> None:
        dialog.deleteLater()
        if code == QDialog.DialogCode.Accepted:
            self.set_watched_folder(dialog.chosen_folder, is_on=dialog.is_on)

    def set_watched_folder(self, folder: str, *, is_on: bool) -> None:
        """Remember and begin, or end."""
        if self._settings is not None:
            self._settings.setValue(_FOLDER_KEY, folder)
            self._settings.setValue(_ON_KEY, is_on)
        self._watch_trouble = ""
        self.watcher.watch(Path(folder) if is_on else None)
        text = (
            self.tr("Watching {0}.").format(folder) if is_on else self.tr("No folder is watched.")
        )
        self.said.emit(text)

    def _watch_settings(self) -> tuple[str, bool]:
        if self._settings is None:
            folder = self.watcher.folder
            return str(folder or ""), folder is not None
        folder_text = str(self._settings.value(_FOLDER_KEY, "") or "")
        return folder_text, str(self._settings.value(_ON_KEY, "false")).lower() == "true"

    def _folder_to_watch(self) -> Path | None:
        folder, is_on = self._watch_settings()
        return Path(folder) if is_on and folder else None

    def _on_watch_trouble(self, trouble: str) -> None:
        self._watch_trouble = trouble
        if trouble:
            self.said.emit(self.tr("The watched folder can't be read: {0}").format(trouble))

    # -- all ---------------------------------------------------------------------------------

    def _on_thumbnail_ready(self, _study_instance_uid: str) -> None:
        self._studies.repaint_studies()
        self._pictures.show_preview()

    def _run(self, call: Callable[[], object], then: Callable[[object], None]) -> None:
        task = BackgroundTask(call, self, (StudyChanged,))
        self._tasks.add(task)
        task.succeeded.connect(then)
        task.failed.connect(self._on_task_failed)
        task.finished.connect(self._on_task_finished)
        task.start()

    def _on_task_finished(self) -> None:
        task = self.sender()
        if isinstance(task, BackgroundTask):
            self._tasks.discard(task)

    def _on_task_failed(self, reason: str) -> None:
        self.studies_changed.emit()
        self._pictures.show_trouble(reason)
        self.said.emit(reason)
