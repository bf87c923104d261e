"""Undo and redo of what is drawn on one film. No Qt."""

from __future__ import annotations

from workstation.reading.measurements import Measurement

MOST_STEPS = 200


class MeasurementHistory:
    """The measurements of one film, complete ones only, and the way back.

    Every change is one step: a handle dragged across the film is put once, when it is let go.
    """

    def __init__(self, measurements: tuple[Measurement, ...] = ()) -> None:
        self._now = measurements
        self._before: list[tuple[Measurement, ...]] = []
        self._after: list[tuple[Measurement, ...]] = []

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        return self._now

    def find(self, measurement_id: str) -> Measurement | None:
        return next((each for each in self._now if each.id == measurement_id), None)

    def put(self, measurement: Measurement) -> bool:
        """Add it, or put it in the place of the one with its id. False where nothing changes."""
        if not measurement.is_complete:
            raise ValueError("a measurement lacks points")
        known = self.find(measurement.id)
        if known is None:
            return self._change((*self._now, measurement))
        return self._change(tuple(measurement if each is known else each for each in self._now))

    def remove(self, measurement_id: str) -> bool:
        return self._change(tuple(each for each in self._now if each.id != measurement_id))

    def undo(self) -> bool:
        if not self._before:
            return False
        self._after.append(self._now)
        self._now = self._before.pop()
        return True

    def redo(self) -> bool:
        if not self._after:
            return False
        self._before.append(self._now)
        self._now = self._after.pop()
        return True

    def _change(self, measurements: tuple[Measurement, ...]) -> bool:
        if measurements == self._now:
            return False
        self._before.append(self._now)
        del self._before[:-MOST_STEPS]
        self._after.clear()
        self._now = measurements
        return True
