"""What must not open, each with a reason a person understands, and never another exception."""

from __future__ import annotations

import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from workstation.dicom import dataset_reading
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance

WriteDicom = Callable[..., Path]
RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8) * 64
STORAGE = "1.2.840.10008.5.1.4.1.1."


def assert_refused(path: Path, reason: str) -> None:
    """Both doors refuse, naming file and reason."""
    for read in (read_header, read_film):
        with pytest.raises(UnreadableInstance) as caught:
            read(path)
        assert caught.value.path == path
        assert reason in caught.value.reason
        assert str(caught.value) == f"{path}: {caught.value.reason}"


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "colour"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour"),
        ({"NumberOfFrames": "2"}, "truncated"),
        ({"NumberOfFrames": "0"}, "0 frames"),
        ({"Rows": None}, "Rows or Columns"),
        ({"Rows": 0}, "Rows or Columns"),
        ({"Rows": 65535, "Columns": 65535}, "more than any film"),
        ({"Rows": 9}, "truncated"),
        ({"BitsAllocated": 12}, "Bits Allocated"),
        ({"SOPClassUID": STORAGE + "88.33"}, "structured report"),
        ({"SOPClassUID": STORAGE + "11.1"}, "presentation state"),
        ({"SOPClassUID": STORAGE + "481.5"}, "RTPLAN"),
        ({"SOPClassUID": STORAGE + "481.3"}, "RTSTRUCT"),
        ({"SOPClassUID": STORAGE + "481.2"}, "RTDOSE"),
        ({"SOPClassUID": STORAGE + "9.1.1"}, "waveform"),
        ({"SOPClassUID": STORAGE + "104.1"}, "encapsulated document"),
        ({"SOPClassUID": STORAGE + "66.4"}, "segmentation"),
        ({"SOPClassUID": STORAGE + "77.1.1.1"}, "video"),
        ({"SOPClassUID": "1.2.840.10008.1.3.10"}, "DICOMDIR"),
    ],
)
def test_header_alone_refuses_what_is_no_film(
    write_dicom: WriteDicom, elements: dict[str, object], reason: str
) -> None:
    assert_refused(write_dicom(RAMP, **elements), reason)


def test_no_pixel_data_video_and_unknown_syntax(write_dicom: WriteDicom) -> None:
    assert_refused(write_dicom(None), "no pixel data")
    frame = encapsulate([b"\0" * 10])
    assert_refused(write_dicom(RAMP, syntax=MPEG4HP41, PixelData=frame), "video")
    path = write_dicom(RAMP, syntax="1.2.840.10008.1.2.4.53", PixelData=frame)
    assert_refused(path, "unsupported transfer syntax")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"hello", "not a DICOM"),
        (b"\0" * 4000, "not a DICOM"),
        (b"%PDF-1.7" + b"x" * 2000, "not a DICOM"),
        (b"MZ" + b"\0" * 126 + b"DICM" + b"\0" * 100, "Windows program"),
        (b"\0" * 128 + b"DICM", "no data set"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert_refused(path, reason)


def test_missing_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "nowhere.dcm", "no such file")
    assert_refused(tmp_path, "folder")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert_refused(tmp_path / "pipe", "not a regular file")


def test_every_truncation_of_a_file_is_refused(write_dicom: WriteDicom) -> None:
    path = write_dicom(RAMP)
    whole = path.read_bytes()
    cut = path.with_name("cut.dcm")
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        for read in (read_header, read_film):
            with pytest.raises(UnreadableInstance):
                read(cut)


def test_deflate_bomb_is_refused_before_it_is_big(
    write_dicom: WriteDicom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_reading, "MAX_INFLATED_BYTES", 2**20)
    assert read_film(write_dicom(RAMP, syntax=DeflatedExplicitVRLittleEndian)).stored.shape == (
        8,
        8,
    )
    huge = np.zeros((2000, 2000), np.uint8)
    assert_refused(write_dicom(huge, syntax=DeflatedExplicitVRLittleEndian), "bomb")


def test_deflated_file_cut_short_is_refused(write_dicom: WriteDicom) -> None:
    path = write_dicom(RAMP, syntax=DeflatedExplicitVRLittleEndian)
    path.write_bytes(path.read_bytes()[:-20])
    assert_refused(path, "truncated")


