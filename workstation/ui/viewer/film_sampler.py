"""Resample stored values to what is on screen, before any window is applied.

The sampled values depend on zoom and pan only, so that a window/level drag maps one small
array through a lookup table a frame (display.md: 2.5 ms against 10 ms for a whole film).
"""

from __future__ import annotations

import math
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image

from workstation.dicom.instance_reader import Film
from workstation.ui.viewer.view_geometry import Orientation

Box = tuple[float, float, float, float]
"""(left, top, right, bottom) in image columns and rows."""


class FilmSampler:
    """Samples of one film: averaged below 1:1, the stored pixels themselves from 1:1 on.

    stored: [rows, columns] int or uint. Averages come from a pyramid of halved images, built
    when first needed (`prepare`, which may run on another thread before the first `sample`).
    """

    def __init__(self, stored: np.ndarray) -> None:
        self._stored = stored
        self._levels: list[Image.Image] = []

    def prepare(self) -> None:
        """Build the pyramid: float32 copies halved until about 500 pixels are left."""
        level = Image.fromarray(np.ascontiguousarray(self._stored, dtype=np.float32))
        levels = [level]
        while min(level.size) > 512:
            level = level.reduce(2)
            levels.append(level)
        self._levels = levels

    def sample(self, box: Box, width: int, height: int, orientation: Orientation) -> np.ndarray:
        """[height, width] stored values of the image part `box`, turned as displayed."""
        across, down = (height, width) if orientation.is_sideways else (width, height)
        is_magnified = across >= box[2] - box[0] - 1e-6 and down >= box[3] - box[1] - 1e-6
        part = (self._pick if is_magnified else self._average)(box, across, down)
        return orient(part, orientation)

    def _pick(self, box: Box, across: int, down: int) -> np.ndarray:
        rows, columns = self._stored.shape
        column_of = _pixel_indices(box[0], box[2], across, columns)
        row_of = _pixel_indices(box[1], box[3], down, rows)
        return self._stored[row_of[:, None], column_of[None, :]]

    def _average(self, box: Box, across: int, down: int) -> np.ndarray:
        """Area averages: halve as far as the scale allows, then one windowed resize."""
        if not self._levels:
            self.prepare()
        scale = min((box[2] - box[0]) / across, (box[3] - box[1]) / down)
        depth = min(max(0, math.floor(math.log2(max(scale, 1.0)))), len(self._levels) - 1)
        level = self._levels[depth]
        # The last pixel of a halved odd size covers less, so level.size may exceed its share.
        shrink = 1 / 2**depth
        scaled = (
            box[0] * shrink,
            box[1] * shrink,
            min(box[2] * shrink, level.size[0]),
            min(box[3] * shrink, level.size[1]),
        )
        averaged = level.resize((across, down), Image.Resampling.HAMMING, box=scaled)
        # float32 can't hold the limits of 32-bit values exactly.
        precision = np.float32 if self._stored.dtype.itemsize <= 2 else np.float64
        limits = np.iinfo(self._stored.dtype)
        values = np.rint(np.asarray(averaged, dtype=precision)).clip(limits.min, limits.max)
        return values.astype(self._stored.dtype)


_samplers: WeakKeyDictionary[Film, FilmSampler] = WeakKeyDictionary()
_samplers_lock = Lock()


def sampler_of(film: Film) -> FilmSampler:
    """The film's one sampler, kept as long as the film; from any thread."""
    with _samplers_lock:
        sampler = _samplers.get(film)
        if sampler is None:
            sampler = _samplers[film] = FilmSampler(film.stored)
        return sampler


def _pixel_indices(start: float, end: float, count: int, most: int) -> np.ndarray:
    """The pixel under the middle of each of `count` steps from start to end."""
    middles = start + (np.arange(count) + 0.5) * ((end - start) / count)
    return np.clip(np.floor(middles).astype(np.intp), 0, most - 1)


def orient(part: np.ndarray, orientation: Orientation) -> np.ndarray:
    """Mirror, then turn clockwise; a view on the same memory."""
    mirrored = part[:, ::-1] if orientation.mirrored else part
    return np.rot90(mirrored, k=-orientation.turns)
