"""Milliseconds since something began."""

from __future__ import annotations

from time import perf_counter


class Stopwatch:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._began = perf_counter()

    @property
    def elapsed_ms(self) -> float:
        return (perf_counter() - self._began) * 1000.0
