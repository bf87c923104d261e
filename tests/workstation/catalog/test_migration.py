"""Catalogs of older versions open, and nothing in them changes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import DATABASE_NAME, open_database, read_transaction
from workstation.catalog.schema import SCHEMA_VERSION, Base
from workstation.catalog.study_catalog import StudyCatalog
from workstation.reporting.report_store import ReportStore

VERSION_2 = Path(__file__).with_name("version_2.sql")


def make_version_2(folder: Path) -> Path:
    """A catalog as commit 38b47c7 wrote it (dumped with sqlite3's iterdump)."""
    path = folder / DATABASE_NAME
    with sqlite3.connect(path) as raw:
        raw.executescript(VERSION_2.read_text(encoding="utf-8"))
    raw.close()
    return path


def columns_of(path: Path) -> dict[str, set[str]]:
    with sqlite3.connect(path) as raw:
        tables = [
            name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        found = {t: {row[1] for row in raw.execute(f"PRAGMA table_info({t})")} for t in tables}
    raw.close()
    return found


def test_version_2_opens_with_everything_in_it(tmp_path: Path) -> None:
    path = make_version_2(tmp_path)
    engine = open_database(tmp_path)
    catalog = StudyCatalog(engine)
    rows = catalog.list_studies()
    assert [(row.study_date, row.status, row.views) for row in rows] == [
        ("20260412", "signed", ("PA",)),
        ("20250311", "new", ("LL",)),
    ]
    assert not any(row.is_removed for row in rows)
    stored = ReportStore(engine, AuditLog(engine)).load("1.2.3")
    assert stored is not None
    assert stored.signed_by == "Dr. Roe"
    assert AuditLog(engine).verify().ok
    with read_transaction(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == SCHEMA_VERSION
    engine.dispose()
    wanted = {table.name: {c.name for c in table.columns} for table in Base.metadata.sorted_tables}
    assert columns_of(path) == wanted


def test_a_migrated_catalog_has_the_indexes_of_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = make_version_2(tmp_path / "old")
    found = []
    for folder in (tmp_path / "old", tmp_path / "new"):
        open_database(folder).dispose()
        with sqlite3.connect(folder / DATABASE_NAME) as raw:
            query = "SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger')"
            found.append({name for (name,) in raw.execute(query)})
        raw.close()
    assert found[0] == found[1]
    assert old.is_file()


def test_a_file_of_an_old_catalog_is_read_again_once(tmp_path: Path) -> None:
    make_version_2(tmp_path)
    engine = open_database(tmp_path)
    assert StudyCatalog(engine).find_unchanged([Path("/films/1.2.3.1.dcm")]) == {}
    engine.dispose()
