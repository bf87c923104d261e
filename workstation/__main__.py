"""The command line: the app itself, and the headless commands draft, render and audit."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from inference import DECODING_MODES
from inference.report_language import LANGUAGES

_COMMANDS = ("draft", "render", "audit")


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
        epilog="Headless commands: echo-workstation draft | render | audit  (see their --help).",
    )
    parser.add_argument("paths", nargs="*", type=Path, help="films or folders to open")
    parser.add_argument("--demo", action="store_true", help="a throw-away catalog of phantoms")
    parser.add_argument("--data-dir", type=Path, help="where catalog and reports are kept")
    _add_model_options(parser)
    parser.add_argument("--version", action="version", version=version("echo-workstation"))
    options = parser.parse_args(given)
    from workstation.app import AppOptions, run_app

    return run_app(
        AppOptions(
            tuple(options.paths), options.data_dir, options.model, options.device, options.demo
        )
    )


def _run_command(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="echo-workstation")
    commands = parser.add_subparsers(dest="command", required=True)
    draft = commands.add_parser("draft", help="draft reports without a window")
    draft.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    draft.add_argument("--decoding", choices=DECODING_MODES, default="one-step")
    draft.add_argument("--language", choices=LANGUAGES, default="en")
    draft.add_argument("--json", action="store_true", dest="as_json")
    _add_model_options(draft)
    render = commands.add_parser("render", help="write what the viewer would show")
    render.add_argument("file", type=Path, metavar="FILE")
    render.add_argument("--out", type=Path, required=True, metavar="PNG")
    render.add_argument("--window", type=_window, metavar="CENTER,WIDTH")
    audit = commands.add_parser("audit", help="check the audit log")
    audit.add_argument("action", choices=["verify"])
    audit.add_argument("--data-dir", type=Path)
    options = parser.parse_args(given)
    if options.command == "draft":
        from workstation.commands.draft import run_draft

        return run_draft(
            options.paths,
            options.decoding,
            options.model,
            options.device,
            options.as_json,
            options.language,
        )
    if options.command == "render":
        from workstation.commands.render import run_render

        return run_render(options.file, options.out, options.window)
    from workstation.commands.audit import run_audit_verify
    from workstation.data_folder import default_data_dir

    return run_audit_verify(options.data_dir or default_data_dir())


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="embedded", help="embedded (default), or a local model folder"
    )
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:N")


def _window(text: str) -> tuple[float, float]:
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not CENTER,WIDTH") from None
    return center, width


if __name__ == "__main__":
    sys.exit(main())
