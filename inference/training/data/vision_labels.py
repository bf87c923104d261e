"""What the vision warm-up asks of each film: attributes of the whole, and concepts by patch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from inference.phantom import PhantomCase
from inference.training.data.phantom_pairs import PhantomPairs
from inference.training.data.region_labels import CONCEPT_NAMES
from inference.training.render_films import SHARD, shard_path

_VIEWS = ("is_frontal_chest", "is_lateral_chest")
_DETAILS = ("left", "right", "upper", "mid", "lower", "more")
# Presences first: they are asked of every film, details only of the concepts that are there.
ATTRIBUTES = (
    *((name, "present") for name in (*_VIEWS, *CONCEPT_NAMES)),
    *((name, detail) for name in CONCEPT_NAMES for detail in _DETAILS),
)
PRESENCES = len(_VIEWS) + len(CONCEPT_NAMES)
_INDEX = {attribute: index for index, attribute in enumerate(ATTRIBUTES)}
_LATERAL_SHARE = 0.15  # of a batch
_MOST_WEIGHT = 5.0
_LEAST_CELL_WEIGHT, _MOST_CELL_WEIGHT = 4.0, 60.0


@dataclass(frozen=True, eq=False)
class VisionBatch:
    films: torch.Tensor  # [B, 1, size, size] float32 in 0..1
    attributes: torch.Tensor  # [B, attributes] 0/1
    is_known: torch.Tensor  # [B, attributes] 0/1: whether the film can tell
    cells: torch.Tensor  # [B, concepts, 16, 16] 0/1

    def to(self, device: torch.device) -> VisionBatch:
        parts = (self.films, self.attributes, self.is_known, self.cells)
        return VisionBatch(*(part.to(device) for part in parts))


def frontal_attributes(case: PhantomCase) -> tuple[torch.Tensor, torch.Tensor]:
    """(attributes, is_known) [attributes] of a study's first film, of any kind."""
    truth, known = torch.zeros(len(ATTRIBUTES)), torch.zeros(len(ATTRIBUTES))
    known[:PRESENCES] = 1.0
    if case.kind != "chest":
        return truth, known
    truth[_INDEX["is_frontal_chest", "present"]] = 1.0
    for said in case.statements:
        truth[_INDEX[said.concept, "present"]] = 1.0
        for side in ("left", "right") if said.side is not None else ():
            known[_INDEX[said.concept, side]] = 1.0
            truth[_INDEX[said.concept, side]] = float(said.side in (side, "bilateral"))
        for zone in ("upper", "mid", "lower") if said.zone is not None else ():
            known[_INDEX[said.concept, zone]] = 1.0
            truth[_INDEX[said.concept, zone]] = float(said.zone == zone)
        if said.severity is not None:
            known[_INDEX[said.concept, "more"]] = 1.0
            truth[_INDEX[said.concept, "more"]] = float(said.severity in ("marked", "large"))
    return truth, known


def lateral_attributes(cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(attributes, is_known) of a lateral chest film: present is what its cells show; no sides.

    cells: [concepts, 16, 16] 0/1.
    """
    truth, known = torch.zeros(len(ATTRIBUTES)), torch.zeros(len(ATTRIBUTES))
    known[:PRESENCES] = 1.0
    truth[_INDEX["is_lateral_chest", "present"]] = 1.0
    truth[len(_VIEWS) : PRESENCES] = cells.flatten(1).amax(1)
    return truth, known


class VisionLabels:
    """Targets beside films; a film of the kind "lateral" is a lateral like the others."""

    def __init__(self, pairs: PhantomPairs) -> None:
        self._pairs = pairs
        first_seeds = pairs.seeds[::SHARD]
        self._regions = [
            np.load(shard_path(pairs.folder, first, "regions")) for first in first_seeds
        ]
        self._lateral_regions = [
            np.load(shard_path(pairs.folder, first, "lateral_regions")) for first in first_seeds
        ]
        self._attributes = [frontal_attributes(case) for case in pairs.cases]
        for index, case in enumerate(pairs.cases):
            if case.kind == "lateral":
                self._attributes[index] = lateral_attributes(self._cells(index))
        self.weights = _presence_weights(torch.stack([truth for truth, _ in self._attributes]))
        self.cell_weights = _cell_weights(self._regions)

    def batch(self, step: int, batch_size: int) -> VisionBatch:
        """A function of the step alone: first films, and laterals to their share."""
        rng = np.random.default_rng((1, step))
        laterals = round(batch_size * _LATERAL_SHARE) if len(self._pairs.with_lateral) else 0
        first = [int(i) for i in rng.integers(0, len(self._pairs), batch_size - laterals)]
        second = (
            [int(i) for i in rng.choice(self._pairs.with_lateral, laterals)] if laterals else []
        )
        films = [self._pairs.films(first)[:, 0]]
        cells = [self._cells(i) for i in first] + [self._lateral_cells(i) for i in second]
        attributes = [self._attributes[i] for i in first]
        if second:
            films.append(self._pairs.laterals(second))
            attributes += [lateral_attributes(self._lateral_cells(i)) for i in second]
        truth, known = (torch.stack(part) for part in zip(*attributes, strict=True))
        return VisionBatch(torch.cat(films)[:, None], truth, known, torch.stack(cells))

    def _cells(self, index: int) -> torch.Tensor:
        return torch.from_numpy(self._regions[index // SHARD][index % SHARD]).float()

    def _lateral_cells(self, index: int) -> torch.Tensor:
        row = int(self._pairs.lateral_rows[index])
        return torch.from_numpy(self._lateral_regions[index // SHARD][row]).float()


def _presence_weights(truth: torch.Tensor) -> torch.Tensor:
    """[attributes] weight of a presence: the square root of how much rarer it is than absence."""
    share = truth.mean(0).clamp(1e-3, 1.0)
    weights = ((1 - share) / share).sqrt().clamp(1.0, _MOST_WEIGHT)
    weights[PRESENCES:] = 1.0
    return weights


def _cell_weights(regions: list[np.ndarray]) -> torch.Tensor:
    """[concepts, 1, 1] weight of a patch that shows one, by how few do.

    A granuloma is in one patch of two thousand: at one weight for all it was never learnt.
    """
    shown = sum(shard.sum((0, 2, 3), dtype=np.int64) for shard in regions)
    patches = sum(shard[:, 0].size for shard in regions)
    share = (torch.from_numpy(np.asarray(shown)) / patches).clamp(1e-6, 1.0)
    weights = ((1 - share) / share).sqrt().clamp(_LEAST_CELL_WEIGHT, _MOST_CELL_WEIGHT)
    return weights.float()[:, None, None]
