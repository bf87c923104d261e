"""Which windows a film can be shown with: its header's, and those made from its values."""

from __future__ import annotations

import numpy as np

from workstation.dicom.display_attributes import (
    BADGE_PERCENTILE,
    BADGE_SHUTTER,
    BADGE_WINDOW,
    to_modality,
)
from workstation.dicom.film import Film
from workstation.dicom.voi import LookupTable, Voi, Window, look_up_clamped, window_over

_RADIOGRAPHS = frozenset(("CR", "DX", "RG", "RF", "XA"))
_CHEST_SHARES = {"Lung": (0.0, 0.6), "Mediastinum, bone": (0.4, 1.0)}


def default_window(film: Film) -> Voi:
    """First sane header window, else the first VOI LUT, else percentiles (PS3.3 C.11.2)."""
    candidates: tuple[Voi, ...] = (*film.display.windows, *film.display.voi_luts)
    for voi in candidates:
        if shows_something(voi, film):
            return voi
    return percentile_window(film)


def percentile_window(film: Film) -> Window:
    """From the 0.5th to the 99.5th percentile of the modality values, padding left out."""
    low, high = film.robust_range
    if high - low >= 1:
        # LINEAR maps exactly low to black and high to white (C.11.2.1.2.1).
        return Window((low + high + 1) / 2, high - low + 1, "LINEAR", BADGE_PERCENTILE)
    width = high - low if high > low else 1.0
    return Window((low + high) / 2, width, "LINEAR_EXACT", BADGE_PERCENTILE)


def full_range_window(film: Film) -> Window:
    """From the least to the greatest modality value that occurs between the stored extremes."""
    return window_over(to_modality(film.stored_levels, film.display))


def window_choices(film: Film) -> tuple[tuple[str, Voi], ...]:
    """The alternatives the reader may choose from, named by their Explanation (C.11.2.1.2)."""
    named: list[tuple[str, Voi]] = []
    for n, window in enumerate(film.display.windows, 1):
        named.append((window.explanation or f"Window {n}", window))
    for n, lut in enumerate(film.display.voi_luts, 1):
        named.append((lut.explanation or f"VOI LUT {n}", lut))
    named.append(("Percentile", percentile_window(film)))
    named += [(window.explanation, window) for window in chest_windows(film)]
    named.append(("Full range", full_range_window(film)))
    seen: dict[str, int] = {}
    choices = []
    for name, voi in named:
        seen[name] = seen.get(name, 0) + 1
        choices.append((name if seen[name] == 1 else f"{name} ({seen[name]})", voi))
    return tuple(choices)


def chest_windows(film: Film) -> tuple[Window, ...]:
    """Harder windows for what is dark and for what is bright on a radiograph; none for other
    modalities. Their values mean nothing in themselves, so these are shares of the percentile
    range, counted from the end that is black on screen."""
    low, high = film.robust_range
    if film.header.modality not in _RADIOGRAPHS or high - low < 2:
        return ()
    black, white = (high, low) if film.display.is_inverse else (low, high)
    windows = []
    for name, (start, end) in _CHEST_SHARES.items():
        ends = black + start * (white - black), black + end * (white - black)
        width = max(abs(ends[1] - ends[0]) + 1, 1.0)
        windows.append(Window((sum(ends) + 1) / 2, width, "LINEAR", name))
    return tuple(windows)


def badges(film: Film) -> tuple[str, ...]:
    """What to tell beside the picture: percentile window, lossy, contradictory polarity ..."""
    found = list(film.display.badges)
    if film.display.windows and not any(shows_something(w, film) for w in film.display.windows):
        found.append(BADGE_WINDOW)
    voi = default_window(film)
    if isinstance(voi, Window) and voi.explanation == BADGE_PERCENTILE:
        found.append(BADGE_PERCENTILE)
    if film.display.shutter is not None:
        found.append(BADGE_SHUTTER)
    return tuple(found)


def shows_something(voi: Voi, film: Film) -> bool:
    """False where everything but a few pixels would be all black or all white."""
    low, high = film.robust_range
    if low == high:
        return True  # a flat image can't tell a good window from a bad one
    if isinstance(voi, LookupTable):
        ends = look_up_clamped(np.linspace(low, high, 256), voi)
        return bool(ends.max() > ends.min())
    lower, upper = voi.center - voi.width / 2, voi.center + voi.width / 2
    return lower < high and upper > low
