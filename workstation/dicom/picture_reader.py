"""PNG and JPEG pictures as greyscale frames, decoded by a child process; colour is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workstation.dicom.decoding_pool import decode_picture_in_child
from workstation.dicom.unreadable import Refusal

_MAGIC: dict[bytes, Literal["PNG", "JPEG"]] = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
}


@dataclass(frozen=True, eq=False)
class Picture:
    """stored: [rows, columns] uint8 or uint16, higher is brighter."""

    stored: np.ndarray
    source_format: Literal["PNG", "JPEG"]


def picture_format(head: bytes) -> Literal["PNG", "JPEG"] | None:
    """PNG or JPEG by the first bytes, else None."""
    for magic, source_format in _MAGIC.items():
        if head.startswith(magic):
            return source_format
    return None


def read_picture(file_bytes: bytes) -> Picture:
    """Decode a whole picture in a child process with limits (any thread but the UI's); Refusal of
    colour, transparency, animation, bombs, damage and truncation."""
    source_format = picture_format(file_bytes[:8])
    if source_format is None:
        raise Refusal("not a PNG or JPEG file")
    return Picture(decode_picture_in_child(file_bytes), source_format)
