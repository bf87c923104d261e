from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from workstation.intake.watched_folder import SETTLED_AFTER_S, WatchedFolder


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


def look_twice(watched: WatchedFolder, clock: Clock) -> list[Path]:
    first = watched.look()
    clock.now += SETTLED_AFTER_S
    return first + watched.look()


def test_a_file_is_offered_once_and_only_when_it_has_stopped_growing(
    folder: Path, catalog_engine: Engine, clock: Clock
) -> None:
    watched = WatchedFolder(folder, catalog_engine, clock)
    film = folder / "sub" / "a.dcm"
    film.parent.mkdir()
    film.write_bytes(b"x")
    assert watched.look() == []
    clock.now += SETTLED_AFTER_S
    film.write_bytes(b"xy")
    assert watched.look() == []
    clock.now += SETTLED_AFTER_S / 2
    assert watched.look() == []
    clock.now += SETTLED_AFTER_S / 2
    assert watched.look() == [film]
    clock.now += SETTLED_AFTER_S
    assert watched.look() == []


def test_unfinished_hidden_and_empty_files_wait(
    folder: Path, catalog_engine: Engine, clock: Clock
) -> None:
    for name in ("a.dcm.part", ".hidden", "~", "b.TMP", "Thumbs.db"):
        (folder / name).write_bytes(b"x")
    (folder / "empty.dcm").touch()
    watched = WatchedFolder(folder, catalog_engine, clock)
    assert look_twice(watched, clock) == []
    (folder / "a.dcm.part").rename(folder / "a.dcm")
    assert look_twice(watched, clock) == [folder / "a.dcm"]


def test_what_was_dealt_with_stays_so_after_a_restart_until_it_changes(
    folder: Path, catalog_engine: Engine, clock: Clock
) -> None:
    good, bad = folder / "good.dcm", folder / "bad.txt"
    good.write_bytes(b"film")
    bad.write_bytes(b"text")
    watched = WatchedFolder(folder, catalog_engine, clock)
    assert look_twice(watched, clock) == [bad, good]
    watched.settle({good: "", bad: "not a DICOM, PNG or JPEG file"})
    again = WatchedFolder(folder, catalog_engine, clock)
    assert look_twice(again, clock) == []
    bad.write_bytes(b"now it is longer")
    os.utime(bad, ns=(1, 1))
    assert look_twice(again, clock) == [bad]


def test_what_was_offered_and_not_dealt_with_comes_after_a_restart(
    folder: Path, catalog_engine: Engine, clock: Clock
) -> None:
    (folder / "a.dcm").write_bytes(b"film")
    assert look_twice(WatchedFolder(folder, catalog_engine, clock), clock) != []
    assert look_twice(WatchedFolder(folder, catalog_engine, clock), clock) != []


def test_a_folder_that_is_gone_says_so(folder: Path, catalog_engine: Engine, clock: Clock) -> None:
    watched = WatchedFolder(folder, catalog_engine, clock)
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        watched.look()
