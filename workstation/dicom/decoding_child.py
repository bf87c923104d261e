"""The program of a child process that runs the codecs, and may die doing so.

gdcm aborts the whole process on some damaged streams (issue 2, found by fuzzing), and any codec
may ask for more memory or time than there is; so none of them runs in ours. Imports nothing of
this project: it is started by path, isolated (`python -I`), by decoding_pool.

stdin, again and again: REQUEST, then the compressed frame or picture file. stdout: RESPONSE, then
the unsigned values of the frame (1, 2 or 4 bytes each, little endian; of a picture after
PICTURE_HEAD), or why there are none.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import tempfile
from io import BytesIO
from typing import Any, BinaryIO

MEMORY_LIMIT_BYTES = 2 * 2**30
CPU_LIMIT_S = 60
"""A request's: ends a child whose parent died before it could."""

COMPLAINTS_LIMIT_BYTES = 2**20
REQUEST = struct.Struct("<BIIBQ")  # codec, rows, columns, bits of a value, bytes that follow
RESPONSE = struct.Struct("<BQ")  # outcome, bytes that follow
PICTURE_HEAD = struct.Struct("<IIB")  # rows, columns, bytes of a value
JPEG_8BIT, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LS, JPEG_2000, RUN_LENGTH, PICTURE = range(1, 8)
RUN_LENGTH_SAMPLES = 8
DECODED, FAILED, OUT_OF_MEMORY, TRUNCATED, COLOURED, REFUSED = range(6)
GREY_TOLERANCE = 2
MAX_PICTURE_PIXELS = 128_000_000


class Truncated(Exception):
    """The stream ends before the image does."""


class Coloured(Exception):
    """The stream holds a colour image."""


class Refused(Exception):
    """The picture is none we show; the text says why, for the reader."""


def limit_resources() -> None:
    """Where the platform can: a stream that wants more gets an error, not the machine."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no patient in a core dump
        resource.setrlimit(resource.RLIMIT_FSIZE, (COMPLAINTS_LIMIT_BYTES,) * 2)
    except (ImportError, OSError, ValueError):
        pass


def limit_cpu_time() -> None:
    """CPU_LIMIT_S more than was used so far, for the request that begins."""
    try:
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        used_s = int(usage.ru_utime + usage.ru_stime)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (used_s + CPU_LIMIT_S, hard))
    except (ImportError, OSError, ValueError):
        pass


def decode_by_gdcm(frame: bytes, rows: int, columns: int, precision: int, lossless: bool) -> bytes:
    """JPEG Lossless (process 14) or Extended of 12 bits, which only gdcm reads."""
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    monochrome2 = gdcm.PhotometricInterpretation.MONOCHROME2
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(monochrome2))
    syntax = gdcm.TransferSyntax
    process = syntax.JPEGLosslessProcess14 if lossless else syntax.JPEGExtendedProcess2_4
    image.SetTransferSyntax(syntax(process))
    bits_allocated = 8 if precision <= 8 else 16
    image.SetPixelFormat(gdcm.PixelFormat(1, bits_allocated, precision, precision - 1, 0))
    buffer = image.GetBuffer()
    if buffer is None:
        raise ValueError("gdcm returned nothing")
    # SWIG hands char* over as text; this restores the bytes.
    return bytes(buffer.encode("utf-8", "surrogateescape"))


def decode_jpeg_8bit(frame: bytes) -> bytes:
    """Pillow refuses a stream whose scan ends early; gdcm fills up with grey."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(frame), formats=("JPEG",)) as picture:
        if picture.mode == "L":
            return bytes(picture.tobytes())
        if picture.mode != "RGB":
            raise Coloured
        return merge_samples(np.asarray(picture))


def merge_samples(pixels: Any) -> bytes:
    """[rows, columns, 3] uint8 of a lossy or transformed picture -> its grey; Coloured where the
    samples differ by more than such a codec may make grey ones differ."""
    import numpy as np

    wide = pixels.astype(np.int16)
    if int(np.ptp(wide, axis=2).max()) > GREY_TOLERANCE:
        raise Coloured
    return bytes(np.ascontiguousarray(pixels[..., 1]).tobytes())


