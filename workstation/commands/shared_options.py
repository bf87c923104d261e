"""Options that several commands, or a command and the app, have in common."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from inference import PRODUCTS

CommandParsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_model_options(
    parser: argparse.ArgumentParser,
    model: str = "embedded",
    device: str = "auto",
    products: str = "exact",
) -> None:
    """--model, --device, --products and --threads; with what they are where they aren't given."""
    parser.add_argument(
        "--model",
        default=model,
        help="embedded (default), the name of an added model, or a folder",
    )
    parser.add_argument("--device", default=device, help="auto (default), cpu, cuda, cuda:N")
    parser.add_argument(
        "--products",
        choices=PRODUCTS,
        default=products,
        help="of the model's weights: exact, or sooner and checked at load: int8, bfloat16; fp8 "
        "(GPU)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=0,
        metavar="N",
        help="of the processor, for the model (one for each core)",
    )


def data_dir_of(options: argparse.Namespace) -> Path:
    """What --data-dir says, or the user's own data folder."""
    from workstation.data_folder import default_data_dir

    return options.data_dir or default_data_dir()
