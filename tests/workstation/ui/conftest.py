"""Small real DICOM films for the tests of the user interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

WriteFilm = Callable[..., Path]


@pytest.fixture
def write_film(tmp_path: Path) -> WriteFilm:
    """write_film(name, stored, **elements): a DX file with these stored values and elements."""

    def write(name: str, stored: np.ndarray, **elements: object) -> Path:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
        dataset.SOPInstanceUID = generate_uid()
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.1"
        dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.2"
        dataset.PatientName, dataset.PatientID = "DOE^JANE", "A-17"
        dataset.PatientBirthDate, dataset.PatientSex = "19580302", "F"
        dataset.StudyDate, dataset.StudyTime = "20260412", "094100"
        dataset.StudyDescription, dataset.AccessionNumber = "Chest PA", "ACC1"
        dataset.Modality, dataset.ViewPosition = "DX", "PA"
        dataset.PatientOrientation = ["L", "F"]
        dataset.Rows, dataset.Columns = stored.shape
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation = 0
        dataset.WindowCenter, dataset.WindowWidth = "2048", "4096"
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        dataset.PixelData = stored.astype("<u2").tobytes()
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write
