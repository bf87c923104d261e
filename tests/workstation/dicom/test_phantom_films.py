"""The app's own reader on the phantom's studies, as the demo imports them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.phantom import render_film, render_lateral, sample_case, sample_follow_up
from inference.phantom.dicom_writer import write_film, write_study
from inference.phantom.phantom_identity import identity_of
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.model_image import model_image
from workstation.dicom.voi import Window
from workstation.dicom.window_choices import badges, default_window

SIZE = 96
TWO_FILMS = 62  # a normal chest with a lateral


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> list[Film]:
    folder = tmp_path_factory.mktemp("study")
    return [read_film(path) for path in write_study(sample_case(TWO_FILMS), folder, SIZE)]


def test_the_app_reads_both_rendered_films_back_frontal_first(study: list[Film]) -> None:
    case = sample_case(TWO_FILMS)
    frontal, lateral = study
    np.testing.assert_array_equal(frontal.stored, render_film(case, SIZE))
    np.testing.assert_array_equal(lateral.stored, render_lateral(case, SIZE))
    assert [f.header.view_position for f in study] == ["PA", "LL"]
    assert [f.header.patient_orientation for f in study] == [("L", "F"), ("P", "F")]
    assert frontal.header.study_instance_uid == lateral.header.study_instance_uid
    assert frontal.header.series_instance_uid != lateral.header.series_instance_uid


def test_header_names_the_identity_of_the_case(study: list[Film]) -> None:
    who = identity_of(sample_case(TWO_FILMS))
    header = study[0].header
    assert (header.patient_id, header.patient_sex) == (who.patient_id, who.sex)
    assert (header.patient_birth_date, header.study_date) == (who.birth_date, who.study_date)
    assert (header.study_time, header.accession_number) == (who.study_time, who.accession_number)
    assert (header.modality, header.body_part) == ("DX", "CHEST")
    assert header.patient_name == who.name.replace("^", ", ")


def test_film_opens_in_its_own_window_calibrated_and_without_a_warning(study: list[Film]) -> None:
    for film in study:
        window = default_window(film)
        assert isinstance(window, Window)
        assert (window.center, window.width) == (2050, 3900)
        assert [w.explanation for w in film.display.windows] == ["STANDARD", "LUNG"]
        assert badges(film) == ()
        assert film.display.spacing_kind == "calibrated"
        assert film.display.pixel_spacing_mm == pytest.approx((400 / SIZE, 400 / SIZE))


def test_the_model_sees_white_bones(study: list[Film]) -> None:
    image = model_image(study[0])
    assert not image.is_monochrome1
    rows = slice(SIZE // 3, SIZE // 2)
    spine, lung = image.pixels[rows, SIZE // 2 - 3 : SIZE // 2 + 3], image.pixels[rows, SIZE // 4]
    assert spine.mean() > lung.mean() + 0.2 * 4095


@pytest.mark.parametrize(
    ("seed", "shown"),
    [(30, "MOTI, {} (模体, {})"), (18825, "MOTI, {} (模体, {})"), (31, "PHANTOM, {}")],
)
def test_name_is_shown_in_both_scripts(seed: int, shown: str, tmp_path: Path) -> None:
    case = sample_case(seed, kind="chest")
    header = read_header(write_film(case, tmp_path, 32))
    given = [group.split("^")[1] for group in identity_of(case).name.split("=")]
    assert header.patient_name == shown.format(*given)


def test_follow_up_reads_as_a_later_study_of_the_same_patient(tmp_path: Path) -> None:
    first = sample_case(18825)
    headers = [
        read_header(write_film(case, tmp_path, 32)) for case in (first, sample_follow_up(first))
    ]
    assert headers[0].patient_id == headers[1].patient_id
    assert headers[0].patient_name == headers[1].patient_name
    assert headers[0].study_instance_uid != headers[1].study_instance_uid
    assert headers[0].study_date < headers[1].study_date


def test_hand_filed_as_a_chest_reads_as_a_chest(tmp_path: Path) -> None:
    case = sample_case(96, kind="hand")
    film = read_film(write_film(case, tmp_path, SIZE, labelled_as="chest"))
    assert (film.header.body_part, film.header.image_laterality) == ("CHEST", "U")
    np.testing.assert_array_equal(film.stored, render_film(case, SIZE))
    truth = read_header(write_film(case, tmp_path, 32))
    assert truth.body_part == "HAND"
    assert truth.image_laterality in ("L", "R")
