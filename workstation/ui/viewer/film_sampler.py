"""Resample stored values to what is on screen, before any window is applied.

The sampled values depend on zoom and pan only, so that a window/level drag maps one small
array through a lookup table a frame (display.md: 2.5 ms against 10 ms for a whole film).
"""

from __future__ import annotations

import math
from functools import cached_property
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image

from workstation.dicom.film import Film
from workstation.ui.viewer.view_geometry import Orientation

Box = tuple[float, float, float, float]
"""(left, top, right, bottom) in image columns and rows."""

LEAST_LEVEL_PIXELS = 512
_HALF_STEP = 0.5**0.5


class FilmSampler:
    """Samples of one film: averaged below 1:1, the stored pixels themselves from 1:1 on.

    stored: [rows, columns] int or uint. Averages come from a pyramid of halved images, built
    when first needed (`prepare`, which may run on another thread before the first `sample`).
    """

    def __init__(self, stored: np.ndarray) -> None:
        self._stored = stored
        self._halved: list[Image.Image] | None = None
        self._rounded: dict[float, np.ndarray] = {}

    def prepare(self) -> None:
        """Build the pyramid: float32 copies halved until about 500 pixels are left. The film
        itself is not kept a second time."""
        level = Image.fromarray(np.ascontiguousarray(self._stored, dtype=np.float32))
        halved = []
        while min(level.size) > LEAST_LEVEL_PIXELS:
            level = level.reduce(2)
            halved.append(level)
        self._halved = halved

    @property
    def is_prepared(self) -> bool:
        return self._halved is not None

    @property
    def depth(self) -> int:
        """Number of halvings there are."""
        if self._halved is None:
            self.prepare()
        assert self._halved is not None
        return len(self._halved)

    @property
    def pyramid_bytes(self) -> int:
        """What the pyramid holds in memory, the film itself not counted."""
        halved = sum(4 * level.width * level.height for level in self._halved or ())
        return halved + sum(level.nbytes for level in self._rounded.values())

    @cached_property
    def _limits(self) -> tuple[int, int]:
        limits = np.iinfo(self._stored.dtype)
        return int(limits.min), int(limits.max)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the film."""
        rows, columns = self._stored.shape
        return rows, columns

    def stored_level(self, depth: float) -> np.ndarray:
        """[rows, columns] the film halved `depth` times, rounded to stored values; 0: itself.
        From 1 on also of a half: 1.5 has 1/sqrt(2) of the columns of 1."""
        if depth == 0:
            return self._stored
        if depth not in self._rounded and depth <= self.depth:
            assert self._halved is not None
            level = self._halved[int(depth) - 1]
            if depth != int(depth):
                smaller = round(level.width * _HALF_STEP), round(level.height * _HALF_STEP)
                level = level.resize(smaller, Image.Resampling.BOX)
            self._rounded[depth] = self._as_stored(level)
        return self._rounded[depth]

    def level_scale(self, depth: float) -> tuple[float, float]:
        """Pixels of that level over those of the film, (across, down)."""
        if depth == 0:
            return 1.0, 1.0
        assert self._halved is not None
        whole = int(depth)
        if depth == whole:
            # The last pixel of a halved odd size covers less: the size says nothing of the scale.
            return 0.5**whole, 0.5**whole
        (rows, columns), finer = self.stored_level(depth).shape, self._halved[whole - 1]
        return columns / finer.width * 0.5**whole, rows / finer.height * 0.5**whole

    def nearest_depth(self, box: Box, width: int, height: int) -> float:
        """The level whose pixels come nearest to those of a `width` x `height` picture of `box`
        (both unturned). There is none between the film itself and its first halving."""
        scale = min((box[2] - box[0]) / max(width, 1), (box[3] - box[1]) / max(height, 1))
        asked = math.log2(max(scale, 1.0))
        nearest = round(asked) if asked < 1 else round(2 * asked) / 2
        return min(nearest, self.depth)

    def sample(self, box: Box, width: int, height: int, orientation: Orientation) -> np.ndarray:
        """[height, width] stored values of the image part `box`, turned as displayed."""
        across, down = (height, width) if orientation.is_sideways else (width, height)
        if is_magnified(box, across, down):
            return orient(pick(self._stored, box, across, down), orientation)
        return orient(self._average(box, across, down), orientation)

    def _average(self, box: Box, across: int, down: int) -> np.ndarray:
        """Area averages: halve as far as the scale allows, then one windowed resize."""
        scale = min((box[2] - box[0]) / across, (box[3] - box[1]) / down)
        depth = min(max(0, math.floor(math.log2(max(scale, 1.0)))), self.depth)
        level, scaled = self._level_part(depth, box)
        return self._as_stored(level.resize((across, down), Image.Resampling.HAMMING, box=scaled))

    def _level_part(self, depth: int, box: Box) -> tuple[Image.Image, Box]:
        """A float32 image that holds `box` at this depth, and where in it the box lies."""
        if depth == 0:
            left, top = math.floor(box[0]), math.floor(box[1])
            right, bottom = math.ceil(box[2]), math.ceil(box[3])
            part = self._stored[top:bottom, left:right].astype(np.float32)
            moved = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
            return Image.fromarray(part), moved
        assert self._halved is not None
        level = self._halved[depth - 1]
        # The last pixel of a halved odd size covers less, so level.size may exceed its share.
        shrink = 1 / 2**depth
        return level, (
            box[0] * shrink,
            box[1] * shrink,
            min(box[2] * shrink, level.size[0]),
            min(box[3] * shrink, level.size[1]),
        )

    def _as_stored(self, averaged: Image.Image) -> np.ndarray:
        # float32 can't hold the limits of 32-bit values exactly.
        precision = np.float32 if self._stored.dtype.itemsize <= 2 else np.float64
        values = np.rint(np.asarray(averaged, dtype=precision)).clip(*self._limits)
        return values.astype(self._stored.dtype)


_samplers: WeakKeyDictionary[Film, FilmSampler] = WeakKeyDictionary()
_samplers_lock = Lock()


def sampler_of(film: Film) -> FilmSampler:
    """The film's one sampler, kept as long as the film; from any thread. A film and the same
    film under a presentation state share it: their stored values are the same."""
    pixels = film.original or film
    with _samplers_lock:
        sampler = _samplers.get(pixels)
        if sampler is None:
            sampler = _samplers[pixels] = FilmSampler(pixels.stored)
        return sampler


def is_magnified(box: Box, across: int, down: int) -> bool:
    """Whether `across` x `down` samples show each pixel of `box` at least once."""
    return across >= box[2] - box[0] - 1e-6 and down >= box[3] - box[1] - 1e-6


def pick(pixels: np.ndarray, box: Box, across: int, down: int) -> np.ndarray:
    """[down, across] the pixel under the middle of each sample."""
    rows, columns = pixels.shape
    column_of = _pixel_indices(box[0], box[2], across, columns)
    row_of = _pixel_indices(box[1], box[3], down, rows)
    first, last = int(row_of[0]), int(row_of[-1])
    # Columns first, of the few rows there are when magnified; then whole rows are copied.
    return pixels[first : last + 1].take(column_of, axis=1).take(row_of - first, axis=0)


def pick_any(mask: np.ndarray, box: Box, across: int, down: int) -> np.ndarray:
    """[down, across] True where a sample touches a True pixel, so that no line gets lost."""
    if is_magnified(box, across, down):
        return pick(mask, box, across, down)
    image = Image.fromarray(mask.view(np.uint8) * np.uint8(255))
    touched = image.resize((across, down), Image.Resampling.BOX, box=box)
    return np.asarray(touched) > 0


def _pixel_indices(start: float, end: float, count: int, most: int) -> np.ndarray:
    """The pixel under the middle of each of `count` steps from start to end."""
    middles = start + (np.arange(count) + 0.5) * ((end - start) / count)
    return np.clip(np.floor(middles).astype(np.intp), 0, most - 1)


def orient(part: np.ndarray, orientation: Orientation) -> np.ndarray:
    """Mirror, then turn clockwise; a view on the same memory."""
    mirrored = part[:, ::-1] if orientation.mirrored else part
    return np.rot90(mirrored, k=-orientation.turns)


def orient_box(box: Box, width: float, height: float, orientation: Orientation) -> Box:
    """Where a box of a `width` x `height` image lies after `orient`."""
    left, top, right, bottom = box
    if orientation.mirrored:
        left, right = width - right, width - left
    for _ in range(orientation.turns):
        left, top, right, bottom = height - bottom, left, height - top, right
        width, height = height, width
    return left, top, right, bottom
