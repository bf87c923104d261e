"""Drawing and changing the figures of one film by pointer or key. No Qt.

Positions are device pixels of the view; what is kept are stored pixels. One change from press
to release is one step of undo.
"""

from __future__ import annotations

import math
from dataclasses import replace

from workstation.reading.figure_outline import nearest_on_line, outline
from workstation.reading.film_history import FilmHistory
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
    """The figures of one film, the one being drawn and the one chosen. handle: the number of a
    point of the chosen one; after the last comes its label."""

    def __init__(self, history: FilmHistory | None = None) -> None:
        self.history = history or FilmHistory()
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
            for line in outline(measurement.kind, points):
                if math.dist(at, nearest_on_line(at, line)) <= LINE_REACH * scale:
                    return measurement, None
        return None

    def grip_label(
        self, measurement: Measurement, middle: Point, at: Point, geometry: ViewGeometry
    ) -> None:
        """Take hold of a figure's words, whose middle is there now (device pixels)."""
        self.chosen_id, self.handle = measurement.id, len(measurement.points)
        held, point = geometry.view_to_image(*middle), geometry.view_to_image(*at)
        offset = point[0] - held[0], point[1] - held[1]
        self._gripped, self._pressed = (measurement, self.handle, offset), at
        self.is_gripping = True

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
            by = point[0] - start[0], point[1] - start[1]
            if index is None:
                self._changing = original.moved(*by)
            elif index < len(original.points):
                self._changing = original.with_point(index, point)
            elif self._changing is None and math.dist(at, self._pressed) < _CLICK:
                return False  # a click on the words moves nothing
            else:
                self._changing = replace(original, label=by)
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
        """The next handle of the chosen figure, then its words, after them the next figure."""
        figures = self.history.measurements
        if not figures:
            return False
        chosen = self.chosen
        if chosen is None:
            self.chosen_id, self.handle = figures[-1].id, 0
        elif self.handle + 1 < len(chosen.points) + chosen.has_words:
            self.handle += 1
        else:
            following = figures[(figures.index(chosen) + 1) % len(figures)]
            self.chosen_id, self.handle = following.id, 0
        return True

    @property
    def is_label_chosen(self) -> bool:
        """Whether keys move the words of the chosen figure."""
        return self.chosen is not None and self.handle >= len(self.chosen.points)

    def nudge(
        self, dx: float, dy: float, geometry: ViewGeometry, label_middle: Point | None = None
    ) -> bool:
        """Move the chosen handle by device pixels. label_middle: of the chosen figure's words."""
        chosen = self.chosen
        if chosen is None:
            return False
        if self.is_label_chosen:
            if label_middle is None:
                return False
            x, y = label_middle
            return self.history.put(replace(chosen, label=geometry.view_to_image(x + dx, y + dy)))
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
