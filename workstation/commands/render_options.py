"""The options of ``echo-workstation render``."""

from __future__ import annotations

import argparse
from pathlib import Path

from workstation.commands.shared_options import CommandParsers


def add_render_command(commands: CommandParsers) -> None:
    """``render``, and its options."""
    render = commands.add_parser("render", help="write what the viewer would show")
    render.add_argument("file", type=Path, metavar="FILE")
    render.add_argument("--out", type=Path, required=True, metavar="PNG")
    render.add_argument("--window", type=_window, metavar="CENTER,WIDTH")
    render.add_argument(
        "--as-left", type=Path, metavar="DATA_FOLDER", help="as its reader there left it"
    )
    render.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from workstation.commands.render import run_render

    return run_render(options.file, options.out, options.window, options.as_left)


def _window(text: str) -> tuple[float, float]:
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not CENTER,WIDTH") from None
    return center, width