def decode_jpeg_ls(frame: bytes, rows: int, columns: int) -> bytes:
    """Words of one byte up to 8 bits, else two."""
    import numpy as np
    from jpeg_ls import decode_pixel_data

    decoded, described = decode_pixel_data(frame)
    if described["components"] != 3:
        return bytes(decoded)
    values = np.frombuffer(decoded, np.uint8)
    if described["interleave_mode"] == 0:
        return merge_samples(np.moveaxis(values.reshape(3, rows, columns), 0, -1))
    return merge_samples(values.reshape(rows, columns, 3))


def decode_jpeg_2000(frame: bytes) -> bytes:
    """JPEG 2000 and HTJ2K."""
    from openjpeg.utils import decode

    decoded: Any = decode(frame)
    if decoded.ndim == 3:
        return merge_samples(decoded)
    return bytes(decoded.astype(decoded.dtype.newbyteorder("<")).tobytes())


def decode_run_length(frame: bytes, count: int, planes: int) -> bytes:
    """RLE Lossless (PS3.5 Annex G) of `count` values: one segment per byte, highest first."""
    import numpy as np

    words = np.zeros((count, planes), np.uint8)
    for plane, (start, end) in enumerate(find_segments(frame, planes)):
        unpacked = unpack_bits(memoryview(frame)[start:end], count)
        words[:, planes - 1 - plane] = np.frombuffer(unpacked, np.uint8)
    return words.tobytes()


def decode_run_length_planes(frame: bytes, count: int) -> bytes:
    """RLE Lossless of three samples of one byte (PS3.5 G.2): one plane of `count` after another."""
    parts = find_segments(frame, 3)
    return b"".join(unpack_bits(memoryview(frame)[start:end], count) for start, end in parts)


def find_segments(frame: bytes, wanted: int) -> list[tuple[int, int]]:
    """(start, end) of each segment, from the RLE header (PS3.5 G.5)."""
    if len(frame) < 64:
        raise Truncated
    segments, *offsets = struct.unpack_from("<16L", frame)
    if segments != wanted:
        raise ValueError(f"{segments} segments where {wanted} belong")
    found = list(zip(offsets[:wanted], [*offsets[1:wanted], len(frame)], strict=True))
    if any(not 64 <= start <= end <= len(frame) for start, end in found):
        raise ValueError("segment offsets")
    return found


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
        raise Truncated
    return bytes(unpacked[:count])


def decode_picture(file_bytes: bytes) -> bytes:
    """A whole PNG or JPEG file -> PICTURE_HEAD and its grey values, 1 or 2 bytes each."""
    import numpy as np
    from PIL import Image, ImageOps

    is_png = file_bytes.startswith(b"\x89PNG")
    if is_png:
        check_png_header(file_bytes)
    # Its limit of pixels is a warning at half ours; ours is checked before anything is decoded.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(BytesIO(file_bytes), formats=("PNG" if is_png else "JPEG",)) as picture:
        if picture.width * picture.height > MAX_PICTURE_PIXELS:
            raise Refused(f"declares {picture.height} x {picture.width} pixels: refused as a bomb")
        if is_png and getattr(picture, "n_frames", 1) > 1:
            raise Refused("an animation, not a single film")
        picture.load()
        # The camera's orientation tag is part of how the picture is meant to be seen.
        values = read_grey_values(picture if is_png else ImageOps.exif_transpose(picture))
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return PICTURE_HEAD.pack(*values.shape, values.dtype.itemsize) + little.tobytes()


def check_png_header(file_bytes: bytes) -> None:
    """IHDR: Pillow would quietly drop the low byte of 16-bit colour, and skip a missing end."""
    if len(file_bytes) < 33 or b"IEND" not in file_bytes[-64:]:
        raise Refused("image is truncated: the PNG has no end")
    bit_depth, colour_type = file_bytes[24], file_bytes[25]
    if bit_depth == 16 and colour_type != 0:
        raise Refused("colour or transparent PNG of 16 bits: save it as 16-bit greyscale")


