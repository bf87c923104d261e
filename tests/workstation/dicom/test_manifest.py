"""Every file of shared/data/dicom, walked: it opens as its manifest expects, or says why not.

Colour is not shown (a film is grey): the manifest's colour files must say so, whatever it says
of their codec. Character sets and lossy differences are in test_shared_dicom_files.
"""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film, read_header
from workstation.dicom.unreadable import UnreadableInstance
from workstation.dicom.voi import LookupTable
from workstation.dicom.window_choices import badges, default_window

IDENTICAL = {  # what one file must show -> the files that must show the same
    "03_transfer_syntax/ctimage_18_syntaxes/CTImage.dcm": (
        "03_transfer_syntax/ctimage_18_syntaxes/*"
    ),
    "03_transfer_syntax/rg2_hip_cr_mono2_10bit/RG2_UNC.dcm": (
        "03_transfer_syntax/rg2_hip_cr_mono2_10bit/*"
    ),
    "03_transfer_syntax/misc/MR_small.dcm": "03_transfer_syntax/misc/MR_small*",
    "06_geometry_multiframe_colour/emri_small.dcm": "06_geometry_multiframe_colour/emri_small*",
}
# (pattern of the path, pattern of the reason): the expected refusals, first match counts
REFUSALS = [
    (r"\.4\.5[35]\.dcm$", "unsupported transfer syntax"),
    (r"^06_|^03_transfer_syntax/misc/", "colour image"),
    (r"chr(JapMulti|Korean|SQ)|empty_charset", "no pixel data"),
    (r"DICOMDIR", "DICOMDIR|no pixel data"),
    (r"README|\.txt$", "not a DICOM"),
    (r"^08_dicomdir/", "no pixel data"),
    (r"JPEG2000-embedded", "compressed image is"),
    (r"MR_truncated|rtplan_truncated|too_short", "truncated"),
    (r"^09_broken_odd/.*(NoMeta)", "RTPLAN"),
    (r"badVR", "RTDOSE"),
    (r"no-pixel-data|/(test-SR|sr_document|reportsi)", "structured report"),
    (r"10_.*rtplan", "RTPLAN"),
    (r"10_.*ecg", "waveform"),
    (r"^09_broken_odd/(meta_missing|nested_priv)", "Rows or Columns"),
    (r"^09_broken_odd/no_meta", "not a DICOM"),
    (r"^09_broken_odd/(GH|UN_)", "no pixel data"),
]
MUST_BE_REFUSED = ("clear error", 'Retired 1.2.4.53/.55: clear "unsupported" error', "No image")


@pytest.fixture(scope="module")
def dicom_folder(shared_data: Path) -> Path:
    return shared_data / "dicom"


