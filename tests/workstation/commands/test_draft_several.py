"""`echo-workstation draft` with several studies, drafted together by the real engine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from inference import DraftFinished, ModelImage, draft_batch
from inference.model_folder.checkpoint import embedded_folder
from inference.phantom import sample_case
from inference.phantom.dicom_writer import write_film
from workstation.commands import study_drafts
from workstation.commands.draft import run_draft
from workstation.commands.exit_codes import FAILED, INTERRUPTED
from workstation.dicom.film import Film
from workstation.dicom.model_image import model_image

pytestmark = pytest.mark.skipif(
    not (embedded_folder() / "model.safetensors").exists(), reason="no embedded model here"
)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A chest, one to be spoilt, a blank one, two chests: a study each."""
    folder = tmp_path_factory.mktemp("several")
    chests = [write_film(sample_case(seed, kind="chest"), folder, 128) for seed in (1, 2, 3, 5)]
    blank, film = folder / "blank.dcm", dcmread(chests[0])
    film.StudyInstanceUID, film.SOPInstanceUID = "1.2.826.1", "1.2.826.1.1"
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID
    film.Rows = film.Columns = 64
    film.PixelData = np.full((64, 64), 7, dtype=np.uint16).tobytes()
    film.save_as(blank)
    return [chests[0], chests[1], blank, *chests[2:]]


@pytest.fixture
def spoilt(films: list[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film whose pixels are no numbers by the time the engine has them."""

    def image_of(film: Film) -> ModelImage:
        image = model_image(film)
        is_spoilt = film.path == films[1]
        return replace(image, pixels=np.full((64, 64), np.nan)) if is_spoilt else image

    monkeypatch.setattr(study_drafts, "model_image", image_of)
    return films[1]


def _draft(films: list[Path], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[Any], str]:
    settings = {"max_new_tokens": 24}
    code = run_draft(films, "adaptive", "embedded", "cpu", as_json=True, settings=settings)
    printed = capsys.readouterr()
    return code, [json.loads(line) for line in printed.out.splitlines()], printed.err


def _without_times(study: dict[str, Any]) -> dict[str, Any]:
    clocked = ("prefill_ms", "decode_ms", "tokens_per_second", "studies_beside")
    study = {name: value for name, value in study.items() if name not in clocked}
    for block in study["blocks"]:
        del block["elapsed_ms"]
        block["confidences"] = [round(value, 3) for value in block["confidences"]]
    return study


def test_several_studies_say_what_each_says_alone_in_the_same_order(
    films: list[Path],
    spoilt: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, together, errors = _draft(films, capsys)
    monkeypatch.setattr(study_drafts, "_AT_ONCE", 1)
    code_alone, alone, errors_alone = _draft(films, capsys)
    assert code == code_alone == FAILED, errors
    assert [study["studies_beside"] for study in together] == [4] * 4
    assert [study["studies_beside"] for study in alone] == [0] * 4
    assert [*map(_without_times, together)] == [*map(_without_times, alone)]
    assert errors == errors_alone
    failed, blank = errors.splitlines()
    assert failed.startswith(f"{spoilt}: ")
    assert blank.startswith(f"{films[2]}: no report: ")


def test_studies_beyond_those_at_once_follow(
    films: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_drafts, "_AT_ONCE", 2)
    _, studies, _ = _draft([films[0], films[3], films[4]], capsys)
    assert [study["studies_beside"] for study in studies] == [1, 1, 0]
    paths = [study["images"][0]["path"] for study in studies]
    assert paths == [str(films[0]), str(films[3]), str(films[4])]


def test_ctrl_c_keeps_what_is_finished(
    films: list[Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """The blank film's study is done at once, behind one that isn't."""
    told: list[object] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def interrupted(*arguments: Any, **named: Any) -> Iterator[object]:
        for event in draft_batch(*arguments, **named):
            told.append(event)
            yield event
            if isinstance(event, DraftFinished):
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(study_drafts, "draft_batch", interrupted)
    code, studies, errors = _draft([films[0], films[2], films[3]], capsys)
    assert code == INTERRUPTED
    assert [study["images"][0]["path"] for study in studies] == [str(films[2])]
    assert errors.splitlines()[-1] == "stopped: what was finished is printed"
    assert len([event for event in told if isinstance(event, DraftFinished)]) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
