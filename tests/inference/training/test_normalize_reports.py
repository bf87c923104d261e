"""A file of reports is normalised line by line, survives a kill, and checks its model."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from inference.evaluation.manifest_studies import manifest_studies
from inference.report_language.normalization import normalize_report
from inference.report_language.statements import Language
from inference.training import normalize_reports
from inference.training.data.manifest_pairs import read_manifest
from inference.training.normalize_reports import Job, main, normalize_line

RAW = [
    {"images": ["1.dcm"], "report": "Small left effusion.", "language": "en"},
    {"images": ["2.dcm", "2b.dcm"], "report": "右侧气胸。", "language": "zh", "patient": "P2"},
    {"images": ["3.dcm"], "report": "FINDINGS: ETT in place. IMPRESSION: No acute disease."},
]


def write_lines(path: Path, lines: list[Any]) -> Path:
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_reports_become_canonical_and_other_keys_stay(tmp_path: Path) -> None:
    source, out = write_lines(tmp_path / "raw.jsonl", RAW), tmp_path / "out.jsonl"
    assert main(["--in", str(source), "--out", str(out)]) == 0
    pairs = read_lines(out)
    assert [p["images"] for p in pairs] == [p["images"] for p in RAW]
    assert pairs[1]["patient"] == "P2"
    assert pairs[1]["report"].startswith("所见：")
    for pair, raw in zip(pairs, RAW, strict=True):
        assert pair["report"] == normalize_report(str(raw["report"]), pair["language"]).report
    assert pairs[0]["normalisation"]["stated"] == ["pleural_effusion:present"]
    assert "pneumothorax" in pairs[0]["normalisation"]["implied"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "raw.jsonl"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", 'no "report" text'),
        ('{"images": []}', 'no "report" text'),
        ('{"report": "Normal chest."}', 'no "images" list'),
        ('{"images": [], "report": "Normal.", "language": "xx"}', "unknown language 'xx'"),
        ('{"images": [], "report": "See CT."}', "says nothing of the chest"),
    ],
)
def test_unusable_lines_are_named_with_file_and_line(
    tmp_path: Path, line: str, reason: str
) -> None:
    source, out = write_lines(tmp_path / "raw.jsonl", [RAW[0], "", line]), tmp_path / "out.jsonl"
    assert main(["--in", str(source), "--out", str(out)]) == 0
    assert len(read_lines(out)) == 1
    (refusal,) = read_lines(tmp_path / "out.jsonl.refused.jsonl")
    assert refusal["at"] == f"{source}:3"
    assert reason in refusal["reason"]


class Killed(BaseException):
    pass


def test_job_goes_on_after_a_kill_with_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [*RAW, "{", *RAW, "[]", *RAW]
    source = write_lines(tmp_path / "raw.jsonl", lines)
    whole = tmp_path / "whole.jsonl"
    assert main(["--in", str(source), "--out", str(whole)]) == 0
    out = tmp_path / "out.jsonl"
    taken: list[str] = []

    def take(line: str, *rest: Any) -> dict[str, Any]:
        if len(taken) in (2, 6):
            taken.append("kill")
            raise Killed
        taken.append(line)
        return normalize_line(line, *rest)

    monkeypatch.setattr(normalize_reports, "normalize_line", take)
    for _ in range(2):
        with pytest.raises(Killed):
            Job(source, out, "en", None).run(None, io.StringIO())
        assert not out.exists()
        with (tmp_path / "out.jsonl.partial").open("a", encoding="utf-8") as file:
            file.write('{"half": ')  # what a killed process may leave
    tally = Job(source, out, "en", None).run(None, io.StringIO())
    assert out.read_bytes() == whole.read_bytes()
    refused = [read_lines(tmp_path / f"{name}.jsonl.refused.jsonl") for name in ("out", "whole")]
    assert refused[0] == refused[1]
    assert (tally.written, tally.refused) == (9, 2)
    assert len([line for line in taken if line != "kill"]) == len(lines)  # none was done twice


def test_a_kill_right_after_the_output_is_in_place_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = write_lines(tmp_path / "raw.jsonl", [*RAW, "{", *RAW]), tmp_path / "out.jsonl"

    def die(path: Path, missing_ok: bool = False) -> None:
        if path.name == "out.jsonl.partial.job":
            raise Killed
        real_unlink(path, missing_ok)

    real_unlink = Path.unlink
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die)
        with pytest.raises(Killed):
            Job(source, out, "en", None).run(None, io.StringIO())
    whole = out.read_bytes()
    assert len(read_lines(out)) == 6
    tally = Job(source, out, "en", None).run(None, io.StringIO())
    assert out.read_bytes() == whole
    assert (tally.written, tally.refused) == (6, 1)


def test_what_is_written_is_a_manifest_for_training_and_evaluation(tmp_path: Path) -> None:
    for name in ("1.dcm", "2.dcm", "2b.dcm", "3.dcm"):
        (tmp_path / name).write_bytes(b"")
    odd = {**RAW[1], "note": "line\u2028end\x85within"}
    text = "\n".join(json.dumps(pair, ensure_ascii=False) for pair in (RAW[0], odd, RAW[2]))
    source, out = tmp_path / "raw.jsonl", tmp_path / "out.jsonl"
    source.write_text(f"\ufeff{text}", encoding="utf-8")
    assert main(["--in", str(source), "--out", str(out)]) == 0
    studies = read_manifest(out)
    assert [study.language for study in studies] == ["en", "zh", "en"]
    drafted = list(manifest_studies(out, ("en", "zh")))
    assert all(s.references[0].findings in t.report for s, t in zip(drafted, studies, strict=True))
    assert [s.references[0].language for s in drafted] == ["en", "zh", "en"]


def test_films_are_found_from_another_folder_too(tmp_path: Path) -> None:
    for name in ("raw/films", "made"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("1.dcm", "2.dcm"):
        (tmp_path / "raw" / "films" / name).write_bytes(b"")
    absolute = str(tmp_path / "raw" / "films" / "2.dcm")
    line = {"images": ["films/1.dcm", absolute], "report": "Small left effusion."}
    source = write_lines(tmp_path / "raw" / "raw.jsonl", [line])
    out = tmp_path / "made" / "out.jsonl"
    assert main(["--in", str(source), "--out", str(out)]) == 0
    assert read_lines(out)[0]["images"] == ["../raw/films/1.dcm", absolute]
    (study,) = read_manifest(out)
    assert all(film.is_file() for film in study.films)


def test_bytes_that_are_no_text_are_named_with_their_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "raw.jsonl"
    source.write_bytes('{"images": [], "report": "左侧气胸"}'.encode("gb18030"))
    assert main(["--in", str(source), "--out", str(tmp_path / "out.jsonl")]) == 2
    assert f"{source}: 'utf-8' codec can't decode" in capsys.readouterr().err


def test_partial_output_of_another_input_is_not_continued(tmp_path: Path) -> None:
    source, out = write_lines(tmp_path / "raw.jsonl", RAW), tmp_path / "out.jsonl"
    (tmp_path / "out.jsonl.partial").write_text('{"normalisation": {"line": 2}}\n')
    (tmp_path / "out.jsonl.partial.job").write_text('["another input", "en", null]')
    assert main(["--in", str(source), "--out", str(out)]) == 0
    assert len(read_lines(out)) == 3


def test_good_proposal_is_taken_and_a_false_one_is_not() -> None:
    line = json.dumps(RAW[0])
    rules = normalize_report("Small left effusion.", "en").report

    def propose_well(raw: str, language: Language) -> str:
        return f"{rules}\n"

    def flip_side(raw: str, language: Language) -> str:
        return rules.replace("left", "right")

    taken = normalize_line(line, "en", propose_well)
    assert (taken["report"], taken["normalisation"]["source"]) == (rules, "model")
    rejected = normalize_line(line, "en", flip_side)
    assert (rejected["report"], rejected["normalisation"]["source"]) == (rules, "rules")
    assert any("side" in reason for reason in rejected["normalisation"]["model_rejected_for"])


@pytest.fixture
def tiny_language_model(tmp_path: Path) -> Path:
    """A random two-layer causal language model with a byte-level tokenizer, as a folder."""
    folder = tmp_path / "language_model"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        ["Findings: No pleural effusion."],
        trainers.BpeTrainer(vocab_size=300, special_tokens=["<end>"], initial_alphabet=alphabet,
                            show_progress=False),
    )  # fmt: skip
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, intermediate_size=48,
        num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        max_position_embeddings=4096, eos_token_id=0, bos_token_id=None,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def test_random_model_changes_nothing_but_the_count(
    tmp_path: Path, tiny_language_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_lines(tmp_path / "raw.jsonl", RAW[:2])
    out = tmp_path / "out.jsonl"
    command = ["--in", str(source), "--out", str(out), "--model", str(tiny_language_model)]
    assert main(command) == 0
    assert "model: 0 proposals taken, 2 rejected" in capsys.readouterr().out
    for pair, raw in zip(read_lines(out), RAW, strict=False):
        assert pair["report"] == normalize_report(str(raw["report"]), pair["language"]).report


def test_missing_input_or_model_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = write_lines(tmp_path / "raw.jsonl", RAW), tmp_path / "out.jsonl"
    assert main(["--in", str(tmp_path / "no.jsonl"), "--out", str(out)]) == 2
    assert main(["--in", str(source), "--out", str(out), "--model", str(tmp_path / "no")]) == 2
    errors = capsys.readouterr().err
    assert "no.jsonl" in errors
    assert "config.json is missing" in errors
