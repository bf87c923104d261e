"""Pixel data -> stored values, whole or not at all (PS3.5 8 and Annex A).

The codecs are called directly rather than through pydicom's plugins: those refuse 12-bit
JPEG Extended, need an extra package for HTJ2K, read HighBit != BitsStored - 1 wrongly and
unpack RLE without limit. No stream reaches a codec before its own header agrees with Rows,
Columns and one sample per pixel.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from io import BytesIO

import numpy as np

from workstation.dicom import gdcm_child
from workstation.dicom.acceptance import DEFLATED_FRAME, NATIVE_SYNTAXES, RLE_LOSSLESS, PixelFormat
from workstation.dicom.codestreams import StreamHeader, read_stream_header
from workstation.dicom.dataset_reading import UNDEFINED_LENGTH, ParsedInstance
from workstation.dicom.unreadable import Refusal

MAX_GREY_LEVELS = 2**20
CHILD_TIMEOUT_S = 60.0
_ITEM, _SEQUENCE_DELIMITER = 0xFFFEE000, 0xFFFEE0DD


def decode_pixels(parsed: ParsedInstance, pixel_format: PixelFormat) -> np.ndarray:
    """[rows, columns] stored values: bits extracted, sign extended, native byte order."""
    syntax = str(parsed.transfer_syntax)
    pixel_bytes = parsed.read_pixel_bytes()
    if syntax in NATIVE_SYNTAXES:
        words = _native_words(pixel_bytes, parsed, pixel_format)
        stored = _extract_container_bits(words, pixel_format)
    else:
        frame = _join_fragments(pixel_bytes, parsed)
        if syntax == RLE_LOSSLESS:
            stored = _extract_container_bits(_unpack_rle(frame, pixel_format), pixel_format)
        elif syntax == DEFLATED_FRAME:
            stored = _extract_container_bits(_inflate_frame(frame, pixel_format), pixel_format)
        else:
            stored = _decode_codestream(frame, pixel_format)
    if stored.size != pixel_format.rows * pixel_format.columns:
        raise Refusal("decoded image has another size than the header says")
    stored = stored.reshape(pixel_format.rows, pixel_format.columns)
    if stored.dtype.itemsize > 2 and int(stored.max()) - int(stored.min()) >= MAX_GREY_LEVELS:
        raise Refusal("pixel values span more than a million levels: not a film")
    return np.ascontiguousarray(stored)


def extract_bits(words: np.ndarray, low_bit: int, bits: int, is_signed: bool) -> np.ndarray:
    """`bits` bits of unsigned words from low_bit up, as two's complement if signed (PS3.5 8.1.1).

    Bits outside (old overlays, garbage) are dropped.
    """
    width = words.dtype.itemsize * 8
    if not is_signed:
        if low_bit == 0 and bits == width:
            return words
        mask = words.dtype.type((1 << bits) - 1)
        return (words >> words.dtype.type(low_bit)) & mask
    # Shift the sign bit to the top, then back down arithmetically.
    lifted = words << words.dtype.type(width - bits - low_bit)
    signed = lifted.view(np.dtype(f"i{words.dtype.itemsize}"))
    return signed >> signed.dtype.type(width - bits)


def _extract_container_bits(words: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    low_bit = pixel_format.high_bit - pixel_format.bits_stored + 1
    return extract_bits(words, low_bit, pixel_format.bits_stored, pixel_format.is_signed)


def _native_words(
    pixel_bytes: bytes, parsed: ParsedInstance, pixel_format: PixelFormat
) -> np.ndarray:
    assert parsed.pixels is not None
    is_little_endian = parsed.is_little_endian
    if not is_little_endian and pixel_format.bits_allocated <= 8 and parsed.pixels.vr == "OW":
        # 8-bit samples in big endian words come in swapped pairs (PS3.5 8.1.2).
        even = pixel_bytes + b"\0" * (len(pixel_bytes) % 2)
        pixel_bytes = np.frombuffer(even, ">u2").astype("<u2").tobytes()
    return _words(pixel_bytes, pixel_format, is_little_endian)


def _words(pixel_bytes: bytes, pixel_format: PixelFormat, is_little_endian: bool) -> np.ndarray:
    """Containers of Bits Allocated as unsigned words in native byte order."""
    needed, count = pixel_format.native_bytes, pixel_format.rows * pixel_format.columns
    if len(pixel_bytes) < needed:
        raise Refusal(f"image is truncated: {len(pixel_bytes)} of {needed} bytes of pixel data")
    if pixel_format.bits_allocated == 1:
        packed = np.frombuffer(pixel_bytes, np.uint8, needed)
        return np.unpackbits(packed, bitorder="little")[:count]
    item = pixel_format.bits_allocated // 8
    order = "<" if is_little_endian else ">"
    return np.frombuffer(pixel_bytes, f"{order}u{item}", count).astype(f"u{item}")


def _join_fragments(pixel_bytes: bytes, parsed: ParsedInstance) -> bytes:
    """The one frame of encapsulated pixel data (PS3.5 A.4), without its offset table."""
    assert parsed.pixels is not None
    order = "<" if parsed.is_little_endian else ">"
    fragments: list[bytes] = []
    position = 0
    while position + 8 <= len(pixel_bytes):
        group, element, length = struct.unpack_from(f"{order}HHL", pixel_bytes, position)
        tag = group << 16 | element
        position += 8
        if tag == _SEQUENCE_DELIMITER:
            break
        if tag != _ITEM or length == UNDEFINED_LENGTH:
            raise Refusal("compressed pixel data are damaged: no fragment where one should start")
        if position + length > len(pixel_bytes):
            raise Refusal("image is truncated: the file ends inside the compressed pixel data")
        fragments.append(pixel_bytes[position : position + length])
        position += length
    frames = [fragment for fragment in fragments[1:] if fragment]
    if not frames:
        raise Refusal("no pixel data: no compressed fragment in the file")
    if sum(fragment.startswith((b"\xff\xd8\xff", b"\xff\x4f\xff\x51")) for fragment in frames) > 1:
        raise Refusal("several frames in one file, not a single film")
    return b"".join(frames)


def _unpack_rle(frame: bytes, pixel_format: PixelFormat) -> np.ndarray:
    """RLE Lossless (PS3.5 Annex G): one segment per byte of the word, highest byte first."""
    planes = max(1, pixel_format.bits_allocated // 8)
    if pixel_format.bits_allocated == 1 or len(frame) < 64:
        raise Refusal("RLE pixel data are damaged or of one bit")
    segments, *offsets = struct.unpack_from("<16L", frame)
    if segments != planes:
        raise Refusal(f"RLE pixel data have {segments} segments where {planes} belong")
    ends = [*offsets[1:planes], len(frame)]
    count = pixel_format.rows * pixel_format.columns
    words = np.zeros((count, planes), np.uint8)
    for plane in range(planes):
        start, end = offsets[plane], ends[plane]
        if not 64 <= start <= end <= len(frame):
            raise Refusal("RLE pixel data are damaged: segment offsets")
        unpacked = unpack_bits(memoryview(frame)[start:end], count)
        words[:, planes - 1 - plane] = np.frombuffer(unpacked, np.uint8)
    return words.view(f"<u{planes}").astype(f"u{planes}").reshape(-1)


def unpack_bits(packed: memoryview, count: int) -> bytes:
    """PackBits (PS3.5 G.3.2) of exactly `count` bytes; never grows beyond, refuses less."""
    unpacked = bytearray()
    position, end = 0, len(packed)
    while len(unpacked) < count and position < end:
        control = packed[position]
        position += 1
        if control < 128:
            unpacked += packed[position : position + control + 1]
            position += control + 1
        elif control > 128 and position < end:
            unpacked += bytes(packed[position : position + 1]) * (257 - control)
            position += 1
    if len(unpacked) < count:
        raise Refusal("image is truncated: RLE data end early")
    return bytes(unpacked[:count])


def _inflate_frame(frame: bytes, pixel_format: PixelFormat) -> np.ndarray:
    """Deflated Image Frame Compression (PS3.5 A.4.13): raw deflate of the native frame."""
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, pixel_format.native_bytes)
    return _words(inflated, pixel_format, is_little_endian=True)


def _decode_codestream(frame: bytes, pixel_format: PixelFormat) -> np.ndarray:
    header = read_stream_header(frame)
    if header.components != 1:
        raise Refusal(f"colour image ({header.components} components in the compressed data)")
    if (header.rows, header.columns) != (pixel_format.rows, pixel_format.columns):
        raise Refusal(
            f"compressed image is {header.rows} x {header.columns}, "
            f"the header says {pixel_format.rows} x {pixel_format.columns}"
        )
    if not 1 <= header.precision <= 16:
        raise Refusal(f"compressed image has {header.precision} bits: not supported")
    if header.kind == "jpeg" and header.precision == 8:
        words = _decode_jpeg_8bit(frame)
    elif header.kind in ("jpeg", "jpeg-lossless"):
        words = _decode_in_child(frame, header)
    elif header.kind == "jpeg-ls":
        words = _decode_jpeg_ls(frame)
    else:
        words = _decode_jpeg2000(frame)
    if words.size != header.rows * header.columns:
        raise Refusal("compressed image is damaged: the decoder returned another size")
    bits = header.precision
    if pixel_format.is_signed and not header.is_signed:
        bits = min(bits, pixel_format.bits_stored)  # signed values in an unsigned stream
    return extract_bits(words.reshape(-1), 0, bits, pixel_format.is_signed)


def _decode_jpeg_8bit(frame: bytes) -> np.ndarray:
    """Pillow refuses a stream whose scan ends early; gdcm fills up with grey."""
    from PIL import Image

    with Image.open(BytesIO(frame), formats=("JPEG",)) as picture:
        if picture.mode != "L":
            raise Refusal(f"colour image (JPEG {picture.mode})")
        return np.array(picture, np.uint8)


def _decode_jpeg_ls(frame: bytes) -> np.ndarray:
    from jpeg_ls import decode_pixel_data

    decoded, stream = decode_pixel_data(frame)
    item = 1 if stream["bits_per_sample"] <= 8 else 2
    return np.frombuffer(bytes(decoded), f"<u{item}").astype(f"u{item}")


def _decode_jpeg2000(frame: bytes) -> np.ndarray:
    from openjpeg.utils import decode

    decoded = decode(frame)
    return decoded.view(f"u{decoded.dtype.itemsize}")


def _decode_in_child(frame: bytes, header: StreamHeader) -> np.ndarray:
    """JPEG Lossless (process 14) and 12-bit Extended, which only gdcm reads: see gdcm_child."""
    request = gdcm_child.HEADER.pack(
        header.rows, header.columns, header.precision, header.kind == "jpeg-lossless"
    )
    try:
        child = subprocess.run(
            [sys.executable, "-I", gdcm_child.__file__],
            input=request + frame,
            capture_output=True,
            timeout=CHILD_TIMEOUT_S,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        raise Refusal("compressed image could not be decoded in time") from None
    complaints = child.stderr.lower()
    if child.returncode != 0:
        raise Refusal("compressed image is damaged or truncated: its decoder gave up")
    if any(word in complaints for word in (b"premature end", b"bad huffman code")):
        raise Refusal("compressed image is damaged or truncated")
    item = 1 if header.precision <= 8 else 2
    return np.frombuffer(child.stdout, f"<u{item}").astype(f"u{item}")
