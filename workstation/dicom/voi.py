"""Windows and lookup tables: what part of the values is shown as grey (PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@dataclass(frozen=True)
class Window:
    """Window Center and Width in modality values (PS3.3 C.11.2.1.2, C.11.2.1.3)."""

    center: float
    width: float
    function: VoiFunction = "LINEAR"
    explanation: str = ""


WINDOW_AS_SAVED = Window(128, 256, "LINEAR", "as saved")
"""Identity on 8 bits: a picture, or grey stored as colour, was windowed when it was saved."""


@dataclass(frozen=True, eq=False)
class LookupTable:
    """A LUT of a Modality or VOI LUT Sequence item (PS3.3 C.11.1.1, C.11.2.1.1).

    entries: [n] unsigned; entries[0] belongs to first_mapped and everything below it,
    entries[-1] to everything above; bits: of each entry (third value of LUT Descriptor).
    """

    first_mapped: int
    entries: np.ndarray
    bits: int
    explanation: str = ""


VoiLut = LookupTable
Voi = Window | VoiLut


def linear_equivalent(voi: Voi) -> Window:
    """A window to start dragging from: the window itself, or the input range of a VOI LUT."""
    if isinstance(voi, Window):
        return voi
    count = len(voi.entries)
    return Window(voi.first_mapped + count / 2, max(count, 1), "LINEAR", voi.explanation)


def window_over(values: np.ndarray) -> Window:
    """The window that shows the least value black and the greatest white."""
    low, high = float(values.min()), float(values.max())
    if high - low >= 1:
        return Window((low + high + 1) / 2, high - low + 1, "LINEAR", "full range")
    return Window((low + high) / 2, max(high - low, 1e-6), "LINEAR_EXACT", "full range")


def apply_voi(values: np.ndarray, voi: Voi) -> np.ndarray:
    """Modality values -> 0..1, float64 (PS3.3 C.11.2.1.1 LUT, C.11.2.1.2, C.11.2.1.3)."""
    if isinstance(voi, LookupTable):
        return look_up_clamped(values, voi) / float((1 << voi.bits) - 1)
    if not (math.isfinite(voi.center) and math.isfinite(voi.width)):
        raise ValueError(f"window {voi.center}, {voi.width} is not finite")
    if voi.function == "LINEAR":
        return _apply_linear(values, voi.center, max(voi.width, 1.0))
    width = max(voi.width, 1e-9)
    if voi.function == "LINEAR_EXACT":
        return np.clip((values - voi.center) / width + 0.5, 0.0, 1.0)
    exponent = np.clip(-4 * (values - voi.center) / width, -700, 700)
    return 1 / (1 + np.exp(exponent))


def _apply_linear(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """C.11.2.1.2.1: x <= c-.5-(w-1)/2 black, x > c-.5+(w-1)/2 white, linear between."""
    if width == 1:
        return (values > center - 0.5).astype(np.float64)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0.0, 1.0)


def apply_presentation_lut(shown: np.ndarray, lut: LookupTable) -> np.ndarray:
    """VOI output 0..1 -> P-values 0..1: the LUT's whole input range is the VOI's whole output
    range (PS3.3 C.11.6.1.1, PS3.4 N.2.1.4)."""
    position = np.floor(shown * (len(lut.entries) - 1) + 0.5).astype(np.intp)
    return lut.entries[position].astype(np.float64) / float((1 << lut.bits) - 1)


def look_up_clamped(values: np.ndarray, lut: LookupTable) -> np.ndarray:
    """Entry of each value; the ends hold for everything beyond them."""
    position = np.clip(np.floor(values + 0.5) - lut.first_mapped, 0, len(lut.entries) - 1)
    return lut.entries[position.astype(np.intp)].astype(np.float64)
