"""The one SQLite file of the workstation: opening it, its transactions, its errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    QueuePool,
    create_engine,
    event,
    insert,
    inspect,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateColumn

from workstation.catalog.schema import (
    APPLICATION_ID,
    GENESIS_HASH,
    SCHEMA_VERSION,
    AuditHeadRecord,
    Base,
    triggers_of,
)

DATABASE_NAME = "echo.sqlite3"

# WAL can corrupt the file in SQLite 3.7.0 to 3.51.2 (sqlite.org/wal.html, "WAL-reset bug").
_WAL_IS_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3)
_SMALLEST_DATABASE = 512  # bytes: one page of the smallest page size

_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
    sqlite3.SQLITE_READONLY: "the folder or file is read-only; allow writing to it and try again",
    sqlite3.SQLITE_PERM: "this user may not use the file; allow access to it and try again",
    sqlite3.SQLITE_BUSY: "another program is using the catalog; close it and try again",
    sqlite3.SQLITE_LOCKED: "another program is using the catalog; close it and try again",
    sqlite3.SQLITE_CANTOPEN: "the file can not be opened or written in this folder",
    sqlite3.SQLITE_IOERR: "the disk or network drive reported an error",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the file is damaged or is not an ECHO catalog",
}
_DAMAGED = _REASONS[sqlite3.SQLITE_CORRUPT]
_MOVED = "the file was moved, deleted or replaced while it was open; start the program again"


class CatalogUnavailable(Exception):
    """The catalog can't be opened, read or written; reason is for the person at the screen."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def open_database(folder: Path, *, read_only: bool = False, busy_timeout_s: float = 3.0) -> Engine:
    """Open, or create, ``<folder>/echo.sqlite3``. Raises CatalogUnavailable.

    read_only: never creates or changes anything; the file has to be there.
    """
    path = Path(folder).absolute() / DATABASE_NAME
    if read_only:
        if not os.path.isfile(path):  # a folder without access is none either
            raise CatalogUnavailable(path, "there is no catalog here")
    else:
        _make_folder(path)
        _refuse_stub(path)
    engine = _build_engine(path, read_only=read_only, busy_timeout_s=busy_timeout_s)
    try:
        if read_only:
            with read_transaction(engine) as connection:
                _check_version(connection, path, expect_schema=True)
        else:
            _back_up_older(engine, path)
            with write_transaction(engine) as connection:
                _prepare_schema(connection, path)
    except BaseException:
        engine.dispose()
        raise
    return engine


def database_path(engine: Engine) -> Path:
    """The file behind an engine of ``open_database``."""
    return Path(engine.url.database or "")


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """BEGIN IMMEDIATE ... COMMIT; rolls back on any exception. Raises CatalogUnavailable.

    The write lock is taken at the start: who reads the head of the audit chain here is the only
    one who can append to it.
    """
    with _translated_errors(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the file. Raises CatalogUnavailable."""
    with (
        _translated_errors(engine),
        engine.connect().execution_options(echo_read=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def _translated_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        reason = _reason_of(error)
        if reason is None:
            raise
        raise CatalogUnavailable(database_path(engine), reason) from error


def _reason_of(error: BaseException) -> str | None:
    """Words for an environment problem; None for an error that is ours (a constraint, bad SQL)."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return _MOVED
    if isinstance(code, int) and code != sqlite3.SQLITE_ERROR:
        return _REASONS.get(code & 0xFF)  # the low byte is the primary result code
    return _DAMAGED if _lacks_what_was_there(cause) else None


def _lacks_what_was_there(error: BaseException | None) -> bool:
    """Invalid UTF-8 in a text column, which pysqlite reports without a code, and tables that are
    gone from an open file."""
    words = ("decode to UTF-8", "no such table", "no such column")
    said = str(error) if isinstance(error, sqlite3.OperationalError) else ""
    return any(each in said for each in words)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = f"the data folder can not be made or used ({error.strerror or error})"
        raise CatalogUnavailable(path, reason) from error


def _refuse_stub(path: Path) -> None:
    # SQLite takes a file shorter than a page header for an empty database and would fill it.
    size = os.path.getsize(path) if os.path.isfile(path) else 0
    if 0 < size < _SMALLEST_DATABASE:
        raise CatalogUnavailable(path, _REASONS[sqlite3.SQLITE_NOTADB])


def _build_engine(path: Path, *, read_only: bool, busy_timeout_s: float) -> Engine:
    uri = f"{path.as_uri()}?mode={'ro' if read_only else 'rwc'}"

    def connect() -> sqlite3.Connection:
        # isolation_level=None: BEGIN is ours (see _begin), not pysqlite's guess.
        return sqlite3.connect(
            uri, uri=True, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
        )

    engine = create_engine(
        URL.create("sqlite", database=str(path)), creator=connect, poolclass=QueuePool
    )
    event.listen(engine, "connect", _set_read_only_pragmas if read_only else _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: DBAPIConnection, _record: object) -> None:
    _set_read_only_pragmas(connection, _record)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA journal_mode={'WAL' if _WAL_IS_SAFE else 'DELETE'}")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _set_read_only_pragmas(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA recursive_triggers=ON")
    cursor.execute("PRAGMA trusted_schema=OFF")
    cursor.close()


