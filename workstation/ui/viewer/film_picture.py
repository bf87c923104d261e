"""One film as the reader has it on screen: window, polarity, zoom, flips. No Qt.

Two caches make it quick: the stored values resampled to the view live as long as the geometry
does, their greys as long as geometry and lookup table do.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from workstation.dicom.display_pipeline import (
    DisplayLut,
    Voi,
    Window,
    badges,
    default_window,
    grey_lut,
    modality_values,
    window_choices,
)
from workstation.dicom.instance_reader import Film
from workstation.ui.viewer.film_sampler import sampler_of
from workstation.ui.viewer.view_geometry import Orientation, SideLetters, ViewGeometry, side_letters

DRAG_WIDTH_PX = 300.0
"""Horizontal drag that makes the window e times wider."""

DRAG_CENTER_PX = 400.0
"""Vertical drag that moves the level by one window width."""


class FilmPicture:
    """The state of one film in one view; the view's size is part of the geometry."""

    def __init__(self, film: Film, view_width: int, view_height: int) -> None:
        self.film = film
        self.choices: tuple[tuple[str, Voi], ...] = window_choices(film)
        self.badges: tuple[str, ...] = badges(film)
        self._opening_window = default_window(film)
        self._sampler = sampler_of(film)
        rows, columns = film.stored.shape
        aspect = film.display.pixel_aspect_ratio
        self._geometry = ViewGeometry(columns, rows, aspect).resized(view_width, view_height)
        self._window = self._opening_window
        self._is_inverted = False
        self._lut: DisplayLut | None = None
        self._sampled: np.ndarray | None = None
        self._grey: np.ndarray | None = None

    @property
    def window(self) -> Voi:
        return self._window

    @window.setter
    def window(self, window: Voi) -> None:
        self._window = window
        self._lut = self._grey = None

    @property
    def is_inverted(self) -> bool:
        return self._is_inverted

    @is_inverted.setter
    def is_inverted(self, inverted: bool) -> None:
        self._is_inverted = inverted
        self._lut = self._grey = None

    @property
    def geometry(self) -> ViewGeometry:
        return self._geometry

    @geometry.setter
    def geometry(self, geometry: ViewGeometry) -> None:
        if geometry != self._geometry:
            self._geometry = geometry
            self._sampled = self._grey = None

    @property
    def letters(self) -> SideLetters:
        """The side letters as displayed."""
        return side_letters(self.film.header.patient_orientation, self._geometry.orientation)

    def reset(self) -> None:
        """As opened: its own window, upright, fitted, not inverted."""
        self.window = self._opening_window
        self.is_inverted = False
        self.geometry = replace(self._geometry, orientation=Orientation()).fitted()

    def grey(self) -> np.ndarray:
        """[height, width] uint8, contiguous: the greys of `geometry.placement().target`."""
        if self._grey is None:
            placement = self._geometry.placement()
            if placement is None:
                return np.zeros((0, 0), dtype=np.uint8)
            if self._sampled is None:
                _, _, width, height = placement.target
                orientation = self._geometry.orientation
                self._sampled = self._sampler.sample(placement.source, width, height, orientation)
            if self._lut is None:
                self._lut = grey_lut(self.film, self._window, self._is_inverted)
            self._grey = np.ascontiguousarray(self._lut.map(self._sampled))
        return self._grey

    def grey_of(self, geometry: ViewGeometry) -> np.ndarray:
        """The greys of another geometry's target, e.g. of a lens; nothing of it is kept."""
        placement = geometry.placement()
        if placement is None:
            return np.zeros((0, 0), dtype=np.uint8)
        _, _, width, height = placement.target
        part = self._sampler.sample(placement.source, width, height, geometry.orientation)
        lut = self._lut or grey_lut(self.film, self._window, self._is_inverted)
        return np.ascontiguousarray(lut.map(part))

    def window_dragged(self, start: Window, dx: float, dy: float) -> Window:
        """The window after a drag of (dx, dy) logical pixels that began at `start`.

        Right: wider. Down: darker, whatever the polarity, so that MONOCHROME1 feels the same.
        """
        darker = -1.0 if self.film.display.is_monochrome1 != self._is_inverted else 1.0
        low, high = self.film.stored_range
        span = max((high - low) * (abs(self.film.display.rescale_slope) or 1.0), 1.0)
        least = 1.0 if start.function == "LINEAR" else span / 1e4
        width = start.width * math.exp(dx / DRAG_WIDTH_PX)
        width = min(max(width, least), max(8 * span, start.width))
        center = start.center + darker * dy / DRAG_CENTER_PX * start.width
        return Window(center, width, start.function)

    def value_at(self, x: float, y: float) -> tuple[int, int, float] | None:
        """(column, row, modality value) under a view point, None beside the film."""
        pixel = self._geometry.pixel_at(x, y)
        if pixel is None:
            return None
        column, row = pixel
        one = replace(self.film, stored=self.film.stored[row : row + 1, column : column + 1])
        return column, row, float(modality_values(one)[0, 0])
