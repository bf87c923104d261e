"""The phantom as DICOM: the modules of a DX image, one study a visit, the same bytes each time."""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from inference.phantom import render_film, render_lateral, sample_case, sample_follow_up
from inference.phantom.case import Kind, PhantomCase
from inference.phantom.dicom_writer import build_dataset, projections_of
from inference.phantom.limb_films import image_laterality
from inference.phantom.phantom_identity import identity_of
from inference.phantom.projection import Projection

SIZE = 64
TWO_FILMS = 62  # a normal chest with a lateral
ISO_IR_192, GB18030 = 30, 18825  # patients with Chinese names
_LUNG_COLUMNS = (slice(int(0.24 * SIZE), int(0.36 * SIZE)), slice(int(0.64 * SIZE), -SIZE // 4))

# Type 1 (a value) and type 2 (there, perhaps empty) of the mandatory modules (PS3.3 A.26.3).
_TYPE_1 = {
    "C.7.2.1 General Study": ("StudyInstanceUID",),
    "C.7.3.1 General Series": ("Modality", "SeriesInstanceUID"),
    "C.8.11.1 DX Series": ("Modality", "PresentationIntentType"),
    "C.8.11.2 DX Anatomy Imaged": ("ImageLaterality",),
    "C.7.6.3 Image Pixel": (
        "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated",
        "BitsStored", "HighBit", "PixelRepresentation", "PixelData",
    ),
    "C.8.11.3 DX Image": (
        "ImageType", "PixelIntensityRelationship", "PixelIntensityRelationshipSign",
        "RescaleIntercept", "RescaleSlope", "RescaleType", "PresentationLUTShape",
        "LossyImageCompression", "BurnedInAnnotation", "PatientOrientation",
        "WindowCenter", "WindowWidth",
    ),
    "C.8.11.4 DX Detector": (
        "ImagerPixelSpacing", "PixelSpacing", "PixelSpacingCalibrationDescription",
    ),
    "C.12.1 SOP Common": ("SOPClassUID", "SOPInstanceUID", "SpecificCharacterSet"),
}  # fmt: skip
_TYPE_2 = {
    "C.7.1.1 Patient": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "C.7.2.1 General Study": (
        "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber",
    ),
    "C.7.3.1 General Series": ("SeriesNumber",),
    "C.7.5.1 General Equipment": ("Manufacturer",),
    "C.7.6.1 General Image": ("InstanceNumber", "ContentDate", "ContentTime"),
    "C.8.11.2 DX Anatomy Imaged": ("AnatomicRegionSequence",),
    "C.8.11.4 DX Detector": ("DetectorType",),
    "C.8.11.5 DX Positioning": ("PositionerType",),
    "C.7.6.14 Acquisition Context": ("AcquisitionContextSequence",),
}  # fmt: skip


def _read_back(
    case: PhantomCase, projection: Projection = "frontal", labelled_as: Kind | None = None
) -> pydicom.FileDataset:
    """The film as pydicom reads it from the bytes of a file."""
    written = build_dataset(case, SIZE, projection, labelled_as=labelled_as)
    stream = io.BytesIO()
    written.save_as(stream, enforce_file_format=True)
    return pydicom.dcmread(io.BytesIO(stream.getvalue()))


@pytest.fixture(scope="module")
def instances() -> dict[str, Dataset]:
    """One film of each sort that the writer makes."""
    two_films = sample_case(TWO_FILMS)
    kinds: tuple[Kind, ...] = ("lateral", "hand", "knee", "abdomen", "blank", "inverted")
    made: dict[str, Dataset] = {
        "frontal": _read_back(two_films),
        "lateral of two": _read_back(two_films, "lateral"),
        "follow-up": _read_back(sample_follow_up(two_films)),
        "hand filed as chest": _read_back(sample_case(96, kind="hand"), labelled_as="chest"),
    }
    return made | {kind: _read_back(sample_case(4, kind=kind)) for kind in kinds}


@pytest.mark.parametrize("clause", _TYPE_1)
def test_type_1_attributes_have_values(instances: dict[str, Dataset], clause: str) -> None:
    for name, dataset in instances.items():
        for keyword in _TYPE_1[clause]:
            assert keyword in dataset, (name, keyword)
            assert dataset[keyword].value not in (None, "", []), (name, keyword)


@pytest.mark.parametrize("clause", _TYPE_2)
def test_type_2_attributes_are_there(instances: dict[str, Dataset], clause: str) -> None:
    for name, dataset in instances.items():
        assert [k for k in _TYPE_2[clause] if k not in dataset] == [], name


def test_codes_are_whole_and_uids_valid(instances: dict[str, Dataset]) -> None:
    for name, dataset in instances.items():
        for sequence in (dataset.AnatomicRegionSequence, dataset.ViewCodeSequence):
            (code,) = sequence  # one item (PS3.3 8.8: value, scheme and meaning are type 1)
            assert code.CodeValue.isdigit(), name
            assert code.CodingSchemeDesignator == "SCT"
            assert code.CodeMeaning
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            assert dataset[keyword].value.is_valid, name
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert len({d.SOPInstanceUID for d in instances.values()}) == len(instances)


_SYNTHETIC = "0008,0x001c"  # Synthetic Data, of 2023: older checkers do not know it


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dicom3tools")
def test_dciodvfy_finds_no_error(instances: dict[str, Dataset], tmp_path: Path) -> None:
    for name, dataset in instances.items():
        path = tmp_path / f"{name}.dcm"
        dataset.save_as(path)
        checked = subprocess.run(
            ["dciodvfy", str(path)], capture_output=True, encoding="utf-8", errors="replace",
            check=False, timeout=60,
        )  # fmt: skip
        lines = (checked.stdout + checked.stderr).splitlines()
        assert any("DXImageForPresentation" in line for line in lines), name
        errors = [line for line in lines if "Error" in line and _SYNTHETIC not in line]
        assert errors == [], name


def test_film_says_that_nobody_is_shown(instances: dict[str, Dataset]) -> None:
    for dataset in instances.values():
        assert dataset.SyntheticData == "YES"
        assert "PHANTOM" in dataset.StudyDescription
        assert str(dataset.PatientName).startswith(("PHANTOM^", "MOTI^"))


def test_pixels_are_the_rendered_film() -> None:
    case = sample_case(TWO_FILMS)
    for projection, render in (("frontal", render_film), ("lateral", render_lateral)):
        dataset = _read_back(case, projection)  # type: ignore[arg-type]
        np.testing.assert_array_equal(dataset.pixel_array, render(case, SIZE))
        assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (16, 12, 11)
        assert dataset.pixel_array.max() < 2**dataset.BitsStored


def test_polarity_is_stated_once_and_the_same_way(instances: dict[str, Dataset]) -> None:
    for dataset in instances.values():  # more is whiter, and whiter is thicker: less intensity
        assert dataset.PhotometricInterpretation == "MONOCHROME2"
        assert dataset.PresentationLUTShape == "IDENTITY"  # PS3.3 C.8.11.3.1.2
        assert dataset.PixelIntensityRelationshipSign == -1


# -- studies ----------------------------------------------------------------------------------


def test_both_projections_are_series_of_one_study(instances: dict[str, Dataset]) -> None:
    frontal, lateral = instances["frontal"], instances["lateral of two"]
    same = ("StudyInstanceUID", "StudyID", "AccessionNumber", "StudyDate", "StudyTime",
            "StudyDescription", "PatientID", "PatientName", "PatientBirthDate")  # fmt: skip
    for keyword in same:
        assert frontal[keyword].value == lateral[keyword].value, keyword
    assert frontal.SeriesInstanceUID != lateral.SeriesInstanceUID
    assert (frontal.SeriesNumber, lateral.SeriesNumber) == (1, 2)
    assert projections_of(sample_case(TWO_FILMS)) == ("frontal", "lateral")


def test_follow_up_is_a_later_study_of_the_same_patient(instances: dict[str, Dataset]) -> None:
    first, later = instances["frontal"], instances["follow-up"]
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex"):
        assert first[keyword].value == later[keyword].value, keyword
    assert later.StudyDate > first.StudyDate
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "StudyID", "AccessionNumber"):
        assert first[keyword].value != later[keyword].value, keyword


@pytest.mark.parametrize("study", [0, 1, 40])
@pytest.mark.parametrize("seed", [4, 59, 171])
def test_age_is_what_birth_and_study_date_make(seed: int, study: int) -> None:
    case = sample_case(seed)
    who = identity_of(sample_follow_up(case, study) if study else case)
    born, day = (date.fromisoformat(text) for text in (who.birth_date, who.study_date))
    birthdays = day.year - born.year - ((born.month, born.day) > (day.month, day.day))
    assert who.age == birthdays
    assert study > 0 or who.age == case.build.age


def test_cases_have_patients_of_their_own() -> None:
    people = [identity_of(sample_case(seed)) for seed in range(60)]
    assert len({who.patient_id for who in people}) == 60
    assert len({who.accession_number for who in people}) == 60
    assert all(len(who.accession_number) <= 16 for who in people)  # VR SH (PS3.5 6.2)


def test_same_case_gives_the_same_bytes_and_another_other_uids() -> None:
    def written(seed: int) -> bytes:
        stream = io.BytesIO()
        build_dataset(sample_case(seed, kind="chest"), SIZE).save_as(
            stream, enforce_file_format=True
        )
        return stream.getvalue()

    first, again, other = written(21), written(21), written(22)
    assert first == again
    headers = [pydicom.dcmread(io.BytesIO(b), stop_before_pixels=True) for b in (first, other)]
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        assert headers[0][keyword].value != headers[1][keyword].value


# -- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "encoding"), [(ISO_IR_192, "utf-8"), (GB18030, "gb18030")])
def test_chinese_name_reads_back_in_its_encoding(seed: int, encoding: str) -> None:
    case = sample_case(seed)
    dataset = _read_back(case)
    declared = {"utf-8": "ISO_IR 192", "gb18030": "GB18030"}[encoding]
    assert dataset.SpecificCharacterSet == declared
    name = dataset.PatientName
    assert name.alphabetic.isascii()
    assert name.alphabetic.startswith("MOTI^")
    assert name.ideographic.startswith("模体^")
    assert str(name) == identity_of(case).name
    assert name.encode(["utf8" if encoding == "utf-8" else encoding]) == str(name).encode(encoding)


def test_about_a_third_of_the_names_are_chinese_in_both_encodings() -> None:
    people = [identity_of(sample_case(seed)) for seed in range(60)]
    chinese = [who for who in people if "=" in who.name]
    assert len(chinese) == 20
    assert {who.character_set for who in chinese} == {"ISO_IR 192", "GB18030"}


# -- what the header says of the film ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body_part", "view", "orientation", "laterality"),
    [
        ("frontal", "CHEST", "PA", ["L", "F"], "U"),
        ("lateral of two", "CHEST", "LL", ["P", "F"], "U"),
        ("lateral", "CHEST", "LL", ["P", "F"], "U"),
        ("abdomen", "ABDOMEN", "AP", ["L", "F"], "U"),
        ("hand", "HAND", "PA", ["L", "H"], None),
        ("knee", "KNEE", "AP", ["L", "F"], None),
    ],
)
def test_part_view_orientation_and_side(
    instances: dict[str, Dataset],
    name: str, body_part: str, view: str, orientation: list[str], laterality: str | None,
) -> None:  # fmt: skip
    dataset = instances[name]
    assert (dataset.BodyPartExamined, dataset.ViewPosition) == (body_part, view)
    assert list(dataset.PatientOrientation) == orientation
    assert dataset.ImageLaterality in ("R", "L", "B") if laterality is None else laterality
    if laterality is not None:
        assert dataset.ImageLaterality == laterality


