"""Read thousands of damaged films and say what became of them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from workstation.benchmarks.mutated_films import HANG_S, peak_memory_mb, run_mutations
from workstation.benchmarks.written_seeds import write_seeds

_LARGEST_SEED_BYTES = 300_000
_MEMORY_LIMIT_MB = 2048


def run_many_mutations(count: int, random_seed: int, folder: Path | None) -> int:
    """Prints and returns 0, or 1 where a file did harm. folder: its smaller files are damaged
    too; they are only read."""
    seeds = write_seeds()
    for path in sorted(folder.rglob("*")) if folder is not None else ():
        if path.is_file() and path.stat().st_size <= _LARGEST_SEED_BYTES:
            seeds[str(path)] = path.read_bytes()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        result = run_mutations(seeds, count, random_seed, Path(scratch))
    peak = peak_memory_mb()
    print(
        f"mutations: {count} of {len(seeds)} files, seed {random_seed}: {result.opened} opened, "
        f"{result.refused} refused, {len(result.faults)} faults; slowest {result.slowest_s:.1f} s "
        f"({result.slowest_name}); {time.perf_counter() - start:.0f} s in all"
    )
    if peak is not None:
        print(f"  peak memory {peak[0]:.0f} MB, of a decoding child {peak[1]:.0f} MB")
    for reason, times in result.reasons.most_common(12):
        print(f"  {times:6} {reason}")
    for number, name, fault in result.faults:
        print(f"  FAULT {number} {name}: {fault}")
    is_harmless = not result.faults and result.slowest_s < HANG_S
    return 0 if is_harmless and (peak is None or max(peak) < _MEMORY_LIMIT_MB) else 1
