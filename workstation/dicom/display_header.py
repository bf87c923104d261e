"""Read from a header what the display pipeline needs, and make it sane (PS3.3 C.11, C.7.6.3)."""

from __future__ import annotations

import math

import numpy as np
from pydicom.dataset import Dataset

from workstation.dicom.acceptance import LOSSY_SYNTAXES, MAYBE_LOSSY_SYNTAXES, PixelFormat
from workstation.dicom.dataset_reading import ParsedInstance
from workstation.dicom.display_attributes import (
    BADGE_INTENSITY,
    BADGE_LOSSY,
    BADGE_POLARITY,
    DisplayAttributes,
    SpacingKind,
)
from workstation.dicom.element_values import (
    clean_text,
    element_value,
    first_float,
    first_int,
    first_item,
    floats_of,
    items_of,
    text_of,
    values_of,
)
from workstation.dicom.voi import WINDOW_AS_SAVED, LookupTable, VoiFunction, Window

_FUNCTIONAL_GROUPS = (
    "FrameVOILUTSequence",
    "PixelValueTransformationSequence",
    "PixelMeasuresSequence",
)
_RADIOGRAPHS = ("CR", "DX", "RG")
_PATIENT_SPACE = ("CT", "MR", "PT", "NM")  # spacing without a detector: no magnification


def read_display_attributes(
    parsed: ParsedInstance, pixel_format: PixelFormat, frame_index: int = 0
) -> DisplayAttributes:
    """Display attributes of one frame of an accepted instance."""
    dataset = flatten_functional_groups(parsed.dataset, frame_index)
    order = "<" if parsed.is_little_endian else ">"
    is_signed = pixel_format.is_signed
    modality_lut, slope, intercept, notes = read_modality(dataset, order, is_signed)
    least = -(1 << (pixel_format.bits_stored - 1)) if is_signed else 0
    is_domain_signed = modality_lut is None and min(slope * least, 0) + intercept < 0
    spacing, kind = _read_spacing(dataset)
    is_lossy = _is_lossy(parsed)
    badges = list(pixel_format.badges) + notes
    relationship, sign = _read_intensity(dataset)
    if sign and _is_radiograph(dataset) and (sign == 1) != pixel_format.is_monochrome1:
        badges.append(BADGE_INTENSITY)
    if _has_contradictory_polarity(dataset, pixel_format.is_monochrome1):
        badges.append(BADGE_POLARITY)
    if is_lossy:
        badges.append(BADGE_LOSSY)
    return DisplayAttributes(
        is_monochrome1=pixel_format.is_monochrome1,
        rescale_slope=slope,
        rescale_intercept=intercept,
        modality_lut=modality_lut,
        windows=read_windows(dataset) if pixel_format.samples == 1 else (WINDOW_AS_SAVED,),
        voi_luts=_read_voi_luts(dataset, order, is_domain_signed),
        padding_range=_read_padding_range(dataset, pixel_format),
        bits_stored=pixel_format.bits_stored,
        is_signed=is_signed,
        pixel_aspect_ratio=_read_aspect_ratio(dataset, spacing),
        pixel_spacing_mm=spacing,
        spacing_kind=kind,
        calibration=_read_calibration(dataset),
        pixel_intensity_relationship=relationship,
        pixel_intensity_sign=sign,
        is_lossy=is_lossy,
        badges=tuple(badges),
    )


def flatten_functional_groups(dataset: Dataset, frame_index: int = 0) -> Dataset:
    """A view with the display macros of one enhanced frame at top level (C.7.6.16)."""
    flat = dataset
    for groups, index in (
        ("SharedFunctionalGroupsSequence", 0),
        ("PerFrameFunctionalGroupsSequence", frame_index),
    ):
        items = items_of(dataset, groups)
        group = items[index] if index < len(items) else None
        for keyword in _FUNCTIONAL_GROUPS:
            macro = first_item(group, keyword) if group is not None else None
            if macro is not None:
                flat = Dataset(flat) if flat is dataset else flat
                flat.update({element.tag: element for element in macro})
    return flat


