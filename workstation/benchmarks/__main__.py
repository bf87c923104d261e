"""python -m workstation.benchmarks display [--frames N]
python -m workstation.benchmarks studies [--studies N] [--films N]
python -m workstation.benchmarks audit [--rows N]
python -m workstation.benchmarks mutations [--count N] [--seed N] [--folder FOLDER]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workstation.benchmarks.bench_audit import run_audit
from workstation.benchmarks.bench_display import run_display
from workstation.benchmarks.bench_mutations import run_many_mutations
from workstation.benchmarks.bench_studies import run_studies


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m workstation.benchmarks")
    commands = parser.add_subparsers(dest="what", required=True)
    display = commands.add_parser("display", help="frames, opening and memory of a large film")
    display.add_argument("--frames", type=int, default=60)
    studies = commands.add_parser("studies", help="search as one types, import of many films")
    studies.add_argument("--studies", type=int, default=100_000)
    studies.add_argument("--films", type=int, default=10_000)
    audit = commands.add_parser("audit", help="verify and read a long audit log")
    audit.add_argument("--rows", type=int, default=100_000)
    mutations = commands.add_parser("mutations", help="read thousands of damaged films")
    mutations.add_argument("--count", type=int, default=10_000)
    mutations.add_argument("--seed", type=int, default=1)
    mutations.add_argument("--folder", type=Path, help="damage copies of these files as well")
    options = parser.parse_args()
    if options.what == "display":
        return run_display(options.frames)
    if options.what == "studies":
        return run_studies(options.studies, options.films)
    if options.what == "audit":
        return run_audit(options.rows)
    return run_many_mutations(options.count, options.seed, options.folder)


if __name__ == "__main__":
    sys.exit(main())
