"""What a header says about showing the pixels, and what follows from that for the values alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workstation.dicom.shutters import Shutter
from workstation.dicom.voi import LookupTable, VoiLut, Window, look_up_clamped, window_over

PresentationShape = Literal["IDENTITY", "INVERSE"]
SpacingKind = Literal["calibrated", "at detector", "none"]

BADGE_PERCENTILE = "percentile window"
BADGE_LOSSY = "lossy"
BADGE_POLARITY = "contradictory polarity"
BADGE_WINDOW = "header window outside the image"
BADGE_INTENSITY = "bones shown dark by header"
BADGE_SHUTTER = "shutter"
BADGE_PRESENTED = "presentation state"
BADGE_PRESENTATION_UNREADABLE = "presentation state unreadable"

AUTO_PERCENTILES = (0.5, 99.5)
_SAMPLE_PIXELS = 1_000_000  # enough for percentiles of any film, in a few milliseconds


@dataclass(frozen=True, eq=False)
class DisplayAttributes:
    """What the header says about showing the pixels, made sane; stored values throughout.

    padding_range: inclusive stored values that are no image (PS3.3 C.7.5.1.1.2).
    pixel_aspect_ratio: height of a pixel over its width (PS3.3 C.7.6.3.1.7).
    pixel_spacing_mm: (between rows, between columns) (PS3.3 10.7.1.3), spacing_kind says where,
    calibration what the header says of it (GEOMETRY, FIDUCIAL and its description).
    presentation_lut, presentation_shape: a presentation state's; the shape then decides on
    polarity instead of Photometric Interpretation (PS3.4 N.2.1.4).
    pixel_intensity_relationship: "LIN", "LOG" ...; pixel_intensity_sign: 1 or -1, 0 not stated
    (PS3.3 C.8.11.3.1.2).
    badges: what the reader should know; `window_choices.badges` has all of them.
    """

    is_monochrome1: bool = False
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    modality_lut: LookupTable | None = None
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[VoiLut, ...] = ()
    padding_range: tuple[int, int] | None = None
    bits_stored: int = 8
    is_signed: bool = False
    pixel_aspect_ratio: float = 1.0
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_kind: SpacingKind = "none"
    calibration: str = ""
    pixel_intensity_relationship: str = ""
    pixel_intensity_sign: int = 0
    presentation_lut: LookupTable | None = None
    presentation_shape: PresentationShape | None = None
    shutter: Shutter | None = None
    is_lossy: bool = False
    badges: tuple[str, ...] = ()

    @property
    def is_inverse(self) -> bool:
        """Whether low values are white after VOI, before the reader's own inversion."""
        if self.presentation_shape is not None:
            return self.presentation_shape == "INVERSE"
        return self.is_monochrome1 and self.presentation_lut is None


def identity_window(display: DisplayAttributes) -> Window:
    """Over all values Bits Stored can give: what stands for an absent VOI where the standard
    makes that an identity (PS3.4 N.2.1.2)."""
    half = 1 << (display.bits_stored - 1)
    least, greatest = (-half, half - 1) if display.is_signed else (0, 2 * half - 1)
    if display.modality_lut is not None:  # its output range is what its bits can hold (C.11.1.1)
        return window_over(np.array([0.0, (1 << display.modality_lut.bits) - 1.0]))
    return window_over(to_modality(np.array([least, greatest], np.float64), display))


def padding_mask(stored: np.ndarray, display: DisplayAttributes) -> np.ndarray | None:
    """[rows, columns] bool, True on padding (PS3.3 C.7.5.1.1.2), or None without any."""
    if display.padding_range is None:
        return None
    first, last = display.padding_range
    return (stored >= first) & (stored <= last)


def measure_robust_range(stored: np.ndarray, display: DisplayAttributes) -> tuple[float, float]:
    """AUTO_PERCENTILES of the modality values without padding; of a regular sample if large."""
    step = max(1, math.isqrt(stored.size // _SAMPLE_PIXELS))
    sample = stored[::step, ::step]
    padding = padding_mask(sample, display)
    kept = sample.reshape(-1) if padding is None else sample[~padding]
    if kept.size == 0:
        kept = sample.reshape(-1)
    values = to_modality(kept.astype(np.float64), display)
    low, high = np.percentile(values, AUTO_PERCENTILES, method="nearest")
    return float(low), float(high)


def to_modality(levels: np.ndarray, display: DisplayAttributes) -> np.ndarray:
    """Stored values (float64) -> modality values (float64) (PS3.3 C.11.1)."""
    if display.modality_lut is not None:
        return look_up_clamped(levels, display.modality_lut)
    return levels * display.rescale_slope + display.rescale_intercept
