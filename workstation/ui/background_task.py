"""One call on a thread of its own: for what takes up to seconds and is asked for by hand."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import UnknownStudy
from workstation.dicom.unreadable import UnreadableInstance

_log = logging.getLogger(__name__)

_under_way: set[BackgroundTask] = set()
"""Kept from start() until the end has been told: nothing of a task ends on its thread."""


class BackgroundTask(QObject):
    """succeeded(result) or failed(reason), then finished(), on the main thread, once, and as long
    as the owner lives: one that dies before or in between is told nothing more.

    refusals: errors of the call that are told in their own words, beside those of catalog and film;
    any other is a bug, logged and named as one. The call must not touch widgets.

    Not the owner's child. A child that Qt deletes lets go of its Python half first, and so of what
    the call holds; where that was the last reference to the owner, the owner would go and delete
    the same child again (PySide6 6.11.3, 2026-11-21). And a thread that emits from an object which
    another thread is destroying takes the process down. A plain thread, not a QThread, which must
    not be let go before it has quite ended.
    """

    succeeded = Signal(object)
    failed = Signal(str)
    finished = Signal()

    _ended = Signal(object, str)  # result, reason: from the thread, "" where it succeeded

    def __init__(
        self, call: Callable[[], object], owner: QObject,
        refusals: tuple[type[Exception], ...] = (),
    ) -> None:  # fmt: skip
        super().__init__()
        self._call: Callable[[], object] | None = call
        self._owner = weakref.ref(owner)
        known: tuple[type[Exception], ...] = (CatalogUnavailable, UnreadableInstance, UnknownStudy)
        self._refusals = known + refusals
        self._thread = threading.Thread(target=self._run, name="background task")
        self._ended.connect(self._tell)

    def start(self) -> None:
        _under_way.add(self)
        self._thread.start()

    def wait(self) -> None:
        """Until the call has ended; its end is told by the event loop later."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        result, reason = None, ""
        assert self._call is not None
        try:
            result = self._call()
        except self._refusals as error:
            reason = str(error) or type(error).__name__
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
        except Exception as bug:
            _log.exception("background task")
            reason = f"unexpected error: {bug}"
        self._ended.emit(result, reason)

    def _tell(self, result: object, reason: str) -> None:
        self.wait()
        if self._is_owned() and reason:
            self.failed.emit(reason)
        elif self._is_owned():
            self.succeeded.emit(result)
        if self._is_owned():
            self.finished.emit()
        self._call = None
        QTimer.singleShot(0, partial(_under_way.discard, self))  # not within its own slot

    def _is_owned(self) -> bool:
        owner = self._owner()
        return owner is not None and isValid(owner)
