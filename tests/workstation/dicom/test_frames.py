"""Multi-frame instances: each frame decoded when asked for, with its own display attributes."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, JPEGBaseline8Bit

from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.voi import Window
from workstation.dicom.window_choices import default_window

WriteDicom = Callable[..., Path]
FRAMES = np.arange(3 * 20, dtype=np.uint16).reshape(3, 4, 5)


def write_frames(write_dicom: WriteDicom, frames: np.ndarray, **more: object) -> Path:
    flat = frames.reshape(-1, frames.shape[2])
    return write_dicom(flat, Rows=frames.shape[1], NumberOfFrames=len(frames), **more)


@pytest.mark.parametrize("syntax", [None, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_frames_are_decoded_one_by_one(write_dicom: WriteDicom, syntax: str | None) -> None:
    stored = FRAMES.byteswap() if syntax == ExplicitVRBigEndian else FRAMES
    path = write_frames(write_dicom, stored, **({"syntax": syntax} if syntax else {}))
    film = read_film(path)
    assert (film.frame_count, read_header(path).frame_count) == (3, 3)
    assert film.frame(0) is film
    for index in (2, 1, 0):
        frame = film.frame(index)
        assert np.array_equal(frame.stored, FRAMES[index])
        assert (frame.frame_index, frame.frame_count) == (index, 3)
    assert film.frame(2) is film.frame(2)
    with pytest.raises(IndexError):
        film.frame(3)


def test_odd_frames_of_bytes_and_bits_have_no_gap_between_them(write_dicom: WriteDicom) -> None:
    bytes_ = np.arange(3 * 15, dtype=np.uint8).reshape(3, 3, 5)
    film = read_film(write_frames(write_dicom, bytes_))
    assert np.array_equal(film.frame(1).stored, bytes_[1])
    swapped = np.append(bytes_.reshape(-1), np.uint8(0)).reshape(-1, 2)[:, ::-1].tobytes()
    film = read_film(
        write_frames(write_dicom, bytes_, syntax=ExplicitVRBigEndian, PixelData=swapped)
    )
    assert np.array_equal(film.frame(1).stored, bytes_[1])
    assert np.array_equal(film.frame(2).stored, bytes_[2])
    bits = np.random.default_rng(3).integers(0, 2, (3, 3, 5), dtype=np.uint8)
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    path = write_frames(
        write_dicom, bits, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=packed
    )
    film = read_film(path)
    assert [film.frame(i).stored.tolist() for i in range(3)] == bits.tolist()


def jpeg_frame(value: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(np.full((4, 5), value, np.uint8)).save(stream, "JPEG", quality=100)
    return stream.getvalue()


@pytest.mark.parametrize("how", ["one each", "two each", "extended", "two each, no table"])
def test_compressed_frames_are_told_apart(write_dicom: WriteDicom, how: str) -> None:
    frames = [jpeg_frame(value) for value in (10, 90, 200)]
    more: dict[str, object] = {}
    if how == "extended":
        encapsulated, offsets, lengths = encapsulate_extended(frames)
        more = {"ExtendedOffsetTable": offsets, "ExtendedOffsetTableLengths": lengths}
    else:
        pieces = 1 if how == "one each" else 2
        encapsulated = encapsulate(frames, pieces, has_bot=how == "two each")
    path = write_dicom(
        np.zeros((4, 5), np.uint8),
        syntax=JPEGBaseline8Bit,
        NumberOfFrames=3,
        PixelData=encapsulated,
        **more,
    )
    film = read_film(path)
    assert [int(film.frame(i).stored[2, 2]) for i in range(3)] == [10, 90, 200]


def test_more_frames_claimed_than_there_are_is_a_truncated_image(write_dicom: WriteDicom) -> None:
    with pytest.raises(UnreadableInstance, match="truncated"):
        read_film(write_dicom(FRAMES[0], NumberOfFrames=2))
    path = write_dicom(
        np.zeros((4, 5), np.uint8),
        syntax=JPEGBaseline8Bit,
        NumberOfFrames=20000,
        PixelData=encapsulate([jpeg_frame(1)]),
    )
    with pytest.raises(UnreadableInstance, match="1 of 20000 frames"):
        read_film(path)
    with pytest.raises(UnreadableInstance, match="declares"):
        read_film(write_dicom(FRAMES[0], NumberOfFrames=2**31 - 1))


def test_every_frame_has_its_own_window(write_dicom: WriteDicom) -> None:
    groups = []
    for center in (10, 20, 30):
        voi = Dataset()
        voi.WindowCenter, voi.WindowWidth = center, 40
        group = Dataset()
        group.FrameVOILUTSequence = Sequence([voi])
        groups.append(group)
    path = write_frames(write_dicom, FRAMES, PerFrameFunctionalGroupsSequence=Sequence(groups))
    film = read_film(path)
    assert [default_window(film.frame(i)) for i in range(3)] == [
        Window(10, 40),
        Window(20, 40),
        Window(30, 40),
    ]


def test_file_that_changed_is_not_read_with_the_old_header(write_dicom: WriteDicom) -> None:
    path = write_frames(write_dicom, FRAMES)
    film = read_film(path)
    path.write_bytes(path.read_bytes() + b"\0\0")
    with pytest.raises(UnreadableInstance, match="changed"):
        film.frame(1)
    path.unlink()
    with pytest.raises(UnreadableInstance, match="no such file"):
        film.frame(2)
