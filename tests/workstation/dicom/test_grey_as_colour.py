"""Grey films that a secondary capture stored with three samples; really coloured ones."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from workstation.dicom.acceptance import BADGE_GREY_AS_COLOUR
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.window_choices import badges

WriteDicom = Callable[..., Path]
MakeDataset = Callable[..., Dataset]
GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURED = np.stack([GREY, GREY, 255 - GREY], axis=-1)
GREY_SAMPLES = np.stack([GREY] * 3, axis=-1)


def run_length(samples: np.ndarray) -> bytes:
    """An RLE frame of literal runs, one segment a sample."""
    segments = []
    for sample in np.moveaxis(samples, -1, 0):
        rows = (bytes([len(row) - 1]) + row.tobytes() for row in sample)
        segments.append(b"".join(rows))
    offsets = [64 + sum(map(len, segments[:n])) for n in range(3)]
    return struct.pack("<16L", 3, *offsets, *[0] * 12) + b"".join(segments)


def saved(samples: np.ndarray, kind: str) -> bytes:
    stream = io.BytesIO()
    options = {"quality": 95} if kind == "JPEG" else {"no_jp2": True}
    Image.fromarray(samples).save(stream, format=kind, **options)
    return stream.getvalue()


@pytest.fixture
def write_samples(write_dicom: WriteDicom, make_dataset: MakeDataset) -> Callable[..., Path]:
    def write(samples: np.ndarray, syntax: str = "", **elements: object) -> Path:
        pixel_bytes = samples.tobytes()
        dataset = make_dataset(GREY, SamplesPerPixel=3, PhotometricInterpretation="RGB")
        dataset.PlanarConfiguration = 0
        if syntax == RLELossless:
            pixel_bytes = encapsulate([run_length(samples)])
        elif syntax:
            kind = "JPEG" if syntax == JPEGBaseline8Bit else "JPEG2000"
            pixel_bytes = encapsulate([saved(samples, kind)])
        dataset.PixelData = pixel_bytes
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = bool(syntax)
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        return write_dicom(dataset=dataset, **({"syntax": syntax} if syntax else {}))

    return write


@pytest.mark.parametrize("syntax", ["", RLELossless, JPEGBaseline8Bit, JPEG2000Lossless])
def test_grey_in_three_samples_is_a_film_and_colour_is_none(
    write_samples: Callable[..., Path], syntax: str
) -> None:
    path = write_samples(GREY_SAMPLES, syntax)
    film = read_film(path)
    assert film.header == read_header(path)
    assert film.stored.shape == (16, 16)
    assert np.abs(film.stored.astype(int) - GREY).max() <= (3 if syntax == JPEGBaseline8Bit else 0)
    assert np.array_equal(render_grey(film), film.stored)
    assert BADGE_GREY_AS_COLOUR in badges(film)
    coloured = write_samples(COLOURED, syntax)
    for read in (read_header, read_film):
        with pytest.raises(UnreadableInstance, match="colour image: only greyscale"):
            read(coloured)


def test_planes_and_luminance_are_understood(write_samples: Callable[..., Path]) -> None:
    planes = np.moveaxis(GREY_SAMPLES, -1, 0)
    assert np.array_equal(read_film(write_samples(planes, PlanarConfiguration=1)).stored, GREY)
    neutral = np.full_like(GREY, 128)
    luminance = np.stack([GREY, neutral, neutral], axis=-1)
    ybr = write_samples(luminance, PhotometricInterpretation="YBR_FULL")
    assert np.array_equal(read_film(ybr).stored, GREY)
    with pytest.raises(UnreadableInstance, match="colour"):
        read_film(write_samples(GREY_SAMPLES, PhotometricInterpretation="YBR_FULL"))


def test_half_the_samples_is_truncated(write_samples: Callable[..., Path]) -> None:
    with pytest.raises(UnreadableInstance, match="truncated"):
        read_film(write_samples(GREY))
