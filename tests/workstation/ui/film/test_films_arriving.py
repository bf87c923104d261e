"""Films that come while their study is open: in the tabs at once, hung when the reader asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.network.instance_store import InstanceStore
from workstation.network.storage_service import IntakeEvent
from workstation.ui.main_window import MainWindow

WriteFilm = Callable[..., Path]
GREY = (np.indices((64, 48)).sum(0) * 30).astype(np.uint16)
CURRENT, PRIOR = "1.2.1", "1.2.2"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "data")
    yield engine
    engine.dispose()


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot, database: Engine) -> Iterator[MainWindow]:
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    opened = build_window(database, DraftingService(), settings)
    qtbot.addWidget(opened)
    opened.resize(1600, 900)
    opened.show()
    yield opened
    opened.close()


def bring(window: MainWindow, qtbot: QtBot, *paths: Path, open_first: bool = False) -> None:
    with qtbot.waitSignal(window.importer.finished, timeout=30_000):
        window.import_paths(list(paths), open_first=open_first)
    settle(window, qtbot)


def settle(window: MainWindow, qtbot: QtBot) -> None:
    shown = window.grid.shown_viewers
    qtbot.waitUntil(lambda: not any("Opening" in v.message for v in shown()), timeout=30_000)


def hung(window: MainWindow) -> list[str]:
    films = [viewer.film for viewer in window.grid.shown_viewers()]
    return [f"{f.header.study_instance_uid} {f.header.view_position}" if f else "" for f in films]


def tabs(window: MainWindow) -> list[str]:
    return [window.film_tabs.tabText(index) for index in range(window.film_tabs.count())]


def test_a_study_dropped_as_a_folder_hangs_with_all_its_films(
    window: MainWindow, qtbot: QtBot, write_film: WriteFilm, tmp_path: Path
) -> None:
    """The first film opens the study before the others are read."""
    write_film("in/1pa.dcm", GREY, StudyInstanceUID=CURRENT)
    write_film("in/2prior.dcm", GREY, StudyInstanceUID=PRIOR, StudyDate="20250101")
    write_film("in/3lat.dcm", GREY[::-1], StudyInstanceUID=CURRENT, ViewPosition="LL")
    bring(window, qtbot, tmp_path / "in", open_first=True)
    assert hung(window) == [f"{CURRENT} PA", f"{CURRENT} LL", f"{PRIOR} PA", ""]
    assert not any("NEW" in text for text in tabs(window))


def test_a_film_that_comes_later_waits_in_the_tabs(
    window: MainWindow, qtbot: QtBot, write_film: WriteFilm
) -> None:
    bring(window, qtbot, write_film("pa.dcm", GREY, StudyInstanceUID=CURRENT), open_first=True)
    viewer = window.viewer
    viewer.zoom_in()
    assert viewer.picture is not None
    film, zoom = viewer.film, viewer.picture.geometry.zoom
    lateral = write_film("lat.dcm", GREY[::-1], StudyInstanceUID=CURRENT, ViewPosition="LL")
    with qtbot.waitSignal(window.films.films_arrived) as arrived:
        bring(window, qtbot, lateral)
    assert len(arrived.args[0]) == 1
    assert tabs(window) == ["1 · PA", "NEW  2 · LL"]
    assert window.film_tabs.isVisible()
    assert "NEW" in window.film_tabs.accessibleTabName(1)
    assert "in the tabs" in window.statusBar().currentMessage() or "1 film added" in (
        window.statusBar().currentMessage()
    )
    # What the reader looks at is as it was.
    assert hung(window) == [f"{CURRENT} PA"]
    assert viewer.film is film
    assert viewer.picture.geometry.zoom == zoom
    window.films.perform("hang")
    settle(window, qtbot)
    assert hung(window) == [f"{CURRENT} PA", f"{CURRENT} LL"]
    assert viewer.film is film
    QTest.keyClick(window.viewer, Qt.Key.Key_X)
    assert tabs(window) == ["1 · PA", "2 · LL"]


def test_a_prior_that_comes_over_the_network_is_offered(
    window: MainWindow, qtbot: QtBot, write_film: WriteFilm, database: Engine
) -> None:
    bring(window, qtbot, write_film("pa.dcm", GREY, StudyInstanceUID=CURRENT), open_first=True)
    prior = write_film("prior.dcm", GREY, StudyInstanceUID=PRIOR, StudyDate="20250812")
    records = build_records(database)
    store = InstanceStore(records.catalog, records.audit, "tester")
    stored = store.store([prior.read_bytes()], "C-STORE PACS@127.0.0.1")
    with qtbot.waitSignal(window.films.films_arrived):
        window.network.receiver.report(
            IntakeEvent("stored", "PACS", stored.sop_instance_uid, PRIOR)
        )
    assert tabs(window) == ["1 · PA", "NEW  PRIOR 2025-08-12 · PA"]
    assert hung(window) == [f"{CURRENT} PA"]
    window.films.perform("compare")
    settle(window, qtbot)
    assert hung(window) == [f"{CURRENT} PA", f"{PRIOR} PA"]


def test_another_patients_film_changes_nothing(
    window: MainWindow, qtbot: QtBot, write_film: WriteFilm
) -> None:
    bring(window, qtbot, write_film("pa.dcm", GREY, StudyInstanceUID=CURRENT), open_first=True)
    other = write_film("x.dcm", GREY, StudyInstanceUID="1.2.9", PatientID="B", PatientName="ROE")
    bring(window, qtbot, other)
    assert tabs(window) == ["1 · PA"]
    assert hung(window) == [f"{CURRENT} PA"]
