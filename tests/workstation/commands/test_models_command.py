"""`echo-workstation models`, as typed, on a copy of the embedded model."""

from __future__ import annotations

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from inference import EngineError, resource_folder
from inference.model_folder.manifest import read_manifest, write_manifest
from workstation.__main__ import main
from workstation.commands.models import run_models_add
from workstation.model_licence import find_licence
from workstation.model_registry import ModelRegistry, load_registered_engine

LICENCE = "Our licence.\nNo clinical use.\n"
README = "---\nlanguage: en\nlicense: cc-by-nc-4.0\nlicense_name: ours\n---\nlicense: not this\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = Path(
        shutil.copytree(resource_folder() / "models" / "embedded", tmp_path / "ECHO_phantom")
    )
    (folder / "README.md").write_text(README)
    (folder / "LICENSE.txt").write_text(LICENCE)
    return folder


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def _models(data_dir: Path, *arguments: str) -> int:
    return main(["models", *arguments, "--data-dir", str(data_dir)])


def _damage(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)[0]
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last ^ 1]))


def test_added_model_is_listed_checked_and_removed(
    folder: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _models(data_dir, "add", str(folder), "--accept-licence") == 0
    added = capsys.readouterr().out
    assert "No clinical use." in added
    assert "cc-by-nc-4.0" in added
    assert "float32 on the CPU needs" in added
    assert "a copy would need" in added
    model = ModelRegistry(data_dir).find("ECHO_phantom")
    assert model is not None
    assert (model.folder, model.licence_file) == (folder, "LICENSE.txt, README.md")
    assert model.sha256 in added

    assert _models(data_dir, "list") == 0
    assert f"{model.sha256[:12]}  {folder}\n" in capsys.readouterr().out
    assert _models(data_dir, "check", "ECHO_phantom") == 0
    assert f"Whole: sha256 {model.sha256}" in capsys.readouterr().out
    assert _models(data_dir, "remove", "ECHO_phantom") == 0
    assert str(folder) in capsys.readouterr().out
    assert (folder / "model.safetensors").is_file()
    assert _models(data_dir, "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_copy_is_used_from_the_data_folder_and_deleted_with_the_model(
    folder: Path, data_dir: Path
) -> None:
    assert _models(data_dir, "add", str(folder), "--copy", "--name", "own", "--accept-licence") == 0
    shutil.rmtree(folder)
    copy = data_dir / "models" / "own"
    assert (copy / "LICENSE.txt").read_text() == LICENCE
    engine = load_registered_engine("own", "cpu", data_dir)
    assert engine.description.model_folder == str(copy)
    assert _models(data_dir, "remove", "own") == 0
    assert not copy.exists()


def test_copy_that_the_disk_has_no_room_for_is_refused(
    folder: Path,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1))
    assert _models(data_dir, "add", str(folder), "--copy", "--accept-licence") == 1
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    assert f"the copy needs {size:.1f} MiB, free 0.0 MiB" in capsys.readouterr().err
    assert not (data_dir / "models").exists()
    assert ModelRegistry(data_dir).entries() == []


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("Yes ", 0), ("n", 3), ("", 3)])
def test_licence_is_asked_for(folder: Path, data_dir: Path, answer: str, code: int) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return answer

    assert run_models_add(folder, data_dir, ask=ask) == code
    assert len(asked) == 1
    assert bool(ModelRegistry(data_dir).entries()) == (code == 0)


def test_licence_that_nobody_accepts_adds_nothing(
    folder: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_models_add(folder, data_dir) == 3
    assert "--accept-licence" in capsys.readouterr().err
    assert not data_dir.exists()


def test_name_taken_or_impossible_is_refused_in_one_line(
    folder: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _models(data_dir, "add", str(folder), "--name", "mine", "--accept-licence") == 0
    capsys.readouterr()
    for name in ("mine", "embedded", "../up", "a b", "-x"):
        assert _models(data_dir, "add", str(folder), f"--name={name}", "--accept-licence") == 1
        error = capsys.readouterr().err
        assert name in error
        assert error.count("\n") == 1


def test_damaged_folder_is_not_added(
    folder: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _damage(folder / "model.safetensors")
    assert _models(data_dir, "add", str(folder), "--copy", "--accept-licence") == 1
    assert "model.safetensors: damaged or changed" in capsys.readouterr().err
    assert list((data_dir / "models").iterdir()) == []
    assert _models(data_dir, "add", str(folder / "nowhere"), "--accept-licence") == 1
    assert "nowhere: no such model folder" in capsys.readouterr().err


def test_model_changed_since_it_was_added_is_told_and_not_loaded(
    folder: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _models(data_dir, "add", str(folder), "--name", "mine", "--accept-licence") == 0
    capsys.readouterr()
    assert load_registered_engine("mine", "cpu", data_dir).description.model_folder == str(folder)
    config = json.loads((folder / "config.json").read_text()) | {"note": "edited"}
    (folder / "config.json").write_text(json.dumps(config))
    found = read_manifest(folder)
    assert found is not None
    write_manifest(folder, found, found.files)
    assert _models(data_dir, "check", "mine") == 1
    assert "changed since it was added" in capsys.readouterr().err
    with pytest.raises(EngineError, match="changed since it was added"):
        load_registered_engine("mine", "cpu", data_dir)


def test_unknown_names_are_told(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("check", "remove"):
        assert _models(data_dir, action, "nobody") == 2
        assert "nobody: no model of this name" in capsys.readouterr().err
    with pytest.raises(EngineError, match="nobody: neither a model that was added"):
        load_registered_engine("nobody", "cpu", data_dir)
    assert main(["draft", "x.dcm", "--model", "nobody", "--data-dir", str(data_dir)]) == 2
    assert "nobody: neither" in capsys.readouterr().err


def test_missing_folder_is_marked_in_the_list(
    folder: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _models(data_dir, "add", str(folder), "--accept-licence") == 0
    shutil.rmtree(folder)
    capsys.readouterr()
    assert _models(data_dir, "list") == 0
    assert "MISSING" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["[]", "{", '{"a": {}}', '{"a": 3}'])
def test_damaged_list_is_named(
    data_dir: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    data_dir.mkdir()
    (data_dir / "models.json").write_text(content)
    expected = 0 if content == "[]" else 1
    assert _models(data_dir, "list") == expected
    assert ("models.json: not a list" in capsys.readouterr().err) == bool(expected)


def test_embedded_model_can_be_checked(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _models(data_dir, "check", "embedded") == 0
    assert "Whole: sha256" in capsys.readouterr().out


def test_licence_text_cannot_steer_the_terminal(tmp_path: Path) -> None:
    assert find_licence(tmp_path) is None
    (tmp_path / "LICENCE").write_bytes(b"\x1b[2Jterms\x07 \xff\n")
    licence = find_licence(tmp_path)
    assert licence is not None
    assert licence.text == "[2Jterms \ufffd"
