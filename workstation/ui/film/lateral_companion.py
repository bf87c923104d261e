"""The lateral film of the open study, decoded beside the one shown, for models that take two."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from workstation.dicom.film import Film
from workstation.ui.film.film_loader import FilmLoader


class LateralCompanion(QObject):
    """Holds at most one film. settled() says that one asked for is there, or can't be read."""

    settled = Signal()

    def __init__(self, parent: QObject | None = None, data_folder: Path | None = None) -> None:
        super().__init__(parent)
        self.film: Film | None = None
        self._path: Path | None = None
        self._study_uid = ""
        self._is_loading = False
        self._loader = FilmLoader(self, data_folder)
        self._loader.film_loaded.connect(self._on_loaded)
        self._loader.film_failed.connect(self._on_failed)

    @property
    def is_loading(self) -> bool:
        return self._is_loading

    def request(self, path: Path, study_instance_uid: str) -> None:
        """Ask for a film of a study; nothing is done for the one held or asked for already."""
        if path == self._path:
            return
        self.clear()
        self._path, self._study_uid, self._is_loading = path, study_instance_uid, True
        self._loader.request(path)

    def clear(self) -> None:
        """Hold nothing, and deliver nothing of what was asked."""
        self._loader.cancel()
        self.film, self._path, self._is_loading = None, None, False

    def shutdown(self) -> bool:
        """End the thread; False where it is still decoding after the time is up."""
        self.clear()
        return self._loader.shutdown()

    def _on_loaded(self, _path: str, film: Film) -> None:
        # The file may have been replaced on disk since its import: never another patient's film.
        is_same = film.header.study_instance_uid == self._study_uid
        self._settle(film if is_same else None)

    def _on_failed(self, _path: str, _reason: str) -> None:
        self._settle(None)

    def _settle(self, film: Film | None) -> None:
        self.film, self._is_loading = film, False
        self.settled.emit()
