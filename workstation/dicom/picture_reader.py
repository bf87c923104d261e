"""PNG and JPEG pictures as greyscale frames, by Pillow; coloured ones are refused."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np

from workstation.dicom.acceptance import MAX_PIXELS
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
    """Decode a whole picture; refuses colour, transparency, animation, bombs and truncation."""
    from PIL import Image, ImageOps

    source_format = picture_format(file_bytes[:8])
    assert source_format is not None
    if source_format == "PNG":
        _check_png_header(file_bytes)
    with Image.open(BytesIO(file_bytes), formats=(source_format,)) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise Refusal(f"declares {picture.height} x {picture.width} pixels: refused as a bomb")
        if source_format == "PNG" and getattr(picture, "n_frames", 1) > 1:
            raise Refusal("an animation, not a single film")
        picture.load()
        # The camera's orientation tag is part of how the picture is meant to be seen.
        upright = ImageOps.exif_transpose(picture) if source_format == "JPEG" else picture
        stored = _grey_values(upright)
    return Picture(np.ascontiguousarray(stored), source_format)


def _check_png_header(file_bytes: bytes) -> None:
    """IHDR: Pillow would quietly drop the low byte of 16-bit colour, and skip a missing end."""
    if len(file_bytes) < 33 or b"IEND" not in file_bytes[-64:]:
        raise Refusal("image is truncated: the PNG has no end")
    bit_depth, colour_type = file_bytes[24], file_bytes[25]
    if bit_depth == 16 and colour_type != 0:
        raise Refusal("colour or transparent PNG of 16 bits: save it as 16-bit greyscale")


def _grey_values(picture: object) -> np.ndarray:
    from PIL import Image

    assert isinstance(picture, Image.Image)
    if picture.mode in ("L", "1"):
        return np.array(picture.convert("L"), np.uint8)
    if picture.mode.startswith("I"):  # 16-bit PNG: "I;16" and its byte orders, or "I"
        values = np.array(picture)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise Refusal("greyscale of more than 16 bits")
        return values.astype(np.uint16)
    if picture.mode in ("P", "PA", "LA", "RGB", "RGBA"):
        channels = np.array(picture.convert("RGBA"))  # [rows, columns, 4]
        if int(channels[..., 3].min()) < 255:
            raise Refusal("picture is partly transparent: save it without transparency")
        red = channels[..., 0]
        if not (np.array_equal(red, channels[..., 1]) and np.array_equal(red, channels[..., 2])):
            raise Refusal("colour picture: only greyscale films can be opened")
        return red
    raise Refusal(f"colour picture ({picture.mode}): only greyscale films can be opened")
