"""Where a film lies in its view: orientation, zoom and pan as values, without Qt.

Three frames of coordinates, all continuous (a pixel spans 1.0):
image     (column, row) of the stored pixels;
displayed (u, v) after flips and quarter turns, in units of a column's width, so that
          non-square pixels are true to shape (PS3.3 C.7.6.3.1.7);
view      (x, y) device pixels from the view's upper left corner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

GREATEST_ZOOM = 32.0
LEAST_ZOOM = 0.01
FIT_MARGIN = 6
"""Free device pixels kept around a fitted film."""

_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "H": "F", "F": "H"}


@dataclass(frozen=True)
class Orientation:
    """A left-right mirroring (done first) and clockwise quarter turns."""

    turns: int = 0
    mirrored: bool = False

    @property
    def is_sideways(self) -> bool:
        return self.turns % 2 == 1

    def rotated(self, turns: int) -> Orientation:
        """Turned clockwise as seen."""
        return Orientation((self.turns + turns) % 4, self.mirrored)

    def flipped_horizontally(self) -> Orientation:
        """Mirrored left-right as seen: H R^t = R^-t H."""
        return Orientation(-self.turns % 4, not self.mirrored)

    def flipped_vertically(self) -> Orientation:
        """Mirrored top-bottom as seen: V = R^2 H."""
        return Orientation((2 - self.turns) % 4, not self.mirrored)


@dataclass(frozen=True)
class SideLetters:
    """What the header says lies at each side of the displayed film; "" where it says nothing."""

    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""


@lru_cache(maxsize=64)
def side_letters(patient_orientation: tuple[str, ...], orientation: Orientation) -> SideLetters:
    """The sides by Patient Orientation (PS3.3 C.7.6.1.1.1), following flips and turns.

    The header's two values name the directions of the row (to the right) and of the column
    (downwards); the sides across are their opposites. Never guessed from anything else.
    """
    if len(patient_orientation) != 2:
        return SideLetters()
    right, bottom = (_known_direction(value) for value in patient_orientation)
    left, top = _opposite(right), _opposite(bottom)
    if orientation.mirrored:
        left, right = right, left
    for _ in range(orientation.turns):
        top, right, bottom, left = left, top, right, bottom
    return SideLetters(left, right, top, bottom)


def _known_direction(value: str) -> str:
    letters = value.strip().upper()
    return letters if letters and all(letter in _OPPOSITE for letter in letters) else ""


def _opposite(direction: str) -> str:
    return "".join(_OPPOSITE[letter] for letter in direction)


class Placement(NamedTuple):
    """What to draw: target (x, y, width, height) in device pixels, and the part of the image
    that fills it as (left, top, right, bottom), not yet oriented."""

    target: tuple[int, int, int, int]
    source: tuple[float, float, float, float]


@dataclass(frozen=True)
class ViewGeometry:
    """One film in one view. zoom: device pixels per image column; centre: the displayed point
    at the middle of the view; is_fitted: keeps fitting when the view is resized."""

    columns: int
    rows: int
    pixel_aspect_ratio: float = 1.0
    view_width: int = 1
    view_height: int = 1
    orientation: Orientation = Orientation()
    zoom: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)
    is_fitted: bool = True

    @property
    def displayed_size(self) -> tuple[float, float]:
        """(width, height) of the whole film in the displayed frame."""
        width, height = float(self.columns), self.rows * self.pixel_aspect_ratio
        return (height, width) if self.orientation.is_sideways else (width, height)

    def fitted(self) -> ViewGeometry:
        """The whole film, as large as the view allows."""
        width, height = self.displayed_size
        room_x = max(1, self.view_width - 2 * FIT_MARGIN)
        room_y = max(1, self.view_height - 2 * FIT_MARGIN)
        zoom = min(max(min(room_x / width, room_y / height), LEAST_ZOOM), GREATEST_ZOOM)
        return replace(self, zoom=zoom, centre=(width / 2, height / 2), is_fitted=True)

    def fitted_to(
        self, box: tuple[float, float, float, float], zoom: float | None = None
    ) -> ViewGeometry:
        """A part of the image (left, top, right, bottom) in the middle of the view, as large as
        the view allows or at a given zoom; not fitted again when the view is resized."""
        one, other = self._image_to_displayed(*box[:2]), self._image_to_displayed(*box[2:])
        width, height = abs(other[0] - one[0]), abs(other[1] - one[1])
        if zoom is None:
            room_x = max(1, self.view_width - 2 * FIT_MARGIN)
            room_y = max(1, self.view_height - 2 * FIT_MARGIN)
            zoom = min(room_x / max(width, 1e-6), room_y / max(height, 1e-6))
        zoom = min(max(zoom, LEAST_ZOOM), GREATEST_ZOOM)
        centre = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
        return replace(self, zoom=zoom, centre=centre, is_fitted=False)

    def resized(self, view_width: int, view_height: int) -> ViewGeometry:
        changed = replace(self, view_width=max(1, view_width), view_height=max(1, view_height))
        return changed.fitted() if self.is_fitted else changed

    def reoriented(self, orientation: Orientation) -> ViewGeometry:
        """Flipped or turned about the image point in the middle of the view."""
        middle = self._displayed_to_image(*self.centre)
        changed = replace(self, orientation=orientation)
        if self.is_fitted:
            return changed.fitted()
        return replace(changed, centre=changed._image_to_displayed(*middle))

    def zoomed_at(self, factor: float, x: float, y: float) -> ViewGeometry:
        """Zoomed so that what lies at the view point (x, y) stays there."""
        zoom = min(max(self.zoom * factor, LEAST_ZOOM), GREATEST_ZOOM)
        u, v = self._view_to_displayed(x, y)
        centre = (u - (x - self.view_width / 2) / zoom, v - (y - self.view_height / 2) / zoom)
        return replace(self, zoom=zoom, centre=self._held(*centre), is_fitted=False)

    def panned(self, dx: float, dy: float) -> ViewGeometry:
        """Moved by device pixels; the middle of the view never leaves the film."""
        u, v = self.centre
        centre = self._held(u - dx / self.zoom, v - dy / self.zoom)
        return replace(self, centre=centre, is_fitted=False)

    def view_to_image(self, x: float, y: float) -> tuple[float, float]:
        """(column, row) under a view point; may lie outside the film."""
        return self._displayed_to_image(*self._view_to_displayed(x, y))

    def image_to_view(self, column: float, row: float) -> tuple[float, float]:
        u, v = self._image_to_displayed(column, row)
        return (
            (u - self.centre[0]) * self.zoom + self.view_width / 2,
            (v - self.centre[1]) * self.zoom + self.view_height / 2,
        )

    def placement(self) -> Placement | None:
        """The visible part of the film, None where nothing of it is in view."""
        return self._placement

    @cached_property
    def _placement(self) -> Placement | None:
        (width, height), zoom = self.displayed_size, self.zoom
        left = self.view_width / 2 - self.centre[0] * zoom
        top = self.view_height / 2 - self.centre[1] * zoom
        x0, y0 = max(0, round(left)), max(0, round(top))
        x1 = min(self.view_width, round(left + width * zoom))
        y1 = min(self.view_height, round(top + height * zoom))
        if x1 <= x0 or y1 <= y0:
            return None
        one, other = self.view_to_image(x0, y0), self.view_to_image(x1, y1)
        columns = sorted((_limit(one[0], self.columns), _limit(other[0], self.columns)))
        rows = sorted((_limit(one[1], self.rows), _limit(other[1], self.rows)))
        return Placement((x0, y0, x1 - x0, y1 - y0), (columns[0], rows[0], columns[1], rows[1]))

    def pixel_at(self, x: float, y: float) -> tuple[int, int] | None:
        """The (column, row) of the stored pixel under a view point, None beside the film."""
        column, row = (math.floor(value) for value in self.view_to_image(x, y))
        if 0 <= column < self.columns and 0 <= row < self.rows:
            return column, row
        return None

    def _held(self, u: float, v: float) -> tuple[float, float]:
        width, height = self.displayed_size
        return min(max(u, 0.0), width), min(max(v, 0.0), height)

    def _view_to_displayed(self, x: float, y: float) -> tuple[float, float]:
        return (
            self.centre[0] + (x - self.view_width / 2) / self.zoom,
            self.centre[1] + (y - self.view_height / 2) / self.zoom,
        )

    def _displayed_to_image(self, u: float, v: float) -> tuple[float, float]:
        width, height = self.displayed_size
        for _ in range(self.orientation.turns):
            u, v = v, width - u
            width, height = height, width
        if self.orientation.mirrored:
            u = width - u
        return u, v / self.pixel_aspect_ratio

    def _image_to_displayed(self, column: float, row: float) -> tuple[float, float]:
        width, height = float(self.columns), self.rows * self.pixel_aspect_ratio
        u, v = column, row * self.pixel_aspect_ratio
        if self.orientation.mirrored:
            u = width - u
        for _ in range(self.orientation.turns):
            u, v = height - v, u
            width, height = height, width
        return u, v


def _limit(value: float, most: int) -> float:
    return min(max(value, 0.0), float(most))
