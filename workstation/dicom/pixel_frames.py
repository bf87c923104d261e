"""Where each frame lies in the pixel element, found without reading the pixels (PS3.5 8, A.4)."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

import numpy as np

from workstation.dicom.acceptance import NATIVE_SYNTAXES, PixelFormat
from workstation.dicom.dataset_reading import UNDEFINED_LENGTH, ParsedInstance
from workstation.dicom.element_values import element_value
from workstation.dicom.unreadable import Refusal

MAX_FRAGMENTS = 200_000
_ITEM, _SEQUENCE_DELIMITER = 0xFFFEE000, 0xFFFEE0DD
_STREAM_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")


@dataclass(frozen=True)
class Fragment:
    """One item of encapsulated pixel data: where its value starts in the element, its length."""

    start: int
    length: int


@dataclass(frozen=True)
class FrameTable:
    """The fragments of each frame; None for native pixels, whose frames have one size."""

    fragments: tuple[tuple[Fragment, ...], ...] | None

    def read_compressed(self, parsed: ParsedInstance, index: int) -> bytes:
        """One frame of encapsulated pixel data, joined."""
        assert self.fragments is not None
        parts = (parsed.read_pixel_bytes(f.start, f.length) for f in self.fragments[index])
        return b"".join(parts)


def locate_frames(parsed: ParsedInstance, pixel_format: PixelFormat) -> FrameTable:
    """The table of all frames; refuses where fewer are there than declared."""
    if str(parsed.transfer_syntax) in NATIVE_SYNTAXES:
        return FrameTable(None)
    offset_table, fragments, is_closed = _walk_fragments(parsed)
    count = pixel_format.frame_count
    if not fragments:
        raise Refusal("no pixel data: no compressed fragment in the file")
    if len(fragments) < count:
        raise Refusal(f"image is truncated: {len(fragments)} of {count} frames are there")
    if count > 1 and not is_closed:
        raise Refusal("image is truncated: the file ends without closing its frames")
    if count == 1:
        if len(_find_stream_starts(parsed, fragments)) > 1:
            raise Refusal("several frames in one file, though it says one")
        return FrameTable((tuple(fragments),))
    if len(fragments) == count:
        return FrameTable(tuple((fragment,) for fragment in fragments))
    starts = _read_offsets(parsed, offset_table, fragments, count)
    if starts is None:
        starts = _find_stream_starts(parsed, fragments)
    if len(starts) != count:
        raise Refusal(f"compressed pixel data are damaged: {len(starts)} of {count} frames found")
    ends = [*starts[1:], len(fragments)]
    return FrameTable(
        tuple(tuple(fragments[a:b]) for a, b in zip(starts, ends, strict=True)),
    )


def read_native_frame(parsed: ParsedInstance, pixel_format: PixelFormat, index: int) -> np.ndarray:
    """[rows * columns * samples] containers of Bits Allocated, unsigned, in native byte order."""
    bits = pixel_format.frame_bits
    first_bit = index * bits
    first, end = first_bit // 8, (first_bit + bits + 7) // 8
    assert parsed.pixels is not None
    is_swapped = (
        not parsed.is_little_endian
        and pixel_format.bits_allocated <= 8
        and parsed.pixels.vr == "OW"
    )
    # 8-bit samples in big endian words come in swapped pairs (PS3.5 8.1.2).
    skipped = first % 2 if is_swapped else 0
    pixel_bytes = parsed.read_pixel_bytes(first - skipped, end - first + skipped + is_swapped)
    if is_swapped:
        even = pixel_bytes + b"\0" * (len(pixel_bytes) % 2)
        pixel_bytes = np.frombuffer(even, ">u2").astype("<u2").tobytes()
    available = memoryview(pixel_bytes)[skipped:]
    return words_of(available, pixel_format, parsed.is_little_endian, first_bit % 8)


def words_of(
    pixel_bytes: bytes | memoryview,
    pixel_format: PixelFormat,
    is_little_endian: bool,
    skipped_bits: int = 0,
) -> np.ndarray:
    """Containers of one frame as unsigned words in native byte order."""
    needed = (pixel_format.frame_bits + skipped_bits + 7) // 8
    count = pixel_format.frame_values
    if len(pixel_bytes) < needed:
        raise Refusal(f"image is truncated: {len(pixel_bytes)} of {needed} bytes of pixel data")
    if pixel_format.bits_allocated == 1:
        packed = np.frombuffer(pixel_bytes, np.uint8, needed)
        return np.unpackbits(packed, bitorder="little")[skipped_bits : skipped_bits + count]
    item = pixel_format.bits_allocated // 8
    order = "<" if is_little_endian else ">"
    return np.frombuffer(pixel_bytes, f"{order}u{item}", count).astype(f"u{item}")


def _walk_fragments(parsed: ParsedInstance) -> tuple[bytes, list[Fragment], bool]:
    """(Basic Offset Table, fragments that hold something, whether the sequence is closed)
    (PS3.5 A.4)."""
    present = parsed.pixel_bytes_present
    order = "<" if parsed.is_little_endian else ">"
    found: list[Fragment] = []
    position = 0
    is_closed = False
    while position + 8 <= present and not is_closed:
        header = parsed.read_pixel_bytes(position, 8)
        group, element, length = struct.unpack(f"{order}HHL", header)
        tag = group << 16 | element
        position += 8
        if tag == _SEQUENCE_DELIMITER:
            is_closed = True
            continue
        if tag != _ITEM or length == UNDEFINED_LENGTH:
            raise Refusal("compressed pixel data are damaged: no fragment where one should start")
        if position + length > present:
            raise Refusal("image is truncated: the file ends inside the compressed pixel data")
        if len(found) > MAX_FRAGMENTS:
            raise Refusal(f"compressed pixel data have more than {MAX_FRAGMENTS} fragments")
        found.append(Fragment(position, length))
        position += length
    table = parsed.read_pixel_bytes(found[0].start, found[0].length) if found else b""
    return table, [fragment for fragment in found[1:] if fragment.length], is_closed


def _read_offsets(
    parsed: ParsedInstance, basic: bytes, fragments: list[Fragment], count: int
) -> list[int] | None:
    """Index of each frame's first fragment, from the Extended or Basic Offset Table (A.4)."""
    extended = element_value(parsed.dataset, "ExtendedOffsetTable")
    if isinstance(extended, bytes) and len(extended) >= 8 * count:
        offsets = np.frombuffer(extended, "<u8", count).tolist()
    elif len(basic) >= 4 * count:
        offsets = np.frombuffer(basic, "<u4", count).tolist()
    else:
        return None
    # Offsets count from the first item tag; a fragment's value follows 8 bytes behind its own.
    first = fragments[0].start
    index_of = {fragment.start - first: i for i, fragment in enumerate(fragments)}
    starts = [index_of.get(offset, -1) for offset in offsets]
    is_rising = all(a < b for a, b in itertools.pairwise(starts))
    return starts if is_rising and starts[0] == 0 else None


def _find_stream_starts(parsed: ParsedInstance, fragments: list[Fragment]) -> list[int]:
    """Indices of the fragments that begin like a JPEG or JPEG 2000 stream."""
    return [
        i
        for i, fragment in enumerate(fragments)
        if parsed.read_pixel_bytes(fragment.start, 4).startswith(_STREAM_STARTS)
    ]
