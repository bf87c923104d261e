"""Undo and redo of what a reader leaves on one film: figures, and key images kept of it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workstation.reading.key_views import KeyView
from workstation.reading.measurements import Measurement

MOST_STEPS = 200


@dataclass(frozen=True)
class FilmMarks:
    """measurements: complete ones only."""

    measurements: tuple[Measurement, ...] = ()
    key_views: tuple[KeyView, ...] = ()


class FilmHistory:
    """The marks on one film, and the way back.

    Every change is one step: a handle dragged across the film is put once, when it is let go.
    """

    def __init__(self, marks: FilmMarks | None = None) -> None:
        self._now = marks or FilmMarks()
        self._before: list[FilmMarks] = []
        self._after: list[FilmMarks] = []

    @property
    def marks(self) -> FilmMarks:
        return self._now

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        return self._now.measurements

    @property
    def key_views(self) -> tuple[KeyView, ...]:
        return self._now.key_views

    def find(self, measurement_id: str) -> Measurement | None:
        return next((each for each in self.measurements if each.id == measurement_id), None)

    def put(self, measurement: Measurement) -> bool:
        """Add it, or put it in the place of the one with its id. False where nothing changes."""
        if not measurement.is_complete:
            raise ValueError("a measurement lacks points")
        known, figures = self.find(measurement.id), self.measurements
        if known is None:
            return self._change(replace(self._now, measurements=(*figures, measurement)))
        changed = tuple(measurement if each is known else each for each in figures)
        return self._change(replace(self._now, measurements=changed))

    def remove(self, measurement_id: str) -> bool:
        left = tuple(each for each in self.measurements if each.id != measurement_id)
        return self._change(replace(self._now, measurements=left))

    def remove_all(self) -> bool:
        """Every figure, as one step."""
        return self._change(replace(self._now, measurements=()))

    def keep_view(self, view: KeyView) -> bool:
        """One more key image."""
        return self._change(replace(self._now, key_views=(*self.key_views, view)))

    def drop_view(self, view_id: str) -> bool:
        left = tuple(view for view in self.key_views if view.id != view_id)
        return self._change(replace(self._now, key_views=left))

    def pin_key_views(self, views: tuple[KeyView, ...]) -> None:
        """They can't change any more: not by undo either."""
        self._now = replace(self._now, key_views=views)
        self._before = [replace(marks, key_views=views) for marks in self._before]
        self._after = [replace(marks, key_views=views) for marks in self._after]

    def undo(self) -> bool:
        return self._step(self._before, self._after)

    def redo(self) -> bool:
        return self._step(self._after, self._before)

    def _step(self, source: list[FilmMarks], target: list[FilmMarks]) -> bool:
        """Steps that change nothing, as pinned key images leave them, are passed over."""
        while source:
            marks = source.pop()
            if marks != self._now:
                target.append(self._now)
                self._now = marks
                return True
        return False

    def _change(self, marks: FilmMarks) -> bool:
        if marks == self._now:
            return False
        self._before.append(self._now)
        del self._before[:-MOST_STEPS]
        self._after.clear()
        self._now = marks
        return True
