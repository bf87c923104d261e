"""One import from beginning to end: find, read, keep, record; stopped and resumed at any file."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Protocol

from workstation.catalog.database import CatalogUnavailable
from workstation.dicom.element_values import clean_text
from workstation.dicom.film import InstanceHeader
from workstation.dicom.instance_reader import read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.intake.file_search import FileSearch, FoundFile
from workstation.intake.film_store import FilmStore
from workstation.intake.instance_recorder import (
    InstanceRecorder,
    Recorded,
    RecordInstance,
    record_each,
)
from workstation.intake.state_store import KeptState, StateStore, read_if_state

_log = logging.getLogger(__name__)

MAX_BATCH = 64
BATCH_AGE_S = 0.25
"""No film waits longer for its commit while others are read."""

_KNOWN_AT_ONCE = 500


class ImportListener(Protocol):
    """Told what happens, on the thread of the run."""

    def on_progress(self, done: int, total: int) -> None: ...
    def on_added(self, header: InstanceHeader, path: Path) -> None: ...
    def on_known(self, study_instance_uid: str, sop_instance_uid: str) -> None: ...
    def on_state_kept(self, study_instance_uid: str, sop_instance_uid: str) -> None: ...
    def on_refused(self, path: Path, reason: str) -> None: ...


@dataclass(frozen=True)
class _ReadFilm:
    source: FoundFile
    header: InstanceHeader
    path: Path
    is_new_copy: bool


class ImportRun:
    """Of some paths. `run` may be called again after a stop: it goes on with the next file.

    store: where members of archives are kept; without one archives are refused. Presentation
    states out of archives are kept where `record` is an InstanceRecorder.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        record: RecordInstance,
        store: FilmStore | None,
        listener: ImportListener,
        is_stopped: Event,
    ) -> None:
        self._paths, self._record, self._store = tuple(paths), record, store
        self._listener, self._is_stopped = listener, is_stopped
        self._states: StateStore | None = None
        if isinstance(record, InstanceRecorder):
            self._states = StateStore(record.catalog, record.audit, record.user)
        self._found: list[FoundFile] | None = None
        self._next = 0
        self._known: dict[Path, tuple[str, str]] = {}
        self._batch: list[_ReadFilm] = []
        self._batch_limit = 1  # the first film is shown as soon as it is there
        self._batch_began = 0.0

    @property
    def remaining(self) -> int:
        """Files not looked at yet; 0 while they have not been counted."""
        return len(self._found) - self._next if self._found is not None else 0

    @property
    def is_complete(self) -> bool:
        return self._found is not None and self.remaining == 0

    def run(self) -> None:
        """Until the end or the stop. Raises CatalogUnavailable; the films read and not recorded
        by then come again when the run is resumed."""
        if self._found is None:
            found = self._find()
            if found is None:
                return
            self._found = found
        total = len(self._found)
        try:
            while self._next < total and not self._is_stopped.is_set():
                self._listener.on_progress(self._next, total)
                self._look_up()
                self._next += 1
                self._take(self._found[self._next - 1])
                if self._is_batch_due():
                    self._flush()
            self._flush()
        finally:
            self._put_back_batch()
        if self.is_complete:
            self._listener.on_progress(total, total)
            self._close_archives()

    def _find(self) -> list[FoundFile] | None:
        """All files; None where stopped before all were found."""
        found: list[FoundFile] = []
        for file in FileSearch(self._listener.on_refused).find(self._paths):
            if self._is_stopped.is_set():
                return None
            found.append(file)
            self._listener.on_progress(0, 0)
        return found

    def _look_up(self) -> None:
        """Which of the next files are in the catalog unchanged, and need not be read again."""
        if self._next % _KNOWN_AT_ONCE or not isinstance(self._record, InstanceRecorder):
            return
        assert self._found is not None
        coming = self._found[self._next : self._next + _KNOWN_AT_ONCE]
        paths = [file.path for file in coming if file.archive is None]
        self._known = self._record.catalog.find_unchanged(paths)

    def _take(self, file: FoundFile) -> None:
        known = self._known.get(file.path)
        if known is not None:
            self._listener.on_known(*known)
            return
        try:
            film = self._read(file)
        except UnreadableInstance as refusal:
            self._listener.on_refused(file.path, refusal.reason)
        except CatalogUnavailable:
            self._next -= 1  # this one comes again when the run is resumed
            raise
        except Exception as bug:
            # A mistake of ours costs one file, not the rest of the folder.
            _log.exception("importing %s", file.path)
            self._listener.on_refused(file.path, f"unexpected error: {bug}")
        else:
            if isinstance(film, KeptState):
                tell = self._listener.on_state_kept if film.is_new else self._listener.on_known
                tell(film.study_instance_uid, film.sop_instance_uid)
                return
            if not self._batch:
                self._batch_began = time.monotonic()
            self._batch.append(film)

    def _read(self, file: FoundFile) -> _ReadFilm | KeptState:
        if file.archive is None or file.member is None:
            return _ReadFilm(file, read_header(file.path), file.path, False)
        if self._store is None:
            raise UnreadableInstance(file.path, "archives need a data folder to be unpacked to")
        kept = file.archive.keep_member(file.member, self._store)
        try:
            state = read_if_state(kept.path) if self._states is not None else None
            if state is not None and self._states is not None:
                return self._states.take_over(state, f"archive {file.path}")
            header = read_header(kept.path)
        except BaseException:
            if kept.is_new:
                self._store.discard(kept.path)
            raise
        if header.source_format != "DICOM":
            header = replace(header, study_description=clean_text(file.path.name))
        return _ReadFilm(file, header, kept.path, kept.is_new)

    def _is_batch_due(self) -> bool:
        if not self._batch:
            return False
        age = time.monotonic() - self._batch_began
        return len(self._batch) >= self._batch_limit or age >= BATCH_AGE_S

    def _flush(self) -> None:
        if not self._batch:
            return
        films = [(film.header, film.path) for film in self._batch]
        recorded: list[Recorded]
        if isinstance(self._record, InstanceRecorder):
            recorded = self._record.record_all(films)
        else:
            recorded = record_each(self._record, films)
        batch, self._batch = self._batch, []
        self._batch_limit = min(MAX_BATCH, 2 * self._batch_limit)
        for film, outcome in zip(batch, recorded, strict=True):
            self._report(film, outcome)

    def _report(self, film: _ReadFilm, outcome: Recorded) -> None:
        if outcome is True:
            self._listener.on_added(film.header, film.path)
            return
        self._discard_copy(film)
        if outcome is False:
            header = film.header
            self._listener.on_known(header.study_instance_uid, header.sop_instance_uid)
        else:
            self._listener.on_refused(film.source.path, outcome)

    def _put_back_batch(self) -> None:
        """What was read and could not be recorded is read again when the run is resumed."""
        batch, self._batch = self._batch, []
        if batch:
            assert self._found is not None
            self._next -= len(batch)
            end = self._next + len(batch)
            self._found[self._next : end] = [film.source for film in batch]
        for film in batch:
            self._discard_copy(film)

    def _discard_copy(self, film: _ReadFilm) -> None:
        if not film.is_new_copy or self._store is None:
            return
        if isinstance(self._record, InstanceRecorder):
            with suppress(CatalogUnavailable):  # a file too many, and it is known again
                self._record.discard(film.path)
        else:
            self._store.discard(film.path)

    def _close_archives(self) -> None:
        for archive in {file.archive for file in self._found or () if file.archive is not None}:
            archive.close()
