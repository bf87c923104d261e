from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workstation.catalog.study_catalog import PatientConflict
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.window_choices import badges
from workstation.intake.instance_recorder import InstanceRecorder
from workstation.intake.picture_details import PictureDescriber, PictureDetails, guess_details

JANE = PictureDetails("DOE^JANE", "P-1", "19580302", "F", "20260412", "PA", "U")
NOISE = np.random.default_rng(3).integers(0, 256, (31, 17)).astype(np.uint8)


@pytest.fixture
def describer(recorder: InstanceRecorder) -> PictureDescriber:
    return PictureDescriber(recorder.catalog, recorder.audit, "reader")


def add(recorder: InstanceRecorder, path: Path, pixels: np.ndarray) -> tuple[str, str]:
    Image.fromarray(pixels).save(path)
    header = read_header(path)
    assert recorder(header, path)
    return header.study_instance_uid, header.sop_instance_uid


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "deep.png"])
def test_what_was_typed_travels_with_the_film_and_its_pixels_do_not_change(
    tmp_path: Path, recorder: InstanceRecorder, describer: PictureDescriber, name: str
) -> None:
    pixels = NOISE.astype(np.uint16) * 257 if name == "deep.png" else NOISE
    uids = add(recorder, tmp_path / name, pixels)
    before = read_film(tmp_path / name)
    assert describer.describe(*uids, JANE) == uids[0]
    (study,) = recorder.catalog.list_studies("doe 2026-04-12")
    assert (study.patient_id, study.patient_birth_date, study.views) == ("P-1", "19580302", ("PA",))
    (row,) = recorder.catalog.instances(uids[0])
    assert row.source_format == "DICOM"
    assert row.path.is_relative_to(recorder.catalog.folder)
    after = read_film(row.path)
    assert after.header.patient_name == "DOE, JANE"
    assert after.header.sop_instance_uid == uids[1]
    assert after.image_sha256 == before.image_sha256
    assert np.array_equal(render_grey(after), render_grey(before))
    assert badges(after) == badges(before)
    assert (tmp_path / name).is_file()
    entry = recorder.audit.entries()[-1]
    assert (entry.event, entry.details["patient_id"]) == ("picture-described", "P-1")


def test_a_described_picture_is_still_known_when_imported_again(
    tmp_path: Path, recorder: InstanceRecorder, describer: PictureDescriber
) -> None:
    uids = add(recorder, tmp_path / "a.png", NOISE)
    describer.describe(*uids, JANE)
    assert not recorder(read_header(tmp_path / "a.png"), tmp_path / "a.png")


def test_another_view_joins_the_study_of_the_same_patient_only(
    tmp_path: Path, recorder: InstanceRecorder, describer: PictureDescriber
) -> None:
    first = add(recorder, tmp_path / "pa.png", NOISE)
    second = add(recorder, tmp_path / "lat.png", NOISE[::-1].copy())
    describer.describe(*first, JANE)
    lateral = PictureDetails("DOE^JANE", "P-1", "19580302", "F", "20260412", "LL")
    stranger = PictureDetails("ROE^R", "P-2")
    with pytest.raises(PatientConflict, match="another patient"):
        describer.describe(*second, stranger, into_study=first[0])
    assert len(recorder.catalog.list_studies()) == 2
    assert describer.describe(*second, lateral, into_study=first[0]) == first[0]
    (study,) = recorder.catalog.list_studies()
    assert (study.instance_count, study.views) == (2, ("LL", "PA"))
    films = recorder.catalog.instances(first[0])
    assert all(read_header(film.path).study_instance_uid == first[0] for film in films)


def test_a_name_alone_joins_no_study_of_another_name(
    tmp_path: Path, recorder: InstanceRecorder, describer: PictureDescriber
) -> None:
    first = add(recorder, tmp_path / "pa.png", NOISE)
    second = add(recorder, tmp_path / "lat.png", NOISE[::-1].copy())
    describer.describe(*first, PictureDetails("DOE^JANE"))
    with pytest.raises(PatientConflict, match="another name"):
        describer.describe(*second, PictureDetails("ROE^RICHARD"), into_study=first[0])
    assert len(recorder.catalog.list_studies()) == 2


@pytest.mark.parametrize(
    "details",
    [
        PictureDetails(patient_id="A\\B"),
        PictureDetails("DOE\\ROE"),
        PictureDetails("DOE=ROE"),
        PictureDetails(patient_id="7" * 65),
        PictureDetails("DOE\u202eENAJ"),
    ],
)
def test_what_dicom_would_keep_as_something_else_is_refused(
    tmp_path: Path, recorder: InstanceRecorder, describer: PictureDescriber, details: PictureDetails
) -> None:
    uids = add(recorder, tmp_path / "a.png", NOISE)
    with pytest.raises(UnreadableInstance, match=r"a\.png: the .* can't be kept in DICOM"):
        describer.describe(*uids, details)
    (row,) = recorder.catalog.instances(uids[0])
    assert row.path == tmp_path / "a.png"


def test_chinese_names_are_kept(
    tmp_path: Path, recorder: InstanceRecorder, describer: PictureDescriber
) -> None:
    uids = add(recorder, tmp_path / "a.png", NOISE)
    describer.describe(*uids, PictureDetails(patient_name="山田^太郎", patient_id="7"))
    assert [row.patient_name for row in recorder.catalog.list_studies("太郎")] == ["山田, 太郎"]


@pytest.mark.parametrize(
    ("name", "view", "date"),
    [
        ("chest_PA_20240229.png", "PA", "20240229"),
        ("lateral 2024-02-30.png", "LL", ""),
        ("paper.png", "", ""),
        ("doe-jane_ap.jpeg", "AP", ""),
    ],
)
def test_file_names_give_defaults(tmp_path: Path, name: str, view: str, date: str) -> None:
    guessed = guess_details(tmp_path / name)
    assert (guessed.view_position, guessed.study_date) == (view, date)


def test_the_cameras_date_is_a_default(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = "2025:03:11 10:00:00"
    Image.fromarray(NOISE).save(tmp_path / "a.jpg", exif=exif)
    assert guess_details(tmp_path / "a.jpg").study_date == "20250311"
