"""What a compressed stream says of itself, read before any decoder allocates for it.

JPEG and JPEG-LS frame headers (ITU-T T.81 B.2.2, T.87 C.2.2), JPEG 2000 SIZ (T.800 A.5.1).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from workstation.dicom.unreadable import Refusal

StreamKind = Literal["jpeg", "jpeg-lossless", "jpeg-ls", "jpeg2000"]
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_END_OF_IMAGE = b"\xff\xd9"  # EOI of JPEG and JPEG-LS, EOC of JPEG 2000
_LOSSLESS_FRAMES = {0xC3}
_LOSSY_FRAMES = {0xC0, 0xC1, 0xC2}
_OTHER_FRAMES = {0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}


@dataclass(frozen=True)
class StreamHeader:
    """Size and depth of one compressed frame."""

    kind: StreamKind
    rows: int
    columns: int
    precision: int
    components: int
    is_signed: bool = False


def read_stream_header(stream: bytes) -> StreamHeader:
    """Header of a complete stream; refuses unknown ones and those without their end marker."""
    if stream[:2] == b"\xff\xd8":
        header, end = _read_jpeg_header(stream)
    elif stream[:4] == b"\xff\x4f\xff\x51" or stream[:12] == _JP2_SIGNATURE:
        header, end = _read_jpeg2000_header(stream)
    else:
        raise Refusal("compressed pixel data do not start like JPEG, JPEG-LS or JPEG 2000")
    # FF D9 can't occur in entropy-coded data (byte or bit stuffing), so its absence is certain.
    if stream.find(_END_OF_IMAGE, end) < 0:
        raise Refusal("image is truncated: the compressed data have no end marker")
    return header


def _read_jpeg_header(stream: bytes) -> tuple[StreamHeader, int]:
    position = 2
    while position + 4 <= len(stream):
        if stream[position] != 0xFF:
            break
        marker = stream[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        length = struct.unpack_from(">H", stream, position + 2)[0]
        if marker in _OTHER_FRAMES:
            raise Refusal("unsupported JPEG process (hierarchical or arithmetic coding)")
        if marker in _LOSSY_FRAMES | _LOSSLESS_FRAMES | {0xF7}:
            if position + 10 > len(stream):
                break
            precision, rows, columns, components = struct.unpack_from(">BHHB", stream, position + 4)
            kind: StreamKind = "jpeg" if marker in _LOSSY_FRAMES else "jpeg-lossless"
            kind = "jpeg-ls" if marker == 0xF7 else kind
            return StreamHeader(kind, rows, columns, precision, components), position + 2 + length
        if marker == 0xDA or length < 2:
            break
        position += 2 + length
    raise Refusal("compressed pixel data are damaged: no JPEG frame header")


def _read_jpeg2000_header(stream: bytes) -> tuple[StreamHeader, int]:
    start = stream.find(b"\xff\x4f\xff\x51")
    if start < 0 or start + 45 > len(stream):
        raise Refusal("compressed pixel data are damaged: no JPEG 2000 size marker")
    # SIZ: Lsiz Rsiz Xsiz Ysiz XOsiz YOsiz XTsiz YTsiz XTOsiz YTOsiz Csiz, then Ssiz XRsiz YRsiz
    fields = struct.unpack_from(">HH8IHBBB", stream, start + 4)
    _, _, x_size, y_size, x_offset, y_offset = fields[:6]
    tile_width, tile_height = fields[6:8]
    components, depth, x_step, y_step = fields[10:14]
    if tile_width == 0 or tile_height == 0 or x_step != 1 or y_step != 1:
        raise Refusal("compressed pixel data are damaged: JPEG 2000 tiles or subsampling")
    header = StreamHeader(
        kind="jpeg2000",
        rows=y_size - y_offset,
        columns=x_size - x_offset,
        precision=(depth & 0x7F) + 1,
        components=components,
        is_signed=bool(depth & 0x80),
    )
    return header, start + 4 + fields[0]
