"""PNG and JPEG as films."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workstation.dicom import decoding_child
from workstation.dicom.acceptance import MAX_PIXELS
from workstation.dicom.decoding_pool import decode_picture_in_child
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.window_choices import badges

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **options: object) -> Path:
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def assert_refused(path: Path, reason: str) -> None:
    for read in (read_header, read_film):
        with pytest.raises(UnreadableInstance, match=reason):
            read(path)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA"])
def test_grey_png_of_any_mode_is_shown_as_saved(tmp_path: Path, mode: str) -> None:
    film = read_film(save(tmp_path / "chest.png", RAMP, mode))
    assert np.array_equal(film.stored, RAMP)
    assert np.array_equal(render_grey(film), RAMP)
    assert badges(film) == ()


def test_picture_header_is_derived_from_its_bytes(tmp_path: Path) -> None:
    first = read_header(save(tmp_path / "chest.png", RAMP))
    (tmp_path / "copy.png").write_bytes((tmp_path / "chest.png").read_bytes())
    copy = read_header(tmp_path / "copy.png")
    other = read_header(save(tmp_path / "other.png", RAMP[::-1].copy()))
    assert (first.patient_name, first.study_description) == ("", "chest.png")
    assert first.source_format == "PNG"
    assert first.sop_instance_uid == copy.sop_instance_uid != other.sop_instance_uid
    assert len({first.sop_instance_uid, first.series_instance_uid, first.study_instance_uid}) == 3
    assert first.sop_instance_uid.startswith("2.25.")
    assert len(first.sop_instance_uid) <= 64


def test_sixteen_bit_png_keeps_its_values(tmp_path: Path) -> None:
    pixels = (RAMP.astype(np.uint16) * 257)[::-1].copy()
    film = read_film(save(tmp_path / "deep.png", pixels))
    assert film.stored.dtype == np.uint16
    assert np.array_equal(film.stored, pixels)
    assert badges(film) == ("percentile window",)


def test_jpeg_is_badged_lossy_and_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate a quarter clockwise to see it upright
    pixels = np.zeros((16, 32), np.uint8)
    pixels[:, 24:] = 255
    film = read_film(save(tmp_path / "chest.jpg", pixels, exif=exif, quality=95))
    assert film.header.source_format == "JPEG"
    assert badges(film) == ("lossy",)
    assert film.stored.shape == (32, 16)
    assert film.stored[-1, 8] > 200 > 50 > film.stored[0, 8]


def test_colour_transparency_and_animation_are_refused(tmp_path: Path) -> None:
    colour = np.stack([RAMP, RAMP, 255 - RAMP], axis=2)
    assert_refused(save(tmp_path / "colour.png", colour), "colour")
    assert_refused(save(tmp_path / "colour.jpg", colour), "colour")
    assert_refused(save(tmp_path / "cmyk.jpg", colour, "CMYK"), "colour")
    see_through = np.stack([RAMP, RAMP, RAMP, RAMP], axis=2)
    assert_refused(save(tmp_path / "through.png", see_through), "transparent")
    frames = [Image.fromarray(RAMP), Image.fromarray(255 - RAMP)]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    assert_refused(tmp_path / "moving.png", "animation")


@pytest.mark.parametrize("name", ["chest.png", "chest.jpg"])
def test_every_truncated_picture_is_refused(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 40)).astype(np.uint8)
    whole = save(tmp_path / name, noise).read_bytes()
    for length in range(9, len(whole) - 4, 37):
        (tmp_path / name).write_bytes(whole[:length])
        assert_refused(tmp_path / name, "trunca|no end|damaged")


def test_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", checksum)

    bomb = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">LLBBBBB", 13000, 13000, 8, 0, 0, 0, 0)
    )
    bomb += chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    assert_refused(tmp_path / "bomb.png", "bomb")


def test_pictures_are_decoded_by_the_child_within_its_limits(tmp_path: Path) -> None:
    assert decoding_child.MAX_PICTURE_PIXELS == MAX_PIXELS
    whole = save(tmp_path / "chest.png", RAMP).read_bytes()
    assert np.array_equal(decode_picture_in_child(whole), RAMP)