def test_inflate_counts_exactly() -> None:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = compressor.compress(b"x" * 1000) + compressor.flush()
    assert dataset_reading.inflate(deflated, 1000) == b"x" * 1000
    with pytest.raises(dataset_reading.Refusal, match="bomb"):
        dataset_reading.inflate(deflated, 999)


def test_deeply_nested_sequences_are_refused(write_dicom: WriteDicom) -> None:
    path = write_dicom(RAMP)
    whole = path.read_bytes()
    nest = struct.pack("<HH2sHL", 0x0040, 0x0275, b"SQ", 0, 0xFFFFFFFF)
    nest += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    at = whole.index(struct.pack("<HH", 0x7FE0, 0x0010))
    path.write_bytes(whole[:at] + nest * 5000 + whole[at:])
    assert_refused(path, "nested too deeply")


def test_length_beyond_the_file_allocates_nothing(write_dicom: WriteDicom) -> None:
    path = write_dicom(RAMP)
    giant = struct.pack("<HH2sHL", 0x0009, 0x1001, b"OB", 0, 0xFFFFFFF0)
    whole = path.read_bytes()
    at = whole.index(struct.pack("<HH", 0x0010, 0x0010))
    path.write_bytes(whole[:at] + giant + whole[at:])
    assert_refused(path, "truncated")


def test_compressed_stream_must_agree_with_the_header(write_dicom: WriteDicom) -> None:
    siz = struct.pack(">HH8IHBBB", 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0, 1, 7, 1, 1)
    stream = b"\xff\x4f\xff\x51" + siz + b"\xff\xd9"
    path = write_dicom(RAMP, syntax=JPEG2000Lossless, PixelData=encapsulate([stream]))
    with pytest.raises(UnreadableInstance, match="60000 x 60000"):
        read_film(path)
    path = write_dicom(RAMP, syntax=JPEGBaseline8Bit, PixelData=encapsulate([b"garbage!"]))
    with pytest.raises(UnreadableInstance, match="do not start like JPEG"):
        read_film(path)


def test_stream_that_aborts_gdcm_is_only_refused(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "dicom" / "09_broken_odd" / "JPEG-lossy.dcm").read_bytes()
    table = whole.index(b"\xff\xc4")  # define Huffman table: class, 16 counts
    path = tmp_path / "aborts.dcm"
    path.write_bytes(whole[: table + 5] + b"\xff" * 16 + whole[table + 21 :])
    read_header(path)
    with pytest.raises(UnreadableInstance, match="decoder gave up"):
        read_film(path)


def test_lossless_jpeg_cut_short_is_refused_even_with_an_end_marker(
    tmp_path: Path, shared_data: Path
) -> None:
    whole = (shared_data / "dicom" / "04_grayscale_pipeline" / "GH184.dcm").read_bytes()
    end = whole.rindex(b"\xff\xd9")
    path = tmp_path / "cut.dcm"
    patched = bytearray(whole)
    patched[end - 6000 : end + 2] = b"\xff\xd9" + b"\0" * 6000
    path.write_bytes(patched)
    with pytest.raises(UnreadableInstance, match="truncated"):
        read_film(path)


@pytest.mark.slow
def test_no_mutant_raises_anything_but_unreadable_instance(
    write_dicom: WriteDicom, shared_data: Path
) -> None:
    folder = shared_data / "dicom"
    seeds = [
        write_dicom(RAMP, WindowCenter=2000, WindowWidth=4000).read_bytes(),
        (folder / "02_not_a_chest_xray" / "MR_small_jp2klossless.dcm").read_bytes(),
        (folder / "04_grayscale_pipeline" / "JLSL_08_07_0_1F.dcm").read_bytes(),
    ]
    random_source = random.Random(20260412)
    path = write_dicom(RAMP, name="mutant.dcm")
    outcomes = set()
    for number in range(210):
        mutant = bytearray(seeds[number % len(seeds)])
        for _ in range(random_source.choice((1, 4, 16))):
            mutant[random_source.randrange(132, len(mutant))] = random_source.randrange(256)
        path.write_bytes(mutant)
        for read in (read_header, read_film):
            try:
                read(path)
                outcomes.add("opened")
            except UnreadableInstance:
                outcomes.add("refused")
    assert outcomes == {"opened", "refused"}
