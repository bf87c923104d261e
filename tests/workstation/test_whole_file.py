"""Files that are whole or not there."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest

from workstation.whole_file import file_beside, write_whole_file


def test_a_file_takes_the_place_of_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(b"before")
    write_whole_file(path, b"after")
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


def test_its_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_whole_file(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_the_older_one_is_there_until_the_move(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"before")
    with file_beside(path) as beside:
        beside.stream.write(b"after")
        beside.finish()
        assert path.read_bytes() == b"before"
        assert beside.part.read_bytes() == b"after"  # complete before it is moved
        beside.move()
        assert path.read_bytes() == b"after"


def test_what_is_not_moved_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"before")

    def write_half() -> None:
        with file_beside(path) as beside:
            beside.stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole_file(path, b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("报" * 85)  # 255 bytes
    write_whole_file(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    with file_beside(path) as one, file_beside(path) as other:
        one.stream.write(b"one")
        other.stream.write(b"other")
        other.move()
        one.move()
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]
