"""Drawing and changing the figures of one film by pointer or key. No Qt.

Positions are device pixels of the view; what is kept are stored pixels. One change from press
to release is one step of undo.
"""

from __future__ import annotations

import itertools
import math

from workstation.reading.measurement_history import MeasurementHistory
from workstation.reading.measurements import (
    POINT_COUNTS,
    Measurement,
    MeasurementKind,
    Point,
)
from workstation.ui.viewer.view_geometry import ViewGeometry

HANDLE_REACH = 9.0
LINE_REACH = 6.0
_CLICK = 4.0  # a pointer that moved less was clicked, not dragged


class MeasurementEditor:
    """The figures of one film, the one being drawn and the one chosen."""

    def __init__(self, measurements: tuple[Measurement, ...] = ()) -> None:
        self.history = MeasurementHistory(measurements)
        self.chosen_id = ""
        self.handle = 0
        self.is_gripping = False
        self._draft: Measurement | None = None
        self._is_floating = False  # the draft's last point follows the pointer
        self._is_second_press = False
        self._pressed: Point = (0.0, 0.0)
        self._gripped: tuple[Measurement, int | None, Point] | None = None
        self._changing: Measurement | None = None

    @property
    def draft(self) -> Measurement | None:
        """The figure being drawn."""
        return self._draft

    @property
    def chosen(self) -> Measurement | None:
        return self.history.find(self.chosen_id)

    @property
    def shown(self) -> tuple[Measurement, ...]:
        """What is on the film just now, with the one being drawn or dragged."""
        now, changing = self.history.measurements, self._changing
        if changing is not None:
            now = tuple(changing if each.id == changing.id else each for each in now)
        return (*now, self._draft) if self._draft is not None else now

    # Changing what is there

    def grip(self, at: Point, geometry: ViewGeometry, scale: float = 1.0) -> bool:
        """Take hold of a handle or a line under the pointer; False where there is none."""
        found = self.find_at(at, geometry, scale)
        if found is None:
            self.chosen_id = ""
            return False
        measurement, index = found
        self.chosen_id, self.handle = measurement.id, index or 0
        self._gripped = (measurement, index, geometry.view_to_image(*at))
        self.is_gripping = True
        return True

    def find_at(
        self, at: Point, geometry: ViewGeometry, scale: float = 1.0
    ) -> tuple[Measurement, int | None] | None:
        """The newest figure under the pointer, with the number of its handle if one is hit."""
        for measurement in reversed(self.history.measurements):
            points = [geometry.image_to_view(*point) for point in measurement.points]
            for index, point in enumerate(points):
                if math.dist(point, at) <= HANDLE_REACH * scale:
                    return measurement, index
            for start, end in outline(measurement.kind, points):
                if _distance_to_line(at, start, end) <= LINE_REACH * scale:
                    return measurement, None
        return None

    # Drawing

    def press(self, kind: MeasurementKind, at: Point, geometry: ViewGeometry) -> None:
        """Begin a figure, or place its next point."""
        point = geometry.view_to_image(*at)
        self._pressed, self._is_second_press = at, self._is_floating
        self.chosen_id = ""
        if self._draft is None or self._draft.kind != kind:
            sideways = geometry.orientation.is_sideways
            self._draft = Measurement(kind, (point,), is_sideways=sideways)
            self._is_second_press = False
            self._float(point)
        elif self._is_floating:
            self._draft = self._draft.with_point(len(self._draft.points) - 1, point)
        else:
            self._draft = self._draft.with_point(len(self._draft.points), point)
            self._float(point)

    def move(self, at: Point, geometry: ViewGeometry) -> bool:
        """Follow the pointer; True where something looks different now."""
        point = geometry.view_to_image(*at)
        if self._gripped is not None:
            original, index, start = self._gripped
            if index is None:
                by = point[0] - start[0], point[1] - start[1]
                self._changing = original.moved(*by)
            else:
                self._changing = original.with_point(index, point)
            return True
        if self._draft is not None and self._is_floating:
            self._draft = self._draft.with_point(len(self._draft.points) - 1, point)
            return True
        return False

    def release(self, at: Point, geometry: ViewGeometry) -> bool:
        """True where the kept figures changed."""
        if self._gripped is not None:
            changed = self._changing
            self._let_go()
            return changed is not None and self.history.put(changed)
        if self._draft is None or not self._is_floating:
            return False
        if not self._is_second_press and math.dist(at, self._pressed) < _CLICK:
            return False  # a click: the next point follows the pointer until the next click
        self.move(at, geometry)
        self._is_floating = False
        if self._draft.is_complete:
            return self._keep(self._draft)
        if self._draft.kind == "angle":
            self._float(self._draft.points[-1])
        return False

    def place(self, kind: MeasurementKind, geometry: ViewGeometry, text: str = "") -> bool:
        """Put a figure in the middle of the view, to be moved by keys."""
        spots = {
            "angle": ((0.4, 0.4), (0.4, 0.6), (0.6, 0.6)),
            "cardiothoracic": ((0.4, 0.55), (0.6, 0.55), (0.3, 0.65), (0.7, 0.65)),
            "text": ((0.5, 0.5),),
        }.get(kind, ((0.4, 0.4), (0.6, 0.6)))
        points = tuple(
            geometry.view_to_image(x * geometry.view_width, y * geometry.view_height)
            for x, y in spots
        )
        return self._keep(
            Measurement(kind, points, text, is_sideways=geometry.orientation.is_sideways)
        )

    def put_text(self, at: Point, geometry: ViewGeometry, text: str) -> bool:
        return self._keep(Measurement("text", (geometry.view_to_image(*at),), text))

    def cancel(self) -> bool:
        """Drop what is being drawn or dragged, else what is chosen; False where nothing was."""
        had_any = self._draft is not None or self._gripped is not None or bool(self.chosen_id)
        if self._draft is None and self._gripped is None:
            self.chosen_id = ""
        self._draft, self._is_floating = None, False
        self._let_go()
        return had_any

    # By key

    def choose_next(self) -> bool:
        """The next handle of the chosen figure, after its last one the next figure."""
        figures = self.history.measurements
        if not figures:
            return False
        chosen = self.chosen
        if chosen is None:
            self.chosen_id, self.handle = figures[-1].id, 0
        elif self.handle + 1 < len(chosen.points):
            self.handle += 1
        else:
            following = figures[(figures.index(chosen) + 1) % len(figures)]
            self.chosen_id, self.handle = following.id, 0
        return True

    def nudge(self, dx: float, dy: float, geometry: ViewGeometry) -> bool:
        """Move the chosen handle by device pixels."""
        chosen = self.chosen
        if chosen is None:
            return False
        index = min(self.handle, len(chosen.points) - 1)
        x, y = geometry.image_to_view(*chosen.points[index])
        return self.history.put(chosen.with_point(index, geometry.view_to_image(x + dx, y + dy)))

    def delete_chosen(self) -> bool:
        chosen, self.chosen_id = self.chosen_id, ""
        return self.history.remove(chosen)

    def _float(self, point: Point) -> None:
        assert self._draft is not None
        if len(self._draft.points) < POINT_COUNTS[self._draft.kind]:
            self._draft = self._draft.with_point(len(self._draft.points), point)
            self._is_floating = True

    def _keep(self, measurement: Measurement) -> bool:
        self._draft, self._is_floating = None, False
        self.chosen_id, self.handle = measurement.id, len(measurement.points) - 1
        return self.history.put(measurement)

    def _let_go(self) -> None:
        self._gripped = self._changing = None
        self.is_gripping = False


