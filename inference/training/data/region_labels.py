"""Where each finding stands on a film: the vision warm-up's dense targets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inference.phantom.case import DEVICE_WEIGHTS, FINDING_WEIGHTS

CONCEPT_NAMES = (*FINDING_WEIGHTS, *DEVICE_WEIGHTS)
CELLS = 16  # patches along a side; a vision token is 2 × 2 of them
_CHANGED_CM = 0.25
_MIN_SHARE = 0.02  # of a cell's pixels


def region_labels(regions: Mapping[str, np.ndarray]) -> np.ndarray:
    """[concepts, 16, 16] uint8: 1 where a patch shows the concept.

    regions: of phantom.projection, [size, size] changed centimetres, size a multiple of 16.
    """
    labels = np.zeros((len(CONCEPT_NAMES), CELLS, CELLS), dtype=np.uint8)
    for concept, changed in regions.items():
        side = changed.shape[0] // CELLS
        share = (np.abs(changed) > _CHANGED_CM).reshape(CELLS, side, CELLS, side).mean((1, 3))
        labels[CONCEPT_NAMES.index(concept)] = share >= _MIN_SHARE
    return labels
