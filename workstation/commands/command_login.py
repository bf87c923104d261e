"""Who runs a command, where the catalog has accounts: asked at the terminal, or read from a file.

Needed by what shows reports or changes the catalog or its models: export, receive, audit export,
models add, models remove. Not by draft and render, which are given their films; not by audit verify
and audit head, which show no patient and which nobody should be kept from. Without accounts, as in
the window, nobody has to log in.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from workstation.accounts.account import Account, RoleMissing
from workstation.accounts.account_store import AccountStore
from workstation.accounts.login_name import login_name
from workstation.audit.audit_log import AuditLog
from workstation.commands.login_options import CommandLogin

_STANDARD_INPUT = Path("-")
_LONGEST_SECRET = 4096  # bytes read of a secret file


class LoginNeeded(Exception):
    """The catalog has accounts and the command was not told, or not rightly told, whose it is."""


@contextmanager
def logged_in(
    engine: Engine, command: str, login: CommandLogin, *, as_admin: bool = False
) -> Iterator[str]:
    """The name that what is done meanwhile is audited under; login and logout are audited too.

    as_admin: only for who keeps the accounts. Raises LoginNeeded, AccountError (a wrong secret, a
    locked account, no right to it), CatalogUnavailable.
    """
    audit = AuditLog(engine)
    accounts = AccountStore(engine, audit)
    if not accounts.are_in_use:
        yield login_name()
        return
    account = _log_in(accounts, command, login)
    try:
        if as_admin and not account.can_administer:
            raise RoleMissing("Only an account that keeps accounts may do this.")
        yield account.name
    finally:
        accounts.log_out(account, through=command)


def _log_in(accounts: AccountStore, command: str, login: CommandLogin) -> Account:
    if not login.user:
        raise LoginNeeded("this catalog has accounts: say who you are with --user NAME")
    if login.secret_file is not None:
        secret = _read_secret(login.secret_file)
    elif sys.stdin.isatty() or login.ask is not getpass.getpass:
        secret = login.ask(f"Password or PIN of {login.user}: ")
    else:
        raise LoginNeeded("there is no terminal to ask for the password at: use --secret-file")
    account = accounts.log_in(login.user, secret, through=command)
    if account.must_change:
        accounts.log_out(account, through=command)
        raise LoginNeeded("the password was set by somebody else: change it in the window first")
    return account


def _read_secret(path: Path) -> str:
    """The first line. Raises LoginNeeded where it can't be read, or others may read it too."""
    if path == _STANDARD_INPUT:
        return sys.stdin.readline(_LONGEST_SECRET).rstrip("\r\n")
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise LoginNeeded(f"{path}: others may use this file; chmod 600 it")
            line = file.readline(_LONGEST_SECRET)
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise LoginNeeded(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise LoginNeeded(f"{path}: {error.strerror or error}") from error