def outline(kind: MeasurementKind, points: list[Point]) -> list[tuple[Point, Point]]:
    """The straight lines of a figure; those of its box for an ellipse's four quarters."""
    if kind == "cardiothoracic":
        return [(points[i], points[i + 1]) for i in (0, 2) if i + 1 < len(points)]
    if kind == "rectangle" and len(points) == 2:
        (x0, y0), (x1, y1) = points
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        return list(zip(corners, corners[1:] + corners[:1], strict=True))
    if kind == "ellipse" and len(points) == 2:
        (x0, y0), (x1, y1) = points
        middle, reach = ((x0 + x1) / 2, (y0 + y1) / 2), (abs(x1 - x0) / 2, abs(y1 - y0) / 2)
        around = [
            (middle[0] + reach[0] * math.cos(turn), middle[1] + reach[1] * math.sin(turn))
            for turn in (math.tau * step / 32 for step in range(32))
        ]
        return list(zip(around, around[1:] + around[:1], strict=True))
    return list(itertools.pairwise(points))


def _distance_to_line(at: Point, start: Point, end: Point) -> float:
    along = end[0] - start[0], end[1] - start[1]
    length = along[0] ** 2 + along[1] ** 2
    if length == 0:
        return math.dist(at, start)
    share = ((at[0] - start[0]) * along[0] + (at[1] - start[1]) * along[1]) / length
    share = min(1.0, max(0.0, share))
    return math.dist(at, (start[0] + share * along[0], start[1] + share * along[1]))
