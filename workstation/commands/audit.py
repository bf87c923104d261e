"""``echo-workstation audit verify``."""

from __future__ import annotations

import sys
from pathlib import Path

from workstation.audit.audit_log import AuditLog, VerifyResult
from workstation.catalog.database import CatalogUnavailable, open_database
from workstation.reporting.report_store import login_name


def run_audit_verify(data_dir: Path) -> int:
    """Exit code: 0 all is well, 1 broken (the first broken row is named), 2 can't be opened.

    Reads only; then the outcome is added to the log, where it can be written.
    """
    try:
        result = _verify(data_dir)
    except CatalogUnavailable as error:
        print(f"echo-workstation: {error}", file=sys.stderr)
        return 2
    print(_describe(result))
    _record(data_dir, result)
    return 0 if result.ok else 1


def _verify(data_dir: Path) -> VerifyResult:
    engine = open_database(data_dir, read_only=True)
    try:
        return AuditLog(engine).verify()
    finally:
        engine.dispose()


def _describe(result: VerifyResult) -> str:
    if result.ok:
        return f"The audit log is whole: {result.entries} rows, head {result.head}"
    where = "" if result.first_broken_row is None else f" at row {result.first_broken_row}"
    return f"The audit log is BROKEN{where}: {result.reason} ({result.entries} rows)"


def _record(data_dir: Path, result: VerifyResult) -> None:
    try:
        engine = open_database(data_dir)
    except CatalogUnavailable as error:
        print(f"The check itself was not recorded: {error}", file=sys.stderr)
        return
    try:
        AuditLog(engine).record_verification(result, login_name())
    except CatalogUnavailable as error:
        # A tampered log may refuse every further row; the exit code has said so already.
        print(f"The check itself was not recorded: {error}", file=sys.stderr)
    finally:
        engine.dispose()
