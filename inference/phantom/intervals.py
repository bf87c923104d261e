"""The parts of rays that lie in solids, and the length of their union."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Interval:
    """The part of each ray inside a solid: near < far in mm of depth, empty where near >= far."""

    near: Array  # [size, size] or broadcastable
    far: Array

    def __and__(self, other: Interval) -> Interval:
        return Interval(np.maximum(self.near, other.near), np.minimum(self.far, other.far))

    def where(self, inside: Array) -> Interval:
        """Empty where inside is False."""
        return Interval(np.where(inside, self.near, 0.0), np.where(inside, self.far, -1.0))

    @property
    def length_mm(self) -> Array:
        return np.maximum(self.far - self.near, 0.0)


def covered_length_mm(intervals: Sequence[Interval], *, few_overlap: bool = False) -> Array:
    """Length of the union along each ray; 0 of no intervals.

    few_overlap: cheaper where most pairs of intervals meet on no ray, slow where many do.
    """
    if not intervals:
        return np.float32(0.0)  # type: ignore[return-value]
    return _by_inclusion(intervals) if few_overlap else _by_sorting(intervals)


def remaining_length_mm(solid: Interval, removed: Sequence[Interval]) -> Array:
    """How much of solid is left along each ray when all of removed is taken away."""
    return solid.length_mm - covered_length_mm([solid & part for part in removed])


def _by_sorting(intervals: Sequence[Interval]) -> Array:
    near = np.stack(np.broadcast_arrays(*(i.near for i in intervals)))
    far = np.stack(np.broadcast_arrays(*(i.far for i in intervals)))
    order = np.argsort(near, axis=0)
    near, far = np.take_along_axis(near, order, 0), np.take_along_axis(far, order, 0)
    total = np.maximum(far[0] - near[0], 0.0)
    reached = np.where(far[0] > near[0], far[0], -np.inf)
    for index in range(1, len(near)):
        total = total + np.maximum(far[index] - np.maximum(near[index], reached), 0.0)
        reached = np.where(far[index] > near[index], np.maximum(reached, far[index]), reached)
    return total


def _by_inclusion(intervals: Sequence[Interval]) -> Array:
    """By inclusion and exclusion; what no ray meets is followed no further."""
    total = np.zeros(np.broadcast_shapes(*(i.near.shape for i in intervals)), dtype=np.float32)

    def add(start: int, common: Interval | None, sign: float) -> None:
        for index in range(start, len(intervals)):
            part = intervals[index] if common is None else common & intervals[index]
            length = part.length_mm
            if not length.any():
                continue
            np.add(total, sign * length, out=total)
            add(index + 1, part, -sign)

    add(0, None, 1.0)
    return total
