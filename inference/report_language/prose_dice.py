"""Choices of one text, drawn from any source of uniform numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class RandomSource(Protocol):
    """Both ``random.Random`` and ``numpy.random.Generator`` are one."""

    def random(self) -> float:
        """The next number, uniform in [0, 1)."""


class Dice:
    """Draws, each of which takes a fixed number of numbers from the source."""

    def __init__(self, rng: RandomSource) -> None:
        self._rng = rng

    def chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._rng.random() * len(choices))]

    def pick_weighted(self, choices: Sequence[tuple[T, float]]) -> T:
        """One of (choice, weight); weights need not add up to 1."""
        left = self._rng.random() * sum(weight for _, weight in choices)
        for choice, weight in choices:
            left -= weight
            if left < 0:
                return choice
        return choices[-1][0]

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._rng.random()

    def shuffled(self, items: Sequence[T]) -> list[T]:
        keyed = [(self._rng.random(), index) for index in range(len(items))]
        return [items[index] for _, index in sorted(keyed)]
