"""Import as the reader sees it: choosing files, the bar in the status line, what was refused."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QPushButton, QWidget

from workstation.ui.intake.import_report import RefusedFilesPanel
from workstation.ui.intake.importer import Importer


class ImportControls(QWidget):
    """Progress and Stop (or Resume), for the status bar; hidden while nothing is imported.

    Signals: first_film_imported(study_instance_uid) once for each import that is to be opened;
    summed_up(text) at its end.
    """

    first_film_imported = Signal(str)
    summed_up = Signal(str)

    def __init__(
        self, importer: Importer, refused: RefusedFilesPanel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._importer, self._refused = importer, refused
        self._open_first = False
        self._states_kept = 0
        self.progress_bar = QProgressBar(self)
        self.progress_bar.setObjectName("import_progress")
        self.progress_bar.setAccessibleName(self.tr("Progress of the import"))
        self.progress_bar.setMaximumWidth(220)
        self.stop_button = QPushButton(self.tr("Stop import"), self)
        self.stop_button.setObjectName("stop_import")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.progress_bar)
        row.addWidget(self.stop_button)
        self.stop_button.clicked.connect(self._on_stop_clicked)
        importer.progress.connect(self._on_progress)
        importer.instance_imported.connect(self._on_instance_there)
        importer.instance_already_known.connect(self._on_instance_there)
        importer.state_kept.connect(self._on_state_kept)
        importer.file_refused.connect(self._on_file_refused)
        importer.finished.connect(self._on_finished)
        self.hide()

    def ask_for_files(self) -> None:
        """Choose films; DICOM files often have no extension, so all are offered."""
        paths, _ = QFileDialog.getOpenFileNames(self.window(), self.tr("Open films"))
        self.import_paths([Path(path) for path in paths])

    def ask_for_folder(self) -> None:
        title = self.tr("Open a folder of films")
        folder = QFileDialog.getExistingDirectory(self.window(), title)
        if folder:
            self.import_paths([Path(folder)])

    def import_paths(self, paths: list[Path], *, open_first: bool = True) -> None:
        """Import films; the first one is opened, as somebody who opens a file expects."""
        if not paths:
            return
        self._open_first = open_first
        self._show_running(True)
        self.show()
        self._importer.import_paths(paths)

    def _on_stop_clicked(self) -> None:
        if self._importer.is_running:
            self._importer.cancel()
        elif self._importer.can_resume:
            self._show_running(True)
            self._importer.resume()

    def _show_running(self, is_running: bool) -> None:
        self.progress_bar.setVisible(is_running)
        words = self.tr("Stop import") if is_running else self.tr("Resume import")
        self.stop_button.setText(words)

    def _on_progress(self, done: int, total: int) -> None:
        self.progress_bar.setMaximum(total)  # 0: still walking, the bar runs to and fro
        self.progress_bar.setValue(done)

    def _on_instance_there(self, study_instance_uid: str, _sop_instance_uid: str) -> None:
        if self._open_first:
            self._open_first = False
            self.first_film_imported.emit(study_instance_uid)

    def _on_state_kept(self, _study_instance_uid: str, _sop_instance_uid: str) -> None:
        self._states_kept += 1

    def _on_file_refused(self, path: str, reason: str) -> None:
        self._refused.add(path, reason)
        self._refused.show()

    def _on_finished(self, added: int, duplicates: int, refused: int) -> None:
        self.setVisible(self._importer.can_resume)
        self._show_running(False)
        parts = [self.tr("1 film added") if added == 1 else self.tr("{0} films added")]
        if duplicates:
            parts.append(self.tr("{1} known already"))
        if refused:
            parts.append(self.tr("{2} refused"))
        text = ", ".join(parts) + "."
        if self._states_kept:
            text += " " + self.tr("{0} presentation states kept.").format(self._states_kept)
            self._states_kept = 0
        left = self._importer.files_left
        if left:
            text += " " + self.tr("Stopped: {0} files left.").format(left)
        self.summed_up.emit(text.format(added, duplicates, refused))
