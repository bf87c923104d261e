"""The options of ``echo-workstation models add | list | check | remove``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workstation.commands.login_options import add_login_options, login_of
from workstation.commands.shared_options import CommandParsers, data_dir_of


def add_models_command(commands: CommandParsers) -> None:
    """``models``, its actions and their options."""
    models = commands.add_parser("models", help="model folders of your own")
    actions = models.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="check a model folder and give it a name")
    add.add_argument("folder", type=Path, metavar="FOLDER")
    add.add_argument("--name", default="", help="the folder's name, if not given")
    add.add_argument("--copy", action="store_true", help="copy it into the data folder")
    add.add_argument("--accept-licence", action="store_true", help="accept its licence unasked")
    add.set_defaults(run=_run_add)
    listing = actions.add_parser("list", help="which there are")
    listing.add_argument("--json", action="store_true", dest="as_json")
    listing.set_defaults(run=_run_list)
    check = actions.add_parser("check", help="hash every file again, and check all else")
    check.add_argument("name", metavar="NAME")
    check.set_defaults(run=_run_check)
    remove = actions.add_parser("remove", help="forget one; files are deleted only if a copy")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_run_remove)
    for action in (add, listing, check, remove):
        action.add_argument("--data-dir", type=Path, help="where added models are known")
    for action in (add, remove):
        add_login_options(action)


def _run_add(options: argparse.Namespace) -> int:
    from workstation.commands.catalog_session import run_as_admin
    from workstation.commands.models import run_models_add

    data_dir = data_dir_of(options)

    def add() -> int:
        return run_models_add(
            options.folder,
            data_dir,
            options.name,
            options.copy,
            options.accept_licence,
            input if sys.stdin.isatty() else None,
        )

    return run_as_admin(data_dir, "models add", login_of(options), add)


def _run_list(options: argparse.Namespace) -> int:
    from workstation.commands.models import run_models_list

    return run_models_list(data_dir_of(options), options.as_json)


def _run_check(options: argparse.Namespace) -> int:
    from workstation.commands.models import run_models_check

    return run_models_check(options.name, data_dir_of(options))


def _run_remove(options: argparse.Namespace) -> int:
    from workstation.commands.catalog_session import run_as_admin
    from workstation.commands.models import run_models_remove

    data_dir = data_dir_of(options)
    return run_as_admin(
        data_dir,
        "models remove",
        login_of(options),
        lambda: run_models_remove(options.name, data_dir),
    )
