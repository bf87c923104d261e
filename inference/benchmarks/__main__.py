"""`python -m inference.benchmarks decoding ...`: speed, measured the same way every time."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from inference.benchmarks import bench_decoding


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m inference.benchmarks")
    commands = parser.add_subparsers(dest="command", required=True)
    decoding = commands.add_parser(
        "decoding",
        help="every decoding strategy, interleaved",
        description=bench_decoding.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bench_decoding.add_options(decoding)
    return bench_decoding.run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
