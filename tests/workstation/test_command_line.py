"""The command line, as typed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from workstation.__main__ import main
from workstation.app import AppOptions, run_app
from workstation.catalog.database import open_database


def test_render_writes_what_the_viewer_would_show(
    phantom_films: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "film.png"
    assert main(["render", str(phantom_films[0]), "--out", str(out), "--window", "1300,1900"]) == 0
    with Image.open(out) as picture:
        assert picture.size == (256, 256)


def test_render_names_the_file_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no film")
    assert main(["render", str(text), "--out", str(tmp_path / "x.png")]) == 1
    assert "notes.txt" in capsys.readouterr().err


def test_audit_verify_of_a_fresh_catalog(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    assert main(["audit", "verify", "--data-dir", str(tmp_path)]) == 0


def _run(arguments: list[str], **settings: Any) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-m", "workstation", *arguments]
    return subprocess.run(program, check=False, stderr=subprocess.PIPE, **settings)


def test_letters_the_terminal_lacks_are_escaped(phantom_films: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "\u80ba \udcff.png"  # Chinese, and a byte that is no UTF-8
    arguments = ["render", str(phantom_films[0]), "--out", str(out)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = _run(arguments, stdout=subprocess.PIPE, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u80ba \\udcff.png: 256 x 256" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_that_nobody_takes_is_told_in_a_line(
    phantom_films: list[Path], tmp_path: Path
) -> None:
    arguments = ["render", str(phantom_films[0]), "--out", str(tmp_path / "x.png")]
    with Path("/dev/full").open("wb") as full:
        done = _run(arguments, stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith(b"echo-workstation: ")
    assert done.stderr.count(b"\n") == 1
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = _run(arguments, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("window", ["1300", "a,b", "1,2,3"])
def test_a_window_that_is_none_is_refused(window: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["render", "film.dcm", "--out", str(tmp_path / "x.png"), "--window", window])
    assert stopped.value.code == 2


def test_arithmetic_and_threads_reach_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[AppOptions] = []

    def remember(options: AppOptions) -> int:
        asked.append(options)
        return 0

    monkeypatch.setattr("workstation.app.run_app", remember)
    assert main(["--products", "int8", "--threads", "3"]) == 0
    assert main([]) == 0
    assert asked == [AppOptions(products="int8", threads=3), AppOptions()]


def test_unknown_arithmetic_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["draft", "film.dcm", "--products", "int4"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert all(name in said for name in ("int4", "exact", "bfloat16", "int8", "fp8"))


def test_a_data_folder_that_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], qapp: object
) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    assert run_app(AppOptions(data_dir=occupied / "data")) == 2
    assert str(occupied) in capsys.readouterr().err
