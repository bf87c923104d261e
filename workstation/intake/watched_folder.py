"""A folder that others write films into: what is complete and was not dealt with yet.

Polled, because file system notifications do not come over network shares, and because a file is
complete only when it has stopped growing, which no notification tells.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, delete, insert, select

from workstation.catalog.database import read_transaction, write_transaction
from workstation.catalog.schema import WatchedFileRecord
from workstation.catalog.study_catalog import file_state
from workstation.intake.zip_archive import is_junk

SETTLED_AFTER_S = 3.0
"""A file whose size and time of change stand still for so long is complete."""

_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp", "~")

FileState = tuple[int, int]


class WatchedFolder:
    """Used by one thread. What was dealt with is kept in the catalog, so that a restart neither
    imports nor complains again. Methods may raise CatalogUnavailable."""

    def __init__(
        self, folder: Path, engine: Engine, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self._engine, self._clock = engine, clock
        self._growing: dict[Path, tuple[FileState, float]] = {}
        self._offered: dict[Path, FileState] = {}
        self._dealt_with = self._load()

    def look(self) -> list[Path]:
        """Files that are complete and new, each offered once. Raises OSError where the folder is
        not there."""
        os.listdir(self.folder)  # os.walk is silent about a folder that is gone
        now, ready = self._clock(), []
        present: dict[Path, FileState] = {}
        for path, state in self._files():
            present[path] = state
            if self._dealt_with.get(path) == state or self._offered.get(path) == state:
                continue
            before, since = self._growing.get(path, (None, now))
            if before != state:
                self._growing[path] = (state, now)
            elif state[0] > 0 and now - since >= SETTLED_AFTER_S:
                ready.append(path)
                self._offered[path] = state
        self._growing = {
            path: seen
            for path, seen in self._growing.items()
            if path in present and path not in self._offered
        }
        return ready

    def settle(self, outcomes: Mapping[Path, str]) -> None:
        """These offered files were dealt with; the reason of those refused, else ""."""
        now = datetime.now(UTC).isoformat()
        rows = []
        for path, reason in outcomes.items():
            offered = path in self._offered
            size, mtime_ns = self._offered.pop(path) if offered else file_state(path)
            self._dealt_with[path] = (size, mtime_ns)
            row = {"path": str(path), "file_size": size, "file_mtime_ns": mtime_ns}
            rows.append({**row, "reason": reason, "seen_at": now})
        if rows:
            with write_transaction(self._engine) as connection:
                for row in rows:
                    same = WatchedFileRecord.path == row["path"]
                    connection.execute(delete(WatchedFileRecord).where(same))
                connection.execute(insert(WatchedFileRecord), rows)

    def _load(self) -> dict[Path, FileState]:
        record = WatchedFileRecord
        query = select(record.path, record.file_size, record.file_mtime_ns)
        with read_transaction(self._engine) as connection:
            rows = connection.execute(query).all()
        found = {Path(row.path): (row.file_size, row.file_mtime_ns) for row in rows}
        return {path: state for path, state in found.items() if path.is_relative_to(self.folder)}

    def _files(self) -> Iterator[tuple[Path, FileState]]:
        for parent, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if name.startswith(".") or name.lower().endswith(_UNFINISHED) or is_junk(name):
                    continue
                path = Path(parent, name)
                try:
                    status = path.stat()
                except OSError:
                    continue  # it was moved away in this moment
                if stat.S_ISREG(status.st_mode):
                    yield path, (status.st_size, status.st_mtime_ns)
