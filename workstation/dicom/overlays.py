"""Overlay planes of groups 6000 to 601E as masks over the image (PS3.3 C.9.2, PS3.5 8.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from workstation.dicom.acceptance import MAX_PIXELS
from workstation.dicom.element_values import clean_text

OverlayKind = Literal["graphics", "roi"]
OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
OVERLAY_INK = (255, 225, 77)
"""Red, green, blue of overlays and annotations of the file: yellow, apart from the reader's own
figures and readable on both ends of the grey scale."""
BADGE_OVERLAY = "overlay unreadable"


@dataclass(frozen=True, eq=False)
class OverlayPlane:
    """One plane. mask: [rows, columns] bool, read-only, True where it is drawn.

    origin: (row, column) of the image where its upper left pixel lies, 1\\1 being the image's
    own and values below 1 outside it (C.9.3.1.1). group: 0x6000 ...
    """

    group: int
    kind: OverlayKind
    mask: np.ndarray
    origin: tuple[int, int] = (1, 1)
    label: str = ""
    description: str = ""
    subtype: str = ""

    def on_image(self, rows: int, columns: int) -> np.ndarray:
        """[rows, columns] bool: the plane at its origin, cut off at the image's edges."""
        placed = np.zeros((rows, columns), bool)
        top, left = self.origin[0] - 1, self.origin[1] - 1
        height, width = self.mask.shape
        first_row, first_column = max(top, 0), max(left, 0)
        end_row, end_column = min(top + height, rows), min(left + width, columns)
        if first_row < end_row and first_column < end_column:
            placed[first_row:end_row, first_column:end_column] = self.mask[
                first_row - top : end_row - top, first_column - left : end_column - left
            ]
        return placed


def draw_planes(planes: Sequence[OverlayPlane], rows: int, columns: int) -> np.ndarray:
    """[rows, columns] bool: graphics as they are, regions of interest (C.9.2.1.1) as outlines,
    so that the image inside stays visible."""
    drawn = np.zeros((rows, columns), bool)
    for plane in planes:
        mask = plane.on_image(rows, columns)
        drawn |= outline_of(mask) if plane.kind == "roi" else mask
    return drawn


def outline_of(mask: np.ndarray) -> np.ndarray:
    """[rows, columns] bool: the True pixels with a False one beside, above or below, or at the
    image's edge."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1] = mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    return mask & ~inner


def read_overlays(
    dataset: Dataset, words: np.ndarray | None, frame_index: int = 0, *, is_little_endian: bool
) -> tuple[tuple[OverlayPlane, ...], tuple[str, ...]]:
    """(planes of one frame, badges). words: [rows, columns] containers of the pixels, for planes
    embedded in their unused bits (retired in PS3.5 2004, still in archives)."""
    planes: list[OverlayPlane] = []
    badges: list[str] = []
    for group in OVERLAY_GROUPS:
        if Tag(group, 0x0100) not in dataset and Tag(group, 0x3000) not in dataset:
            continue
        try:
            mask = _read_mask(dataset, group, words, frame_index, is_little_endian)
        except (ValueError, TypeError, OverflowError):
            badges.append(BADGE_OVERLAY)
            continue
        if mask is None:
            continue
        if sum(plane.mask.size for plane in planes) + mask.size > MAX_PIXELS:
            badges.append(BADGE_OVERLAY)
            break
        mask.setflags(write=False)
        planes.append(_describe(dataset, group, mask))
    return tuple(planes), tuple(dict.fromkeys(badges))


def has_embedded_overlay(dataset: Dataset) -> bool:
    """True where a plane lies in the pixels' own words."""
    return any(
        Tag(group, 0x0102) in dataset and Tag(group, 0x3000) not in dataset
        for group in OVERLAY_GROUPS
    )


def _describe(dataset: Dataset, group: int, mask: np.ndarray) -> OverlayPlane:
    origin = _numbers(dataset, group, 0x0050)
    is_roi = _text(dataset, group, 0x0040).upper() == "R"
    return OverlayPlane(
        group=group,
        kind="roi" if is_roi else "graphics",
        mask=mask,
        origin=(origin[0], origin[1]) if len(origin) == 2 else (1, 1),
        label=_text(dataset, group, 0x1500),
        description=_text(dataset, group, 0x0022),
        subtype=_text(dataset, group, 0x0045),
    )


def _read_mask(
    dataset: Dataset,
    group: int,
    words: np.ndarray | None,
    frame_index: int,
    is_little_endian: bool,
) -> np.ndarray | None:
    """None where the plane does not belong to this frame; ValueError where it makes no sense."""
    if Tag(group, 0x3000) not in dataset:
        return _read_embedded(dataset, group, words)
    size = (
        (_numbers(dataset, group, 0x0010) or [0])[0],
        (_numbers(dataset, group, 0x0011) or [0])[0],
    )
    if size[0] <= 0 or size[1] <= 0 or size[0] * size[1] > MAX_PIXELS:
        raise ValueError("size of overlay")
    frames = _numbers(dataset, group, 0x0015)
    own_frame = 0
    if frames:  # a multi-frame overlay begins at Image Frame Origin (C.9.2.1.3)
        own_frame = frame_index + 1 - (_numbers(dataset, group, 0x0051) or [1])[0]
        if not 0 <= own_frame < frames[0]:
            return None
    element = dataset[Tag(group, 0x3000)]
    packed = bytes(element.value)
    if not is_little_endian and str(element.VR) == "OW":
        packed = np.frombuffer(packed[: len(packed) // 2 * 2], ">u2").astype("<u2").tobytes()
    count = size[0] * size[1]
    first_bit = own_frame * count  # frames of bits follow each other without a gap (PS3.5 8.1.2)
    first, end = first_bit // 8, (first_bit + count + 7) // 8
    if len(packed) < end:
        raise ValueError("overlay is truncated")
    bits = np.unpackbits(np.frombuffer(packed[first:end], np.uint8), bitorder="little")
    skipped = first_bit % 8
    return bits[skipped : skipped + count].reshape(size).astype(bool)


def _read_embedded(dataset: Dataset, group: int, words: np.ndarray | None) -> np.ndarray:
    position = (_numbers(dataset, group, 0x0102) or [0])[0]
    high_bit, stored = int(dataset.get("HighBit", 0)), int(dataset.get("BitsStored", 0))
    if words is None or not 0 <= position < 8 * words.dtype.itemsize:
        raise ValueError("no bit for the overlay")
    if high_bit - stored < position <= high_bit:
        raise ValueError("overlay bit lies inside the pixel values")
    return ((words >> words.dtype.type(position)) & words.dtype.type(1)).astype(bool)


def _value(dataset: Dataset, group: int, element: int) -> Any:
    tag = Tag(group, element)
    return dataset[tag].value if tag in dataset else None


def _numbers(dataset: Dataset, group: int, element: int) -> list[int]:
    found = _value(dataset, group, element)
    if found is None or found == "":
        return []
    return [int(number) for number in (found if hasattr(found, "__iter__") else [found])]


def _text(dataset: Dataset, group: int, element: int) -> str:
    found = _value(dataset, group, element)
    return clean_text(str(found)) if found is not None else ""
