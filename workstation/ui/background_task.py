"""One call on a thread of its own: for what takes up to seconds and is asked for by hand."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import UnknownStudy
from workstation.dicom.instance_reader import UnreadableInstance

_log = logging.getLogger(__name__)


class BackgroundTask(QThread):
    """succeeded(result) or failed(reason), on the main thread, once; deletes itself afterwards.

    The call must not touch widgets.
    """

    succeeded = Signal(object)
    failed = Signal(str)

    def __init__(self, call: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName("backgroundTask")
        self._call = call
        self.finished.connect(self.deleteLater)

    def run(self) -> None:
        try:
            result = self._call()
        except (CatalogUnavailable, UnreadableInstance, UnknownStudy) as error:
            self.failed.emit(str(error))
        except OSError as error:
            self.failed.emit(error.strerror or str(error))
        except Exception as bug:
            _log.exception("background task")
            self.failed.emit(f"unexpected error: {bug}")
        else:
            self.succeeded.emit(result)
