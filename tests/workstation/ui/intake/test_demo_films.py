"""The demo's films: priors first, frontal first, rendered beside the window's thread."""

from __future__ import annotations

from pathlib import Path

import pydicom
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference.phantom.demo_cases import DEMO_STUDIES
from workstation.dicom.instance_reader import read_header
from workstation.ui.intake.demo_films import DemoRenderer, write_demo_films


def test_every_study_is_written_once_in_order_of_time(tmp_path: Path) -> None:
    headers = [read_header(path) for path in write_demo_films(tmp_path, 32)]
    films = sum(1 + case.has_lateral for study in DEMO_STUDIES for case in study.cases())
    assert len(headers) == films == len({header.sop_instance_uid for header in headers})
    studies = list(dict.fromkeys(header.study_instance_uid for header in headers))
    assert len(studies) == sum(1 + study.follow_ups for study in DEMO_STUDIES)
    for uid in studies:
        views = [h.view_position for h in headers if h.study_instance_uid == uid]
        assert views[0] in ("PA", "AP")
        assert views[1:] in ([], ["LL"])
    for patient in {header.patient_id for header in headers}:
        dates = [h.study_date for h in headers if h.patient_id == patient]
        assert dates == sorted(dates)


def test_films_are_written_one_by_one(tmp_path: Path) -> None:
    films = write_demo_films(tmp_path, 32)
    first = next(films)
    assert list(tmp_path.iterdir()) == [first]
    assert pydicom.dcmread(first).Rows == 32


def test_renderer_tells_of_each_film_when_it_is_there(qtbot: QtBot, tmp_path: Path) -> None:
    renderer = DemoRenderer(tmp_path, size=32)
    written: list[Path] = []
    renderer.film_written.connect(lambda path: written.append(Path(path)))
    with qtbot.waitSignal(renderer.finished, timeout=60_000):
        renderer.start()
    qtbot.waitUntil(lambda: len(written) == len(list(tmp_path.iterdir())))
    assert all(path.is_file() for path in written)
    assert len(written) >= len(DEMO_STUDIES)


def test_interruption_ends_the_rendering(qtbot: QtBot, tmp_path: Path) -> None:
    renderer = DemoRenderer(tmp_path, size=32)
    # direct: asked on the rendering thread, as soon as the first film is there
    renderer.film_written.connect(renderer.requestInterruption, Qt.ConnectionType.DirectConnection)
    with qtbot.waitSignal(renderer.finished, timeout=60_000):
        renderer.start()
    assert len(list(tmp_path.iterdir())) == 1
