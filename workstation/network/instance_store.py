"""Put what came over the network into the data folder and the catalog, wholly or not at all.

The bytes are kept first (written aside, flushed to the disk, renamed: intake.film_store), read as
an import would read them, and listed with their audit row in one transaction. A film that is
listed is there, whole; a crash in between leaves a whole file that nothing lists, and the next
try takes it up.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select, update

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable, write_transaction
from workstation.catalog.schema import InstanceRecord
from workstation.catalog.study_catalog import StudyCatalog, UnknownStudy, file_state
from workstation.dicom.dataset_reading import MAX_FILE_BYTES
from workstation.dicom.film import InstanceHeader
from workstation.dicom.instance_reader import read_header
from workstation.dicom.presentation_state import GRAYSCALE_SOFTCOPY, PresentationState
from workstation.dicom.unreadable import UnreadableInstance
from workstation.intake.film_store import FilmStore, KeptFile, TooLarge
from workstation.intake.state_store import StateStore, read_if_state
from workstation.network.failures import StoreUnavailable

_STALE_S = 3600.0  # no transfer of one instance takes this long


class AnnouncedOtherwise(UnreadableInstance):
    """The data set is another instance, or of another class, than its sender said."""


@dataclass(frozen=True)
class StoredInstance:
    """Where a film ended up. is_new: False where it was there before (nothing changed then)."""

    sop_instance_uid: str
    study_instance_uid: str
    modality: str
    view_position: str
    path: Path
    is_new: bool


class InstanceStore:
    """Safe from several threads at once. user: who is logged in, for the audit log."""

    def __init__(self, catalog: StudyCatalog, audit: AuditLog, user: str) -> None:
        self._catalog, self._audit, self._user = catalog, audit, user
        self._films = FilmStore(catalog.folder)
        self._states = StateStore(catalog, audit, user)
        self._listing = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where received films are kept."""
        return self._films.folder

    def store(
        self,
        chunks: Iterable[bytes],
        source: str,
        announced_uid: str = "",
        announced_class: str = "",
    ) -> StoredInstance:
        """Write a DICOM file that arrives in pieces, and list it; a presentation state is kept
        with its study, unlisted. source: for the audit log.

        announced_uid, announced_class: SOP instance and class as the sender named them; a data
        set that says otherwise is refused. Raises UnreadableInstance (not a film; the reason) and
        its AnnouncedOtherwise and InstanceConflict, StoreUnavailable. Whatever `chunks` raises
        leaves nothing behind.
        """
        try:
            kept = self._films.keep(_ChunkReader(chunks), MAX_FILE_BYTES)
            with self._listing:  # so that no other thread lists what is discarded here
                if not kept.path.is_file():
                    raise StoreUnavailable("the same film came twice at once; send it again")
                return self._list_or_discard(kept, source, announced_uid, announced_class)
        except TooLarge:
            reason = f"larger than {MAX_FILE_BYTES >> 20} MB"
            raise UnreadableInstance(self.folder, reason) from None
        except CatalogUnavailable as error:
            raise StoreUnavailable(error.reason) from error
        except OSError as error:
            raise StoreUnavailable(_reason_of(error)) from error

    def is_listed(self, study_instance_uid: str, sop_instance_uid: str) -> bool:
        """Whether that film is on the list and its file is there, or that presentation state is.
        Raises StoreUnavailable."""
        if self._states.holds(study_instance_uid, sop_instance_uid):
            return True
        try:
            if self._catalog.study(study_instance_uid).is_removed:
                return False
            films = self._catalog.instances(study_instance_uid)
        except UnknownStudy:
            return False
        except CatalogUnavailable as error:
            raise StoreUnavailable(error.reason) from error
        return any(f.sop_instance_uid == sop_instance_uid and os.path.isfile(f.path) for f in films)

    def remove_stale(self) -> int:
        """Delete what a crash left half-written; how many files that were."""
        limit = time.time() - _STALE_S
        parts = self.folder.glob("incoming-*.part") if self.folder.is_dir() else ()
        removed = 0
        for part in parts:
            with contextlib.suppress(OSError):  # another process may just have renamed it
                if part.stat().st_mtime < limit:
                    part.unlink()
                    removed += 1
        return removed

    def _list_or_discard(
        self, kept: KeptFile, source: str, announced_uid: str, announced_class: str
    ) -> StoredInstance:
        is_needed = False
        try:
            _sync_folder(kept.path.parent)
            state = read_if_state(kept.path)
            if state is not None:
                said = state.sop_instance_uid, GRAYSCALE_SOFTCOPY
                _check_announced(said, kept.path, announced_uid, announced_class)
                return self._keep_state(state, source)
            header = read_header(kept.path)
            if header.source_format != "DICOM":
                reason = f"a {header.source_format} picture, not a DICOM file"
                raise UnreadableInstance(kept.path, reason)
            said = header.sop_instance_uid, header.sop_class_uid
            _check_announced(said, kept.path, announced_uid, announced_class)
            is_needed = self._list(header, kept.path, source)
        finally:
            if kept.is_new and not is_needed:
                self._discard(kept.path)
        return StoredInstance(
            header.sop_instance_uid,
            header.study_instance_uid,
            header.modality,
            header.view_position,
            kept.path,
            is_needed,
        )

    def _discard(self, path: Path) -> None:
        """Unless another window has listed it since (as in InstanceRecorder.discard)."""
        with (
            contextlib.suppress(CatalogUnavailable),
            write_transaction(self._catalog.engine) as connection,
        ):
            if not self._catalog.lists_file(path, connection):
                self._films.discard(path)

    def _keep_state(self, state: PresentationState, source: str) -> StoredInstance:
        kept = self._states.take_over(state, source)
        _sync_folder(kept.path.parent)
        uids = kept.sop_instance_uid, kept.study_instance_uid
        return StoredInstance(*uids, "PR", "", kept.path, kept.is_new)

    def _list(self, header: InstanceHeader, path: Path, source: str) -> bool:
        """False where the film is listed already and its file, this one or another, is there."""
        with write_transaction(self._catalog.engine) as connection:
            if not path.is_file():
                raise StoreUnavailable("the same film came twice at once; send it again")
            is_new = self._catalog.add_instance(header, path, connection=connection)
            is_needed = is_new or _replace_lost_file(connection, header.sop_instance_uid, path)
            if is_needed:
                details = {
                    "path": str(path),
                    "sop_instance_uid": header.sop_instance_uid,
                    "source": source,
                }
                self._audit.append(
                    "import",
                    user=self._user,
                    study_instance_uid=header.study_instance_uid,
                    details=details if is_new else {**details, "replaces_lost_file": True},
                    connection=connection,
                )
        return is_needed


