"""Decode films off the UI thread; only the newest request is ever delivered.

A request made while an older one decodes makes the older one's result go nowhere: it can
neither replace the newer film nor appear under another patient's name.
"""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from workstation.dicom.film import Film
from workstation.dicom.unreadable import UnreadableInstance
from workstation.ui.film.shared_films import open_film
from workstation.ui.viewer.film_sampler import sampler_of

_log = logging.getLogger(__name__)


class _NewestRequest:
    """The id of the newest request: written by the UI thread, read by the worker."""

    def __init__(self) -> None:
        self.request_id = 0


class _DecodeWorker(QObject):
    """Lives on the loader's thread."""

    decoded = Signal(int, str, object)
    refused = Signal(int, str, str)

    def __init__(self, newest: _NewestRequest, data_folder: Path | None) -> None:
        super().__init__()
        self._newest, self._data_folder = newest, data_folder

    @Slot(int, str)
    def decode(self, request_id: int, path: str) -> None:
        """Read one film, unless a newer request is waiting already."""
        if request_id != self._newest.request_id:
            return
        try:
            film = open_film(Path(path), self._data_folder)
            # The viewer would have to build this pyramid on its first paint.
            sampler_of(film).prepare()
        except UnreadableInstance as refusal:
            self.refused.emit(request_id, path, refusal.reason)
        except MemoryError:
            self.refused.emit(request_id, path, self.tr("not enough memory to decode this film"))
        except Exception as bug:
            # A mistake of ours must not leave the reader waiting for a film that never comes.
            _log.exception("decoding %s", path)
            self.refused.emit(request_id, path, self.tr("unexpected error: {0}").format(bug))
        else:
            self.decoded.emit(request_id, path, film)


class FilmLoader(QObject):
    """Reads films on a thread of its own. All signals are emitted on the main thread.

    film_loaded(path, Film), the film's sampler prepared; film_failed(path, reason). data_folder:
    of the app, whose received presentation states are applied.
    """

    film_loaded = Signal(str, object)
    film_failed = Signal(str, str)
    _decode_requested = Signal(int, str)

    def __init__(self, parent: QObject | None = None, data_folder: Path | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("filmLoader")
        self._newest = _NewestRequest()
        self._thread = QThread(self)
        self._thread.setObjectName("filmLoaderThread")
        self._worker = _DecodeWorker(self._newest, data_folder)
        self._worker.moveToThread(self._thread)
        self._decode_requested.connect(self._worker.decode, Qt.ConnectionType.QueuedConnection)
        self._worker.decoded.connect(self._on_decoded)
        self._worker.refused.connect(self._on_refused)

    def request(self, path: Path) -> None:
        """Ask for a film; whatever was asked before will not be delivered any more."""
        self._newest.request_id += 1
        if not self._thread.isRunning():
            self._thread.start()
        self._decode_requested.emit(self._newest.request_id, str(path))

    def cancel(self) -> None:
        """Deliver nothing of what was asked so far."""
        self._newest.request_id += 1

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """End the thread; False where it is still decoding after the time is up."""
        self.cancel()
        if not self._thread.isRunning():
            return True
        self._thread.quit()
        return self._thread.wait(timeout_ms)

    @Slot(int, str, object)
    def _on_decoded(self, request_id: int, path: str, film: Film) -> None:
        if request_id == self._newest.request_id:
            self.film_loaded.emit(path, film)

    @Slot(int, str, str)
    def _on_refused(self, request_id: int, path: str, reason: str) -> None:
        if request_id == self._newest.request_id:
            self.film_failed.emit(path, reason)