def read_grey_values(picture: Any) -> Any:
    """[rows, columns] uint8 or uint16 of a loaded Pillow image; Refused where it is coloured."""
    import numpy as np

    if picture.mode in ("L", "1"):
        return np.array(picture.convert("L"), np.uint8)
    if picture.mode.startswith("I"):  # 16-bit PNG: "I;16" and its byte orders, or "I"
        values = np.array(picture)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise Refused("greyscale of more than 16 bits")
        return values.astype(np.uint16)
    if picture.mode not in ("P", "PA", "LA", "RGB", "RGBA"):
        raise Refused(f"colour picture ({picture.mode}): only greyscale films can be opened")
    whole = picture.convert("RGBA")
    if whole.getextrema()[3][0] < 255:
        raise Refused("picture is partly transparent: save it without transparency")
    red = np.array(whole.getchannel(0))
    if any(not np.array_equal(red, whole.getchannel(band)) for band in (1, 2)):
        raise Refused("colour picture: only greyscale films can be opened")
    return red


def decode_frame(codec: int, rows: int, columns: int, bits: int, frame: bytes) -> bytes:
    """Raw unsigned values of one greyscale frame; of a picture after its PICTURE_HEAD."""
    if codec == JPEG_8BIT:
        return decode_jpeg_8bit(frame)
    if codec in (JPEG_EXTENDED, JPEG_LOSSLESS):
        return decode_by_gdcm(frame, rows, columns, bits, codec == JPEG_LOSSLESS)
    if codec == JPEG_LS:
        return decode_jpeg_ls(frame, rows, columns)
    if codec == JPEG_2000:
        return decode_jpeg_2000(frame)
    if codec == PICTURE:
        return decode_picture(frame)
    if codec == RUN_LENGTH_SAMPLES:
        return decode_run_length_planes(frame, rows * columns // 3)
    return decode_run_length(frame, rows * columns, max(1, bits // 8))


def answer(codec: int, rows: int, columns: int, bits: int, frame: bytes) -> tuple[int, bytes]:
    """(outcome, values or reason) of one request."""
    try:
        return DECODED, decode_frame(codec, rows, columns, bits, frame)
    except MemoryError:
        return OUT_OF_MEMORY, b""
    except Truncated:
        return TRUNCATED, b""
    except Coloured:
        return COLOURED, b""
    except Refused as refused:
        return REFUSED, str(refused).encode()
    except Exception as error:  # whatever a codec raises on damaged bytes
        return FAILED, f"{type(error).__name__}: {error}".encode()[:200]


def serve(requests: BinaryIO, responses: BinaryIO, complaints: BinaryIO) -> None:
    """Until the parent closes the pipe. complaints: the file behind our own stderr."""
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        codec, rows, columns, bits, length = REQUEST.unpack(head)
        limit_cpu_time()
        with contextlib.suppress(OSError):
            complaints.seek(0)
            complaints.truncate()
        outcome, payload = answer(codec, rows, columns, bits, requests.read(length))
        complaints.seek(0)
        # gdcm and libjpeg only warn, and fill the rest of the image with grey.
        if any(words in complaints.read().lower() for words in (b"premature", b"bad huffman")):
            outcome, payload = TRUNCATED, b""
        responses.write(RESPONSE.pack(outcome, len(payload)))
        responses.write(payload)
        responses.flush()


def main() -> None:
    """Serve the standard streams; nothing a codec prints may get between the responses."""
    # The answers keep a descriptor of their own, so that a codec's print() goes to complaints.
    responses = os.fdopen(os.dup(1), "wb")
    with tempfile.TemporaryFile(buffering=0) as complaints:
        os.dup2(complaints.fileno(), 1)
        os.dup2(complaints.fileno(), 2)
        limit_resources()
        serve(sys.stdin.buffer, responses, complaints)


if __name__ == "__main__":
    main()
