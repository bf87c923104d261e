"""Watches a folder on a thread of its own and has what arrives there imported."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, QThread, Signal
from sqlalchemy import Engine

from workstation.catalog.database import CatalogUnavailable
from workstation.intake.import_run import ImportRun
from workstation.intake.watched_folder import WatchedFolder
from workstation.ui.intake.importer import Importer

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
_SHARE_OF_TIME = 0.05
"""A folder that takes long to look through is looked at less often."""


class _Watch(QThread):
    """files_ready(list of paths); trouble(reason), "" when it is over."""

    files_ready = Signal(list)
    trouble = Signal(str)

    def __init__(self, folder: Path, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName("folderWatchThread")
        self.path, self._engine = folder, engine
        self._wake = Event()
        self._is_ending = False
        self._settled: deque[Mapping[Path, str]] = deque()
        self._trouble = ""

    def settle(self, outcomes: Mapping[Path, str]) -> None:
        self._settled.append(outcomes)
        self._wake.set()

    def end(self) -> None:
        self._is_ending = True
        self._wake.set()

    def run(self) -> None:
        folder: WatchedFolder | None = None
        while True:
            began = time.monotonic()
            try:
                folder = folder or WatchedFolder(self.path, self._engine)
                while self._settled:
                    folder.settle(self._settled[0])
                    self._settled.popleft()
                if self._is_ending:
                    return
                ready = folder.look()
                self._say("")
            except CatalogUnavailable as unavailable:
                self._say(str(unavailable))
            except OSError as error:
                self._say(f"{self.path}: {error.strerror or error}")
            else:
                if ready:
                    self.files_ready.emit([str(path) for path in ready])
            if self._is_ending:
                return
            took = time.monotonic() - began
            self._wake.wait(max(LOOK_EVERY_S, took / _SHARE_OF_TIME))
            self._wake.clear()

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self.trouble.emit(trouble)


class FolderWatcher(QObject):
    """At most one folder at a time. trouble(text): why it can't be watched now, "" when it can
    again; files_found(count) when an import of new ones begins."""

    trouble = Signal(str)
    files_found = Signal(int)

    def __init__(self, importer: Importer, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._importer, self._engine = importer, engine
        self._watch: _Watch | None = None
        self._runs: dict[ImportRun, list[Path]] = {}
        self._last_run: ImportRun | None = None
        self._reasons: dict[Path, str] = {}
        importer.file_refused.connect(self._on_file_refused)
        importer.run_ended.connect(self._on_run_ended)

    @property
    def folder(self) -> Path | None:
        return self._watch.path if self._watch is not None else None

    def watch(self, folder: Path | None) -> None:
        """Watch this folder instead of what was watched; None for none."""
        self.shutdown()
        if folder is not None:
            self._watch = _Watch(folder, self._engine, self)
            self._watch.files_ready.connect(self._on_files_ready)
            self._watch.trouble.connect(self.trouble)
            self._watch.start(QThread.Priority.LowPriority)

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """End watching; what is not dealt with is found again next time."""
        watch, self._watch = self._watch, None
        if watch is None:
            return True
        watch.end()
        return watch.wait(timeout_ms)

    def is_from_here(self, run: ImportRun) -> bool:
        """Whether an import was begun by this watcher, and by no person."""
        return run in self._runs or run is self._last_run

    def _on_files_ready(self, paths: list[str]) -> None:
        if self.sender() is not self._watch:
            return  # of a folder that is not watched any more
        found = [Path(path) for path in paths]
        self._runs[self._importer.import_paths(found)] = found
        self.files_found.emit(len(found))

    def _on_file_refused(self, path: str, reason: str) -> None:
        if self._runs:
            self._reasons[Path(path)] = reason

    def _on_run_ended(self, run: ImportRun) -> None:
        paths = self._runs.get(run)
        if paths is None or not run.is_complete:
            return  # stopped: resumed by the reader, or found again after a restart
        del self._runs[run]
        self._last_run = run
        if self._watch is not None:
            self._watch.settle({path: self._reasons.get(path, "") for path in paths})
        if not self._runs:
            self._reasons.clear()