def read_windows(dataset: Dataset) -> tuple[Window, ...]:
    """Every usable pair of Window Center and Width, in order (C.11.2.1.2, C.11.2.1.3)."""
    stated = text_of(dataset, "VOILUTFunction").upper() or "LINEAR"
    functions: dict[str, VoiFunction] = {"LINEAR_EXACT": "LINEAR_EXACT", "SIGMOID": "SIGMOID"}
    function = functions.get(stated, "LINEAR")
    explanations = [clean_text(str(v)) for v in values_of(dataset, "WindowCenterWidthExplanation")]
    pairs = zip(floats_of(dataset, "WindowCenter"), floats_of(dataset, "WindowWidth"), strict=False)
    windows = []
    for index, (center, width) in enumerate(pairs):
        least = 1.0 if function == "LINEAR" else 0.0
        if not math.isfinite(center) or not math.isfinite(width) or width < least or width == 0:
            continue
        explanation = explanations[index] if index < len(explanations) else ""
        windows.append(Window(center, width, function, explanation))
    return tuple(windows)


def read_lookup_table(item: Dataset, order: str, is_domain_signed: bool) -> LookupTable | None:
    """One item of a Modality or VOI LUT Sequence, or None if it makes no sense (C.11.1.1).

    Entries come as numbers (US), one per 16-bit word, or two 8-bit ones packed in a word (OW).
    """
    descriptor = [int(value) for value in floats_of(item, "LUTDescriptor")]
    if len(descriptor) != 3:
        return None
    count = (descriptor[0] & 0xFFFF) or 0x10000
    first_mapped, bits = descriptor[1], descriptor[2]
    if is_domain_signed and first_mapped > 0x7FFF:
        first_mapped -= 0x10000
    elif not is_domain_signed and first_mapped < 0:
        first_mapped += 0x10000
    entries = _read_lut_entries(element_value(item, "LUTData"), count, bits, order)
    if entries is None:
        return None
    if not 1 <= bits <= 16 or int(entries.max()) >> bits:
        bits = max(8, int(entries.max()).bit_length())
    explanation = clean_text(text_of(item, "LUTExplanation"))
    return LookupTable(first_mapped, entries, bits, explanation)


