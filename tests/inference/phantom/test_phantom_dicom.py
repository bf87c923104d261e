"""The phantom as a DICOM file: readable by pydicom and by the app, the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from inference.phantom import render_film, sample_case
from inference.phantom.dicom_writer import phantom_patient, write_dicom
from workstation.dicom.display_pipeline import default_window, model_image
from workstation.dicom.instance_reader import read_film

SEED, SIZE = 21, 128


@pytest.fixture(scope="module")
def dicom_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dicom(sample_case(SEED), tmp_path_factory.mktemp("phantom"), SIZE)


def test_file_opens_with_pydicom_and_says_what_it_shows(dicom_path: Path) -> None:
    dataset = pydicom.dcmread(dicom_path)
    assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.1.1"
    assert dataset.Modality == "DX"
    assert dataset.PhotometricInterpretation == "MONOCHROME2"
    assert (dataset.ViewPosition, list(dataset.PatientOrientation)) == ("PA", ["L", "F"])
    assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (16, 12, 11)
    assert [float(v) for v in dataset.WindowCenter] == [2250, 1300]
    assert [float(v) for v in dataset.WindowWidth] == [3600, 1900]
    assert list(dataset.WindowCenterWidthExplanation) == ["STANDARD", "LUNG"]
    assert float(dataset.ImagerPixelSpacing[0]) == pytest.approx(400 / SIZE, abs=1e-5)
    assert str(dataset.PatientName).startswith("PHANTOM^")
    assert "PHANTOM" in dataset.StudyDescription


def test_the_app_reads_the_rendered_pixels_back(dicom_path: Path) -> None:
    film = read_film(dicom_path)
    np.testing.assert_array_equal(film.stored, render_film(sample_case(SEED), SIZE))
    patient = phantom_patient(sample_case(SEED))
    assert film.header.patient_id == patient.patient_id == dicom_path.stem
    assert film.header.study_date == patient.study_date
    assert film.header.view_position == "PA"
    assert film.header.patient_orientation == ("L", "F")
    window = default_window(film)
    assert (window.center, window.width) == (2250, 3600)


def test_the_model_sees_white_bones(dicom_path: Path) -> None:
    image = model_image(read_film(dicom_path))
    assert not image.is_monochrome1
    middle, lung = image.pixels[40:90, 62:66].mean(), image.pixels[40:70, 85:95].mean()
    assert middle > lung


def test_same_case_gives_the_same_bytes(dicom_path: Path, tmp_path: Path) -> None:
    again = write_dicom(sample_case(SEED), tmp_path, SIZE)
    assert again.name == dicom_path.name
    assert again.read_bytes() == dicom_path.read_bytes()


def test_uids_are_unique_to_the_case_and_valid(dicom_path: Path, tmp_path: Path) -> None:
    first = pydicom.dcmread(dicom_path, stop_before_pixels=True)
    other = pydicom.dcmread(
        write_dicom(sample_case(SEED + 1), tmp_path, SIZE), stop_before_pixels=True
    )
    for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        assert first[name].value.is_valid
        assert first[name].value != other[name].value
    assert len({first.SOPInstanceUID, first.StudyInstanceUID, first.SeriesInstanceUID}) == 3
