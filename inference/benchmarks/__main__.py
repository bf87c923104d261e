"""`python -m inference.benchmarks decoding ...`: speed, measured the same way every time."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from inference.benchmarks import bench_batches, bench_decoding


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m inference.benchmarks")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, bench, about in (
        ("decoding", bench_decoding, "every decoding strategy, interleaved"),
        ("batches", bench_batches, "several studies drafted together"),
    ):
        command = commands.add_parser(
            name,
            help=about,
            description=bench.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        bench.add_options(command)
        command.set_defaults(run=bench.run)
    options = parser.parse_args(arguments)
    exit_code: int = options.run(options)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
