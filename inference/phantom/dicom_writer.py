"""Phantom films as real DICOM: Digital X-Ray Image Storage, For Presentation (PS3.3 A.26).

A study's films are instances of one study, each projection in a series of its own. UIDs come from
the seed, the study's number, what is shown and what is claimed, so the same case gives the same
bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from inference.phantom.case import Kind, PhantomCase
from inference.phantom.limb_films import image_laterality
from inference.phantom.other_films import field_mm
from inference.phantom.phantom_identity import identity_of
from inference.phantom.projection import Projection, render_film, render_lateral

_DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
_BITS_STORED = 12
_MID_PLANE_TO_DETECTOR_MM = 150.0
_VIEW_CODES = {  # CID 4010, SNOMED CT
    "PA": ("272479007", "postero-anterior"),
    "AP": ("399348003", "antero-posterior"),
    "LL": ("399173006", "left lateral"),
}


@dataclass(frozen=True)
class _Exam:
    """What a header says of the film. region: CID 4009, SNOMED CT (code, meaning)."""

    body_part: str
    region: tuple[str, str]
    view: str
    orientation: tuple[str, str]  # of rows and of columns
    peak_kv: int
    source_to_mid_plane_mm: float = 1000.0


_CHEST = ("816094009", "Chest")
_EXAMS = {
    "PA": _Exam("CHEST", _CHEST, "PA", ("L", "F"), 120, 1800.0),
    "AP": _Exam("CHEST", _CHEST, "AP", ("L", "F"), 90, 1050.0),
    "LL": _Exam("CHEST", _CHEST, "LL", ("P", "F"), 125, 1800.0),
    # palm down, fingers up: the columns run toward the wrist (PS3.17 Annex A)
    "hand": _Exam("HAND", ("85562004", "Hand"), "PA", ("L", "H"), 50),
    "knee": _Exam("KNEE", ("72696002", "Knee"), "AP", ("L", "F"), 60),
    "abdomen": _Exam("ABDOMEN", ("818981001", "Abdomen"), "AP", ("L", "F"), 75),
}


def write_study(
    case: PhantomCase, folder: Path, size: int = 1280, *, labelled_as: Kind | None = None
) -> list[Path]:
    """Write the study's films, frontal first; returns their paths.

    labelled_as: what the header claims where that is not what the film shows (as happens).
    """
    return [
        write_film(case, folder, size, projection, labelled_as=labelled_as)
        for projection in projections_of(case)
    ]


def projections_of(case: PhantomCase) -> tuple[Projection, ...]:
    """The films of the case's study."""
    return ("frontal", "lateral") if case.has_lateral else ("frontal",)


def write_film(
    case: PhantomCase,
    folder: Path,
    size: int = 1280,
    projection: Projection = "frontal",
    *,
    labelled_as: Kind | None = None,
) -> Path:
    """Write one film as <patient id>-<study>-<view>.dcm; returns its path."""
    dataset = build_dataset(case, size, projection, labelled_as=labelled_as)
    path = folder / f"{dataset.PatientID}-{case.study}-{dataset.ViewPosition}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def build_dataset(
    case: PhantomCase,
    size: int,
    projection: Projection = "frontal",
    *,
    labelled_as: Kind | None = None,
) -> FileDataset:
    """The DX instance of one film of size × size pixels, MONOCHROME2, uncompressed."""
    is_lateral = projection == "lateral"
    film = render_lateral(case, size) if is_lateral else render_film(case, size)
    exam = _exam_of(case, projection, labelled_as or case.kind)
    of_study = (case.seed, case.study, case.kind, labelled_as or case.kind, size)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = _DX_FOR_PRESENTATION
    meta.MediaStorageSOPInstanceUID = _uid(*of_study, projection, "instance")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = _uid(*of_study, "study")
    dataset.SeriesInstanceUID = _uid(*of_study, projection, "series")
    _describe_patient(dataset, case)
    _describe_study_and_series(dataset, case, projection, exam)
    _describe_anatomy(dataset, exam, "U" if labelled_as == "chest" else image_laterality(case))
    _describe_acquisition(dataset, exam, field_mm(case) / size)
    _describe_pixels(dataset, film)
    return dataset


def _exam_of(case: PhantomCase, projection: Projection, kind: Kind) -> _Exam:
    if kind in _EXAMS:
        return _EXAMS[kind]
    if kind == "lateral" or projection == "lateral":
        return _EXAMS["LL"]
    return _EXAMS[case.patient.view]


