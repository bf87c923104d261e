"""Render training films once, as the model's image processor will see them.

    python -m inference.training.render_films --out runs/films --count 24000 --first-seed 1000000

Films are written in shards of uint8 [shard, size, size] (already normalised), with where each
finding stands beside them; an interrupted run resumes at the first missing shard. Reports follow
from the seed and are not stored.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from inference.api import ModelImage
from inference.image_processor import normalise_film
from inference.phantom import sample_case
from inference.phantom.projection import render_film_and_regions
from inference.training.region_labels import CELLS, CONCEPT_NAMES, region_labels, regions_path

SHARD = 500


def shard_path(folder: Path, first_seed: int) -> Path:
    return folder / f"films_{first_seed}.npy"


def render_shard(folder: Path, first_seed: int, size: int) -> int:
    """Render SHARD films and their region labels; the films' file appears last, complete."""
    films = np.zeros((SHARD, size, size), dtype=np.uint8)
    labels = np.zeros((SHARD, len(CONCEPT_NAMES), CELLS, CELLS), dtype=np.uint8)
    for offset in range(SHARD):
        stored, regions = render_film_and_regions(sample_case(first_seed + offset), size)
        films[offset] = np.round(normalise_film(ModelImage(stored)) * 255)
        labels[offset] = region_labels(regions)
    np.save(regions_path(folder, first_seed), labels)
    partial = shard_path(folder, first_seed).with_suffix(".partial.npy")
    np.save(partial, films)
    os.replace(partial, shard_path(folder, first_seed))
    return first_seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=24_000)
    parser.add_argument("--first-seed", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    seeds = range(options.first_seed, options.first_seed + options.count, SHARD)
    missing = [seed for seed in seeds if not shard_path(options.out, seed).exists()]
    started = time.monotonic()
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [pool.submit(render_shard, options.out, seed, options.size) for seed in missing]
        for done, job in enumerate(as_completed(jobs), 1):
            job.result()
            rate = done * SHARD / (time.monotonic() - started)
            print(f"\rrendered {done}/{len(jobs)} shards, {rate:.1f} films/s", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
