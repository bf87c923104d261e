"""One call on a thread of its own: for what takes up to seconds and is asked for by hand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import UnknownStudy
from workstation.dicom.instance_reader import UnreadableInstance

_log = logging.getLogger(__name__)


class BackgroundTask(QObject):
    """succeeded(result) or failed(reason), then finished(), on the main thread, once; deletes
    itself afterwards.

    refusals: errors of the call that are told in their own words, beside those of catalog and film;
    any other is a bug, logged and named as one. The call must not touch widgets. A plain thread,
    not a QThread: one that is let go by Python in the slot that hears of its end is destroyed while
    it still ends, and takes the process with it.
    """

    succeeded = Signal(object)
    failed = Signal(str)
    finished = Signal()

    _ended = Signal(object, str)  # result, reason: from the thread, "" where it succeeded

    def __init__(
        self, call: Callable[[], object], parent: QObject,
        refusals: tuple[type[Exception], ...] = (),
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setObjectName("backgroundTask")
        self._call = call
        known: tuple[type[Exception], ...] = (CatalogUnavailable, UnreadableInstance, UnknownStudy)
        self._refusals = known + refusals
        self._thread = threading.Thread(target=self._run, name="background task")
        self._ended.connect(self._tell)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Until the call has ended; its end is told by the event loop later."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        result, reason = None, ""
        try:
            result = self._call()
        except self._refusals as error:
            reason = str(error) or type(error).__name__
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
        except Exception as bug:
            _log.exception("background task")
            reason = f"unexpected error: {bug}"
        try:
            self._ended.emit(result, reason)
        except RuntimeError:  # the window went without waiting: there is nobody left to tell
            _log.debug("background task ended after its owner")

    def _tell(self, result: object, reason: str) -> None:
        self.wait()
        if reason:
            self.failed.emit(reason)
        else:
            self.succeeded.emit(result)
        self.finished.emit()
        self.deleteLater()
