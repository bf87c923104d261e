"""The first part of a multipart/related answer as it arrives (RFC 2046 5.1, PS3.18 8.7.3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from typing import BinaryIO

_CHUNK = 1 << 16
_MAX_PREAMBLE = 1 << 16


class BrokenMultipart(ValueError):
    """The answer isn't multipart, or it ends before its part does."""


def first_part(stream: BinaryIO, content_type: str) -> Iterator[bytes]:
    """The body of the first part in pieces. Raises BrokenMultipart, at the latest at the end:
    a part without its closing delimiter was cut short."""
    delimiter = b"\r\n--" + _boundary_of(content_type)
    waiting = b"\r\n"  # the first delimiter may stand at the very beginning
    waiting = _read_past(stream, waiting, delimiter)
    waiting = _read_past(stream, b"\r\n" + _without_line(stream, waiting), b"\r\n\r\n")
    while True:
        end = waiting.find(delimiter)
        if end >= 0:
            yield waiting[:end]
            return
        keep = len(delimiter) - 1
        if len(waiting) > keep:
            yield waiting[:-keep]
            waiting = waiting[-keep:]
        waiting += _read_some(stream)


def _boundary_of(content_type: str) -> bytes:
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_maintype() != "multipart" or not isinstance(boundary, str):
        raise BrokenMultipart(f"the answer is {header.get_content_type()}, not multipart")
    return boundary.encode("ascii", "replace")


def _read_past(stream: BinaryIO, waiting: bytes, mark: bytes) -> bytes:
    """What was read beyond mark."""
    while (at := waiting.find(mark)) < 0:
        if len(waiting) > _MAX_PREAMBLE:
            raise BrokenMultipart("the answer's parts are not marked as announced")
        waiting += _read_some(stream)
    return waiting[at + len(mark) :]


def _without_line(stream: BinaryIO, waiting: bytes) -> bytes:
    """Drop the rest of the delimiter's line; "--" there ends the answer without any part."""
    while len(waiting) < 2:
        waiting += _read_some(stream)
    if waiting.startswith(b"--"):
        raise BrokenMultipart("the answer has no part")
    return _read_past(stream, waiting, b"\r\n")


def _read_some(stream: BinaryIO) -> bytes:
    piece = stream.read(_CHUNK)
    if not piece:
        raise BrokenMultipart("the answer was cut short")
    return piece
