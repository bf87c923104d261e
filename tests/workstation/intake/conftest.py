"""A catalog with audit, as the app builds them, and many small real DICOM files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.catalog.study_catalog import StudyCatalog
from workstation.intake.instance_recorder import InstanceRecorder

DIGITAL_XRAY = "1.2.840.10008.5.1.4.1.1.1.1"


@pytest.fixture
def recorder(catalog_engine: Engine) -> InstanceRecorder:
    return InstanceRecorder(StudyCatalog(catalog_engine), AuditLog(catalog_engine), "reader")


@pytest.fixture
def write_small() -> Callable[..., Path]:
    """write_small(path, number, **elements): an 8 x 8 film with SOP Instance UID 1.2.3.number."""

    def write(path: Path, number: int, **elements: object) -> Path:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = DIGITAL_XRAY
        dataset.SOPInstanceUID = f"1.2.3.{number}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.0"
        dataset.PatientName, dataset.PatientID, dataset.Modality = "DOE^JANE", "P-1", "DX"
        dataset.StudyDate, dataset.ViewPosition = "20260412", "PA"
        dataset.Rows = dataset.Columns = 8
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelRepresentation = 0
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        dataset.PixelData = bytes(range(64))
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write
