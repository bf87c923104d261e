"""From stored values to grey: modality LUT, then VOI, then polarity (PS3.3 C.11, PS3.4 N.2).

Pure functions. Whatever they show goes through one lookup table over stored values
(`grey_lut`), so what the viewer maps and what `render_grey` writes can't differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from inference import ModelImage

if TYPE_CHECKING:
    from workstation.dicom.instance_reader import Film

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
SpacingKind = Literal["calibrated", "at detector", "none"]

BADGE_PERCENTILE = "percentile window"
BADGE_LOSSY = "lossy"
BADGE_POLARITY = "contradictory polarity"


@dataclass(frozen=True)
class Window:
    """Window Center and Width in modality values (PS3.3 C.11.2.1.2, C.11.2.1.3)."""

    center: float
    width: float
    function: VoiFunction = "LINEAR"
    explanation: str = ""


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


@dataclass(frozen=True, eq=False)
class DisplayAttributes:
    """What the header says about showing the pixels, made sane; stored values throughout.

    padding_range: inclusive stored values that are no image (PS3.3 C.7.5.1.1.2).
    pixel_aspect_ratio: height of a pixel over its width (PS3.3 C.7.6.3.1.7).
    pixel_spacing_mm: (between rows, between columns) (PS3.3 10.7.1.3), spacing_kind says where.
    badges: what the reader should know; ask `badges(film)` for all of them.
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
    is_lossy: bool = False
    badges: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class DisplayLut:
    """Grey of every stored value of a film: table[stored - minimum], uint8."""

    minimum: int
    table: np.ndarray

    def map(self, stored: np.ndarray) -> np.ndarray:
        """Grey of any part of the film's stored values, same shape, uint8."""
        raise NotImplementedError


def modality_values(film: Film) -> np.ndarray:
    """[rows, columns] float32 after the modality LUT or rescale (PS3.3 C.11.1)."""
    raise NotImplementedError


def default_window(film: Film) -> Voi:
    """First sane header window, else the VOI LUT, else percentiles (PS3.3 C.11.2)."""
    raise NotImplementedError


def linear_equivalent(voi: Voi) -> Window:
    """A window to start dragging from: the window itself, or the input range of a VOI LUT."""
    raise NotImplementedError


def window_choices(film: Film) -> tuple[tuple[str, Voi], ...]:
    """The alternatives the reader may choose from, named by their Explanation (C.11.2.1.2)."""
    raise NotImplementedError


def grey_lut(film: Film, window: Voi | None = None, inverted: bool = False) -> DisplayLut:
    """Grey of every stored value; MONOCHROME1 is inverted here, once, after VOI."""
    raise NotImplementedError


def render_grey(
    film: Film, window: Voi | None = None, *, inverted: bool = False, step: int = 1
) -> np.ndarray:
    """[rows, columns] uint8 (every step-th pixel); window None means `default_window`."""
    raise NotImplementedError


def badges(film: Film) -> tuple[str, ...]:
    """What to tell beside the picture: percentile window, lossy, contradictory polarity ..."""
    raise NotImplementedError


def model_image(film: Film) -> ModelImage:
    """What the engine sees: modality values and polarity, never the user's window."""
    raise NotImplementedError