def _replace_lost_file(connection: Connection, sop_instance_uid: str, path: Path) -> bool:
    """A film whose file was moved or deleted gets this one; False if its file is there."""
    is_it = InstanceRecord.sop_instance_uid == sop_instance_uid
    listed = connection.execute(select(InstanceRecord.path).where(is_it)).scalar_one()
    if Path(listed).is_file():
        return False
    size, mtime_ns = file_state(path)
    columns = {"path": str(path), "file_size": size, "file_mtime_ns": mtime_ns}
    connection.execute(update(InstanceRecord).where(is_it).values(**columns))
    return True


class _ChunkReader:
    """What FilmStore reads from; a chunk may be longer than asked for."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = (chunk for chunk in chunks if chunk)

    def read(self, _count: int, /) -> bytes:
        return next(self._chunks, b"")


def _check_announced(said: tuple[str, str], path: Path, uid: str, sop_class: str) -> None:
    """said: SOP Instance and SOP Class UID of the data set itself."""
    if uid and said[0] != uid:
        raise AnnouncedOtherwise(path, "its SOP Instance UID is not the one that was announced")
    if sop_class and said[1] != sop_class:
        raise AnnouncedOtherwise(path, "its SOP Class is not the one that was announced")


def _sync_folder(folder: Path) -> None:
    """The rename itself must be on the disk before the catalog's row is."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _reason_of(error: OSError) -> str:
    words = error.strerror or str(error)
    return f"the film can't be written: {words[:1].lower()}{words[1:]}"
