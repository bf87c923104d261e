"""Grayscale presentation states about a film, as a workstation would write and send them."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from workstation.dicom.presentation_state import GRAYSCALE_SOFTCOPY


def write_state(film: Path, path: Path, label: str = "NARROW", **elements: object) -> Path:
    """A window of 100 about 1000 for that film; elements replace what stands there."""
    about = pydicom.dcmread(film, stop_before_pixels=True)
    image, series, window, state = Dataset(), Dataset(), Dataset(), Dataset()
    image.ReferencedSOPClassUID = about.SOPClassUID
    image.ReferencedSOPInstanceUID = about.SOPInstanceUID
    series.SeriesInstanceUID = about.SeriesInstanceUID
    series.ReferencedImageSequence = Sequence([image])
    window.WindowCenter, window.WindowWidth = "1000", "100"
    for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "StudyDate"):
        setattr(state, keyword, about.get(keyword, ""))
    state.SOPClassUID, state.Modality = GRAYSCALE_SOFTCOPY, "PR"
    state.SOPInstanceUID = f"{about.SOPInstanceUID}.9.{sum(label.encode())}"[-64:].lstrip(".")
    state.SeriesInstanceUID = f"{about.SeriesInstanceUID}.9"[-64:].lstrip(".")
    state.ContentLabel, state.PresentationCreationDate = label, "20260101"
    state.InstanceNumber, state.PresentationLUTShape = 1, "IDENTITY"
    state.ReferencedSeriesSequence = Sequence([series])
    state.SoftcopyVOILUTSequence = Sequence([window])
    for keyword, value in elements.items():
        setattr(state, keyword, value)
    state.file_meta = FileMetaDataset()
    state.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    state.save_as(path, enforce_file_format=True)
    return path
