"""The lines of a figure, wherever it is drawn: to be hit by a pointer, and led to by its label's
leader line. In the units of whoever draws. No Qt."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from workstation.reading.measurements import MeasurementKind, Point

Line = tuple[Point, Point]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def outline(kind: MeasurementKind, points: Sequence[Point]) -> list[Line]:
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


def nearest_on_line(at: Point, line: Line) -> Point:
    """The point of a line that is nearest."""
    start, end = line
    along = end[0] - start[0], end[1] - start[1]
    length = along[0] ** 2 + along[1] ** 2
    if length == 0:
        return start
    share = ((at[0] - start[0]) * along[0] + (at[1] - start[1]) * along[1]) / length
    share = min(1.0, max(0.0, share))
    return start[0] + share * along[0], start[1] + share * along[1]


def leader_line(
    kind: MeasurementKind, points: Sequence[Point], box: Box, least: float
) -> Line | None:
    """From a label's box to the nearest point of its figure; None where that is nearer than
    ``least``, so that nobody has to be led there."""
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    lines = outline(kind, points) or [(point, point) for point in points]
    there = min(
        (nearest_on_line(middle, line) for line in lines), key=lambda p: math.dist(p, middle)
    )
    here = (min(max(there[0], box[0]), box[2]), min(max(there[1], box[1]), box[3]))
    return (here, there) if math.dist(here, there) > least else None
