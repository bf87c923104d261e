"""From stored values to grey: modality LUT, then VOI, then polarity (PS3.3 C.11, PS3.4 N.2).

Pure functions. Whatever they show goes through one lookup table over stored values
(`grey_lut`), so what the viewer maps and what `render_grey` writes can't differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workstation.dicom.display_attributes import to_modality
from workstation.dicom.film import Film
from workstation.dicom.voi import Voi, apply_presentation_lut, apply_voi
from workstation.dicom.window_choices import default_window


@dataclass(frozen=True, eq=False)
class DisplayLut:
    """Grey of every stored value of a film: table[stored - minimum], uint8."""

    minimum: int
    table: np.ndarray

    def map(self, stored: np.ndarray) -> np.ndarray:
        """Grey of any part of the film's stored values, same shape, uint8."""
        return _look_up(self.table, self.minimum, stored)


def modality_values(film: Film) -> np.ndarray:
    """[rows, columns] float32 after the modality LUT or rescale (PS3.3 C.11.1)."""
    table = to_modality(film.stored_levels, film.display).astype(np.float32)
    return _look_up(table, film.stored_range[0], film.stored)


def grey_lut(film: Film, window: Voi | None = None, inverted: bool = False) -> DisplayLut:
    """Grey of every stored value; MONOCHROME1 is inverted here, once, after VOI.

    PS3.3 C.7.6.3.1.2: the lowest value of MONOCHROME1 is white after VOI; Presentation LUT
    Shape INVERSE says the same and adds nothing. Padding is background: black unless inverted.
    """
    levels = film.stored_levels
    voi = default_window(film) if window is None else window
    shown = apply_voi(to_modality(levels, film.display), voi)  # 0..1
    if film.display.presentation_lut is not None:
        shown = apply_presentation_lut(shown, film.display.presentation_lut)
    table = np.floor(shown * 255 + 0.5).astype(np.uint8)
    if film.display.is_inverse:
        table = 255 - table
    if film.display.padding_range is not None:
        first, last = film.display.padding_range
        table[(levels >= first) & (levels <= last)] = 0
    return DisplayLut(film.stored_range[0], 255 - table if inverted else table)


def render_grey(
    film: Film, window: Voi | None = None, *, inverted: bool = False, step: int = 1
) -> np.ndarray:
    """[rows, columns] uint8 (every step-th pixel); window None means `default_window`."""
    lut = grey_lut(film, window, inverted)
    hidden = None if film.hidden_mask is None else film.hidden_mask[::step, ::step]
    return compose_grey(film, lut, film.stored[::step, ::step], hidden)


def compose_grey(
    film: Film, lut: DisplayLut, stored: np.ndarray, hidden: np.ndarray | None = None
) -> np.ndarray:
    """Grey of any part of the film, however resampled; the viewer and `render` both end here.

    hidden: the same part of `film.hidden_mask`, which shows the shutter's own grey (a P-value:
    no window and no inversion touches it, C.7.6.11.1.2).
    """
    grey = lut.map(stored)
    if hidden is not None and film.display.shutter is not None:
        grey[hidden] = film.display.shutter.grey
    return grey


def _look_up(table: np.ndarray, minimum: int, stored: np.ndarray) -> np.ndarray:
    """table[stored - minimum]; 8 and 16-bit values wrap in their own width, not in 64 bits."""
    if stored.dtype.itemsize > 2:
        return table[stored.astype(np.int64) - minimum]
    unsigned = stored.view(np.dtype(f"u{stored.dtype.itemsize}"))
    if minimum:
        mask = (1 << 8 * stored.dtype.itemsize) - 1
        unsigned = unsigned - unsigned.dtype.type(minimum & mask)
    return table[unsigned]
