"""The headless draft: real DICOM files, the real engine where the embedded model is there."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from inference import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    PrefillDone,
)
from inference.prompts import parse_sections
from inference.report_language import compose_report
from workstation.commands import draft as draft_command
from workstation.commands.draft import run_draft
from workstation.commands.exit_codes import INTERRUPTED

_ZH = compose_report((), "zh")
_TEXT = "Findings: No pleural effusion. Large left pneumothorax. Impression: Left pneumothorax."


@dataclass
class ScriptedEngine:
    """Says the same of every film; remembers what it was asked."""

    max_images: int = 1
    failing: str = ""
    refusing: str = ""
    interrupted_at: str = ""
    requests: list[GenerationRequest] = field(default_factory=list)

    @property
    def description(self) -> EngineDescription:
        return EngineDescription(
            "scripted", "1", "a" * 64, "/models/scripted", "cuda", "bfloat16", 8,
            ("one-step", "adaptive", "multi-step"), ("en", "zh"), self.max_images,
        )  # fmt: skip

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        self.requests.append(request)
        name = request.request_id
        if name == self.failing:
            raise EngineError("out of memory while drafting")
        if name == self.interrupted_at:
            os.kill(os.getpid(), signal.SIGINT)
        if cancel is not None and cancel.is_cancelled:
            yield DraftCancelled(name, 0, 1.0)
            return
        if name == self.refusing:
            yield DraftFinished(name, "", "", "", "stop", 0, 0, 0.0, 0.0, refusal="It is blank.")
            return
        if request.language == "zh":
            yield DraftFinished(name, _ZH, *parse_sections(_ZH), "stop", 9, 40, 10.0, 4.0, 2)
            return
        yield PrefillDone(name, 96, 8, 10.0)
        yield BlockCommitted(name, 0, (5, 6), (_TEXT, ""), (0.75, 0.5), 1, 12.0)
        findings, impression = _TEXT.removeprefix("Findings: ").split(" Impression: ")
        yield DraftFinished(name, _TEXT, findings, impression, "stop", 1, 2, 10.0, 4.0)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    scripted = ScriptedEngine()
    monkeypatch.setattr(draft_command, "load_engine", lambda model, device: scripted)
    return scripted


@pytest.fixture
def write_film(tmp_path: Path) -> Callable[..., Path]:
    """A real 12-bit DX file; instance and study number its UIDs."""

    def write(name: str, study: int = 1, instance: int = 1, view: str = "PA") -> Path:
        pixels = np.random.default_rng(instance).integers(0, 4096, (64, 48)).astype(np.uint16)
        dataset = Dataset()
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
        dataset.SOPInstanceUID = f"1.2.3.{study}.{instance}"
        dataset.StudyInstanceUID = f"1.2.3.{study}"
        dataset.SeriesInstanceUID = f"1.2.3.{study}.0"
        dataset.Modality, dataset.ViewPosition = "DX", view
        dataset.PatientName, dataset.PatientID = "DOE^JANE", "P-1"
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation = 0
        dataset.PixelData = pixels.tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


def _json_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_holds_one_whole_object_a_study(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [write_film("a.dcm", study=1), write_film("b.dcm", study=2)]
    assert run_draft(paths, "one-step", "scripted", "cpu", as_json=True) == 0
    first, second = _json_lines(capsys.readouterr().out)
    assert first["study_instance_uid"] == "1.2.3.1"
    assert second["study_instance_uid"] == "1.2.3.2"
    assert first["model"]["model_sha256"] == "a" * 64  # type: ignore[index]
    image = first["images"][0]  # type: ignore[index]
    assert image["path"] == str(paths[0])
    assert len(image["image_sha256"]) == 64
    assert first["decoding"] == {
        "mode": "one-step",
        "block_length": 8,
        "max_new_tokens": 512,
        "language": "en",
    }
    assert first["findings"] == "No pleural effusion. Large left pneumothorax."
    assert first["impression"] == "Left pneumothorax."
    said = {
        (entry["section"], entry["concept"], entry["status"])
        for entry in first["statements"]  # type: ignore[attr-defined]
    }
    assert said == {
        ("findings", "pleural_effusion", "absent"),
        ("findings", "pneumothorax", "present"),
        ("impression", "pneumothorax", "present"),
    }
    block = first["blocks"][0]  # type: ignore[index]
    assert (block["tokens"], block["confidences"]) == ([_TEXT, ""], [0.75, 0.5])
    assert (first["passes"], first["tokens"]) == (1, 2)
    assert (first["prefill_ms"], first["decode_ms"]) == (10.0, 4.0)
    assert first["tokens_per_second"] == 500.0


def test_further_settings_reach_the_engine_and_the_output(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"temperature": 0.5, "seed": 7}
    paths = [write_film("a.dcm")]
    assert run_draft(paths, "one-step", "scripted", "cpu", as_json=True, settings=settings) == 0
    assert (engine.requests[0].temperature, engine.requests[0].seed) == (0.5, 7)
    decoding = _json_lines(capsys.readouterr().out)[0]["decoding"]
    assert (decoding["temperature"], decoding["seed"]) == (0.5, 7)  # type: ignore[index]


def test_text_says_the_same(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_draft([write_film("a.dcm")], "multi-step", "scripted", "cpu") == 0
    out = capsys.readouterr().out
    for expected in (
        "Study 1.2.3.1",
        "sha256 " + "a" * 64,
        "mode multi-step",
        "denoising_steps 8, confidence_threshold 0.85",
        "Findings: No pleural effusion.",
        "Impression: Left pneumothorax.",
        "pneumothorax (left, large)",
        "0.75",
        "1 passes, 2 tokens",
        "500 tokens/s",
    ):
        assert expected in out


def test_bad_files_are_named_and_the_others_done(
    engine: ScriptedEngine,
    write_film: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = write_film("folder/b.dcm")
    bad = good.with_name("a.txt")
    bad.write_text("not a film")
    good.with_name(".hidden").write_text("left out")
    missing = tmp_path / "missing.dcm"
    assert run_draft([missing, good.parent], "one-step", "scripted", "cpu", as_json=True) == 1
    captured = capsys.readouterr()
    assert [line["study_instance_uid"] for line in _json_lines(captured.out)] == ["1.2.3.1"]
    errors = captured.err.splitlines()
    assert len(errors) == 2
    assert errors[0].startswith(f"{missing}: ")
    assert errors[1].startswith(f"{bad}: ")


def test_one_study_goes_in_one_request_frontal_first(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.max_images = 2
    write_film("s/a.dcm", instance=1, view="LL")
    frontal = write_film("s/b.dcm", instance=2, view="AP")
    write_film("s/c.dcm", instance=2, view="AP")  # the same instance once more
    write_film("s/d.dcm", instance=3, view="LL")
    assert run_draft([frontal.parent], "one-step", "scripted", "cpu", as_json=True) == 0
    (study,) = _json_lines(capsys.readouterr().out)
    views = [image["view_position"] for image in study["images"]]  # type: ignore[attr-defined]
    assert views == ["AP", "LL"]
    assert len(engine.requests[0].images) == 2


def test_model_of_one_image_is_given_the_frontal_film_and_that_is_said(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    lateral = write_film("s/a.dcm", instance=1, view="LL")
    write_film("s/b.dcm", instance=2, view="AP")
    assert run_draft([lateral.parent], "one-step", "scripted", "cpu", as_json=True) == 0
    (study,) = _json_lines(capsys.readouterr().out)
    assert study["seen"] == "frontal only; 1 more not seen"
    assert [image["view_position"] for image in study["images"]] == ["AP"]  # type: ignore[attr-defined]
    assert run_draft([lateral.parent], "one-step", "scripted", "cpu") == 0
    assert "frontal only; 1 more not seen" in capsys.readouterr().out


def test_two_frontal_films_are_not_sent_as_a_pair(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.max_images = 2
    folder = write_film("s/a.dcm", instance=1, view="PA").parent
    write_film("s/b.dcm", instance=2, view="AP")
    assert run_draft([folder], "one-step", "scripted", "cpu", as_json=True) == 0
    assert len(engine.requests[0].images) == 1


def test_film_that_cannot_be_decoded_is_replaced_by_another_of_its_kind(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.max_images = 2
    damaged = write_film("s/a.dcm", instance=1, view="PA")
    damaged.write_bytes(damaged.read_bytes()[:-4000])
    write_film("s/b.dcm", instance=2, view="LL")
    write_film("s/c.dcm", instance=3, view="AP")
    assert run_draft([damaged.parent], "one-step", "scripted", "cpu", as_json=True) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"{damaged}: ")
    (study,) = _json_lines(captured.out)
    views = [image["view_position"] for image in study["images"]]  # type: ignore[attr-defined]
    assert views == ["AP", "LL"]


def test_chinese_draft_states_the_same_concepts(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [write_film("a.dcm")]
    assert run_draft(paths, "adaptive", "scripted", "cpu", as_json=True, language="zh") == 0
    (study,) = _json_lines(capsys.readouterr().out)
    assert study["decoding"] == {
        "mode": "adaptive",
        "language": "zh",
        "block_length": 8,
        "max_new_tokens": 512,
        "adaptive_threshold": 0.7,
        "adaptive_max_passes": 8,
    }
    assert study["extra_passes"] == 2
    assert str(study["findings"]).endswith("。")
    said = {entry["concept"]: entry["status"] for entry in study["statements"]}  # type: ignore[attr-defined]
    assert said["pneumothorax"] == said["pleural_effusion"] == "absent"


def test_films_of_two_patients_never_make_one_report(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Old devices give the same Study Instance UID twice."""
    frontal = write_film("in/a.dcm", instance=1)
    lateral = write_film("in/b.dcm", instance=2, view="LL")
    stranger = pydicom.dcmread(lateral)
    stranger.PatientID = "P-2"
    stranger.save_as(lateral)
    engine.max_images = 2
    assert run_draft([frontal.parent], "one-step", "scripted", "cpu", as_json=True) == 1
    said = capsys.readouterr()
    (drafted,) = _json_lines(said.out)
    assert [image["path"] for image in drafted["images"]] == [str(frontal)]  # type: ignore[attr-defined]
    assert said.err.startswith(f"{lateral}: its study is of another patient (Patient ID 'P-1'")


