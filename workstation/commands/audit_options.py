"""The options of ``echo-workstation audit verify | export | head``."""

from __future__ import annotations

import argparse
from pathlib import Path

from workstation.commands.login_options import add_login_options, login_of
from workstation.commands.shared_options import CommandParsers, data_dir_of


def add_audit_command(commands: CommandParsers) -> None:
    """``audit``, its actions and their options."""
    audit = commands.add_parser("audit", help="check the audit log, or write it to a file")
    actions = audit.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="check every row; names the first broken one")
    verify.add_argument("--head", type=Path, metavar="FILE", help="a stamped head kept elsewhere")
    verify.set_defaults(run=_run_verify)
    export = actions.add_parser("export", help="all rows, and the stamped head beside them")
    export.add_argument("--format", choices=("csv", "jsonl"), default="csv", dest="file_format")
    export.set_defaults(run=_run_export)
    head = actions.add_parser("head", help="the stamped head alone, to be kept elsewhere")
    head.set_defaults(run=_run_head)
    for action in (export, head):
        action.add_argument("--out", type=Path, required=True, metavar="FILE")
    for action in (verify, export, head):
        action.add_argument("--data-dir", type=Path, help="where the catalog is")
    add_login_options(export)


def _run_verify(options: argparse.Namespace) -> int:
    from workstation.commands.audit import run_audit_verify

    return run_audit_verify(data_dir_of(options), options.head)


def _run_export(options: argparse.Namespace) -> int:
    from workstation.commands.audit import run_audit_export

    login = login_of(options)
    return run_audit_export(data_dir_of(options), options.out, options.file_format, login)


def _run_head(options: argparse.Namespace) -> int:
    from workstation.commands.audit import run_audit_head

    return run_audit_head(data_dir_of(options), options.out)
