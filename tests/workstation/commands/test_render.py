"""`render` writes what the viewer shows, or says why not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workstation.commands.render import run_render
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.instance_reader import read_film
from workstation.dicom.voi import Window

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.fixture
def chest(tmp_path: Path) -> Path:
    Image.fromarray(RAMP).save(tmp_path / "chest.png")
    return tmp_path / "chest.png"


def read_png(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.mode == "L"
        return np.array(picture)


def test_render_writes_the_default_view(chest: Path, tmp_path: Path) -> None:
    assert run_render(chest, tmp_path / "out.png", None) == 0
    assert np.array_equal(read_png(tmp_path / "out.png"), RAMP)


def test_render_applies_the_given_window(chest: Path, tmp_path: Path) -> None:
    assert run_render(chest, tmp_path / "out.png", (100.0, 50.0)) == 0
    expected = render_grey(read_film(chest), Window(100, 50))
    assert np.array_equal(read_png(tmp_path / "out.png"), expected)


def test_render_names_the_file_and_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(b"nothing")
    assert run_render(bad, tmp_path / "out.png", None) == 1
    assert capsys.readouterr().err == f"{bad}: not a DICOM, PNG or JPEG file\n"
    assert not (tmp_path / "out.png").exists()


def test_render_refuses_a_window_without_width_and_a_missing_folder(
    chest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_render(chest, tmp_path / "out.png", (10.0, 0.0)) == 1
    assert "width" in capsys.readouterr().err
    assert run_render(chest, tmp_path / "nowhere" / "out.png", None) == 1
    assert "nowhere" in capsys.readouterr().err


def test_render_as_left_needs_a_catalog(
    chest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    assert run_render(chest, out, as_left_in=tmp_path / "nowhere") == 1
    assert "nowhere" in capsys.readouterr().err
    assert not out.exists()


def test_render_never_takes_the_place_of_a_film(
    chest: Path, tmp_path: Path, phantom_films: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "link.png"
    link.symlink_to(chest)
    other = tmp_path / "other.dcm"
    other.write_bytes(phantom_films[0].read_bytes())
    for out in (chest, link, other):
        before = out.read_bytes()
        assert run_render(chest, out) == 1
        assert f"{out}: is th" in capsys.readouterr().err
        assert out.read_bytes() == before
    assert run_render(other, link) == 0  # a PNG that is another picture is replaced


def test_render_that_fails_midway_leaves_the_older_picture(
    chest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    assert run_render(chest, out) == 0
    before = out.read_bytes()

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    assert run_render(chest, out, (100.0, 50.0)) == 1
    assert "No space left" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["chest.png", "out.png"]
