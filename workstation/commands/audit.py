"""``echo-workstation audit verify | export | head``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from workstation.accounts.login_name import login_name
from workstation.audit.audit_export import AuditExport, ExportFormat
from workstation.audit.audit_log import AuditLog, VerifyResult
from workstation.audit.stamped_head import HeadRefused, HeadStamp, StampedHead, read_head
from workstation.catalog.database import CatalogUnavailable, open_database
from workstation.commands.catalog_session import run_in_catalog, run_logged_in
from workstation.commands.exit_codes import FAILED, UNUSABLE, tell_failure
from workstation.commands.login_options import NOBODY, CommandLogin


def run_audit_verify(data_dir: Path, head_path: Path | None = None) -> int:
    """Exit code: 0 all is well, 1 broken (the first broken row is named), 2 can't be opened.

    head_path: a stamped head that was kept elsewhere; it must be in the log, so that rows cut off
    the end are missed. Reads only; then the outcome is added to the log, where it can be written.
    """
    try:
        head = read_head(head_path) if head_path is not None else None
        result, note = _verify(data_dir, head, head_path)
    except HeadRefused as error:
        tell_failure(error)
        return FAILED if error.was_altered else UNUSABLE
    except (CatalogUnavailable, OSError) as error:
        tell_failure(error)
        return UNUSABLE
    print(_describe(result))
    if head is not None:
        print(_describe_head(head, result, note))
    _record(data_dir, result)
    return 0 if result.ok else FAILED


def run_audit_export(
    data_dir: Path, out: Path, file_format: ExportFormat, login: CommandLogin = NOBODY
) -> int:
    """The whole log, and its stamped head beside it.

    Exit code: 0 written, 1 written from a log that is broken, 2 not written, 4 not logged in.
    """

    def write(export: AuditExport) -> StampedHead:
        outcome = export.write(out, file_format)
        print(f"{outcome.path}: {outcome.rows} rows")
        print(f"{outcome.head_path}: head of row {outcome.head.row}")
        return outcome.head

    return run_logged_in(
        data_dir, "audit export", login, lambda engine, user: _export(engine, user, write)
    )


def run_audit_head(data_dir: Path, out: Path) -> int:
    """The stamped head alone; it shows no patient, so nobody logs in. Exit codes as for an
    export."""

    def write(export: AuditExport) -> StampedHead:
        head = export.write_head_only(out)
        print(f"{out}: head of row {head.row}, {head.hash}")
        return head

    return run_in_catalog(data_dir, lambda engine: _export(engine, login_name(), write))


def _export(engine: Engine, user: str, write: Callable[[AuditExport], StampedHead]) -> int:
    try:
        head = write(AuditExport(AuditLog(engine), user))
    except OSError as error:
        tell_failure(error)
        return UNUSABLE
    if head.is_whole:
        return 0
    print(f"The audit log is BROKEN: {head.reason}; the head says so.", file=sys.stderr)
    return FAILED


def _verify(
    data_dir: Path, head: StampedHead | None, head_path: Path | None
) -> tuple[VerifyResult, str]:
    engine = open_database(data_dir, read_only=True)
    try:
        audit = AuditLog(engine)
        if head is None or head_path is None:
            return audit.verify(), ""
        note = HeadStamp(audit.data_folder).check(head, head_path)
        return audit.verify({head.row: head.hash}), note
    finally:
        engine.dispose()


def _describe(result: VerifyResult) -> str:
    if result.ok:
        return f"The audit log is whole: {result.entries} rows, head {result.head}"
    where = "" if result.first_broken_row is None else f" at row {result.first_broken_row}"
    return f"The audit log is BROKEN{where}: {result.reason} ({result.entries} rows)"


def _describe_head(head: StampedHead, result: VerifyResult, note: str) -> str:
    stamped = f"The head of row {head.row}, stamped {head.stamped_at} by {head.user},"
    agrees = "is in the log" if result.ok else "was checked against it"
    return f"{stamped} {agrees}; {note or 'its stamp is this data folder’s'}."


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
