"""One film as the reader has it on screen: window, polarity, zoom, flips, overlays. No Qt.

Two caches make it quick: the lookup table's entry of every pixel shown lives as long as the
geometry does, the colours as long as geometry and lookup table do. While a hand zooms or pans, a
`preview` stands in for the exact picture (`film_previews`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from workstation.dicom.display_pipeline import DisplayLut, grey_lut, modality_values
from workstation.dicom.displayed_area import DisplayedArea
from workstation.dicom.film import Film
from workstation.dicom.overlays import OVERLAY_INK
from workstation.dicom.voi import Voi, Window, linear_equivalent
from workstation.dicom.window_choices import badges, default_window, window_choices
from workstation.reading.display_state import (
    DisplayState,
    opened_orientation,
    presentation_label,
)
from workstation.ui.viewer.film_previews import FilmPreviews, Preview
from workstation.ui.viewer.film_sampler import Box, orient, pick, pick_any, sampler_of
from workstation.ui.viewer.view_geometry import (
    Orientation,
    Placement,
    SideLetters,
    ViewGeometry,
    side_letters,
)

TrueSize = Literal["not asked", "shown", "left", "screen unknown"]

DRAG_WIDTH_PX = 300.0
"""Horizontal drag that makes the window e times wider."""

DRAG_CENTER_PX = 400.0
"""Vertical drag that moves the level by one window width."""

_OPAQUE = 0xFF000000
_INK = _OPAQUE | OVERLAY_INK[0] << 16 | OVERLAY_INK[1] << 8 | OVERLAY_INK[2]


class FilmPicture:
    """The state of one film in one view; the view's size is part of the geometry."""

    def __init__(
        self, film: Film, view_width: int, view_height: int, screen_pixel_mm: float | None = None
    ) -> None:
        """screen_pixel_mm: of a device pixel, where that is known, for TRUE SIZE."""
        self.film, self._screen_pixel_mm = film, screen_pixel_mm
        self.choices: tuple[tuple[str, Voi], ...] = window_choices(film)
        self.badges: tuple[str, ...] = badges(film)
        self.opening_window = default_window(film)
        self._sampler = sampler_of(film)
        self._previews = FilmPreviews(self._sampler)
        rows, columns = film.stored.shape
        aspect = film.display.pixel_aspect_ratio
        blank = ViewGeometry(columns, rows, aspect).resized(view_width, view_height)
        self._geometry = self._opened_geometry = self._open_in(blank)
        self._window = self.opening_window
        self._is_inverted = False
        self._are_overlays_shown = True
        self._table: np.ndarray | None = None
        self._sampled: np.ndarray | None = None
        self._rgb: np.ndarray | None = None
        self._is_rgb_current = False

    @property
    def window(self) -> Voi:
        return self._window

    @window.setter
    def window(self, window: Voi) -> None:
        self._window = window
        self._forget_table()

    @property
    def is_inverted(self) -> bool:
        return self._is_inverted

    @is_inverted.setter
    def is_inverted(self, inverted: bool) -> None:
        self._is_inverted = inverted
        self._forget_table()

    @property
    def are_overlays_shown(self) -> bool:
        """Overlay planes of the file."""
        return self._are_overlays_shown

    @are_overlays_shown.setter
    def are_overlays_shown(self, shown: bool) -> None:
        self._are_overlays_shown = shown
        self._sampled = None
        self._forget_table()

    @property
    def geometry(self) -> ViewGeometry:
        return self._geometry

    @geometry.setter
    def geometry(self, geometry: ViewGeometry) -> None:
        if geometry != self._geometry:
            self._geometry = geometry
            self._sampled = self._rgb = None
            self._is_rgb_current = False

    @property
    def letters(self) -> SideLetters:
        """The side letters as displayed."""
        return side_letters(self.film.header.patient_orientation, self._geometry.orientation)

    @property
    def is_as_opened(self) -> bool:
        """Whether the reader has changed nothing yet."""
        seen, opened = self._geometry, self._opened_geometry
        is_placed = seen == opened or (seen.is_fitted and seen.orientation == opened.orientation)
        return is_placed and self._window is self.opening_window and not self._is_inverted

    def reset(self) -> None:
        """As opened: its own window, upright, fitted (or as its presentation state asks), not
        inverted."""
        self.window = self.opening_window
        self.is_inverted = False
        upright = replace(self._geometry, orientation=Orientation()).fitted()
        self.geometry = self._opened_geometry = self._open_in(upright)

    def resized_geometry(self, view_width: int, view_height: int) -> ViewGeometry:
        """For a view of another size: a fitted film stays fitted, and one just opened as its
        presentation state asks stays so."""
        resized = self._geometry.resized(view_width, view_height)
        if resized.is_fitted or self._geometry != self._opened_geometry:
            return resized
        upright = replace(resized, orientation=Orientation()).fitted()
        self._opened_geometry = self._open_in(upright)
        return self._opened_geometry

    @property
    def true_size(self) -> TrueSize:
        """Whether the film is shown as large as it is, where its presentation state asks so."""
        asked = self.film.presentation
        area = asked.displayed_area if asked is not None else None
        if area is None or area.size_mode != "TRUE SIZE":
            return "not asked"
        zoom = true_size_zoom(area, self._screen_pixel_mm)
        if zoom is None:
            return "screen unknown"
        return "shown" if math.isclose(self._geometry.zoom, zoom, rel_tol=1e-6) else "left"

    def _open_in(self, fitted: ViewGeometry) -> ViewGeometry:
        return open_geometry(self.film, fitted, self._screen_pixel_mm)

    def take_over(self, other: FilmPicture) -> None:
        """The state another frame of the same film was shown with."""
        if other.film.stored.shape == self.film.stored.shape:
            self.geometry = other.geometry
        if other.window is not other.opening_window:
            self.window = other.window
        self.is_inverted = other.is_inverted
        self.are_overlays_shown = other.are_overlays_shown

    @property
    def state(self) -> DisplayState:
        """How the reader has it now, but for zoom and pan."""
        is_own = _is_same(self._window, self.opening_window)
        choice = "" if is_own else self.choice_name()
        by_hand = None if is_own or choice else linear_equivalent(self._window)
        return DisplayState(
            choice=choice,
            window=by_hand,
            is_inverted=self._is_inverted,
            turns=self._geometry.orientation.turns,
            mirrored=self._geometry.orientation.mirrored,
            presentation=presentation_label(self.film),
        )

    @property
    def left(self) -> DisplayState | None:
        """The same; None where nothing but zoom and pan differs from how it opens."""
        is_own = _is_same(self._window, self.opening_window)
        is_upright = self._geometry.orientation == self._opened_geometry.orientation
        return None if is_own and is_upright and not self._is_inverted else self.state

    def show_as_left(self, left: DisplayState) -> None:
        """As a reader left it; of another presentation state nothing is taken."""
        if not left.applies_to(self.film):
            return
        chosen = left.voi_of(self.film)
        if chosen is not None and left.choice and not chosen.explanation:
            chosen = replace(chosen, explanation=left.choice)
        self.window = self.opening_window if chosen is None else chosen
        self.is_inverted = left.is_inverted
        self.geometry = self._geometry.reoriented(Orientation(left.turns, left.mirrored))

    def rgb(self) -> np.ndarray:
        """[height, width] uint32 0xffRRGGBB, contiguous: `geometry.placement().target`, exactly.

        The array is used again for the next window; copy what has to last.
        """
        placement = self._geometry.placement()
        if placement is None:
            return np.zeros((0, 0), dtype=np.uint32)
        if self._sampled is None:
            self._sampled = self._sample(placement, self._geometry.orientation)
        if self._rgb is None:
            self._rgb = np.empty(self._sampled.shape, np.uint32)
            self._is_rgb_current = False
        if not self._is_rgb_current:
            # Every entry is inside the table; "clip" only spares numpy a buffered copy.
            self._colours().take(self._sampled, out=self._rgb, mode="clip")
            self._is_rgb_current = True
        return self._rgb

    def rgb_of(self, geometry: ViewGeometry) -> np.ndarray:
        """The same of another geometry, e.g. of a lens; nothing of it is kept."""
        placement = geometry.placement()
        if placement is None:
            return np.zeros((0, 0), dtype=np.uint32)
        return self._colours().take(self._sample(placement, geometry.orientation))

    def preview(self) -> Preview | None:
        """For a frame of a zoom or pan; None beside the film."""
        placement = self._geometry.placement()
        if placement is None:
            return None
        return self._previews.preview(placement, self._geometry.orientation, self._colour_part)

    @property
    def cached_bytes(self) -> int:
        """Memory held for what is on screen just now."""
        held = (self._table, self._sampled, self._rgb)
        kept = sum(array.nbytes for array in held if array is not None)
        return kept + self._previews.cached_bytes

    def window_dragged(self, start: Window, dx: float, dy: float) -> Window:
        """The window after a drag of (dx, dy) logical pixels that began at `start`.

        Right: wider. Down: darker, whatever the polarity, so that MONOCHROME1 feels the same.
        """
        darker = -1.0 if self.film.display.is_inverse != self._is_inverted else 1.0
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

    def choice_name(self) -> str:
        """Of the window shown, "" where it is none of the choices."""
        same = [(name, voi) for name, voi in self.choices if _is_same(voi, self._window)]
        chosen = (name for name, voi in same if voi is self._window)
        return next(chosen, same[0][0] if same else "")

    def _forget_table(self) -> None:
        self._table = None
        self._previews.forget()
        self._is_rgb_current = False

    def _colours(self) -> np.ndarray:
        """uint32 colour of each stored level from the least on, then of the shutter and of the
        overlays."""
        if self._table is None:
            lut = grey_lut(self.film, self._window, self._is_inverted)
            self._table = _colour_table(lut, self.film)
        return self._table

    def _sample(self, placement: Placement, orientation: Orientation) -> np.ndarray:
        """[height, width] intp: entry of `_colours` of each pixel of the target."""
        _, _, width, height = placement.target
        least, greatest = self.film.stored_range
        stored = self._sampler.sample(placement.source, width, height, orientation)
        entries = np.subtract(stored, least, dtype=np.intp)
        across, down = (height, width) if orientation.is_sideways else (width, height)
        if self.film.hidden_mask is not None:
            hidden = pick(self.film.hidden_mask, placement.source, across, down)
            entries[orient(hidden, orientation)] = greatest - least + 1
        if self._are_overlays_shown and self.film.overlay_mask is not None:
            drawn = pick_any(self.film.overlay_mask, placement.source, across, down)
            entries[orient(drawn, orientation)] = greatest - least + 2
        return np.ascontiguousarray(entries)

    def _colour_part(self, stored: np.ndarray, box: Box) -> np.ndarray:
        """Colours of values that fill a part of the film, perhaps more coarsely."""
        table, (least, _) = self._colours(), self.film.stored_range
        rgb = table.take(np.subtract(stored, least, dtype=np.intp), mode="clip")
        rows, columns = rgb.shape
        if self.film.hidden_mask is not None:
            rgb[pick(self.film.hidden_mask, box, columns, rows)] = table[-2]
        if self._are_overlays_shown and self.film.overlay_mask is not None:
            rgb[pick_any(self.film.overlay_mask, box, columns, rows)] = table[-1]
        return rgb


