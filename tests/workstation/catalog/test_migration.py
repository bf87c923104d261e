"""Catalogs of older versions open, and nothing in them changes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import (
    DATABASE_NAME,
    CatalogUnavailable,
    backup_path,
    open_database,
    read_transaction,
)
from workstation.catalog.schema import SCHEMA_VERSION, Base
from workstation.catalog.study_catalog import StudyCatalog
from workstation.reporting.report_state import Sentence
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.report_store import ReportStore

VERSION_2 = Path(__file__).with_name("version_2.sql")  # as commit 38b47c7 wrote it
VERSION_3 = Path(__file__).with_name("version_3.sql")  # as commit 82a013d wrote it


def make_older(folder: Path, version: int) -> Path:
    """A catalog of an older schema, from sqlite3's iterdump."""
    path = folder / DATABASE_NAME
    dump = VERSION_3 if version == 3 else VERSION_2
    with sqlite3.connect(path) as raw:
        raw.executescript(dump.read_text(encoding="utf-8"))
        if version == 1:  # had no measurements, and nothing else was different
            raw.execute("DROP TABLE measurement")
            raw.execute("PRAGMA user_version=1")
    raw.close()
    return path


def make_version_2(folder: Path) -> Path:
    return make_older(folder, 2)


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


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_older_catalog_is_copied_before_it_is_changed(tmp_path: Path, version: int) -> None:
    path = make_older(tmp_path, version)
    with sqlite3.connect(path) as raw:
        before = list(raw.iterdump())
    raw.close()
    open_database(tmp_path).dispose()
    copy = backup_path(path, version)
    with sqlite3.connect(copy) as raw:
        assert list(raw.iterdump()) == before
        assert raw.execute("PRAGMA user_version").fetchone() == (version,)
    raw.close()
    assert list(tmp_path.glob("*.unfinished")) == []
    copy.unlink()
    open_database(tmp_path).dispose()  # of this version now: no further copy
    assert not copy.exists()


def test_without_a_backup_nothing_is_changed(tmp_path: Path) -> None:
    path = make_older(tmp_path, 3)
    backup_path(path, 3).mkdir()  # the copy can not take its place
    before = path.read_bytes()
    with pytest.raises(CatalogUnavailable, match="no backup could be made"):
        open_database(tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [1, 2, 3])
def test_what_was_signed_and_audited_before_still_verifies(tmp_path: Path, version: int) -> None:
    make_older(tmp_path, version)
    read_only = open_database(tmp_path, read_only=True)
    assert AuditLog(read_only).verify().ok  # as `audit verify` finds it, not migrated
    read_only.dispose()
    engine = open_database(tmp_path)
    audit = AuditLog(engine)
    assert audit.verify().ok
    store = ReportStore(engine, audit, "ann")
    stored = store.load("1.2.3")
    assert stored is not None
    assert (stored.stage, stored.signed_by) == ("final", "Dr. Roe")
    kinds = [each.kind for each in store.versions("1.2.3")]
    assert kinds[-1] == "final"
    sign_off = SignOff(engine, audit)
    sign_off.start_correction("1.2.3", "Dr. Roe", "wrong side")
    corrected = stored.state.with_section("findings", (Sentence(1, "Clear lungs.", "human"),))
    store.save_draft("1.2.3", corrected, [])
    assert sign_off.sign("1.2.3", "Dr. Roe").kind == "corrected"
    assert audit.verify().ok
    engine.dispose()


def test_the_ai_draft_of_an_older_signed_report_can_be_compared(tmp_path: Path) -> None:
    make_older(tmp_path, 3)
    engine = open_database(tmp_path)
    drafted, signed = ReportStore(engine, AuditLog(engine)).versions("1.2.3")
    assert (drafted.kind, drafted.state.findings_text) == ("ai-draft", "No mass.")
    assert (signed.number, signed.state.findings_text) == (2, "No mass. Clips.")
    engine.dispose()
