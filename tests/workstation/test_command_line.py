"""The command line, as typed."""

from __future__ import annotations

from pathlib import Path

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