@pytest.fixture(scope="module")
def manifest(dicom_folder: Path) -> list[dict[str, str]]:
    with (dicom_folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


@pytest.fixture(scope="module")
def films(dicom_folder: Path, manifest: list[dict[str, str]]) -> dict[str, Film | str]:
    """Film or reason of refusal of every file of the manifest."""
    found: dict[str, Film | str] = {}
    for row in manifest:
        path = dicom_folder / row["path"]
        try:
            found[row["path"]] = read_film(path)
        except UnreadableInstance as refusal:
            found[row["path"]] = refusal.reason
    return found


def test_manifest_names_every_file(dicom_folder: Path, manifest: list[dict[str, str]]) -> None:
    named = {row["path"] for row in manifest} | {"MANIFEST.tsv"}
    there = {
        path.relative_to(dicom_folder).as_posix()
        for path in dicom_folder.rglob("*")
        if path.is_file()
    }
    assert there == named


def test_files_that_must_be_refused_are(
    films: dict[str, Film | str], manifest: list[dict[str, str]]
) -> None:
    for row in manifest:
        if row["expected_outcome"].strip('"').startswith(MUST_BE_REFUSED) and not row[
            "expected_outcome"
        ].startswith("clear error or"):
            assert isinstance(films[row["path"]], str), row["path"]


def test_every_refusal_has_the_reason_expected(films: dict[str, Film | str]) -> None:
    for path, film in films.items():
        if isinstance(film, str):
            reason = next(
                (reason for pattern, reason in REFUSALS if re.search(pattern, path)), None
            )
            assert reason is not None, (path, film)
            assert re.search(reason, film), (path, film)


def test_grey_images_with_pixels_open_and_show(
    films: dict[str, Film | str], manifest: list[dict[str, str]]
) -> None:
    opened = 0
    for row in manifest:
        is_grey = row["photometric"].startswith("MONOCHROME")
        if not row["pixel_sha1_16"] or not is_grey:
            continue
        film = films[row["path"]]
        assert isinstance(film, Film), (row["path"], film)
        opened += 1
        assert film.header == read_header(film.path)
        assert film.frame_count == int(row["frames"] or 1)
        assert film.stored.shape == (int(row["rows"]), int(row["cols"]))
        grey = render_grey(film)
        assert grey.size < 10 or grey.min() < grey.max(), row["path"]
        if row["transfer_syntax"].endswith(".4.51"):
            continue  # JPEG Extended may differ by one level between inverse transforms
        frames = b"".join(film.frame(i).stored.tobytes() for i in range(film.frame_count))
        assert hashlib.sha1(frames).hexdigest()[:16] == row["pixel_sha1_16"], row["path"]
    assert opened > 60


@pytest.mark.parametrize("reference", sorted(IDENTICAL))
def test_one_picture_in_every_syntax_is_one_picture(
    films: dict[str, Film | str], dicom_folder: Path, reference: str
) -> None:
    first = films[reference]
    assert isinstance(first, Film)
    compared = 0
    for path in sorted(dicom_folder.glob(IDENTICAL[reference])):
        film = films[path.relative_to(dicom_folder).as_posix()]
        if not isinstance(film, Film):
            continue
        compared += 1
        assert film.frame_count == first.frame_count
        for index in range(first.frame_count):
            mine, its = film.frame(index), first.frame(index)
            if "lossy" not in badges(film):  # those may be rescaled to 8 bits as well
                assert mine.display.windows == its.display.windows
                assert np.array_equal(mine.stored, its.stored), path
    assert compared >= 2


def test_expectations_of_single_files(films: dict[str, Film | str]) -> None:
    def film_of(path: str) -> Film:
        film = films[path]
        assert isinstance(film, Film)
        return film

    positive = render_grey(film_of("01_chest_cr_dx/rsna_cr_sc_jpeg.dcm"))
    negative = render_grey(film_of("01_chest_cr_dx/Fake_MONOHR1.dcm"))
    assert np.array_equal(positive, 255 - negative)
    assert film_of("01_chest_cr_dx/panimg_cxr.dcm").display.pixel_aspect_ratio == 1
    assert film_of("04_grayscale_pipeline/mlut_18.dcm").display.modality_lut is not None
    vlut = default_window(film_of("04_grayscale_pipeline/vlut_04.dcm"))
    assert isinstance(vlut, LookupTable)
    hounsfield = film_of("04_grayscale_pipeline/J2K_pixelrep_mismatch.dcm")
    assert hounsfield.robust_range[0] >= -3100
    assert 0 < hounsfield.robust_range[1] < 3100
    ramp = film_of("04_grayscale_pipeline/test16signed.dcm")
    assert ramp.stored_range == (-32768, 32767)
    assert len(np.unique(render_grey(ramp))) > 10
    (overlay,) = film_of("05_overlays_shutters/examples_overlay.dcm").overlays
    assert (overlay.kind, int(overlay.mask.sum())) == ("graphics", 222)
    assert len(film_of("04_grayscale_pipeline/panimg_multi_window_2x3.dcm").display.windows) == 3
