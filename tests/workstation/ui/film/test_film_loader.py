from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PySide6.QtCore import QThread
from PySide6.QtTest import QSignalSpy

from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.ui.film import film_loader
from workstation.ui.film.film_loader import FilmLoader
from workstation.ui.viewer.film_sampler import sampler_of


@pytest.fixture
def loader(qtbot) -> FilmLoader:
    made = FilmLoader()
    yield made
    assert made.shutdown()


def picture(value: int) -> np.ndarray:
    return np.full((16, 16), value, dtype=np.uint16)


def test_a_film_arrives_on_the_main_thread_ready_to_show(
    qtbot, loader: FilmLoader, write_film
) -> None:
    path = write_film("film.dcm", picture(7))
    threads: list[QThread] = []
    loader.film_loaded.connect(lambda *_: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(loader.film_loaded) as loaded:
        loader.request(path)
    name, film = loaded.args
    assert name == str(path)
    assert isinstance(film, Film)
    assert film.stored[0, 0] == 7
    assert threads == [loader.thread()]
    assert sampler_of(film).is_prepared


def test_an_unreadable_file_fails_with_its_reason(qtbot, loader: FilmLoader, tmp_path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no film")
    with qtbot.waitSignal(loader.film_failed) as failed:
        loader.request(path)
    assert failed.args == [str(path), "not a DICOM, PNG or JPEG file"]


def test_a_missing_file_fails_and_the_next_one_loads(
    qtbot, loader: FilmLoader, write_film, tmp_path
) -> None:
    with qtbot.waitSignal(loader.film_failed):
        loader.request(tmp_path / "gone.dcm")
    with qtbot.waitSignal(loader.film_loaded):
        loader.request(write_film("film.dcm", picture(1)))


def test_only_the_newest_of_many_requests_is_delivered(
    qtbot, monkeypatch, loader: FilmLoader, write_film
) -> None:
    """The first film is being decoded while three more are asked for."""
    paths = [write_film(f"{n}.dcm", picture(n)) for n in range(4)]
    decoding, may_go_on = Event(), Event()
    read: list[str] = []

    def read_slowly(path: Path, _: Path | None) -> Film:
        read.append(path.name)
        decoding.set()
        assert may_go_on.wait(10)
        return read_film(path)

    monkeypatch.setattr(film_loader, "open_film", read_slowly)
    delivered = QSignalSpy(loader.film_loaded)
    loader.request(paths[0])
    assert decoding.wait(10)
    for path in paths[1:]:
        loader.request(path)
    with qtbot.waitSignal(loader.film_loaded) as loaded:
        may_go_on.set()
    assert loaded.args[0] == str(paths[3])
    assert delivered.count() == 1
    assert read == ["0.dcm", "3.dcm"]


def test_a_cancelled_request_delivers_nothing(
    qtbot, monkeypatch, loader: FilmLoader, write_film, tmp_path
) -> None:
    stale, newer = write_film("stale.dcm", picture(1)), write_film("newer.dcm", picture(2))
    delivered, failed = QSignalSpy(loader.film_loaded), QSignalSpy(loader.film_failed)
    loader.request(stale)
    loader.request(tmp_path / "gone.dcm")
    loader.cancel()
    with qtbot.waitSignal(loader.film_loaded):
        loader.request(newer)
    assert delivered.count() == 1
    assert failed.count() == 0


def test_a_mistake_of_ours_is_told_instead_of_waited_for(
    qtbot, monkeypatch, caplog, loader: FilmLoader
) -> None:
    def stumble(path: Path, _: Path | None) -> Film:
        raise ZeroDivisionError("bits stored is 0")

    monkeypatch.setattr(film_loader, "open_film", stumble)
    with qtbot.waitSignal(loader.film_failed) as failed:
        loader.request(Path("film.dcm"))
    assert failed.args[1] == "unexpected error: bits stored is 0"
    assert "ZeroDivisionError" in caplog.text


def test_shutdown_ends_the_thread(qtbot, loader: FilmLoader, write_film) -> None:
    with qtbot.waitSignal(loader.film_loaded):
        loader.request(write_film("film.dcm", picture(1)))
    assert loader.shutdown()
    assert not loader._thread.isRunning()
