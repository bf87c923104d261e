"""The one SQLite file of the workstation: opening it, its transactions, its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

DATABASE_NAME = "echo.sqlite3"


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
    raise NotImplementedError


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """BEGIN IMMEDIATE ... COMMIT; rolls back on any exception. Raises CatalogUnavailable."""
    raise NotImplementedError
    yield


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the file. Raises CatalogUnavailable."""
    raise NotImplementedError
    yield
