"""Manifests with real DICOM and PNG bytes, good and bad."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.evaluation.manifest_studies import manifest_studies, read_film
from inference.evaluation.studies import Study, UnreadableStudy
from inference.phantom import sample_case
from inference.phantom.dicom_writer import build_dataset
from inference.report_language.template import compose_refusal

REPORT = "Findings: No pleural effusion. Impression: No acute cardiopulmonary abnormality."


@pytest.fixture
def film_folder(tmp_path: Path) -> Path:
    """a.dcm (96 pixels), b.png (16 bit) and colour.png."""
    build_dataset(sample_case(4), 96).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    grey = np.arange(48 * 40, dtype=np.uint16).reshape(48, 40) * 30
    Image.fromarray(grey).save(tmp_path / "b.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)).save(
        tmp_path / "colour.png"
    )
    return tmp_path


def _write(folder: Path, *lines: object) -> Path:
    path = folder / "studies.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def _studies(manifest: Path) -> list[Study]:
    return list(manifest_studies(manifest, ("en", "zh")))


def test_films_are_read_as_stored(film_folder: Path) -> None:
    line = {"images": ["a.dcm", "b.png"], "report": REPORT, "language": "en"}
    (study,) = _studies(_write(film_folder, line))
    frontal, lateral = study.load_images()
    assert (study.name, study.truth, study.is_chest) == ("studies.jsonl:1", None, True)
    assert study.references[0].findings == "No pleural effusion."
    stored = build_dataset(sample_case(4), 96).pixel_array
    assert np.array_equal(frontal.pixels, stored)
    assert lateral.pixels.shape == (48, 40)
    assert lateral.pixels.max() == (48 * 40 - 1) * 30


def test_polarity_rescale_and_padding_of_dicom(film_folder: Path) -> None:
    dataset = build_dataset(sample_case(4), 96)
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.RescaleSlope, dataset.RescaleIntercept = "2", "-5"
    stored = dataset.pixel_array.copy()
    stored[:3] = 4000
    dataset.PixelData = stored.tobytes()
    dataset.add_new("PixelPaddingValue", "US", 4000)
    dataset.save_as(film_folder / "c.dcm")
    image = read_film(film_folder / "c.dcm")
    assert image.is_monochrome1
    assert np.array_equal(image.pixels, stored.astype(np.float32) * 2 - 5)
    assert image.padding_mask is not None
    assert image.padding_mask[:3].all()
    assert not image.padding_mask[3:].all()


def test_grey_saved_as_colour_is_grey(film_folder: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(film_folder / "d.png")
    assert np.array_equal(read_film(film_folder / "d.png").pixels, grey)


def test_refusal_as_report_marks_a_film_that_is_no_chest(film_folder: Path) -> None:
    line = {"images": ["a.dcm"], "report": compose_refusal("zh"), "language": "zh"}
    (study,) = _studies(_write(film_folder, line))
    assert not study.is_chest


def test_language_is_english_unless_said_and_can_be_asked_for(film_folder: Path) -> None:
    english = {"images": ["a.dcm"], "report": REPORT}
    chinese = {"images": ["a.dcm"], "report": "所见：未见气胸。", "language": "zh"}
    manifest = _write(film_folder, english, "", chinese)
    assert [s.references[0].language for s in _studies(manifest)] == ["en", "zh"]
    assert [s.name for s in manifest_studies(manifest, ("zh",))] == ["studies.jsonl:3"]


def test_further_fields_and_line_ends_within_a_report_are_left_alone(film_folder: Path) -> None:
    line = {"images": ["a.dcm"], "report": f"{REPORT}\u2028\x85", "report_id": 7, "patient": "P"}
    manifest = film_folder / "studies.jsonl"
    text = json.dumps(line, ensure_ascii=False)
    manifest.write_bytes(f"\ufeff{text}\r\n{text}".encode())
    studies = _studies(manifest)
    assert [s.name for s in studies] == ["studies.jsonl:1", "studies.jsonl:2"]
    assert all(s.load_images() for s in studies)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"images": [', "not JSON"),
        ("[1]", "not a JSON object"),
        ({"images": [], "report": REPORT}, "'images'"),
        ({"images": "a.dcm", "report": REPORT}, "'images'"),
        ({"images": ["a.dcm"]}, "'report'"),
        ({"images": ["a.dcm"], "report": " "}, "'report'"),
        ({"images": ["a.dcm"], "report": REPORT, "language": "fr"}, "'language' is 'fr'"),
        ({"images": ["a.dcm"], "report": REPORT, "langauge": "en"}, "unknown field 'langauge'"),
        ({"images": ["none.dcm"], "report": REPORT}, "none.dcm"),
        ({"images": ["cut.dcm"], "report": REPORT}, "cut.dcm"),
        ({"images": ["cut.png"], "report": REPORT}, "cut.png"),
        ({"images": ["text.dcm"], "report": REPORT}, "text.dcm"),
        ({"images": ["a.dcm", "colour.png"], "report": REPORT}, "not a grey film"),
    ],
)
def test_bad_line_is_named_and_the_rest_goes_on(
    film_folder: Path, line: object, reason: str
) -> None:
    (film_folder / "cut.dcm").write_bytes((film_folder / "a.dcm").read_bytes()[:-500])
    (film_folder / "cut.png").write_bytes((film_folder / "b.png").read_bytes()[:200])
    (film_folder / "text.dcm").write_text("no film")
    good = {"images": ["a.dcm"], "report": REPORT}
    bad, following = _studies(_write(film_folder, line, good))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnreadableStudy) as caught:
            bad.load_images()
    assert str(caught.value).startswith(f"{film_folder / 'studies.jsonl'}:1: ")
    assert reason in str(caught.value)
    assert len(following.load_images()) == 1


def test_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableStudy, match=r"none\.jsonl"):
        manifest_studies(tmp_path / "none.jsonl", ("en",))