def _is_same(one: Voi, other: Voi) -> bool:
    """Whether they show the same, whatever they are called."""
    if isinstance(one, Window) and isinstance(other, Window):
        return replace(one, explanation="") == replace(other, explanation="")
    return one is other


def true_size_zoom(area: DisplayedArea, screen_pixel_mm: float | None) -> float | None:
    """Device pixels per column, so that a film is as large on the screen as its state says
    (Presentation Pixel Spacing, C.10.4); None where it doesn't ask, or the screen's is unknown."""
    if area.size_mode != "TRUE SIZE" or area.pixel_spacing_mm is None or screen_pixel_mm is None:
        return None
    return area.pixel_spacing_mm[1] / screen_pixel_mm


def open_geometry(
    film: Film, fitted: ViewGeometry, screen_pixel_mm: float | None = None
) -> ViewGeometry:
    """How a film is laid out when opened: fitted, or as its presentation state asks."""
    asked = film.presentation
    if asked is None:
        return fitted
    turned = fitted.reoriented(Orientation(*opened_orientation(film)))
    area = asked.displayed_area
    whole = (0.0, 0.0, float(fitted.columns), float(fitted.rows))
    if area is None:
        return turned
    zoom = area.magnification or true_size_zoom(area, screen_pixel_mm)
    if area.box == whole and zoom is None:
        return turned
    left, top, right, bottom = area.box
    if right <= 0 or bottom <= 0 or left >= fitted.columns or top >= fitted.rows:
        return turned  # nothing of the film would be seen
    return turned.fitted_to(area.box, zoom)


def _colour_table(lut: DisplayLut, film: Film) -> np.ndarray:
    shutter = film.display.shutter
    grey = np.append(lut.table, np.uint8(shutter.grey if shutter is not None else 0))
    colours = grey.astype(np.uint32) * np.uint32(0x010101) | np.uint32(_OPAQUE)
    return np.append(colours, np.uint32(_INK))
