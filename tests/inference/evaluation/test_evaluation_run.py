"""The command line end to end, with the tiny engine and with the embedded model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from inference import BlockCommitted, DraftFinished, GenerationRequest
from inference.engine import ReportEngine
from inference.evaluation import evaluation_run
from inference.evaluation.__main__ import main
from inference.evaluation.drafting import draft_studies
from inference.evaluation.manifest_studies import manifest_studies
from inference.evaluation.outcomes import StudyOutcome
from inference.evaluation.phantom_studies import phantom_studies
from inference.evaluation.summary import summarise
from inference.phantom import sample_case
from inference.phantom.dicom_writer import build_dataset
from inference.report_language import compose_refusal

PHANTOMS = ["--size", "96", "--device", "cpu"]


def _json(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, dict[str, object]]]:
    captured = json.loads(capsys.readouterr().out)
    assert isinstance(captured, dict)
    return captured


@pytest.fixture(scope="module")
def embedded_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three phantoms in every decoding of the embedded model: outcomes.jsonl and index.html."""
    folder = tmp_path_factory.mktemp("embedded-report")
    arguments = ["--decoding", "all", "--phantoms", "3", "--device", "cpu", "--json"]
    arguments += ["--resume", str(folder / "outcomes.jsonl"), "--report", str(folder)]
    assert main(arguments) == 0
    return folder