def test_right_hand_has_its_thumb_at_the_viewers_left_and_the_left_hand_is_its_mirror() -> None:
    masks: dict[str, list[np.ndarray]] = {"R": [], "L": []}
    for seed in range(24):
        case = sample_case(seed, kind="hand")
        film = render_film(case, SIZE) / 4095
        masks[image_laterality(case)].append(film > 0.2)
    right, left = (np.mean(masks[side], axis=0) for side in "RL")
    # the thumb lies low and apart: below the fingers its side of the film holds more of the hand
    lean = [film[:, : SIZE // 2].sum() - film[:, SIZE // 2 :].sum() for film in (right, left)]
    assert lean[0] > 0 > lean[1]
    assert np.corrcoef(right.ravel(), left[:, ::-1].ravel())[0, 1] > 0.9


def test_hand_filed_as_a_chest_claims_to_be_a_chest(instances: dict[str, Dataset]) -> None:
    case = sample_case(96, kind="hand")
    claimed = instances["hand filed as chest"]
    assert claimed.BodyPartExamined == "CHEST"
    assert claimed.AnatomicRegionSequence[0].CodeMeaning == "Chest"
    assert claimed.ViewPosition == case.patient.view
    assert (claimed.ImageLaterality, list(claimed.PatientOrientation)) == ("U", ["L", "F"])
    assert claimed.StudyDescription.startswith("CHEST")
    np.testing.assert_array_equal(claimed.pixel_array, render_film(case, SIZE))


def test_spacing_is_that_of_the_mid_plane_and_agrees_with_the_geometry(
    instances: dict[str, Dataset],
) -> None:
    for name, dataset in instances.items():
        at_detector, at_patient = (
            float(dataset[k].value[0]) for k in ("ImagerPixelSpacing", "PixelSpacing")
        )
        growth = dataset.DistanceSourceToDetector / dataset.DistanceSourceToPatient
        assert at_detector / at_patient == pytest.approx(float(growth), rel=1e-3), name
        stated = float(dataset.EstimatedRadiographicMagnificationFactor)
        assert stated == pytest.approx(float(growth), rel=1e-3), name
        assert dataset.PixelSpacingCalibrationType == "GEOMETRY"
    assert float(instances["frontal"].PixelSpacing[0]) * SIZE == pytest.approx(400.0)
    assert float(instances["hand"].PixelSpacing[0]) * SIZE < 330.0  # taken from nearer


@pytest.mark.parametrize("seed", [TWO_FILMS, 30, 4368])
def test_windows_suit_the_film(seed: int) -> None:
    dataset = _read_back(sample_case(seed))
    assert list(dataset.WindowCenterWidthExplanation) == ["STANDARD", "LUNG"]
    pixels = dataset.pixel_array.astype(float)
    ranges = [
        (float(c) - float(w) / 2, float(c) + float(w) / 2)
        for c, w in zip(dataset.WindowCenter, dataset.WindowWidth, strict=True)
    ]
    inner = pixels[SIZE // 6 : -SIZE // 6, SIZE // 6 : -SIZE // 6]  # body, no open air beside it
    standard, lung = ranges
    assert ((inner > standard[0]) & (inner < standard[1])).mean() > 0.95
    lungs = np.concatenate(
        [pixels[SIZE // 4 : SIZE // 2, columns].ravel() for columns in _LUNG_COLUMNS]
    )
    assert ((lungs > lung[0]) & (lungs < lung[1])).mean() > 0.8
    assert lung[1] - lung[0] < standard[1] - standard[0]
