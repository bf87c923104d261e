"""Where each finding stands on a film: the vision warm-up's dense targets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from inference.phantom.case import DEVICE_WEIGHTS, FINDING_WEIGHTS

CONCEPT_NAMES = (*FINDING_WEIGHTS, *DEVICE_WEIGHTS)
CELLS = 8  # vision tokens along a side
_CHANGED_CM = 0.25
_MIN_SHARE = 0.02  # of a cell's pixels


def region_labels(regions: Mapping[str, np.ndarray]) -> np.ndarray:
    """[concepts, 8, 8] uint8: 1 where a vision token's cell shows the concept.

    regions: of phantom.projection, [size, size] changed centimetres, size a multiple of 8.
    """
    labels = np.zeros((len(CONCEPT_NAMES), CELLS, CELLS), dtype=np.uint8)
    for concept, changed in regions.items():
        side = changed.shape[0] // CELLS
        share = (changed > _CHANGED_CM).reshape(CELLS, side, CELLS, side).mean((1, 3))
        labels[CONCEPT_NAMES.index(concept)] = share >= _MIN_SHARE
    return labels


def regions_path(folder: Path, first_seed: int) -> Path:
    return folder / f"regions_{first_seed}.npy"
