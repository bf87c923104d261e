"""Decide from the header alone whether an instance is a film, and say why not (PS3.3 C.7.6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.uid import UID

from workstation.dicom.dataset_reading import UNDEFINED_LENGTH, ParsedInstance
from workstation.dicom.element_values import element_value, first_int, items_of, text_of
from workstation.dicom.unreadable import Refusal

MAX_PIXELS = 128_000_000  # about three times the largest detector; caps memory before decoding
MAX_FRAMES = 20_000

NATIVE_SYNTAXES = frozenset(
    {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"}
)
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
LOSSY_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51))
MAYBE_LOSSY_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (81, 91, 203))
CODESTREAM_SYNTAXES = (
    LOSSY_SYNTAXES
    | MAYBE_LOSSY_SYNTAXES
    | frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (57, 70, 80, 90, 201, 202))
)
COLOURED_REASON = "colour image: only greyscale films can be opened"
BADGE_GREY_AS_COLOUR = "grey film stored as colour"
_MAYBE_GREY = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
_VIDEO_SYNTAXES = tuple(f"1.2.840.10008.1.2.4.10{n}" for n in range(9))
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_DICOMDIR = "1.2.840.10008.1.3.10"
_VIDEO_CLASSES = tuple(_STORAGE + n for n in ("77.1.1.1", "77.1.2.1", "77.1.4.1"))
_NOT_AN_IMAGE = (  # longest prefix first where one is inside another
    (_STORAGE + "88.59", "a key object selection, not an image"),
    (_STORAGE + "88.", "a structured report (SR), not an image"),
    (
        _STORAGE + "11.1",
        "a presentation state (PR), not an image: applied when a film beside it is opened",
    ),
    (_STORAGE + "11.", "a presentation state (PR), not an image"),
    (_STORAGE + "481.2", "a radiotherapy dose (RTDOSE), not a film"),
    (_STORAGE + "481.3", "a radiotherapy structure set (RTSTRUCT), not an image"),
    (_STORAGE + "481.5", "a radiotherapy plan (RTPLAN), not an image"),
    (_STORAGE + "481.8", "a radiotherapy plan (RTPLAN), not an image"),
    (_STORAGE + "9.", "a waveform (ECG, audio), not an image"),
    (_STORAGE + "104.", "an encapsulated document (PDF, CDA, 3D model), not an image"),
    (_STORAGE + "66.4", "a segmentation, not a film"),
    (_STORAGE + "66", "raw or derived data (registration, segmentation), not a film"),
    (_STORAGE + "30", "a parametric map, not a film"),
    (_STORAGE + "67", "real world value mapping, not an image"),
)
_NOT_AN_IMAGE_MODALITY = {
    "SR": "a structured report (SR), not an image",
    "PR": "a presentation state (PR), not an image",
    "KO": "a key object selection, not an image",
    "RTPLAN": "a radiotherapy plan (RTPLAN), not an image",
    "RTSTRUCT": "a radiotherapy structure set (RTSTRUCT), not an image",
    "RTDOSE": "a radiotherapy dose (RTDOSE), not a film",
    "RTRECORD": "a radiotherapy treatment record (RT), not an image",
    "ECG": "a waveform (ECG), not an image",
    "SEG": "a segmentation, not a film",
    "DOC": "an encapsulated document, not an image",
}


@dataclass(frozen=True)
class PixelFormat:
    """Image Pixel attributes that make sense together (PS3.3 C.7.6.3, PS3.5 8).

    samples: 1, or 3 of a film that a secondary capture or a printer's preview stored as colour;
    it is one if its pixels turn out grey. planes: whether the samples come one plane after the
    other (Planar Configuration 1). is_ybr: luminance first, grey where both others are 128.
    """

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    is_monochrome1: bool
    frame_count: int = 1
    badges: tuple[str, ...] = ()
    samples: int = 1
    is_planar: bool = False
    is_ybr: bool = False

    @property
    def frame_values(self) -> int:
        """Of one frame, all samples counted."""
        return self.rows * self.columns * self.samples

    @property
    def frame_bits(self) -> int:
        """Of one native frame; frames of single bits follow each other without a gap."""
        return self.frame_values * self.bits_allocated

    @property
    def native_bytes(self) -> int:
        """Of all frames."""
        return (self.frame_bits * self.frame_count + 7) // 8


def check_is_film(parsed: ParsedInstance) -> PixelFormat:
    """The pixel format of an acceptable instance; else Refusal with the first reason found."""
    dataset = parsed.dataset
    _check_sop_class(parsed)
    if parsed.pixels is None:
        modality = text_of(dataset, "Modality")
        raise Refusal(_NOT_AN_IMAGE_MODALITY.get(modality, "no pixel data in this file"))
    syntax = str(parsed.transfer_syntax)
    if syntax.startswith(_VIDEO_SYNTAXES):
        raise Refusal("a video (MPEG/HEVC), not a film")
    if parsed.pixels.kind != "integer":
        raise Refusal("floating point pixel data, not a film")
    if syntax not in NATIVE_SYNTAXES | CODESTREAM_SYNTAXES | {RLE_LOSSLESS, DEFLATED_FRAME}:
        name = UID(syntax).name or "none"
        raise Refusal(f"unsupported transfer syntax: {name}" + (f" ({syntax})" * (name != syntax)))
    pixel_format = _read_pixel_format(parsed)
    _check_native_length(parsed, pixel_format)
    return pixel_format


def sop_class_of(parsed: ParsedInstance) -> str:
    """SOP Class UID of the data set, else of the file meta."""
    stated = text_of(parsed.dataset, "SOPClassUID")
    return stated or text_of(parsed.meta, "MediaStorageSOPClassUID")


def _check_sop_class(parsed: ParsedInstance) -> None:
    sop_class = sop_class_of(parsed)
    media_class = text_of(parsed.meta, "MediaStorageSOPClassUID")
    if _DICOMDIR in (sop_class, media_class) or items_of(parsed.dataset, "DirectoryRecordSequence"):
        raise Refusal("a DICOMDIR (index of a disc), not an image: open its folder instead")
    if sop_class in _VIDEO_CLASSES:
        raise Refusal("a video, not a film")
    for prefix, reason in _NOT_AN_IMAGE:
        if sop_class == prefix or sop_class.startswith(prefix.rstrip(".") + "."):
            raise Refusal(reason)
    if text_of(parsed.dataset, "Modality") in ("RTDOSE", "SEG"):
        raise Refusal(_NOT_AN_IMAGE_MODALITY[text_of(parsed.dataset, "Modality")])


def _read_frame_count(parsed: ParsedInstance) -> int:
    """Number of Frames (C.7.6.6.1.1); that so many are there is checked where they are located."""
    stated = text_of(parsed.dataset, "NumberOfFrames")
    if not stated:
        return 1
    try:
        frames = int(stated)
    except ValueError:
        raise Refusal(f"Number of Frames is not a number: {stated!r}") from None
    if not 1 <= frames <= MAX_FRAMES:
        raise Refusal(f"declares {frames} frames: not a film or a series of them")
    return frames


def _read_pixel_format(parsed: ParsedInstance) -> PixelFormat:
    dataset = parsed.dataset
    rows, columns = first_int(dataset, "Rows"), first_int(dataset, "Columns")
    if not rows or not columns or rows < 0 or columns < 0:
        raise Refusal("Rows or Columns missing or zero")
    if rows * columns > MAX_PIXELS:
        raise Refusal(f"declares {rows} x {columns} pixels: more than any film has")
    allocated = first_int(dataset, "BitsAllocated")
    if allocated not in (1, 8, 16, 32):
        raise Refusal(f"Bits Allocated {allocated or 'missing'} is not supported")
    samples = _read_samples(parsed, allocated)
    is_monochrome1, badges = _read_polarity(parsed, samples)
    stored = first_int(dataset, "BitsStored") or allocated
    if not 1 <= stored <= allocated:
        stored, badges = allocated, (*badges, "contradictory bit depth")
    high_bit = first_int(dataset, "HighBit")
    if high_bit is None:
        high_bit = stored - 1
    elif not stored - 1 <= high_bit < allocated:
        high_bit, badges = stored - 1, (*badges, "contradictory bit depth")
    return PixelFormat(
        rows=rows,
        columns=columns,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high_bit,
        is_signed=first_int(dataset, "PixelRepresentation") == 1,
        is_monochrome1=is_monochrome1,
        frame_count=_read_frame_count(parsed),
        badges=tuple(dict.fromkeys(badges)),
        samples=samples,
        is_planar=first_int(dataset, "PlanarConfiguration") == 1,
        is_ybr=text_of(dataset, "PhotometricInterpretation").upper() == "YBR_FULL",
    )


def _read_samples(parsed: ParsedInstance, bits_allocated: int) -> int:
    """1, or 3 where only the pixels tell whether they are grey; refuses other colour."""
    samples = first_int(parsed.dataset, "SamplesPerPixel") or 1
    if samples == 1:
        return 1
    interpretation = text_of(parsed.dataset, "PhotometricInterpretation").upper()
    is_native = str(parsed.transfer_syntax) in NATIVE_SYNTAXES
    is_halved = is_native and interpretation == "YBR_FULL_422"  # two luminances, one of each colour
    if samples != 3 or bits_allocated != 8 or interpretation not in _MAYBE_GREY or is_halved:
        raise Refusal(f"colour image ({samples} samples per pixel, {interpretation or 'unknown'})")
    return 3


def _read_polarity(parsed: ParsedInstance, samples: int) -> tuple[bool, tuple[str, ...]]:
    """(is MONOCHROME1, badges); refuses colour."""
    interpretation = text_of(parsed.dataset, "PhotometricInterpretation").upper()
    if samples == 3:
        return False, (BADGE_GREY_AS_COLOUR,)
    if interpretation in ("MONOCHROME1", "MONOCHROME2"):
        return interpretation == "MONOCHROME1", ()
    if interpretation:
        raise Refusal(f"colour image ({interpretation})")
    return False, ("polarity not stated",)


def _check_native_length(parsed: ParsedInstance, pixel_format: PixelFormat) -> None:
    """Refuse truncated pixels before they are read (PS3.5 8.1.1)."""
    assert parsed.pixels is not None
    stated, present = parsed.pixels.length, parsed.source.size - parsed.pixels.offset
    if element_value(parsed.dataset, "PixelDataProviderURL"):
        raise Refusal("pixels are on a server (Pixel Data Provider URL), not in the file")
    if stated == 0 or present <= 0:
        raise Refusal("no pixel data: the element is empty")
    if stated != UNDEFINED_LENGTH and stated > present:
        raise Refusal(f"image is truncated: {present} of {stated} bytes of pixel data are there")
    if str(parsed.transfer_syntax) not in NATIVE_SYNTAXES:
        return
    if stated == UNDEFINED_LENGTH:
        raise Refusal("compressed pixel data under an uncompressed transfer syntax")
    if stated < pixel_format.native_bytes:
        raise Refusal(
            f"image is truncated: {stated} of {pixel_format.native_bytes} bytes of pixel data"
        )