def test_the_name_of_a_file_steers_no_terminal(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    film = write_film("in/film\x1b[2J\n0 failures.dcm")
    (film.parent / "text\x1b]0;\u202e.txt").write_text("no film")
    assert run_draft([film.parent], "one-step", "scripted", "cpu") == 1
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert r"film\x1b[2J\n0 failures.dcm PA" in said.out
    assert r"text\x1b]0;\u202e.txt: not a DICOM" in said.err
    assert said.err.count("\n") == 1


def test_a_name_that_no_file_can_have_is_told(
    engine: ScriptedEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_draft([Path("a" * 300)], "one-step", "scripted", "cpu") == 1
    assert "aaa: file name too long" in capsys.readouterr().err


def test_a_folder_that_can_not_be_read_is_told(
    engine: ScriptedEngine,
    write_film: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = write_film("in/closed/b.dcm").parent
    write_film("in/open/c.dcm")
    scan = os.scandir

    def scan_as_nobody(path: Path) -> object:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scan_as_nobody)
    assert run_draft([closed.parent], "one-step", "scripted", "cpu", as_json=True) == 1
    said = capsys.readouterr()
    assert said.err == f"{closed}: the folder can't be read: Permission denied\n"
    assert len(_json_lines(said.out)) == 1


def test_language_that_the_model_lacks_is_refused(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_draft([write_film("a.dcm")], language="fr") == 2  # type: ignore[arg-type]
    assert "--language fr: this model writes en, zh" in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [True, False])
def test_refused_film_gives_no_report_and_its_own_exit_code(
    engine: ScriptedEngine,
    write_film: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
) -> None:
    engine.refusing = "1.2.3.1"
    paths = [write_film("a.dcm", study=1), write_film("b.dcm", study=2)]
    assert run_draft(paths, "one-step", "scripted", "cpu", as_json=as_json) == 3
    captured = capsys.readouterr()
    assert captured.err == f"{paths[0]}: no report: It is blank.\n"
    if as_json:
        first, second = _json_lines(captured.out)
        assert (first["refusal"], first["findings"], first["statements"]) == (
            "It is blank.",
            "",
            [],
        )
        assert (second["refusal"], bool(second["findings"])) == ("", True)
    else:
        assert "No report: It is blank." in captured.out
        assert captured.out.count("\nFindings:") == 1
    engine.failing = "1.2.3.2"
    assert run_draft(paths, "one-step", "scripted", "cpu") == 1


def test_study_that_fails_is_named_and_the_others_done(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.failing = "1.2.3.1"
    paths = [write_film("a.dcm", study=1), write_film("b.dcm", study=2)]
    assert run_draft(paths, "one-step", "scripted", "cpu", as_json=True) == 1
    captured = capsys.readouterr()
    assert captured.err == f"{paths[0]}: out of memory while drafting\n"
    assert len(_json_lines(captured.out)) == 1


def test_ctrl_c_ends_after_the_studies_that_are_finished(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.interrupted_at = "1.2.3.2"
    paths = [write_film(f"{study}.dcm", study=study) for study in (1, 2, 3)]
    assert run_draft(paths, "one-step", "scripted", "cpu", as_json=True) == INTERRUPTED
    captured = capsys.readouterr()
    assert [study["study_instance_uid"] for study in _json_lines(captured.out)] == ["1.2.3.1"]
    assert [request.request_id for request in engine.requests] == ["1.2.3.1", "1.2.3.2"]
    assert captured.err == "stopped: what was finished is printed\n"


def test_mode_that_the_model_lacks_is_refused(
    engine: ScriptedEngine, write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_draft([write_film("a.dcm")], "autoregressive", "scripted", "cpu") == 2
    assert "offers one-step, adaptive, multi-step" in capsys.readouterr().err
    assert not engine.requests


def test_missing_model_folder_is_named(
    write_film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "nowhere"
    assert run_draft([write_film("a.dcm")], "one-step", str(folder), "cpu") == 2
    assert f"{folder}: no such model folder" in capsys.readouterr().err


def test_embedded_model_drafts_a_film(
    write_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_draft([write_film("a.dcm")], "one-step", "embedded", "cpu", as_json=True) == 0
    (study,) = _json_lines(capsys.readouterr().out)
    assert study["passes"] == len(study["blocks"])  # type: ignore[arg-type]
    joined = "".join(
        text
        for block in study["blocks"]  # type: ignore[attr-defined]
        for text in block["tokens"]
    )
    assert joined == study["text"]
