"""From stored values to grey: modality LUT, then VOI, then polarity (PS3.3 C.11, PS3.4 N.2).

Pure functions. Whatever they show goes through one lookup table over stored values
(`grey_lut`), so what the viewer maps and what `render_grey` writes can't differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from inference import ModelImage
from workstation.dicom.shutters import Shutter

if TYPE_CHECKING:
    from workstation.dicom.film import Film

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
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
_RADIOGRAPHS = frozenset(("CR", "DX", "RG", "RF", "XA"))
_CHEST_SHARES = {"Lung": (0.0, 0.6), "Mediastinum, bone": (0.4, 1.0)}
_SAMPLE_PIXELS = 1_000_000  # enough for percentiles of any film, in a few milliseconds


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
    table = _to_modality(_stored_levels(film), film.display).astype(np.float32)
    return _look_up(table, film.stored_range[0], film.stored)


def default_window(film: Film) -> Voi:
    """First sane header window, else the first VOI LUT, else percentiles (PS3.3 C.11.2)."""
    candidates: tuple[Voi, ...] = (*film.display.windows, *film.display.voi_luts)
    for voi in candidates:
        if _shows_something(voi, film):
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
    return window_over(_to_modality(_stored_levels(film), film.display))


def identity_window(display: DisplayAttributes) -> Window:
    """Over all values Bits Stored can give: what stands for an absent VOI where the standard
    makes that an identity (PS3.4 N.2.1.2)."""
    half = 1 << (display.bits_stored - 1)
    least, greatest = (-half, half - 1) if display.is_signed else (0, 2 * half - 1)
    if display.modality_lut is not None:  # its output range is what its bits can hold (C.11.1.1)
        return window_over(np.array([0.0, (1 << display.modality_lut.bits) - 1.0]))
    return window_over(_to_modality(np.array([least, greatest], np.float64), display))


def window_over(values: np.ndarray) -> Window:
    """The window that shows the least value black and the greatest white."""
    low, high = float(values.min()), float(values.max())
    if high - low >= 1:
        return Window((low + high + 1) / 2, high - low + 1, "LINEAR", "full range")
    return Window((low + high) / 2, max(high - low, 1e-6), "LINEAR_EXACT", "full range")


def linear_equivalent(voi: Voi) -> Window:
    """A window to start dragging from: the window itself, or the input range of a VOI LUT."""
    if isinstance(voi, Window):
        return voi
    count = len(voi.entries)
    return Window(voi.first_mapped + count / 2, max(count, 1), "LINEAR", voi.explanation)


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


def grey_lut(film: Film, window: Voi | None = None, inverted: bool = False) -> DisplayLut:
    """Grey of every stored value; MONOCHROME1 is inverted here, once, after VOI.

    PS3.3 C.7.6.3.1.2: the lowest value of MONOCHROME1 is white after VOI; Presentation LUT
    Shape INVERSE says the same and adds nothing. Padding is background: black unless inverted.
    """
    levels = _stored_levels(film)
    voi = default_window(film) if window is None else window
    shown = apply_voi(_to_modality(levels, film.display), voi)  # 0..1
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


def badges(film: Film) -> tuple[str, ...]:
    """What to tell beside the picture: percentile window, lossy, contradictory polarity ..."""
    found = list(film.display.badges)
    if film.display.windows and not any(_shows_something(w, film) for w in film.display.windows):
        found.append(BADGE_WINDOW)
    voi = default_window(film)
    if isinstance(voi, Window) and voi.explanation == BADGE_PERCENTILE:
        found.append(BADGE_PERCENTILE)
    if film.display.shutter is not None:
        found.append(BADGE_SHUTTER)
    return tuple(found)


def model_image(film: Film) -> ModelImage:
    """What the engine sees: modality values and polarity of the image's own header, never the
    user's window nor a presentation state."""
    film = film.original or film
    padding = padding_mask(film.stored, film.display)
    return ModelImage(modality_values(film), film.display.is_monochrome1, padding)


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
    values = _to_modality(kept.astype(np.float64), display)
    low, high = np.percentile(values, AUTO_PERCENTILES, method="nearest")
    return float(low), float(high)


def apply_voi(values: np.ndarray, voi: Voi) -> np.ndarray:
    """Modality values -> 0..1, float64 (PS3.3 C.11.2.1.1 LUT, C.11.2.1.2, C.11.2.1.3)."""
    if isinstance(voi, LookupTable):
        return _look_up_clamped(values, voi) / float((1 << voi.bits) - 1)
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


def _to_modality(levels: np.ndarray, display: DisplayAttributes) -> np.ndarray:
    """Stored values (float64) -> modality values (float64) (PS3.3 C.11.1)."""
    if display.modality_lut is not None:
        return _look_up_clamped(levels, display.modality_lut)
    return levels * display.rescale_slope + display.rescale_intercept


def _look_up_clamped(values: np.ndarray, lut: LookupTable) -> np.ndarray:
    """Entry of each value; the ends hold for everything beyond them."""
    position = np.clip(np.floor(values + 0.5) - lut.first_mapped, 0, len(lut.entries) - 1)
    return lut.entries[position.astype(np.intp)].astype(np.float64)


def _stored_levels(film: Film) -> np.ndarray:
    """Every stored value from the least to the greatest, float64."""
    least, greatest = film.stored_range
    return np.arange(least, greatest + 1, dtype=np.float64)


def _look_up(table: np.ndarray, minimum: int, stored: np.ndarray) -> np.ndarray:
    """table[stored - minimum]; 8 and 16-bit values wrap in their own width, not in 64 bits."""
    if stored.dtype.itemsize > 2:
        return table[stored.astype(np.int64) - minimum]
    unsigned = stored.view(np.dtype(f"u{stored.dtype.itemsize}"))
    if minimum:
        mask = (1 << 8 * stored.dtype.itemsize) - 1
        unsigned = unsigned - unsigned.dtype.type(minimum & mask)
    return table[unsigned]


def _shows_something(voi: Voi, film: Film) -> bool:
    """False where everything but a few pixels would be all black or all white."""
    low, high = film.robust_range
    if low == high:
        return True  # a flat image can't tell a good window from a bad one
    if isinstance(voi, LookupTable):
        ends = _look_up_clamped(np.linspace(low, high, 256), voi)
        return bool(ends.max() > ends.min())
    lower, upper = voi.center - voi.width / 2, voi.center + voi.width / 2
    return lower < high and upper > low
