"""Where each finding stands on a film, as the vision warm-up's dense targets.

    python -m inference.training.render_regions --out runs/films --count 12000

For shards rendered by render_films: uint8 [SHARD, concepts, 8, 8], 1 where a vision token's cell
shows the concept. Resumes at the first missing shard.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from inference.phantom import sample_case
from inference.phantom.case import DEVICE_WEIGHTS, FINDING_WEIGHTS
from inference.phantom.projection import render_regions
from inference.training.render_films import SHARD

CONCEPT_NAMES = (*FINDING_WEIGHTS, *DEVICE_WEIGHTS)
CELLS = 8  # vision tokens along a side
_PIXELS = 14  # per cell; enough to hit the thinnest line
_CHANGED_CM = 0.25
_MIN_PIXELS = 4


def region_labels(seed: int) -> np.ndarray:
    """[concepts, 8, 8] uint8."""
    labels = np.zeros((len(CONCEPT_NAMES), CELLS, CELLS), dtype=np.uint8)
    for concept, changed in render_regions(sample_case(seed), CELLS * _PIXELS).items():
        cells = (changed > _CHANGED_CM).reshape(CELLS, _PIXELS, CELLS, _PIXELS).sum((1, 3))
        labels[CONCEPT_NAMES.index(concept)] = cells >= _MIN_PIXELS
    return labels


def regions_path(folder: Path, first_seed: int) -> Path:
    return folder / f"regions_{first_seed}.npy"


def label_shard(folder: Path, first_seed: int) -> None:
    labels = np.stack([region_labels(first_seed + offset) for offset in range(SHARD)])
    partial = regions_path(folder, first_seed).with_suffix(".partial.npy")
    np.save(partial, labels)
    os.replace(partial, regions_path(folder, first_seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=12_000)
    parser.add_argument("--first-seed", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.count, SHARD)
    missing = [seed for seed in seeds if not regions_path(options.out, seed).exists()]
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [pool.submit(label_shard, options.out, seed) for seed in missing]
        for done, job in enumerate(as_completed(jobs), 1):
            job.result()
            print(f"\rlabelled {done}/{len(jobs)} shards", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
