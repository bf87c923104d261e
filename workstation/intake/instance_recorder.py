"""Films into catalog and audit log, both or neither, many in one transaction.

A commit waits for the disk (synchronous=FULL) some milliseconds: one for sixty films instead of
sixty is most of what makes an import fast.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import CatalogUnavailable, write_transaction
from workstation.catalog.study_catalog import InstanceConflict, StudyCatalog
from workstation.dicom.film import InstanceHeader
from workstation.dicom.kept_folders import KEPT_FILMS
from workstation.intake.film_store import FilmStore

_log = logging.getLogger(__name__)

Recorded = bool | str
"""Of one film: True added, False known already, or why it was refused."""

RecordInstance = Callable[[InstanceHeader, Path], bool]
"""Adds a film to catalog and audit log; False where it is there already. May raise
InstanceConflict (the file is refused) and CatalogUnavailable (the import stops)."""


class InstanceRecorder:
    """May be called from any thread; every method may raise CatalogUnavailable."""

    def __init__(self, catalog: StudyCatalog, audit: AuditLog, user: str) -> None:
        self.catalog, self.audit, self.user = catalog, audit, user

    def __call__(self, header: InstanceHeader, path: Path) -> bool:
        """Add one film. Raises InstanceConflict."""
        with write_transaction(self.catalog.engine) as connection:
            return self._record(connection, header, path)

    def record_all(self, films: Sequence[tuple[InstanceHeader, Path]]) -> list[Recorded]:
        """Add films in one transaction; what one of them does costs no other."""
        recorded: list[Recorded] = []
        with write_transaction(self.catalog.engine) as connection:
            for header, path in films:
                try:
                    # A conflict is found before anything of the film is written.
                    recorded.append(self._record(connection, header, path))
                except InstanceConflict as conflict:
                    recorded.append(conflict.reason)
        return recorded

    def discard(self, path: Path) -> None:
        """Delete a kept file that no film of the catalog is in. Another window may have listed it
        since it was kept: nobody lists one in between, and nobody lists one that is gone."""
        with write_transaction(self.catalog.engine) as connection:
            if not self.catalog.lists_file(path, connection):
                FilmStore(self.catalog.folder).discard(path)

    def _record(self, connection: Connection, header: InstanceHeader, path: Path) -> bool:
        if path.is_relative_to(self.catalog.folder / KEPT_FILMS) and not path.is_file():
            raise InstanceConflict(path, "came twice at once; import it again")
        is_new = self.catalog.add_instance(header, path, connection=connection)
        if is_new:
            self.audit.append(
                "import",
                user=self.user,
                study_instance_uid=header.study_instance_uid,
                details={"path": str(path), "sop_instance_uid": header.sop_instance_uid},
                connection=connection,
            )
        return is_new


def record_each(
    record_instance: RecordInstance, films: Sequence[tuple[InstanceHeader, Path]]
) -> list[Recorded]:
    """One by one, a mistake of ours costing one film, not the rest of the folder."""
    recorded: list[Recorded] = []
    for header, path in films:
        try:
            recorded.append(record_instance(header, path))
        except InstanceConflict as conflict:
            recorded.append(conflict.reason)
        except CatalogUnavailable:
            raise
        except Exception as bug:
            _log.exception("recording %s", path)
            recorded.append(f"unexpected error: {bug}")
    return recorded
