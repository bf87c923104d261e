"""Parse a DICOM file up to its pixels, within limits, from bytes nobody vouches for.

pydicom does the parsing; what it would do without limit (inflate, read 4 GB because a
length says so, swallow a file cut short) is done here (PS3.10 7.1, PS3.5 7 and A.5).
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.values import converters

from workstation.dicom.unreadable import Refusal

MAX_FILE_BYTES = 512 * 2**20
MAX_INFLATED_BYTES = 256 * 2**20
MAX_READS = 3_000_000
"""A parser's of one file: some ten seconds' worth, a million elements."""

UNDEFINED_LENGTH = 0xFFFFFFFF
PIXEL_TAGS = {0x7FE00008: "float", 0x7FE00009: "double", 0x7FE00010: "integer"}
_PREAMBLE_PROGRAMS = {b"MZ": "Windows", b"\x7fELF": "Linux", b"#!": "script"}


class BoundedReader:
    """A file whose read() never asks for more than is there, and remembers if it was asked to.

    BufferedReader.read(n) allocates n bytes before it looks; n comes from the file.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size
        self.was_cut_short = False
        self._reads_left = MAX_READS

    @property
    def is_inflated(self) -> bool:
        """True where the bytes are in memory and not in the file (PS3.5 A.5)."""
        return isinstance(self._stream, BytesIO)

    def read(self, count: int = -1) -> bytes:
        self._reads_left -= 1
        if self._reads_left < 0:
            raise Refusal("has millions of elements: refused as a bomb")
        remaining = max(0, self.size - self._stream.tell())
        if count > remaining:
            # 8 bytes wanted at the very end is how a parser finds the end of a whole file.
            self.was_cut_short |= remaining > 0 or count > 8
            count = remaining
        return self._stream.read(remaining if count < 0 else count)

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)


@dataclass(frozen=True)
class PixelElement:
    """Where (7FE0,0008..0010) starts: offset of its value, VR ("" if implicit), stated length."""

    kind: str
    vr: str
    length: int
    offset: int


@dataclass(frozen=True, eq=False)
class ParsedInstance:
    """Everything before the pixels, and where those are; source stays open with its stream."""

    meta: Dataset
    dataset: Dataset
    transfer_syntax: UID
    is_little_endian: bool
    pixels: PixelElement | None
    source: BoundedReader

    def read_pixel_bytes(self, start: int, count: int) -> bytes:
        """Part of the value of the pixel element; fewer bytes where the file ends."""
        assert self.pixels is not None
        self.source.seek(self.pixels.offset + start)
        return self.source.read(count)

    @property
    def pixel_bytes_present(self) -> int:
        """Bytes of the pixel element that are in the file; to its end for undefined length."""
        assert self.pixels is not None
        present = max(0, self.source.size - self.pixels.offset)
        length = self.pixels.length
        return present if length == UNDEFINED_LENGTH else min(length, present)


def check_regular_file(path: Path) -> int:
    """Size in bytes; refuses folders, pipes and devices (opening those may block) and giants."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise Refusal("is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise Refusal("is not a regular file")
    if status.st_size == 0:
        raise Refusal("file is empty")
    if status.st_size > MAX_FILE_BYTES:
        raise Refusal(f"file is larger than {MAX_FILE_BYTES // 2**20} MB")
    return status.st_size


def find_dataset_start(head: bytes) -> int:
    """132 with the PS3.10 preamble, 0 for a bare data set; refuses what is not DICOM."""
    if head[128:132] == b"DICM":
        for magic, system in _PREAMBLE_PROGRAMS.items():
            if head.startswith(magic):
                raise Refusal(f"preamble holds a {system} program: refused as unsafe")
        return 132
    # Old archives store the bare data set: group 0002 or 0008 first, in either byte order.
    if len(head) >= 8 and (head[:2] in (b"\x02\x00", b"\x08\x00") or head[:2] == b"\x00\x08"):
        return 0
    raise Refusal("not a DICOM, PNG or JPEG file")


def parse_instance(stream: BinaryIO, size: int) -> ParsedInstance:
    """Parse an open file of `size` bytes up to its pixel data."""
    source = BoundedReader(stream, size)
    source.seek(find_dataset_start(source.read(132)))
    meta = _read_meta(source)
    syntax = UID(str(meta.get("TransferSyntaxUID") or ""))
    if not syntax:
        syntax = _guess_transfer_syntax(source)
    if syntax == DeflatedExplicitVRLittleEndian:
        inflated = inflate(source.read(), MAX_INFLATED_BYTES)
        source = BoundedReader(BytesIO(inflated), len(inflated))
    dataset, pixels = _read_until_pixels(source, syntax)
    if pixels is None and source.was_cut_short:
        raise Refusal("file is truncated: it ends inside its header")
    return ParsedInstance(meta, dataset, syntax, syntax != ExplicitVRBigEndian, pixels, source)


def inflate(deflated: bytes, limit: int) -> bytes:
    """Raw deflate (PS3.5 A.5) of at most `limit` bytes: a small file can declare gigabytes."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = stream.decompress(deflated, limit)
    if stream.unconsumed_tail and not stream.eof:
        raise Refusal(f"deflated data grow beyond {limit // 2**20} MB: refused as a bomb")
    if not stream.eof:
        raise Refusal("file is truncated: deflated data end early")
    return inflated


def _read_meta(source: BoundedReader) -> Dataset:
    start = source.tell()
    if source.read(2) != b"\x02\x00":
        source.seek(start)
        return Dataset()
    source.seek(start)
    return read_dataset(source, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)


def _guess_transfer_syntax(source: BoundedReader) -> UID:
    """For files without file meta: explicit if a VR follows the first tag, big if it reads so."""
    start = source.tell()
    head = source.read(6)
    source.seek(start)
    if len(head) < 6:
        raise Refusal("no data set: the file ends after its file meta")
    is_explicit = head[4:6].decode("latin-1") in {str(vr) for vr in converters}
    if not is_explicit:
        return ImplicitVRLittleEndian
    group = struct.unpack("<H", head[:2])[0]
    return ExplicitVRBigEndian if group >= 0x0400 else ExplicitVRLittleEndian


def _read_until_pixels(source: BoundedReader, syntax: UID) -> tuple[Dataset, PixelElement | None]:
    found: list[PixelElement] = []

    def is_at_pixels(tag: Any, vr: str | None, length: int) -> bool:
        if int(tag) not in PIXEL_TAGS:
            return False
        # _is_implicit_vr of pydicom asks too, with length 0; the last call is the real one.
        found[:] = [PixelElement(PIXEL_TAGS[int(tag)], str(vr or ""), length, source.tell())]
        return True

    dataset = read_dataset(
        source,
        syntax == ImplicitVRLittleEndian,
        syntax != ExplicitVRBigEndian,
        stop_when=is_at_pixels,
    )
    return dataset, found[0] if found else None
