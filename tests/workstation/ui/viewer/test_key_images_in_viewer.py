"""What is on screen is kept as a key image, found again, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QSignalSpy, QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from tests.workstation.reported_studies import ReportedStudy
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.reading.key_views import KeyView
from workstation.reading.measurement_store import MeasurementStore
from workstation.ui.viewer.film_histories import FilmHistories
from workstation.ui.viewer.image_viewer import ImageViewer

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def path(write_film: Callable[..., Path]) -> Path:
    stored = np.linspace(0, 4095, 2400).astype(np.uint16).reshape(40, 60)
    return write_film("film.dcm", stored)


@pytest.fixture
def film(path: Path, viewer: ImageViewer, catalog_engine: Engine) -> Film:
    """Shown at zoom 10, its upper left corner at (6, 6) of the view; its marks are kept."""
    opened = read_film(path)
    StudyCatalog(catalog_engine).add_instance(opened.header, path)
    viewer.set_measurement_store(MeasurementStore(catalog_engine))
    viewer.set_film(opened)
    return opened


def keep(viewer: ImageViewer) -> None:
    QTest.keyClick(viewer, Qt.Key.Key_K, SHIFT)


def zoom_in(viewer: ImageViewer) -> None:
    for _ in range(4):
        viewer._zoom_by(1.25, QPoint(450, 300).toPointF())


def kept(viewer: ImageViewer) -> tuple[KeyView, ...]:
    return viewer.key_images.views


def test_what_is_on_screen_is_kept_and_comes_back(
    viewer: ImageViewer, film: Film, path: Path
) -> None:
    zoom_in(viewer)
    viewer.invert()
    viewer.rotate_right()
    assert viewer.picture is not None
    geometry, placement = viewer.picture.geometry, viewer.picture.geometry.placement()
    assert placement is not None
    keep(viewer)
    (view,) = kept(viewer)
    assert view.box == placement.source
    assert view.display == viewer.picture.state
    assert "★ key image 1 of 1" in viewer.corner_text
    assert "key image 1 of 1" in viewer.accessibleDescription()
    viewer.reset()
    assert "★ 1 key image" in viewer.corner_text
    viewer.set_film(None)
    viewer.set_film(read_film(path))
    assert kept(viewer) == (view,)
    QTest.keyClicks(viewer, ",")
    assert viewer.picture.state == view.display
    reached = viewer.picture.geometry
    assert reached.centre == pytest.approx(geometry.centre, abs=0.1)
    assert reached.zoom == pytest.approx(geometry.zoom, rel=0.05)
    assert "★ key image 1 of 1" in viewer.corner_text


def test_the_whole_film_is_one_too_and_the_next_follows(viewer: ImageViewer, film: Film) -> None:
    keep(viewer)
    zoom_in(viewer)
    keep(viewer)
    assert [view.box is None for view in kept(viewer)] == [True, False]
    QTest.keyClicks(viewer, ",")
    assert "key image 1 of 2" in viewer.corner_text
    assert viewer.picture is not None
    assert viewer.picture.geometry.is_fitted
    QTest.keyClicks(viewer, ",")
    assert "key image 2 of 2" in viewer.corner_text
    viewer.invert()
    assert "★ 2 key images" in viewer.corner_text


def test_the_same_key_takes_it_back_and_undo_brings_it_again(
    viewer: ImageViewer, film: Film
) -> None:
    keep(viewer)
    before = kept(viewer)
    keep(viewer)
    assert kept(viewer) == ()
    assert "key image" not in viewer.corner_text
    QTest.keyClick(viewer, Qt.Key.Key_Z, CTRL)
    assert kept(viewer) == before
    QTest.keyClick(viewer, Qt.Key.Key_Z, CTRL)
    assert kept(viewer) == ()
    QTest.keyClick(viewer, Qt.Key.Key_Y, CTRL)
    assert kept(viewer) == before


def test_hidden_figures_stay_hidden_on_it(viewer: ImageViewer, film: Film) -> None:
    QTest.keyClicks(viewer, "d")
    QTest.keyClick(viewer, Qt.Key.Key_Return)
    QTest.keyClicks(viewer, "n")
    keep(viewer)
    assert not kept(viewer)[0].with_figures
    assert not viewer.figures.are_visible
    QTest.keyClicks(viewer, "n,")
    assert not viewer.figures.are_visible
    QTest.keyClick(viewer, Qt.Key.Key_Z, CTRL)
    assert "key image" not in viewer.accessibleDescription()


def test_those_of_a_signed_report_stay(qtbot: QtBot, study: ReportedStudy) -> None:
    viewer = ImageViewer()
    qtbot.addWidget(viewer)
    viewer.set_measurement_store(study.sources.measurements)
    viewer.set_film(read_film(study.film))
    keep(viewer)
    before = kept(viewer)
    study.bring_to("final")
    told: list[str] = []
    viewer.trouble.connect(told.append)
    keep(viewer)  # would take it back
    QTest.keyClick(viewer, Qt.Key.Key_Z, CTRL)
    viewer.invert()
    keep(viewer)
    assert kept(viewer) == before
    assert len(told) == 2
    assert all("signed" in words for words in told)


def test_a_film_of_another_study_is_no_key_image(viewer: ImageViewer, film: Film) -> None:
    viewer.set_mark("PRIOR")
    told = QSignalSpy(viewer.trouble)
    keep(viewer)
    assert kept(viewer) == ()
    assert told.count() == 1


def test_all_figures_go_and_come_back_as_one_step(viewer: ImageViewer, film: Film) -> None:
    for tool in "deq":
        QTest.keyClicks(viewer, tool)
        QTest.keyClick(viewer, Qt.Key.Key_Return)
    drawn = viewer.editor.history.measurements
    assert len(drawn) == 3
    QTest.keyClick(viewer, Qt.Key.Key_Delete, SHIFT)
    assert viewer.editor.history.measurements == ()
    QTest.keyClick(viewer, Qt.Key.Key_Z, CTRL)
    assert viewer.editor.history.measurements == drawn


def test_two_viewports_with_one_film_share_its_marks(
    viewer: ImageViewer, film: Film, path: Path, catalog_engine: Engine, qtbot: QtBot
) -> None:
    store, histories = MeasurementStore(catalog_engine), FilmHistories()
    other = ImageViewer()
    qtbot.addWidget(other)
    for each in (viewer, other):
        each.set_measurement_store(store, histories)
        each.set_film(read_film(path))
    changed = QSignalSpy(other.measurements_changed)
    for each in (viewer, other):
        QTest.keyClicks(each, "d")
        QTest.keyClick(each, Qt.Key.Key_Return)
    keep(viewer)
    assert changed.count() >= 1
    uid = film.header.sop_instance_uid
    marks = viewer.editor.history.marks
    assert len(marks.measurements) == 2
    assert other.editor.history.marks == marks == store.load_marks(uid)
    other.set_film(None)
    other.set_film(read_film(path))
    other.perform("undo")  # also what was done before it came here
    assert kept(viewer) == ()
