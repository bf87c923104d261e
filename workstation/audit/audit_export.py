"""The log as a file for other programs, with its stamped head beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

from workstation.audit.audit_chain import canonical_json
from workstation.audit.audit_codes import audit_code
from workstation.audit.audit_log import AuditEntry, AuditLog, OnProgress
from workstation.audit.audit_query import AuditReader
from workstation.audit.stamped_head import HeadStamp, StampedHead, write_head
from workstation.whole_file import file_beside

ExportFormat = Literal["csv", "jsonl"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
HEAD_SUFFIX = ".head.json"
COLUMNS = (
    "row",
    "recorded_at",
    "event",
    "dicom_event_code",
    "dicom_event_meaning",
    "dicom_event_type_code",
    "dicom_event_type_meaning",
    "dicom_action",
    "dicom_outcome",
    "user",
    "study_instance_uid",
    "details",
    "previous_hash",
    "hash",
)
_PAGE = 1000


@dataclass(frozen=True)
class ExportOutcome:
    """What was written where. rows: in the file; head: of the whole log."""

    path: Path
    head_path: Path
    rows: int
    head: StampedHead


class AuditExport:
    """Writes exports of one log. user: who is audited as having made them."""

    def __init__(self, audit: AuditLog, user: str) -> None:
        self._audit, self._user = audit, user
        self._reader = AuditReader(audit.engine)
        self._stamp = HeadStamp(audit.data_folder)

    def write(
        self,
        path: Path,
        file_format: ExportFormat,
        rows: Sequence[int] | None = None,
        on_progress: OnProgress | None = None,
    ) -> ExportOutcome:
        """Check the log, write the rows (None: all) in order, and the head beside them.

        Then the export is audited: the head is of the log without that row. A log that is broken
        is exported too, and its head says so. on_progress: rows written, on the caller's thread;
        what it raises ends the export and leaves no file. Raises OSError, CatalogUnavailable.
        """
        head_path = path.with_name(path.name + HEAD_SUFFIX)
        for each in (path, head_path):
            self._require_replaceable(each)
        if file_format not in EXPORT_FORMATS:
            raise ValueError(f"unknown export format {file_format!r}")
        head = self._stamp.stamp(self._audit.verify(), self._user)
        wanted = sorted(self._reader.row_numbers() if rows is None else rows)
        wanted = [row for row in wanted if row <= head.row]  # none that came after the check
        with _replacing(path, "utf-8-sig" if file_format == "csv" else "utf-8") as file:
            entries = self._read(wanted, on_progress)
            if file_format == "csv":
                write_csv(entries, file)
            else:
                write_json_lines(entries, file)
        write_head(head, head_path)
        self._record(file_format, path, len(wanted), head, is_all=rows is None)
        return ExportOutcome(path, head_path, len(wanted), head)

    def write_head_only(self, path: Path) -> StampedHead:
        """Check the log and write its stamped head alone; audited too."""
        self._require_replaceable(path)
        head = self._stamp.stamp(self._audit.verify(), self._user)
        write_head(head, path)
        self._record("head", path, 0, head, is_all=False)
        return head

    def _require_replaceable(self, path: Path) -> None:
        """Catalog, keys and films are files like any other: one wrong name, and they were gone."""
        folder = self._audit.data_folder.resolve()
        if path.exists() and path.resolve().is_relative_to(folder):
            reason = "is a file of the data folder: not replaced; choose another place"
            raise OSError(f"{path}: {reason}")

    def _read(self, rows: Sequence[int], on_progress: OnProgress | None) -> Iterator[AuditEntry]:
        for start in range(0, len(rows), _PAGE):
            page = rows[start : start + _PAGE]
            if on_progress is not None:
                on_progress(start, len(rows))
            found = self._reader.entries(page)
            yield from (found[row] for row in page if row in found)
        if on_progress is not None:
            on_progress(len(rows), len(rows))

    def _record(self, what: str, path: Path, rows: int, head: StampedHead, *, is_all: bool) -> None:
        details = {
            "format": what,
            "file": path.name,
            "rows": rows,
            "whole_log": is_all,
            "head_row": head.row,
            "head_hash": head.hash,
            "head_is_whole": head.is_whole,
        }
        self._audit.append("audit-exported", user=self._user, details=details)


def write_csv(entries: Iterable[AuditEntry], file: IO[str]) -> None:
    """Details as canonical JSON in one cell, as it was hashed; every cell is quoted."""
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for entry in entries:
        values = {**_coded_columns(entry), "details": canonical_json(entry.details)}
        writer.writerow([values[column] for column in COLUMNS])


def write_json_lines(entries: Iterable[AuditEntry], file: IO[str]) -> None:
    """One object a line, details as an object."""
    for entry in entries:
        values = _coded_columns(entry)
        ordered = {column: values[column] for column in COLUMNS}
        file.write(json.dumps(ordered, ensure_ascii=False, default=str) + "\n")


def _coded_columns(entry: AuditEntry) -> dict[str, Any]:
    code = audit_code(entry.event)
    return {
        **vars(entry),
        "details": dict(entry.details),
        "dicom_event_code": code.value,
        "dicom_event_meaning": code.meaning,
        "dicom_event_type_code": code.type_value,
        "dicom_event_type_meaning": code.type_meaning,
        "dicom_action": code.action,
        "dicom_outcome": code.outcome,
    }


@contextmanager
def _replacing(path: Path, encoding: str) -> Iterator[IO[str]]:
    """A file that takes the place of ``path`` only when it is whole."""
    with file_beside(path) as beside:
        file = io.TextIOWrapper(beside.stream, encoding=encoding, newline="")
        yield file
        file.flush()
        beside.move()
