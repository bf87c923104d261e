"""Render training films once, as the model's image processor will see them.

    python -m inference.training.render_films --out runs/films --count 24000 --first-seed 1000000

Shards of SHARD studies hold uint8 arrays, films already normalised:
    films_SEED.npy             [studies, size, size]          the first film of each study
    laterals_SEED.npy          [laterals, size, size]         of the studies that have one, in order
    regions_SEED.npy           [studies, concepts, 16, 16]    where the first film shows what
    lateral_regions_SEED.npy   [laterals, concepts, 16, 16]
Reports and everything else follow from the seed and are not stored. An interrupted run resumes at
the first missing shard: films_SEED.npy appears last.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Literal

import numpy as np

from inference.api import ModelImage
from inference.phantom import PhantomCase, sample_case
from inference.phantom.projection import render_film_and_regions
from inference.training.data.region_labels import CELLS, CONCEPT_NAMES, region_labels
from inference.vision.image_processor import normalise_film

SHARD = 500
# Films whose anatomy is a chest's; the others show no finding, whatever the case says.
_CHEST_KINDS = ("chest", "lateral")


def shard_path(folder: Path, first_seed: int, name: str = "films") -> Path:
    """name: films, laterals, regions or lateral_regions."""
    return folder / f"{name}_{first_seed}.npy"


def render_shard(folder: Path, first_seed: int, size: int) -> int:
    """Render SHARD studies with their region labels; the films' file appears last, complete."""
    cases = [sample_case(first_seed + offset) for offset in range(SHARD)]
    with_lateral = [case for case in cases if case.has_lateral]
    films, labels = _render_all(cases, size, "frontal")
    laterals, lateral_labels = _render_all(with_lateral, size, "lateral")
    np.save(shard_path(folder, first_seed, "regions"), labels)
    np.save(shard_path(folder, first_seed, "laterals"), laterals)
    np.save(shard_path(folder, first_seed, "lateral_regions"), lateral_labels)
    partial = shard_path(folder, first_seed).with_suffix(".partial.npy")
    np.save(partial, films)
    os.replace(partial, shard_path(folder, first_seed))
    return first_seed


def _render_all(
    cases: list[PhantomCase], size: int, view: Literal["frontal", "lateral"]
) -> tuple[np.ndarray, np.ndarray]:
    films = np.zeros((len(cases), size, size), dtype=np.uint8)
    labels = np.zeros((len(cases), len(CONCEPT_NAMES), CELLS, CELLS), dtype=np.uint8)
    for row, case in enumerate(cases):
        stored, regions = render_film_and_regions(case, size, view)
        films[row] = np.round(normalise_film(ModelImage(stored)) * 255)
        if case.kind in _CHEST_KINDS:
            labels[row] = region_labels(regions)
    return films, labels


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
            print(f"\rrendered {done}/{len(jobs)} shards, {rate:.1f} studies/s", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