def test_embedded_model_scores_above_chance(
    embedded_report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--outcomes", str(embedded_report / "outcomes.jsonl"), "--json"]) == 0
    values = _json(capsys)
    modes = {name.split("/")[0] for name in values["results"]}
    assert {"one-step", "multi-step"} <= modes
    for result in values["results"].values():
        assert result["reports"] == 3
        assert result["failed_studies"] == []
        assert result["failures"] == 0.0
        assert isinstance(result["statement_f1"], float)
        assert result["statement_f1"] > 0.6
    one, several = (values["results"][f"{mode}/en"] for mode in ("one-step", "multi-step"))
    assert one["passes_per_block"] == pytest.approx(1.0, abs=0.02)
    assert float(str(one["tokens_per_pass"])) > float(str(several["tokens_per_pass"]))
    assert len(values["differences"]) == len(modes) * (len(modes) - 1) // 2


def test_page_is_whole_and_needs_no_network(embedded_report: Path) -> None:
    page = (embedded_report / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import|<script""", page)
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) >= 4  # bars, scatter, a reliability plot for each decoding
    for picture in pictures:
        ElementTree.fromstring(picture)
    assert "RaTEScore: unavailable: needs local weights in" in page
    assert "micro-F1, findings present" in page


def test_broken_sentences_are_marked_and_escaped(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # random weights write nonsense
    arguments = ["--checkpoint", str(tiny_folder), "--phantoms", "2", "--show-broken", "1"]
    assert main([*arguments, *PHANTOMS, "--report", str(tmp_path)]) == 0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    body = page.split("Drafts with broken sentences", 1)[1]
    assert "<mark>" in body
    assert not re.search(r"<(?!/?(?:p|div|small|b|br|mark|h2|h3|ul|li|body|html|del)\b)", body)
    assert "broken ×" in capsys.readouterr().out


def test_token_texts_and_confidences_are_the_engines(tiny_engine: ReportEngine) -> None:
    (study,) = phantom_studies([3], 96, ["en"])
    ((outcome,),) = draft_studies(tiny_engine, [study], ["one-step"])
    events = list(tiny_engine.draft(GenerationRequest("again", study.load_images()[:2])))
    finished = events[-1]
    assert isinstance(finished, DraftFinished)
    blocks = [event for event in events if isinstance(event, BlockCommitted)]
    assert outcome.text == finished.text
    assert outcome.sections == (finished.findings, finished.impression)
    assert len(outcome.confidences) == len(outcome.token_texts) == finished.tokens
    assert (outcome.passes, outcome.blocks) == (finished.passes, len(blocks))
    assert outcome.stop_reason == finished.stop_reason


def test_blank_film_is_refused_without_a_pass(tmp_path: Path, tiny_engine: ReportEngine) -> None:
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "blank.png")
    line = {"images": ["blank.png"], "report": compose_refusal("en")}
    (tmp_path / "studies.jsonl").write_text(json.dumps(line))
    studies = manifest_studies(tmp_path / "studies.jsonl", ("en",))
    ((outcome,),) = draft_studies(tiny_engine, studies, ["one-step"])
    assert outcome.refusal
    assert (outcome.text, outcome.passes, outcome.failure) == ("", 0, "")
    (result,) = summarise([outcome])
    assert result.estimates["refusals"].value == 1.0
    assert result.estimates["failures"].value == 0.0
    assert result.estimates["tokens_per_pass"].value is None


def test_interrupted_run_keeps_its_outcomes_and_goes_on(
    tmp_path: Path,
    tiny_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = tmp_path / "outcomes.jsonl"
    arguments = ["--checkpoint", str(tiny_folder), "--phantoms", "3", *PHANTOMS]
    arguments += ["--json", "--resume", str(kept)]

    drafted: list[str] = []

    def interrupt_third(*of: object) -> Iterator[tuple[StudyOutcome, ...]]:
        is_first_run = not drafted
        for outcomes in draft_studies(*of):  # type: ignore[arg-type]
            drafted.extend(outcome.study for outcome in outcomes)
            yield outcomes
            if is_first_run and len(drafted) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(evaluation_run, "draft_studies", interrupt_third)
    assert main(arguments) == 130
    values = _json(capsys)
    assert values["interrupted"] is True
    assert values["results"]["one-step/en"]["reports"] == 2
    assert "2 of 3 studies" in str(values["progress"])
    assert main(arguments) == 0
    assert drafted == ["phantom-0", "phantom-1", "phantom-2"]  # none twice
    whole = _json(capsys)
    assert whole["results"]["one-step/en"]["reports"] == 3
    assert main(["--outcomes", str(kept), "--json"]) == 0
    assert _json(capsys)["results"] == whole["results"]


def test_manifest_with_bad_lines_counts_them_as_failures(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_dataset(sample_case(4), 96).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    good = {"images": ["a.dcm"], "report": "Findings: No mass. Impression: Normal."}
    lines = [json.dumps(good), "{broken", json.dumps({**good, "images": ["none.png"]})]
    (tmp_path / "studies.jsonl").write_text("\n".join(lines))
    arguments = ["--checkpoint", str(tiny_folder), "--device", "cpu", "--json"]
    assert main([*arguments, "--manifest", str(tmp_path / "studies.jsonl")]) == 0
    values = _json(capsys)
    result = values["results"]["one-step/en"]
    assert result["reports"] == 3
    assert float(str(result["failures"])) >= 0.6666
    failures = result["failed_studies"]
    assert isinstance(failures, list)
    assert "studies.jsonl:2: not JSON" in failures[0]
    assert "studies.jsonl:3: " in failures[1]
    assert "none.png" in failures[1]
    # the third line's report is known, so its finding is missed; nothing is known of the second
    assert result["chests"] == 3


def test_language_the_model_lacks_is_a_failure_of_that_line(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_dataset(sample_case(4), 96).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    line = {"images": ["a.dcm"], "report": "所见：未见气胸。", "language": "zh"}
    (tmp_path / "studies.jsonl").write_text(json.dumps(line))
    arguments = ["--checkpoint", str(tiny_folder), "--device", "cpu", "--json"]
    assert main([*arguments, "--manifest", str(tmp_path / "studies.jsonl")]) == 0
    result = _json(capsys)["results"]["one-step/zh"]
    assert result["failures"] == 1.0
    assert "tiny writes en" in str(result["failed_studies"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--checkpoint", "none"], "none"),
        (["--outcomes", "none.jsonl"], "none.jsonl"),
        (["--manifest", "none.jsonl"], "none.jsonl"),
        (["--language", "zh"], "tiny writes en"),
        (["--calibration", "none.json"], "none.json"),
    ],
)
def test_what_can_not_be_served_is_said_in_one_line(
    tiny_folder: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if "--checkpoint" not in arguments and "--outcomes" not in arguments:
        arguments = [*arguments, "--checkpoint", str(tiny_folder), "--device", "cpu"]
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_calibration_is_fitted_stored_and_refused_on_its_own_studies(
    tmp_path: Path, embedded_report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted_on = ["--outcomes", str(embedded_report / "outcomes.jsonl")]
    path = str(tmp_path / "calibration.json")
    assert main([*fitted_on, "--fit-calibration", path]) == 0
    assert main([*fitted_on, "--calibration", path]) == 2
    assert "fitted on studies of this run, phantom-0" in capsys.readouterr().err
    arguments = ["--phantoms", "1", "--seed", "700", "--device", "cpu", "--json"]
    assert main([*arguments, "--calibration", path]) == 0
    assert isinstance(_json(capsys)["results"]["one-step/en"]["ece_calibrated"], float)
