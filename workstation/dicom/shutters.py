"""Display shutters: what is hidden round the exposed part (PS3.3 C.7.6.11, C.7.6.15)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from workstation.dicom.element_values import first_float, first_int, floats_of, values_of
from workstation.dicom.overlays import OverlayPlane

MAX_VERTICES = 10_000


@dataclass(frozen=True)
class Rectangle:
    """First and last visible columns and rows, counted from 1."""

    left: int
    right: int
    upper: int
    lower: int

    def visible(self, rows: int, columns: int, pixel_aspect_ratio: float) -> np.ndarray:
        """[rows, columns] bool."""
        row, column = np.arange(1, rows + 1)[:, None], np.arange(1, columns + 1)[None, :]
        return (
            (row >= self.upper)
            & (row <= self.lower)
            & (column >= self.left)
            & (column <= self.right)
        )


@dataclass(frozen=True)
class Circle:
    """Centre (row, column) counted from 1; radius in pixels along a row."""

    center: tuple[float, float]
    radius: float

    def visible(self, rows: int, columns: int, pixel_aspect_ratio: float) -> np.ndarray:
        """[rows, columns] bool; round on screen, whatever the pixels' shape."""
        down = (np.arange(1, rows + 1)[:, None] - self.center[0]) * pixel_aspect_ratio
        across = np.arange(1, columns + 1)[None, :] - self.center[1]
        return down**2 + across**2 <= self.radius**2


@dataclass(frozen=True)
class Polygon:
    """Vertices (row, column) counted from 1, closed from the last to the first."""

    vertices: tuple[tuple[float, float], ...]

    def visible(self, rows: int, columns: int, pixel_aspect_ratio: float) -> np.ndarray:
        """[rows, columns] bool: pixel centres inside by the even-odd rule, edges included left."""
        crossings = np.zeros((rows, columns + 1), np.int32)
        ends = (*self.vertices[1:], self.vertices[0])
        for (row_a, column_a), (row_b, column_b) in zip(self.vertices, ends, strict=True):
            if row_a == row_b:
                continue
            low, high = sorted((row_a, row_b))
            first, last = max(math.ceil(low), 1), min(math.ceil(high) - 1, rows)
            if first > last:
                continue
            row = np.arange(first, last + 1)
            column = column_a + (row - row_a) * (column_b - column_a) / (row_b - row_a)
            cell = np.clip(np.ceil(column), 1, columns + 1).astype(np.intp) - 1
            crossings[row - 1, cell] += 1
        return np.cumsum(crossings[:, :columns], axis=1) % 2 == 1


Shape = Rectangle | Circle | Polygon


@dataclass(frozen=True, eq=False)
class Shutter:
    """The shapes, all of which bound what is visible, and the grey of the rest.

    presentation_value: P-value, 0 black to 65535 white (C.7.6.11.1.2).
    """

    shapes: tuple[Shape, ...] = ()
    bitmap: OverlayPlane | None = None
    presentation_value: int = 0

    @property
    def grey(self) -> int:
        """0..255."""
        return (self.presentation_value * 255 + 32767) // 65535

    def hidden(self, rows: int, columns: int, pixel_aspect_ratio: float = 1.0) -> np.ndarray:
        """[rows, columns] bool, True where the shutter covers the image."""
        hidden = np.zeros((rows, columns), bool)
        for shape in self.shapes:
            hidden |= ~shape.visible(rows, columns, pixel_aspect_ratio)
        if self.bitmap is not None:
            hidden |= self.bitmap.on_image(rows, columns)
        return hidden


def read_shutter(dataset: Dataset, overlays: tuple[OverlayPlane, ...] = ()) -> Shutter | None:
    """The Display Shutter or Bitmap Display Shutter module; None without one that can be read."""
    names = {str(name).strip().upper() for name in values_of(dataset, "ShutterShape")}
    found = (
        _read_rectangle(dataset) if "RECTANGULAR" in names else None,
        _read_circle(dataset) if "CIRCULAR" in names else None,
        _read_polygon(dataset) if "POLYGONAL" in names else None,
    )
    shapes = tuple(shape for shape in found if shape is not None)
    bitmap = None
    if "BITMAP" in names:
        group = first_int(dataset, "ShutterOverlayGroup")
        bitmap = next((plane for plane in overlays if plane.group == group), None)
    if not shapes and bitmap is None:
        return None
    value = first_int(dataset, "ShutterPresentationValue") or 0
    return Shutter(shapes, bitmap, min(max(value, 0), 0xFFFF))


def _read_rectangle(dataset: Dataset) -> Rectangle | None:
    left = first_int(dataset, "ShutterLeftVerticalEdge")
    right = first_int(dataset, "ShutterRightVerticalEdge")
    upper = first_int(dataset, "ShutterUpperHorizontalEdge")
    lower = first_int(dataset, "ShutterLowerHorizontalEdge")
    if left is None or right is None or upper is None or lower is None:
        return None
    return Rectangle(left, right, upper, lower) if left < right and upper < lower else None


def _read_circle(dataset: Dataset) -> Circle | None:
    center = floats_of(dataset, "CenterOfCircularShutter")
    radius = first_float(dataset, "RadiusOfCircularShutter")
    if len(center) != 2 or not all(map(math.isfinite, center)) or radius is None or radius <= 0:
        return None
    return Circle((center[0], center[1]), radius)


def _read_polygon(dataset: Dataset) -> Polygon | None:
    numbers = floats_of(dataset, "VerticesOfThePolygonalShutter")
    if len(numbers) < 6 or len(numbers) % 2 or len(numbers) > 2 * MAX_VERTICES:
        return None
    if not all(map(math.isfinite, numbers)):
        return None
    return Polygon(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
