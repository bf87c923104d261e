"""python -m workstation.benchmarks display [--frames N]
python -m workstation.benchmarks mutations [--count N] [--seed N] [--folder FOLDER]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workstation.benchmarks.bench_display import run_display
from workstation.benchmarks.bench_mutations import run_many_mutations


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m workstation.benchmarks")
    commands = parser.add_subparsers(dest="what", required=True)
    display = commands.add_parser("display", help="frames, opening and memory of a large film")
    display.add_argument("--frames", type=int, default=60)
    mutations = commands.add_parser("mutations", help="read thousands of damaged films")
    mutations.add_argument("--count", type=int, default=10_000)
    mutations.add_argument("--seed", type=int, default=1)
    mutations.add_argument("--folder", type=Path, help="damage copies of these files as well")
    options = parser.parse_args()
    if options.what == "display":
        return run_display(options.frames)
    return run_many_mutations(options.count, options.seed, options.folder)


if __name__ == "__main__":
    sys.exit(main())