def _uid(*parts: object) -> str:
    """A deterministic UUID-derived UID (PS3.5 B.2)."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _coded(value: str, meaning: str) -> Sequence:
    """A sequence of one SNOMED CT code (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return Sequence([item])


def _describe_patient(dataset: Dataset, case: PhantomCase) -> None:
    """Patient (C.7.1.1), Patient Study (C.7.2.2), and that nobody is shown (C.12.1)."""
    who = identity_of(case)
    dataset.SpecificCharacterSet = who.character_set
    dataset.PatientName = who.name
    dataset.PatientID = who.patient_id
    dataset.PatientBirthDate = who.birth_date
    dataset.PatientSex = who.sex
    dataset.PatientAge = f"{who.age:03d}Y"
    dataset.SyntheticData = "YES"


def _describe_study_and_series(
    dataset: Dataset, case: PhantomCase, projection: Projection, exam: _Exam
) -> None:
    """General Study (C.7.2.1), General and DX Series (C.7.3.1, C.8.11.1), Equipment (C.7.5.1)."""
    who = identity_of(case)
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = who.study_date
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = who.study_time
    dataset.AcquisitionDate, dataset.AcquisitionTime = who.study_date, who.study_time
    views = f"{case.patient.view} AND LATERAL" if case.has_lateral else exam.view
    dataset.StudyDescription = f"{exam.body_part} {views} (RENDERED PHANTOM)"
    dataset.SeriesDescription = f"{exam.body_part} {exam.view}"
    dataset.AccessionNumber = who.accession_number
    dataset.StudyID = f"{case.seed}.{case.study}"
    dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber = 2 if projection == "lateral" else 1
    dataset.InstanceNumber = 1
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = "ECHO Workstation"
    dataset.ManufacturerModelName = "Digital chest phantom"
    dataset.SoftwareVersions = "1"


def _describe_anatomy(dataset: Dataset, exam: _Exam, laterality: str) -> None:
    """DX Anatomy Imaged (C.8.11.2) and DX Positioning (C.8.11.5)."""
    dataset.BodyPartExamined = exam.body_part
    dataset.AnatomicRegionSequence = _coded(*exam.region)
    dataset.ImageLaterality = laterality
    dataset.ViewPosition = exam.view
    dataset.ViewCodeSequence = _coded(*_VIEW_CODES[exam.view])
    dataset.PatientOrientation = list(exam.orientation)
    dataset.PositionerType = "NONE" if exam.view == "AP" and exam.body_part == "CHEST" else "COLUMN"


def _describe_acquisition(dataset: Dataset, exam: _Exam, mid_plane_pixel_mm: float) -> None:
    """DX Detector (C.8.11.4), geometry, X-Ray Generation (C.8.7.9), Acquisition Context."""
    to_patient = exam.source_to_mid_plane_mm
    to_detector = to_patient + _MID_PLANE_TO_DETECTOR_MM
    magnification = to_detector / to_patient
    dataset.KVP = str(exam.peak_kv)
    dataset.DistanceSourceToPatient = f"{to_patient:.0f}"
    dataset.DistanceSourceToDetector = f"{to_detector:.0f}"
    dataset.EstimatedRadiographicMagnificationFactor = f"{magnification:.4f}"
    dataset.DetectorType = "SCINTILLATOR"
    dataset.ImagerPixelSpacing = [f"{mid_plane_pixel_mm * magnification:.6f}"] * 2
    # 10.7.1.3: what the magnification makes of it in the middle of the body
    dataset.PixelSpacing = [f"{mid_plane_pixel_mm:.6f}"] * 2
    dataset.PixelSpacingCalibrationType = "GEOMETRY"
    dataset.PixelSpacingCalibrationDescription = "Corrected to the body's mid-plane"
    dataset.AcquisitionContextSequence = Sequence()


def _describe_pixels(dataset: Dataset, film: np.ndarray) -> None:
    """DX Image (C.8.11.3), Image Pixel (C.7.6.3), VOI LUT (C.11.2)."""
    dataset.ImageType = ["DERIVED", "PRIMARY", ""]
    dataset.DerivationDescription = "Rendered from a digital phantom; shows no person"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.Rows, dataset.Columns = film.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, _BITS_STORED, _BITS_STORED - 1
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1  # higher values: less X-ray intensity
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.WindowCenter, dataset.WindowWidth = ["2050", "1200"], ["3900", "2000"]
    dataset.WindowCenterWidthExplanation = ["STANDARD", "LUNG"]
    dataset.PixelData = film.astype("<u2").tobytes()
