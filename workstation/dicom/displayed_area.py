"""Displayed Area of a presentation state (PS3.3 C.10.4): which part, and how large."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydicom.dataset import Dataset

from workstation.dicom.element_values import first_float, floats_of, items_of, text_of

SizeMode = Literal["SCALE TO FIT", "TRUE SIZE", "MAGNIFY"]
_MODES: dict[str, SizeMode] = {
    "SCALE TO FIT": "SCALE TO FIT",
    "TRUE SIZE": "TRUE SIZE",
    "MAGNIFY": "MAGNIFY",
}


@dataclass(frozen=True)
class DisplayedArea:
    """top_left, bottom_right: (column, row) from 1, inclusive, of the image before rotation and
    flip, and perhaps outside it. TRUE SIZE: pixel_spacing_mm (row, column) on screen; MAGNIFY:
    screen pixels per image pixel. pixel_aspect_ratio: height over width, None if not stated.
    """

    top_left: tuple[int, int]
    bottom_right: tuple[int, int]
    size_mode: SizeMode = "SCALE TO FIT"
    magnification: float | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    pixel_aspect_ratio: float | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) in image columns and rows from 0, right and bottom outside."""
        return (
            self.top_left[0] - 1.0,
            self.top_left[1] - 1.0,
            float(self.bottom_right[0]),
            float(self.bottom_right[1]),
        )


def read_displayed_areas(dataset: Dataset) -> Iterator[tuple[Dataset, DisplayedArea]]:
    """Items of the Displayed Area Selection Sequence with their areas; senseless ones are left
    out, so that the film is fitted."""
    for item in items_of(dataset, "DisplayedAreaSelectionSequence"):
        area = _read_area(item)
        if area is not None:
            yield item, area


def _read_area(item: Dataset) -> DisplayedArea | None:
    corners = [
        floats_of(item, "DisplayedAreaTopLeftHandCorner"),
        floats_of(item, "DisplayedAreaBottomRightHandCorner"),
    ]
    if any(len(c) != 2 or not all(map(math.isfinite, c)) for c in corners):
        return None
    # Rotated or flipped states give the corners as displayed (C.10.4.1.1): order them.
    columns, rows = sorted(c[0] for c in corners), sorted(c[1] for c in corners)
    mode = _MODES.get(text_of(item, "PresentationSizeMode").upper(), "SCALE TO FIT")
    magnification = first_float(item, "PresentationPixelMagnificationRatio")
    spacing = _positive_pair(floats_of(item, "PresentationPixelSpacing"))
    if mode == "MAGNIFY" and (magnification is None or magnification <= 0):
        mode = "SCALE TO FIT"
    if mode == "TRUE SIZE" and spacing is None:
        mode = "SCALE TO FIT"
    pair = spacing or _positive_pair(floats_of(item, "PresentationPixelAspectRatio"))
    return DisplayedArea(
        top_left=(int(columns[0]), int(rows[0])),
        bottom_right=(int(columns[1]), int(rows[1])),
        size_mode=mode,
        magnification=magnification if mode == "MAGNIFY" else None,
        pixel_spacing_mm=spacing,
        pixel_aspect_ratio=_sane(pair[0] / pair[1]) if pair else None,
    )


def _sane(ratio: float) -> float | None:
    return ratio if 0.05 <= ratio <= 20 else None


def _positive_pair(numbers: list[float]) -> tuple[float, float] | None:
    if len(numbers) != 2 or not all(math.isfinite(n) and n > 0 for n in numbers):
        return None
    return numbers[0], numbers[1]
