"""The command line: the app itself, or one of the commands that need no window."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from workstation.commands.audit_options import add_audit_command
from workstation.commands.draft_options import add_draft_command
from workstation.commands.exit_codes import FAILED, tell_failure
from workstation.commands.export_options import add_export_command
from workstation.commands.models_options import add_models_command
from workstation.commands.receive_options import add_receive_command
from workstation.commands.render_options import add_render_command
from workstation.commands.shared_options import add_model_options

_COMMANDS = {
    "draft": add_draft_command,
    "render": add_render_command,
    "audit": add_audit_command,
    "models": add_models_command,
    "receive": add_receive_command,
    "export": add_export_command,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `echo-workstation`; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _COMMANDS:
        return _run_command(given)
    return _run_app(given)


def _run_app(given: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="echo-workstation",
        description="Read chest X-rays beside an on-board model that drafts the report.",
        epilog=f"Headless commands: echo-workstation {' | '.join(_COMMANDS)}  (see their --help).",
    )
    parser.add_argument("paths", nargs="*", type=Path, help="films or folders to open")
    parser.add_argument("--demo", action="store_true", help="a throw-away catalog of phantoms")
    parser.add_argument("--data-dir", type=Path, help="where catalog and reports are kept")
    add_model_options(parser, model="", device="", products="")  # as chosen last in the window
    parser.add_argument("--version", action="version", version=version("echo-workstation"))
    options = parser.parse_args(given)
    from workstation.app import AppOptions, run_app

    return run_app(
        AppOptions(
            tuple(options.paths),
            options.data_dir,
            options.model,
            options.device,
            options.demo,
            options.products,
            options.threads,
        )
    )


def _run_command(given: list[str]) -> int:
    """The options of all commands are known here, what they import only to the one that runs."""
    parser = argparse.ArgumentParser(prog="echo-workstation")
    commands = parser.add_subparsers(required=True)
    for add_command in _COMMANDS.values():
        add_command(commands)
    options = parser.parse_args(given)
    for stream in (sys.stdout, sys.stderr):
        # File names and Chinese reports on a terminal, or in a log, that lacks their letters.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except OSError as error:
        # Python would try again to write the rest at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # "| head": who reads has enough
            return 128 + 13  # as a shell has SIGPIPE
        tell_failure(error)
        return FAILED
    return code


if __name__ == "__main__":
    sys.exit(main())
