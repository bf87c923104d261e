"""A phantom as a real DICOM DX file (PS3.3 A.26): the demo's studies and the tests' films."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from inference.phantom.anatomy import FIELD_MM
from inference.phantom.case import PhantomCase
from inference.phantom.projection import render_film

_DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
_GIVEN = {"F": ("ADA", "MARIE", "ROSALIND", "GRACE"), "M": ("GODFREY", "WILHELM", "ALLAN", "IAN")}


@dataclass(frozen=True)
class PhantomPatient:
    """Who the film says it is of; invented, and marked as a phantom in every field that shows."""

    name: str  # DICOM PN, e.g. "PHANTOM^ADA"
    patient_id: str
    study_date: str  # YYYYMMDD
    accession_number: str


def phantom_patient(case: PhantomCase) -> PhantomPatient:
    """The same case always gives the same patient."""
    given = _GIVEN[case.patient.sex][case.seed % 4]
    day = date(2026, 1, 5) + timedelta(days=case.seed % 300)
    return PhantomPatient(
        f"PHANTOM^{given}", f"PH-{case.seed:06d}", day.strftime("%Y%m%d"), f"DEMO{case.seed:06d}"
    )


def build_dataset(case: PhantomCase, size: int) -> FileDataset:
    """The DX instance of a frontal PA film, 12 bits stored, MONOCHROME2, uncompressed."""
    film = render_film(case, size)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = _DX_FOR_PRESENTATION
    meta.MediaStorageSOPInstanceUID = _uid(case.seed, size, "instance")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    _describe_patient_and_study(dataset, case, size)
    _describe_acquisition(dataset, size)
    _describe_pixels(dataset, film)
    return dataset


def write_dicom(case: PhantomCase, folder: Path, size: int = 1280) -> Path:
    """Write the film as <patient id>.dcm; returns its path."""
    dataset = build_dataset(case, size)
    path = folder / f"{dataset.PatientID}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def _uid(*parts: object) -> str:
    """A deterministic UUID-derived UID (PS3.5 B.2)."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _describe_patient_and_study(dataset: Dataset, case: PhantomCase, size: int) -> None:
    patient = phantom_patient(case)
    birth = date(2026 - case.patient.age, 1 + case.seed % 12, 1 + case.seed % 28)
    dataset.PatientName = patient.name
    dataset.PatientID = patient.patient_id
    dataset.PatientBirthDate = birth.strftime("%Y%m%d")
    dataset.PatientSex = case.patient.sex
    dataset.StudyInstanceUID = _uid(case.seed, size, "study")
    dataset.SeriesInstanceUID = _uid(case.seed, size, "series")
    dataset.StudyDate = dataset.ContentDate = patient.study_date
    dataset.StudyTime = dataset.ContentTime = f"{8 + case.seed % 10:02d}{case.seed % 60:02d}00"
    dataset.StudyDescription = "CHEST PA (RENDERED PHANTOM)"
    dataset.AccessionNumber = patient.accession_number
    dataset.StudyID = str(case.seed)
    dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber = dataset.InstanceNumber = 1


def _describe_acquisition(dataset: Dataset, size: int) -> None:
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = "ECHO Workstation"
    dataset.ManufacturerModelName = "Digital chest phantom"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.ImageLaterality = "U"
    dataset.PatientOrientation = ["L", "F"]  # rows run to the patient's left, columns to the feet
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.KVP = "120"
    spacing = FIELD_MM / size
    dataset.ImagerPixelSpacing = [f"{spacing:.6f}", f"{spacing:.6f}"]
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"


def _describe_pixels(dataset: Dataset, film: np.ndarray) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.Rows, dataset.Columns = film.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.WindowCenter, dataset.WindowWidth = ["2250", "1300"], ["3600", "1900"]
    dataset.WindowCenterWidthExplanation = ["STANDARD", "LUNG"]
    dataset.PixelData = film.astype("<u2").tobytes()
