"""A command's work in the catalog: opened, logged in where there are accounts, closed again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from workstation.accounts.account import AccountError
from workstation.catalog.database import DATABASE_NAME, CatalogUnavailable, open_database
from workstation.commands.command_login import LoginNeeded, logged_in
from workstation.commands.exit_codes import NOT_LOGGED_IN, UNUSABLE, tell_failure
from workstation.commands.login_options import CommandLogin


def run_in_catalog(
    data_dir: Path, work: Callable[[Engine], int], *, makes_catalog: bool = False
) -> int:
    """The exit code of ``work``, without a login; 2 where the catalog can't be used, or is not
    there: a mistyped folder must not look like an empty one. makes_catalog: then it is made."""
    path = data_dir.absolute() / DATABASE_NAME
    try:
        if not makes_catalog and not os.path.isfile(path):
            raise CatalogUnavailable(path, "there is no catalog here")
        engine = open_database(data_dir)
        try:
            return work(engine)
        finally:
            engine.dispose()
    except CatalogUnavailable as error:
        tell_failure(error)
        return UNUSABLE


def run_logged_in(
    data_dir: Path,
    command: str,
    login: CommandLogin,
    work: Callable[[Engine, str], int],
    *,
    as_admin: bool = False,
    makes_catalog: bool = False,
) -> int:
    """The exit code of ``work``, which gets the name that what it does is audited under.

    2 where the catalog can't be used, 4 where nobody was let in; as_admin: nobody but who keeps
    the accounts.
    """

    def work_as_user(engine: Engine) -> int:
        try:
            with logged_in(engine, command, login, as_admin=as_admin) as user:
                return work(engine, user)
        except (LoginNeeded, AccountError) as error:
            tell_failure(error)
            return NOT_LOGGED_IN

    return run_in_catalog(data_dir, work_as_user, makes_catalog=makes_catalog)


def run_as_admin(data_dir: Path, command: str, login: CommandLogin, work: Callable[[], int]) -> int:
    """The same for work that does without the catalog: where there is none yet, nobody has an
    account, and none is made."""
    if not os.path.isfile(data_dir / DATABASE_NAME):
        return work()
    return run_logged_in(data_dir, command, login, lambda _engine, _user: work(), as_admin=True)