def _begin(connection: Connection) -> None:
    """BEGIN, in the file that is at the path: what is written into one that was moved away is lost
    with the program's end, and SQLite looks only where it keeps a rollback journal."""
    path = database_path(connection.engine)
    opened = connection.info.get("identity")
    if opened is not None and _identity(path) != opened:
        raise CatalogUnavailable(path, _MOVED)
    reads = connection.get_execution_options().get("echo_read", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
    if opened is None:
        connection.info["identity"] = _identity(path)


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file; None where there is none (a new one is made at its BEGIN)."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _check_version(connection: Connection, path: Path, *, expect_schema: bool) -> bool:
    """Whether the file has our schema; refuses newer ones and other programs' files."""
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    application_id = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    is_empty = not inspect(connection).get_table_names()
    if version == 0 and is_empty and not expect_schema:
        return False
    if application_id != APPLICATION_ID or version < 1:
        raise CatalogUnavailable(path, "the file is not an ECHO catalog")
    if version > SCHEMA_VERSION:
        reason = (
            f"the catalog was written by a newer version of ECHO Workstation (schema {version}, "
            f"this program knows {SCHEMA_VERSION}); update the program to open it"
        )
        raise CatalogUnavailable(path, reason)
    return True


def backup_path(path: Path, version: int) -> Path:
    """Where the copy of a database of an older schema is kept, beside it."""
    return path.with_name(f"{path.name}.schema-{version}.backup")


def _back_up_older(engine: Engine, path: Path) -> None:
    """Copy a file of an older schema before it is migrated; whole or not at all."""
    with read_transaction(engine) as connection:
        if not _check_version(connection, path, expect_schema=False):
            return
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version >= SCHEMA_VERSION:
            return
        source = connection.connection.driver_connection
        assert source is not None
        kept = backup_path(path, version)
        unfinished = kept.with_suffix(".unfinished")
        try:
            unfinished.unlink(missing_ok=True)
            with closing(sqlite3.connect(unfinished)) as copy:
                source.backup(copy)  # through SQLite: a journal left by a crash is honoured
            os.replace(unfinished, kept)
        except OSError as error:
            reason = f"no backup could be made before the update ({error.strerror or error})"
            raise CatalogUnavailable(path, reason) from error


def _prepare_schema(connection: Connection, path: Path) -> None:
    has_schema = _check_version(connection, path, expect_schema=False)
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    there = set(inspect(connection).get_table_names())
    Base.metadata.create_all(connection)  # also the tables that an older version lacks
    if has_schema:
        _add_missing_columns(connection)
    else:
        connection.execute(insert(AuditHeadRecord).values(id=1, row=0, hash=GENESIS_HASH))
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    if version < SCHEMA_VERSION:
        # Only of tables made just now: a trigger that was taken off an older one stays missed.
        made = set(inspect(connection).get_table_names()) - there
        for trigger in triggers_of(made):
            connection.execute(text(trigger))
    # Written even if it is there already: a folder without write access shows now, not at the
    # first edit (SQLite makes its journal at the first write, not at BEGIN).
    connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")


def _add_missing_columns(connection: Connection) -> None:
    """What versions after 1 added to tables that were there: columns with a constant default, and
    their indexes. An older row gets the default; nothing of it is rewritten."""
    for table in Base.metadata.sorted_tables:
        present = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                definition = CreateColumn(column).compile(connection)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)
