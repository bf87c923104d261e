"""One frame of pixel data -> stored values, whole or not at all (PS3.5 8 and Annex A).

The codecs are called directly rather than through pydicom's plugins: those refuse 12-bit
JPEG Extended, need an extra package for HTJ2K, read HighBit != BitsStored - 1 wrongly and
unpack RLE without limit. No stream reaches a codec before its own header agrees with Rows,
Columns and one sample per pixel, and every codec runs in a child process (decoding_pool).
Native pixels need none: numpy reads them, within bounds checked here.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from workstation.dicom import decoding_child
from workstation.dicom.acceptance import (
    COLOURED_REASON,
    DEFLATED_FRAME,
    NATIVE_SYNTAXES,
    RLE_LOSSLESS,
    PixelFormat,
)
from workstation.dicom.codestreams import StreamHeader, read_stream_header
from workstation.dicom.dataset_reading import ParsedInstance
from workstation.dicom.decoding_pool import decode_in_child
from workstation.dicom.pixel_frames import FrameTable, read_native_frame, words_of
from workstation.dicom.unreadable import Refusal

MAX_GREY_LEVELS = 2**20
_CODECS = {
    "jpeg-lossless": decoding_child.JPEG_LOSSLESS,
    "jpeg-ls": decoding_child.JPEG_LS,
    "jpeg2000": decoding_child.JPEG_2000,
}


@dataclass(frozen=True, eq=False)
class DecodedFrame:
    """stored: [rows, columns] values, bits extracted, sign extended, native byte order.

    words: [rows, columns] the whole containers, bits beyond Bits Stored included; None where
    the syntax keeps none.
    """

    stored: np.ndarray
    words: np.ndarray | None


def decode_pixels(
    parsed: ParsedInstance, pixel_format: PixelFormat, table: FrameTable, index: int = 0
) -> DecodedFrame:
    """One frame, counted from 0."""
    shape = pixel_format.rows, pixel_format.columns
    words = _read_words(parsed, pixel_format, table, index)
    if words is not None and pixel_format.samples == 3:
        words = merge_samples(words, pixel_format)
    if words is not None:
        low_bit = pixel_format.high_bit - pixel_format.bits_stored + 1
        stored = extract_bits(words, low_bit, pixel_format.bits_stored, pixel_format.is_signed)
        words = words.reshape(shape)
    else:
        stored = _decode_codestream(table.read_compressed(parsed, index), pixel_format)
    stored = stored.reshape(shape)
    if stored.dtype.itemsize > 2 and int(stored.max()) - int(stored.min()) >= MAX_GREY_LEVELS:
        raise Refusal("pixel values span more than a million levels: not a film")
    return DecodedFrame(np.ascontiguousarray(stored), words)


def merge_samples(values: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    """[rows * columns] grey of native values of three samples; refuses colour."""
    shape = (3, -1) if pixel_format.is_planar else (-1, 3)
    first, second, third = values.reshape(shape) if shape[0] == 3 else values.reshape(shape).T
    if pixel_format.is_ybr:
        is_grey = bool((second == 128).all() and (third == 128).all())
    else:
        is_grey = np.array_equal(first, second) and np.array_equal(first, third)
    if not is_grey:
        raise Refusal(COLOURED_REASON)
    return np.ascontiguousarray(first)


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


def _read_words(
    parsed: ParsedInstance, pixel_format: PixelFormat, table: FrameTable, index: int
) -> np.ndarray | None:
    """Containers of one frame where the syntax stores them; None for JPEG and its family."""
    syntax = str(parsed.transfer_syntax)
    if syntax in NATIVE_SYNTAXES:
        return read_native_frame(parsed, pixel_format, index)
    if syntax == RLE_LOSSLESS:
        if pixel_format.bits_allocated == 1:
            raise Refusal("RLE pixel data of one bit are not supported")
        if pixel_format.samples == 3:
            return _read_run_length_samples(pixel_format, table.read_compressed(parsed, index))
        return decode_in_child(
            decoding_child.RUN_LENGTH,
            pixel_format.rows,
            pixel_format.columns,
            pixel_format.bits_allocated,
            table.read_compressed(parsed, index),
        )
    if syntax == DEFLATED_FRAME:
        # Deflated Image Frame Compression (A.4.13): raw deflate of the native frame.
        needed = (pixel_format.frame_bits + 7) // 8
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        inflated = inflater.decompress(table.read_compressed(parsed, index), needed)
        return words_of(inflated, pixel_format, is_little_endian=True)
    return None


def _read_run_length_samples(pixel_format: PixelFormat, frame: bytes) -> np.ndarray:
    """[rows * columns * 3] a segment per sample (PS3.5 G.2), as the format says they lie."""
    codec, rows = decoding_child.RUN_LENGTH_SAMPLES, pixel_format.rows
    planes = decode_in_child(codec, rows * 3, pixel_format.columns, 8, frame).reshape(3, -1)
    return planes.reshape(-1) if pixel_format.is_planar else planes.T.reshape(-1)


def _decode_codestream(frame: bytes, pixel_format: PixelFormat) -> np.ndarray:
    header = read_stream_header(frame)
    if header.components != pixel_format.samples or (
        header.components == 3 and header.kind == "jpeg-lossless"
    ):
        raise Refusal(f"colour image ({header.components} components in the compressed data)")
    if (header.rows, header.columns) != (pixel_format.rows, pixel_format.columns):
        raise Refusal(
            f"compressed image is {header.rows} x {header.columns}, "
            f"the header says {pixel_format.rows} x {pixel_format.columns}"
        )
    if not 1 <= header.precision <= 16:
        raise Refusal(f"compressed image has {header.precision} bits: not supported")
    words = decode_in_child(_codec_of(header), header.rows, header.columns, header.precision, frame)
    bits = header.precision
    if pixel_format.is_signed and not header.is_signed:
        bits = min(bits, pixel_format.bits_stored)  # signed values in an unsigned stream
    return extract_bits(words, 0, bits, pixel_format.is_signed)


def _codec_of(header: StreamHeader) -> int:
    if header.kind == "jpeg":
        is_8bit = header.precision == 8
        return decoding_child.JPEG_8BIT if is_8bit else decoding_child.JPEG_EXTENDED
    return _CODECS[header.kind]
