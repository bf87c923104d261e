"""What stands in for the exact picture while a hand zooms or pans: nearest pixels, kept coloured.

A frame of a zoom costs what it reads and writes, so it is drawn from the level of the pyramid
whose pixels are about as large as the screen's, coloured once for all frames of the zoom. Beyond
the pyramid, near 1:1, the part in view and a margin around it is kept instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workstation.ui.viewer.film_sampler import Box, FilmSampler, orient, orient_box
from workstation.ui.viewer.view_geometry import Orientation, Placement

ColourPart = Callable[[np.ndarray, Box], np.ndarray]
"""(stored values, the part of the film they are of) -> their colours, uint32 0xffRRGGBB."""

_MARGIN = 1 / 8
"""Of the part in view, kept on each side of it: a wheel's notch outwards needs no more."""


class Preview(NamedTuple):
    """A quick stand-in for the exact picture. rgb: [rows, columns] uint32 0xffRRGGBB, contiguous,
    turned as displayed; source: the part of it that fills the target, in its pixels."""

    rgb: np.ndarray
    source: Box


@dataclass(frozen=True, eq=False)
class _Kept:
    """A part of the film in colour. box: in pixels of the film, whole ones; scale: pixels of
    rgb, unturned, over those of the film, (across, down)."""

    depth: float
    orientation: Orientation
    box: Box
    scale: tuple[float, float]
    rgb: np.ndarray

    def holds(self, box: Box) -> bool:
        left, top, right, bottom = self.box
        return left <= box[0] and top <= box[1] and right >= box[2] and bottom >= box[3]

    def preview(self, box: Box) -> Preview:
        left, top, _, _ = self.box
        across, down = self.scale
        moved = (
            (box[0] - left) * across,
            (box[1] - top) * down,
            (box[2] - left) * across,
            (box[3] - top) * down,
        )
        is_sideways = self.orientation.is_sideways
        rows, columns = self.rgb.shape[::-1] if is_sideways else self.rgb.shape
        return Preview(self.rgb, orient_box(moved, columns, rows, self.orientation))


class FilmPreviews:
    """Of one film in one view."""

    def __init__(self, sampler: FilmSampler) -> None:
        self._sampler = sampler
        self._kept: _Kept | None = None

    @property
    def cached_bytes(self) -> int:
        return self._kept.rgb.nbytes if self._kept is not None else 0

    def forget(self) -> None:
        """When the colours change."""
        self._kept = None

    def preview(
        self, placement: Placement, orientation: Orientation, colour: ColourPart
    ) -> Preview:
        """Of the placement's part of the film."""
        _, _, width, height = placement.target
        if orientation.is_sideways:
            width, height = height, width
        box = placement.source
        depth = self._sampler.nearest_depth(box, width, height)
        kept = self._kept
        if kept is None or (kept.depth, kept.orientation) != (depth, orientation):
            kept = None
        if kept is None or not kept.holds(box):
            make = self._colour_level if depth else self._colour_around
            kept = self._kept = make(depth, box, orientation, colour)
        return kept.preview(box)

    def _colour_level(
        self, depth: float, _: Box, orientation: Orientation, colour: ColourPart
    ) -> _Kept:
        rows, columns = self._sampler.shape
        whole = (0.0, 0.0, float(columns), float(rows))
        level = self._sampler.stored_level(depth)
        scale = self._sampler.level_scale(depth)
        turned = orient(colour(level, whole), orientation)
        return _Kept(depth, orientation, whole, scale, np.ascontiguousarray(turned))

    def _colour_around(
        self, depth: float, box: Box, orientation: Orientation, colour: ColourPart
    ) -> _Kept:
        rows, columns = self._sampler.shape
        across, down = (box[2] - box[0]) * _MARGIN, (box[3] - box[1]) * _MARGIN
        left, top = max(0, math.floor(box[0] - across)), max(0, math.floor(box[1] - down))
        right = min(columns, math.ceil(box[2] + across))
        bottom = min(rows, math.ceil(box[3] + down))
        part = (float(left), float(top), float(right), float(bottom))
        rgb = colour(self._sampler.stored_level(0)[top:bottom, left:right], part)
        turned = np.ascontiguousarray(orient(rgb, orientation))
        return _Kept(depth, orientation, part, (1.0, 1.0), turned)
