"""What a reader draws on a film: lengths, angles, ratios, regions, arrows and words. No Qt.

Points are (column, row) of the stored pixels, continuous, the middle of the first pixel at
(0.5, 0.5): flips, turns and zoom change nothing. All values are frozen; a change makes a new one.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

MeasurementKind = Literal[
    "length", "angle", "cardiothoracic", "rectangle", "ellipse", "arrow", "text"
]
KINDS: tuple[MeasurementKind, ...] = get_args(MeasurementKind)
Point = tuple[float, float]

POINT_COUNTS: dict[MeasurementKind, int] = {
    "length": 2,  # ends
    "angle": 3,  # end, vertex, end
    "cardiothoracic": 4,  # ends of the heart's line, ends of the thorax's line
    "rectangle": 2,  # opposite corners
    "ellipse": 2,  # opposite corners of the box around it
    "arrow": 2,  # tail, tip
    "text": 1,
}
_PARTNERS = {0: 1, 1: 0, 2: 3, 3: 2}  # ends of the same line of a cardiothoracic ratio


class UnreadableMeasurement(ValueError):
    """What was stored is no measurement this version knows."""


@dataclass(frozen=True)
class Measurement:
    """One drawn figure. is_sideways: the lines of a cardiothoracic ratio run along the columns,
    as on a film stored lying on its side. label: the middle of its words where the reader put
    them, None where they stand beside the figure by themselves."""

    kind: MeasurementKind
    points: tuple[Point, ...]
    text: str = ""
    is_sideways: bool = False
    label: Point | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of measurement {self.kind!r}")
        if not 1 <= len(self.points) <= POINT_COUNTS[self.kind]:
            raise ValueError(f"{len(self.points)} points are none of a {self.kind}")
        placed = self.points if self.label is None else (*self.points, self.label)
        if not all(math.isfinite(value) for point in placed for value in point):
            raise ValueError("a point is not finite")

    @property
    def is_complete(self) -> bool:
        """Whether every point is placed."""
        return len(self.points) == POINT_COUNTS[self.kind]

    @property
    def has_words(self) -> bool:
        """Whether anything is ever written beside it."""
        return self.kind != "arrow"

    def with_point(self, index: int, to: Point) -> Measurement:
        """One point moved, or added at the end; the ratio's lines stay straight across."""
        points = list(self.points)
        points[index : index + 1] = [to]
        partner = _PARTNERS[index] if self.kind == "cardiothoracic" else len(points)
        if partner < len(points):
            column, row = points[partner]
            points[partner] = (to[0], row) if self.is_sideways else (column, to[1])
        return replace(self, points=tuple(points))

    def moved(self, columns: float, rows: float) -> Measurement:
        """Moved as a whole, its words with it."""
        shifted = tuple((column + columns, row + rows) for column, row in self.points)
        label = None if self.label is None else (self.label[0] + columns, self.label[1] + rows)
        return replace(self, points=shifted, label=label)


def dump_measurements(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """As JSON values, for the catalog."""
    return [_dump_measurement(each) for each in measurements]


def _dump_measurement(measurement: Measurement) -> dict[str, Any]:
    dumped: dict[str, Any] = {
        "id": measurement.id,
        "kind": measurement.kind,
        "points": [list(point) for point in measurement.points],
        "text": measurement.text,
        "is_sideways": measurement.is_sideways,
    }
    if measurement.label is not None:
        dumped["label"] = list(measurement.label)
    return dumped


def load_measurements(values: object) -> tuple[Measurement, ...]:
    """The reverse of `dump_measurements`. Raises UnreadableMeasurement."""
    if not isinstance(values, list):
        raise UnreadableMeasurement("measurements are no list")
    return tuple(_load_measurement(value) for value in values)


def _load_measurement(value: object) -> Measurement:
    if not isinstance(value, dict):
        raise UnreadableMeasurement("a measurement is no object")
    try:
        points = tuple((float(column), float(row)) for column, row in value["points"])
        label = value.get("label")
        measurement = Measurement(
            kind=value["kind"],
            points=points,
            text=str(value.get("text", "")),
            is_sideways=bool(value.get("is_sideways", False)),
            label=None if label is None else (float(label[0]), float(label[1])),
            id=str(value["id"]),
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UnreadableMeasurement(f"a measurement can not be read: {error}") from error
    if not measurement.is_complete:
        raise UnreadableMeasurement(f"a {measurement.kind} lacks points")
    return measurement
