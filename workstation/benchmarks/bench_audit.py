"""Verifying a long audit log, beside a plain loop over mapped objects that does the same sums."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from workstation.audit.audit_chain import canonical_json, hash_row
from workstation.audit.audit_log import AuditLog
from workstation.audit.audit_query import AuditFilter, AuditReader
from workstation.catalog.database import open_database, write_transaction
from workstation.catalog.schema import GENESIS_HASH, TRIGGERS, AuditRecord
from workstation.ui.audit.audit_table_model import AuditTableModel

_WRITTEN_AT = "2026-04-12T08:30:00.000000+00:00"
_AIM_S = 2.0


def run_audit(rows: int) -> int:
    """Measure and print; returns 1 where a log of 100,000 rows or fewer takes over two seconds."""
    with tempfile.TemporaryDirectory(prefix="echo-bench-") as folder:
        engine = open_database(Path(folder))
        audit = AuditLog(engine)
        _write_rows(engine, rows)
        print(f"audit log: {rows} rows; {platform.machine()}, Python {sys.version.split()[0]}")
        verified = _time(lambda: _require(audit.verify().ok))
        looped = _time(lambda: _require(_verify_by_mapped_objects(engine)))
        print(f"  verify: {_rate(rows, verified)} (aim: below {_AIM_S:g} s for 100,000)")
        print(f"  the chain alone by mapped objects: {_rate(rows, looped)}")
        print(f"  verify against that: {looped[1] / verified[1]:.1f}x less processor time")
        _bench_reading(AuditReader(engine), rows)
        engine.dispose()
    return int(rows <= 100_000 and verified[1] > _AIM_S)


def _write_rows(engine: Engine, rows: int) -> None:
    """Edits with the words of a real one, by two users on a hundred studies: the rows `append`
    would write, past the triggers, which cost a minute for 100,000."""
    head, written = GENESIS_HASH, []
    for row in range(1, rows + 1):
        details = {
            "kind": "edit",
            "section": "findings",
            "before": "No pleural effusion is seen on either side.",
            "after": f"Small left pleural effusion, {row % 40} mm.",
        }
        user, study = ("ann", "bob")[row % 2], f"2.25.{row % 100}"
        columns = (row, _WRITTEN_AT, "edit", user, study, canonical_json(details), head)
        head = hash_row(*columns)
        written.append((*columns, head))
    with write_transaction(engine) as connection:
        for name in TRIGGERS:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("INSERT INTO audit_entry VALUES (?,?,?,?,?,?,?,?)", written)
        connection.exec_driver_sql("UPDATE audit_head SET row=?, hash=?", (rows, head))
        for sql in TRIGGERS.values():
            connection.exec_driver_sql(sql)


def _verify_by_mapped_objects(engine: Engine) -> bool:
    """What one would write first: an object a row, JSON and sha256 of its columns."""
    head = GENESIS_HASH
    with Session(engine) as session:
        for record in session.scalars(select(AuditRecord).order_by(AuditRecord.row)):
            columns = [
                "echo-audit-1",
                record.row,
                record.recorded_at,
                record.event,
                record.user,
                record.study_instance_uid,
                record.details,
                record.previous_hash,
            ]
            text = json.dumps(columns, separators=(",", ":"), ensure_ascii=False)
            if record.previous_hash != head:
                return False
            head = hashlib.sha256(text.encode()).hexdigest()
            if record.hash != head:
                return False
    return True


def _bench_reading(reader: AuditReader, rows: int) -> None:
    """What the audit window asks: which rows, and a page of them."""
    numbers = reader.row_numbers()
    middle = numbers[rows // 2 : rows // 2 + 200]
    for words, call in (
        ("all row numbers", lambda: reader.row_numbers()),
        ("a page of 200 from the middle", lambda: reader.entries(middle)),
        ("rows of one study", lambda: reader.row_numbers(AuditFilter(study="2.25.7"))),
        ("words in the details", lambda: reader.row_numbers(AuditFilter(text="effusion 17"))),
    ):
        clock, processor = _time(call)
        print(f"  {words}: {1000 * clock:.0f} ms ({1000 * processor:.0f} of processor time)")
    _bench_window(reader, numbers)


def _bench_window(reader: AuditReader, numbers: list[int]) -> None:
    """The table behind the window: all rows shown, then screens of 40 lines all over it."""
    QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
    model = AuditTableModel(reader)

    def read_screens() -> None:
        for start in range(0, len(numbers), max(40, len(numbers) // 20)):
            for place in range(start, min(start + 40, len(numbers))):
                for column in range(model.columnCount()):
                    model.index(place, column).data()

    shown = _time(lambda: model.set_rows(numbers, {}))
    screens = _time(read_screens)
    print(f"  shown in the table: {1000 * shown[1]:.0f} ms of processor time")
    print(f"  a screen of 40 lines anywhere: {1000 * screens[1] / 20:.1f} ms of processor time")


def _time(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor: they differ on a busy machine."""
    began, began_cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - began_cpu


def _rate(rows: int, seconds: tuple[float, float]) -> str:
    clock, processor = seconds
    return (
        f"{processor:.2f} s of processor time ({rows / processor:,.0f} rows/s), "
        f"{clock:.2f} s by the clock"
    )


def _require(is_whole: bool) -> None:
    if not is_whole:
        raise RuntimeError("the log just written does not verify")
