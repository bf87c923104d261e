"""python -m workstation.benchmarks display [--frames N]"""

from __future__ import annotations

import argparse
import sys

from workstation.benchmarks.bench_display import run_display


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m workstation.benchmarks")
    parser.add_argument("what", choices=["display"])
    parser.add_argument("--frames", type=int, default=60)
    options = parser.parse_args()
    return run_display(options.frames)


if __name__ == "__main__":
    sys.exit(main())