def _read_lut_entries(lut: object, count: int, bits: int, order: str) -> np.ndarray | None:
    entries: np.ndarray
    if isinstance(lut, bytes | bytearray):
        if bits <= 8 and len(lut) < 2 * count:
            entries = np.frombuffer(lut, np.uint8)  # packed, least significant byte first
            if order == ">":
                entries = entries[: len(entries) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
        else:
            entries = np.frombuffer(lut[: len(lut) // 2 * 2], f"{order}u2")
    else:
        try:
            words = np.atleast_1d(np.array(lut, dtype=np.float64)).astype(np.int64) & 0xFFFF
        except (TypeError, ValueError):
            return None
        entries = words.astype(np.uint16)
        if len(words) < count <= 2 * len(words) and bits <= 8:
            entries = words.astype("<u2").view(np.uint8)
    entries = entries.astype(np.uint16)[:count]
    return entries if len(entries) == count else None


def read_modality(
    dataset: Dataset, order: str, is_signed: bool
) -> tuple[LookupTable | None, float, float, list[str]]:
    """(LUT, slope, intercept, badges): sequence or rescale, never both (C.11.1)."""
    item = first_item(dataset, "ModalityLUTSequence")
    lut = read_lookup_table(item, order, is_signed) if item is not None else None
    notes = ["modality LUT unreadable"] if item is not None and lut is None else []
    slope, intercept = (
        first_float(dataset, "RescaleSlope"),
        first_float(dataset, "RescaleIntercept"),
    )
    if lut is not None:
        return lut, 1.0, 0.0, notes
    if slope == 0:
        return None, 1.0, 0.0, [*notes, "rescale slope 0 ignored"]
    if not _is_sane_rescale(slope or 1.0, intercept or 0.0):
        return None, 1.0, 0.0, [*notes, "rescale out of range ignored"]
    return None, 1.0 if slope is None else slope, intercept or 0.0, notes


def _is_sane_rescale(slope: float, intercept: float) -> bool:
    """Whether neither infinity nor the precision of a float32 swallows the picture."""
    return 1e-9 <= abs(slope) <= 1e9 and abs(intercept) <= 1e7 * abs(slope)


def _read_voi_luts(dataset: Dataset, order: str, is_domain_signed: bool) -> tuple[LookupTable, ...]:
    items = items_of(dataset, "VOILUTSequence")
    luts = (read_lookup_table(item, order, is_domain_signed) for item in items)
    return tuple(lut for lut in luts if lut is not None)


def _read_padding_range(dataset: Dataset, pixel_format: PixelFormat) -> tuple[int, int] | None:
    """Pixel Padding Value to Range Limit, inclusive, either way round (C.7.5.1.1.2)."""
    value = first_int(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = first_int(dataset, "PixelPaddingRangeLimit")
    wrap = 1 << pixel_format.bits_allocated

    def as_stored(number: int) -> int:
        # Written with the wrong one of US and SS often enough.
        if pixel_format.is_signed and number >= wrap // 2:
            return number - wrap
        return number + wrap if not pixel_format.is_signed and number < 0 else number

    ends = sorted((as_stored(value), as_stored(value if limit is None else limit)))
    return ends[0], ends[1]


def _read_spacing(dataset: Dataset) -> tuple[tuple[float, float] | None, SpacingKind]:
    """Row\\column spacing in mm and whether it is calibrated or at the detector (10.7.1.3)."""
    pixel = _positive_pair(floats_of(dataset, "PixelSpacing"))
    imager = _positive_pair(floats_of(dataset, "ImagerPixelSpacing"))
    if pixel is None:
        return imager, "at detector" if imager else "none"
    if imager is not None:
        same = all(math.isclose(a, b, rel_tol=1e-4) for a, b in zip(pixel, imager, strict=True))
        return pixel, "at detector" if same else "calibrated"
    is_calibrated = bool(text_of(dataset, "PixelSpacingCalibrationType"))
    is_calibrated |= text_of(dataset, "Modality") in _PATIENT_SPACE
    return pixel, "calibrated" if is_calibrated else "at detector"


def _read_calibration(dataset: Dataset) -> str:
    """How Pixel Spacing was calibrated: GEOMETRY or FIDUCIAL, and with what (10.7.1.2)."""
    kind = text_of(dataset, "PixelSpacingCalibrationType").upper()
    description = text_of(dataset, "PixelSpacingCalibrationDescription")
    return ": ".join(part for part in (kind, description) if part)


def _read_intensity(dataset: Dataset) -> tuple[str, int]:
    """Pixel Intensity Relationship and its Sign, 0 if not stated (C.8.11.3.1.2).

    Sign 1: lower values are less X-ray intensity, so bones are low; -1: bones are high.
    """
    sign = first_int(dataset, "PixelIntensityRelationshipSign")
    relationship = text_of(dataset, "PixelIntensityRelationship").upper()
    return relationship, sign if sign in (1, -1) else 0


def _is_radiograph(dataset: Dataset) -> bool:
    return text_of(dataset, "Modality") in _RADIOGRAPHS


def _positive_pair(numbers: list[float]) -> tuple[float, float] | None:
    if len(numbers) != 2 or not all(math.isfinite(n) and n > 0 for n in numbers):
        return None
    return numbers[0], numbers[1]


def _read_aspect_ratio(dataset: Dataset, spacing: tuple[float, float] | None) -> float:
    """Height over width of a pixel; nonsense counts as square (C.7.6.3.1.7)."""
    pair = spacing or _positive_pair(floats_of(dataset, "PixelAspectRatio"))
    ratio = pair[0] / pair[1] if pair else 1.0
    return ratio if 0.05 <= ratio <= 20 else 1.0


def _has_contradictory_polarity(dataset: Dataset, is_monochrome1: bool) -> bool:
    """Presentation LUT Shape must be INVERSE with MONOCHROME1, IDENTITY with 2 (C.8.11.3.1.2)."""
    shape = text_of(dataset, "PresentationLUTShape").upper()
    return shape in ("INVERSE", "IDENTITY") and (shape == "INVERSE") != is_monochrome1


def _is_lossy(parsed: ParsedInstance) -> bool:
    """Lossy Image Compression, or a codec that is lossy unless the header denies it."""
    stated = text_of(parsed.dataset, "LossyImageCompression")
    syntax = str(parsed.transfer_syntax)
    if stated == "01" or syntax in LOSSY_SYNTAXES:
        return True
    return syntax in MAYBE_LOSSY_SYNTAXES and stated != "00"
