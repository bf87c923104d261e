"""Real files: the expected outcomes of shared/data/dicom/MANIFEST.tsv."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest

from workstation.dicom.display_pipeline import modality_values, render_grey
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.voi import LookupTable
from workstation.dicom.window_choices import badges, default_window

NAMES = {
    "chrArab": "قباني, لنزار",
    "chrFren": "Buc, Jérôme",
    "chrFrenMulti": "Buc, Jérôme",
    "chrGerm": "Äneas, Rüdiger",
    "chrGreek": "Διονυσιος",
    "chrH31": "Yamada, Tarou (山田, 太郎)",
    "chrH32": "ﾔﾏﾀﾞ, ﾀﾛｳ (山田, 太郎)",
    "chrHbrw": "שרון, דבורה",
    "chrI2": "Hong, Gildong (洪, 吉洞)",
    "chrRuss": "Люкceмбypг",
    "chrX1": "Wang, XiaoDong (王, 小東)",
    "chrX2": "Wang, XiaoDong (王, 小东)",
}


@pytest.fixture(scope="module")
def dicom_folder(shared_data: Path) -> Path:
    return shared_data / "dicom"


def test_whole_folder_opens_or_is_refused_with_a_reason(dicom_folder: Path) -> None:
    opened, refused = 0, []
    for path in sorted(dicom_folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            film = read_film(path)
        except UnreadableInstance as refusal:
            refused.append((path, refusal))
            continue
        opened += 1
        assert film.header == read_header(path)
        assert render_grey(film, step=3).dtype == np.uint8
        assert isinstance(badges(film), tuple)
    assert opened > 50
    assert all(refusal.path == path and refusal.reason for path, refusal in refused)


def test_decoded_pixels_equal_the_manifest(dicom_folder: Path) -> None:
    compared = 0
    with (dicom_folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    for row in rows:
        is_grey = row["photometric"].startswith("MONOCHROME") and row["frames"] in ("", "1")
        # JPEG Extended may differ by one level between inverse transforms.
        if not row["pixel_sha1_16"] or not is_grey or row["transfer_syntax"].endswith(".4.51"):
            continue
        stored = read_film(dicom_folder / row["path"]).stored
        assert hashlib.sha1(stored.tobytes()).hexdigest()[:16] == row["pixel_sha1_16"], row["path"]
        compared += 1
    assert compared > 50


@pytest.mark.parametrize("name", ["RG2_J2KI", "RG2_JLSN", "RG2_JPLY_fixed.dcm"])
def test_lossy_syntaxes_are_close_to_the_reference_and_badged(
    dicom_folder: Path, name: str
) -> None:
    folder = dicom_folder / "03_transfer_syntax" / "rg2_hip_cr_mono2_10bit"
    reference = read_film(folder / "RG2_UNC.dcm").stored.astype(int)
    film = read_film(folder / name)
    assert "lossy" in badges(film)
    assert np.abs(film.stored - reference).mean() < 4


def test_monochrome1_copy_shows_as_the_exact_negative(dicom_folder: Path) -> None:
    folder = dicom_folder / "01_chest_cr_dx"
    positive = render_grey(read_film(folder / "rsna_cr_sc_jpeg.dcm"))
    negative = render_grey(read_film(folder / "Fake_MONOHR1.dcm"))
    assert np.array_equal(positive, 255 - negative)


def test_real_monochrome1_chest_has_dark_lungs(dicom_folder: Path) -> None:
    film = read_film(dicom_folder / "01_chest_cr_dx" / "CR-MONO1-10-chest")
    shown = render_grey(film).astype(float)
    right_lung, spine = shown[150:250, 90:150].mean(), shown[250:330, 205:235].mean()
    assert right_lung + 40 < spine


def test_modality_and_voi_luts_of_the_mesa_tests_are_used(dicom_folder: Path) -> None:
    folder = dicom_folder / "04_grayscale_pipeline"
    modality = read_film(folder / "mlut_18.dcm")
    assert modality.display.modality_lut is not None
    assert modality_values(modality).min() >= 0
    assert isinstance(default_window(read_film(folder / "vlut_04.dcm")), LookupTable)


@pytest.mark.parametrize("stem", sorted(NAMES))
def test_person_names_in_every_character_set(dicom_folder: Path, stem: str) -> None:
    path = dicom_folder / "07_character_sets" / f"{stem}.dcm"
    assert read_header(path).patient_name == NAMES[stem]


def test_chest_pngs_open_as_saved(shared_data: Path) -> None:
    paths = sorted((shared_data / "film").glob("*.png"))
    assert paths
    for path in paths:
        film = read_film(path)
        assert film.header.source_format == "PNG"
        assert np.array_equal(render_grey(film), film.stored)
