"""The options by which a command is told who runs it: apart, so that parsing costs nothing."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CommandLogin:
    """What the command line says of who runs it; the secret itself is never on it.

    secret_file: holds the password or PIN in its first line; "-" is standard input; None asks at
    the terminal. ask: how, without echo.
    """

    user: str = ""
    secret_file: Path | None = None
    ask: Callable[[str], str] = getpass.getpass


NOBODY = CommandLogin()


def add_login_options(parser: argparse.ArgumentParser) -> None:
    """--user and --secret-file."""
    group = parser.add_argument_group("where the catalog has accounts")
    group.add_argument("--user", default="", metavar="NAME", help="account to log in with")
    group.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help="password or PIN in its first line, for scripts; only you may read it; - is stdin",
    )


def login_of(options: argparse.Namespace) -> CommandLogin:
    """What was given of them."""
    return CommandLogin(options.user, options.secret_file)
