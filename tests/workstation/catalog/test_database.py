from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import (
    DATABASE_NAME,
    CatalogUnavailable,
    open_database,
    read_transaction,
    write_transaction,
)
from workstation.catalog.schema import SCHEMA_VERSION


def _pragma(engine: Engine, name: str) -> object:
    with read_transaction(engine) as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar_one()


def test_new_catalog_is_made_with_its_folder_and_durable_settings(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a" / "b")
    wal_is_safe = sqlite3.sqlite_version_info >= (3, 51, 3)
    assert _pragma(engine, "journal_mode") == ("wal" if wal_is_safe else "delete")
    assert _pragma(engine, "synchronous") == 2  # FULL
    assert _pragma(engine, "foreign_keys") == 1
    assert _pragma(engine, "recursive_triggers") == 1
    assert _pragma(engine, "user_version") == SCHEMA_VERSION
    engine.dispose()


def test_catalog_opens_again_with_what_was_in_it(tmp_path: Path) -> None:
    first = open_database(tmp_path)
    head = AuditLog(first).append("settings", user="u").hash
    first.dispose()
    second = open_database(tmp_path)
    assert AuditLog(second).head() == head
    second.dispose()


def test_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    path = tmp_path / DATABASE_NAME
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(CatalogUnavailable, match="newer version of ECHO Workstation"):
        open_database(tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, only text " * 200, b"x"])
def test_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / DATABASE_NAME
    path.write_bytes(content)
    with pytest.raises(CatalogUnavailable, match="damaged or is not an ECHO catalog") as caught:
        open_database(tmp_path)
    assert caught.value.path == path
    assert path.read_bytes() == content


def test_other_programs_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE_NAME) as raw:
        raw.execute("CREATE TABLE theirs (x)")
    raw.close()
    with pytest.raises(CatalogUnavailable, match="not an ECHO catalog"):
        open_database(tmp_path)


def test_damaged_pages_are_reported_as_damage(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    audit = AuditLog(engine)
    with write_transaction(engine) as connection:
        for number in range(200):
            details = {"number": number, "text": "x" * 400}
            audit.append("settings", user="u", details=details, connection=connection)
    engine.dispose()
    path = tmp_path / DATABASE_NAME
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 12288)
    path.write_bytes(content)

    def open_and_verify() -> None:
        damaged = open_database(tmp_path)
        try:
            AuditLog(damaged).verify()
        finally:
            damaged.dispose()

    with pytest.raises(CatalogUnavailable, match="damaged"):
        open_and_verify()


def test_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogUnavailable, match="data folder can not be made"):
        open_database(tmp_path / "file" / "data")


def test_unwritable_folder_is_refused() -> None:
    with pytest.raises(CatalogUnavailable) as caught:
        open_database(Path("/proc/self"))
    assert str(caught.value).startswith("/proc/self/echo.sqlite3: ")


def test_read_only_file_is_reported_at_the_write(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    engine = open_database(tmp_path, read_only=True)
    with pytest.raises(CatalogUnavailable, match="read-only"):
        AuditLog(engine).append("settings", user="u")
    assert AuditLog(engine).verify().ok
    engine.dispose()


def _unlink(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    """As a restored backup or a folder in the cloud does."""
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    os.replace(copy, path)


def _move_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


@pytest.mark.skipif(os.name != "posix", reason="elsewhere an open file can't be moved")
@pytest.mark.parametrize("disturb", [_unlink, _replace, _move_folder])
def test_nothing_is_written_into_a_file_that_was_moved_away(
    tmp_path: Path, disturb: Callable[[Path], None]
) -> None:
    engine = open_database(tmp_path / "data")
    AuditLog(engine).append("settings", user="u")
    disturb(tmp_path / "data" / DATABASE_NAME)
    with pytest.raises(CatalogUnavailable, match="moved, deleted or replaced while it was open"):
        AuditLog(engine).append("settings", user="u")
    with pytest.raises(CatalogUnavailable, match="moved, deleted or replaced"):
        AuditLog(engine).entries()
    engine.dispose()


def test_a_file_that_was_emptied_while_it_was_open_is_damaged(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    AuditLog(engine).append("settings", user="u")
    os.truncate(tmp_path / DATABASE_NAME, 0)
    with pytest.raises(CatalogUnavailable, match="damaged"):
        AuditLog(engine).append("settings", user="u")
    engine.dispose()


def test_reading_only_never_makes_a_catalog(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnavailable, match="no catalog here"):
        open_database(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [True, False])
def test_a_folder_name_that_none_can_have_is_refused(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(CatalogUnavailable):
        open_database(tmp_path / ("a" * 300), read_only=read_only)


def test_locked_catalog_names_the_cause(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    other = sqlite3.connect(tmp_path / DATABASE_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CatalogUnavailable, match="another program is using the catalog"):
        open_database(tmp_path, busy_timeout_s=0.05)
    other.close()


def test_full_disk_is_reported_and_nothing_is_half_written(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    audit = AuditLog(engine)
    audit.append("settings", user="u")
    engine.dispose()

    @event.listens_for(engine, "connect")
    def limit_size(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    with pytest.raises(CatalogUnavailable, match="disk is full"):
        audit.append("settings", user="u", details={"text": "x" * 100_000})
    assert audit.verify().entries == 1
    event.remove(engine, "connect", limit_size)
    engine.dispose()
    audit.append("settings", user="u", details={"text": "x" * 100_000})
    assert audit.verify().ok
    engine.dispose()


def test_failed_transaction_leaves_nothing(catalog_engine: Engine) -> None:
    audit = AuditLog(catalog_engine)

    def append_and_fail() -> None:
        with write_transaction(catalog_engine) as connection:
            audit.append("settings", user="u", connection=connection)
            raise RuntimeError("later")

    with pytest.raises(RuntimeError, match="later"):
        append_and_fail()
    assert audit.entries() == []
    assert audit.verify().ok
