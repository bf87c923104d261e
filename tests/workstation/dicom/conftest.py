"""Synthetic films: real DICOM bytes written by pydicom, one rule of the standard each."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from workstation.dicom.display_attributes import DisplayAttributes
from workstation.dicom.film import Film, InstanceHeader

DIGITAL_XRAY = "1.2.840.10008.5.1.4.1.1.1.1"


def make_dataset(pixels: np.ndarray | None, **elements: Any) -> Dataset:
    """A minimal DX data set; elements replace or (None) remove what stands there."""
    dataset = Dataset()
    dataset.SOPClassUID = DIGITAL_XRAY
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.SeriesInstanceUID = "1.2.3.1"
    dataset.Modality = "DX"
    dataset.PatientName = "DOE^JANE"
    if pixels is not None:
        dataset.Rows, dataset.Columns = pixels.shape
        bits = 8 * pixels.dtype.itemsize
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
        dataset["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


@pytest.fixture(name="make_dataset")
def make_dataset_fixture() -> Callable[..., Dataset]:
    """make_dataset(pixels, **elements) -> a minimal DX data set."""
    return make_dataset


@pytest.fixture
def write_dicom(tmp_path: Path) -> Callable[..., Path]:
    """write_dicom(pixels, syntax=..., **elements) -> path of a real file."""

    def write(
        pixels: np.ndarray | None = None,
        *,
        dataset: Dataset | None = None,
        syntax: str = ExplicitVRLittleEndian,
        name: str = "film.dcm",
        is_big_endian: bool = False,
        is_implicit: bool = False,
        with_meta: bool = True,
        **elements: Any,
    ) -> Path:
        path = tmp_path / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = make_dataset(pixels, **elements) if dataset is None else dataset
            if with_meta:
                meta = FileMetaDataset()
                meta.TransferSyntaxUID = syntax
                meta.MediaStorageSOPClassUID = content.get("SOPClassUID", DIGITAL_XRAY)
                meta.MediaStorageSOPInstanceUID = "1.2.3.4"
                whole = FileDataset(
                    str(path),
                    content,
                    file_meta=meta,
                    preamble=b"\0" * 128,
                    is_implicit_VR=UID(syntax).is_implicit_VR,
                    is_little_endian=UID(syntax).is_little_endian,
                )
                whole.save_as(path, enforce_file_format=True)
            else:
                content.save_as(path, implicit_vr=is_implicit, little_endian=not is_big_endian)
        return path

    return write


@pytest.fixture
def make_film() -> Callable[..., Film]:
    """make_film(stored, **DisplayAttributes) -> Film without a file."""

    def make(stored: Any, **display: Any) -> Film:
        pixels = np.atleast_2d(np.asarray(stored))
        texts = ["1.2.3"] * 4 + [""] * 12
        header = InstanceHeader(*texts, (), *pixels.shape, "DICOM")  # type: ignore[arg-type]
        return Film(header, Path("film.dcm"), pixels, DisplayAttributes(**display), "")

    return make
