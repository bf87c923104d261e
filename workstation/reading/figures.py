"""What measurements come to, in numbers. No Qt.

PS3.3 10.7.1.3: Imager Pixel Spacing is at the detector, where a projected heart is larger than
it is in the patient; Pixel Spacing that differs from it was calibrated; without either there are
only pixels. Ratios and angles need no spacing, only the pixels' shape (C.7.6.3.1.7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workstation.dicom.display_attributes import DisplayAttributes, SpacingKind
from workstation.reading.measurements import Measurement, Point


@dataclass(frozen=True)
class Ruler:
    """Lengths on one film. column_step, row_step: size of a pixel across and down, in mm, or in
    pixel widths where there is no spacing."""

    column_step: float
    row_step: float
    spacing_kind: SpacingKind

    def between(self, start: Point, end: Point) -> float:
        return math.hypot(*self.steps(start, end))

    def steps(self, start: Point, end: Point) -> tuple[float, float]:
        """Across and down from start to end."""
        return (end[0] - start[0]) * self.column_step, (end[1] - start[1]) * self.row_step


def ruler_of(display: DisplayAttributes) -> Ruler:
    """In millimetres where the film has a pixel spacing, else in pixels of its own aspect."""
    if display.pixel_spacing_mm is None:
        return Ruler(1.0, display.pixel_aspect_ratio, "none")
    rows, columns = display.pixel_spacing_mm
    return Ruler(columns, rows, display.spacing_kind)


@dataclass(frozen=True)
class RegionStatistics:
    """Stored values of the pixels whose middle lies inside, padding left out.

    Everything but count is 0 where count is 0.
    """

    count: int
    mean: float
    deviation: float
    least: int
    greatest: int


def angle_degrees(points: tuple[Point, ...], ruler: Ruler) -> float:
    """At the second of three points, 0 to 180; 0 where two points coincide."""
    one, other = ruler.steps(points[1], points[0]), ruler.steps(points[1], points[2])
    across = one[0] * other[1] - one[1] * other[0]
    return math.degrees(math.atan2(abs(across), one[0] * other[0] + one[1] * other[1]))


def cardiothoracic_ratio(points: tuple[Point, ...], ruler: Ruler) -> float | None:
    """Width of the heart over width of the thorax; None for a thorax of no width."""
    thorax = ruler.between(points[2], points[3])
    return ruler.between(points[0], points[1]) / thorax if thorax else None


def region_area(measurement: Measurement, ruler: Ruler) -> float:
    """Of the drawn rectangle or ellipse, in square units of the ruler."""
    across, down = ruler.steps(measurement.points[0], measurement.points[1])
    area = abs(across * down)
    return area * math.pi / 4 if measurement.kind == "ellipse" else area


def region_statistics(
    measurement: Measurement, stored: np.ndarray, display: DisplayAttributes
) -> RegionStatistics:
    """stored: [rows, columns] of the film. Raises ValueError for what is no region."""
    if measurement.kind not in ("rectangle", "ellipse"):
        raise ValueError(f"a {measurement.kind} has no inside")
    (x0, y0), (x1, y1) = measurement.points
    left, right, top, bottom = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    columns = _pixels_between(left, right, stored.shape[1])
    rows = _pixels_between(top, bottom, stored.shape[0])
    part = stored[rows, columns]
    inside = np.ones(part.shape, dtype=bool)
    if measurement.kind == "ellipse" and part.size:
        across = (np.arange(columns.start, columns.stop) + 0.5 - (left + right) / 2) * 2
        down = (np.arange(rows.start, rows.stop) + 0.5 - (top + bottom) / 2) * 2
        width, height = max(right - left, 1e-9), max(bottom - top, 1e-9)
        inside = (across / width) ** 2 + ((down / height) ** 2)[:, None] <= 1.0
    if display.padding_range is not None:
        first, last = display.padding_range
        inside &= (part < first) | (part > last)
    values = part[inside]
    if values.size == 0:
        return RegionStatistics(0, 0.0, 0.0, 0, 0)
    exact = values.astype(np.float64)
    return RegionStatistics(
        values.size, float(exact.mean()), float(exact.std()), int(values.min()), int(values.max())
    )


def _pixels_between(start: float, end: float, most: int) -> slice:
    """The pixels whose middle lies between two edges."""
    first = min(max(math.ceil(start - 0.5), 0), most)
    return slice(first, max(first, min(math.floor(end - 0.5) + 1, most)))
