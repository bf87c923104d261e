"""Options that several commands, or a command and the app, have in common."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

CommandParsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_model_options(
    parser: argparse.ArgumentParser, model: str = "embedded", device: str = "auto"
) -> None:
    """--model and --device, with what they are where they aren't given."""
    parser.add_argument(
        "--model",
        default=model,
        help="embedded (default), the name of an added model, or a folder",
    )
    parser.add_argument("--device", default=device, help="auto (default), cpu, cuda, cuda:N")


def data_dir_of(options: argparse.Namespace) -> Path:
    """What --data-dir says, or the user's own data folder."""
    from workstation.data_folder import default_data_dir

    return options.data_dir or default_data_dir()
