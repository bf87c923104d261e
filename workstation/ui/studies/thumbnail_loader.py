"""Thumbnails for the study list, made on a thread of their own, the newest wish first."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from threading import Condition

import numpy as np
from PySide6.QtCore import QObject, QThread, Signal
from PySide6.QtGui import QImage

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import StudyCatalog
from workstation.catalog.study_rows import StudyRow
from workstation.intake.thumbnails import ThumbnailStore

_log = logging.getLogger(__name__)

_KEPT_IN_MEMORY = 600
_MAX_WISHES = 60
"""Rows scrolled past are not waited for; they are asked for again when they come back."""


class _Maker(QThread):
    """Takes wishes from the top of a stack. made(study_instance_uid, QImage), null for none."""

    made = Signal(str, QImage)

    def __init__(self, catalog: StudyCatalog, store: ThumbnailStore, parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName("thumbnailThread")
        self._catalog, self._store = catalog, store
        self._wishes: deque[str] = deque(maxlen=_MAX_WISHES)
        self._changed = Condition()
        self._is_ending = False

    def wish(self, study_instance_uid: str) -> None:
        with self._changed:
            if study_instance_uid in self._wishes:
                self._wishes.remove(study_instance_uid)
            self._wishes.append(study_instance_uid)
            self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._is_ending = True
            self._changed.notify()

    def run(self) -> None:
        self._store.prune()
        while True:
            with self._changed:
                while not self._wishes and not self._is_ending:
                    self._changed.wait()
                if self._is_ending:
                    return
                uid = self._wishes.pop()
            self.made.emit(uid, self._make(uid))

    def _make(self, study_instance_uid: str) -> QImage:
        try:
            films = self._catalog.instances(study_instance_uid)
            grey = self._store.get(films[0]) if films else None
        except CatalogUnavailable:
            return QImage()
        except Exception:
            # A mistake of ours costs one small picture.
            _log.exception("thumbnail of %s", study_instance_uid)
            return QImage()
        return QImage() if grey is None else _to_image(grey)


class ThumbnailLoader(QObject):
    """thumbnail_ready(study_instance_uid), on the main thread. `shutdown` ends its thread, and
    what is asked for afterwards is not made: a thread must not outlive the window."""

    thumbnail_ready = Signal(str)

    def __init__(
        self, catalog: StudyCatalog, store: ThumbnailStore, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[str, QImage] = OrderedDict()
        self._film_counts: dict[str, int] = {}
        self._is_closed = False
        self._maker = _Maker(catalog, store, self)
        self._maker.made.connect(self._on_made)

    def thumbnail(self, row: StudyRow) -> QImage | None:
        """What there is now; None, and asked for, where it has to be made."""
        uid = row.study_instance_uid
        found = self._kept.get(uid)
        if found is not None and self._film_counts.get(uid) == row.instance_count:
            self._kept.move_to_end(uid)
            return found
        self._film_counts[uid] = row.instance_count
        if self._is_closed:
            return found
        if not self._maker.isRunning():
            self._maker.start(QThread.Priority.LowPriority)
        self._maker.wish(uid)
        return found

    def forget(self, study_instance_uids: set[str]) -> None:
        for uid in study_instance_uids:
            self._kept.pop(uid, None)
            self._film_counts.pop(uid, None)

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """False where a film is still being decoded after the time is up."""
        self._is_closed = True
        if not self._maker.isRunning():
            return True
        self._maker.end()
        return self._maker.wait(timeout_ms)

    def _on_made(self, study_instance_uid: str, picture: QImage) -> None:
        self._kept[study_instance_uid] = picture
        while len(self._kept) > _KEPT_IN_MEMORY:
            self._kept.popitem(last=False)
        self.thumbnail_ready.emit(study_instance_uid)


def _to_image(grey: np.ndarray) -> QImage:
    rows, columns = grey.shape
    held = np.ascontiguousarray(grey)
    return QImage(held.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
