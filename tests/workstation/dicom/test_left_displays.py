"""A film comes back as its reader left it; `render` and the key images show the same pixels."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.audit.audit_log import AuditLog
from workstation.catalog.database import database_path, open_database
from workstation.catalog.study_catalog import StudyCatalog
from workstation.commands.render import run_render
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.exports.key_images import colours_of_film, orient_as_shown, orientation_seen
from workstation.reading.display_state import DisplayState
from workstation.reading.measurement_store import MeasurementStore
from workstation.reporting.report_state import ReportState, Sentence
from workstation.reporting.signing.sign_off import SignOff
from workstation.reporting.versions.report_store import ReportStore
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.view_geometry import FIT_MARGIN

ROWS, COLUMNS = 260, 300


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "data")
    yield engine
    engine.dispose()


@pytest.fixture
def film(engine: Engine, write_dicom: Callable[..., Path]) -> Film:
    pixels = np.linspace(0, 4095, ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(np.uint16)
    film = read_film(write_dicom(pixels, PatientOrientation=["L", "F"]))
    StudyCatalog(engine).add_instance(film.header, film.path)
    return film


def open_viewer(qtbot: QtBot, engine: Engine, film: Film) -> ImageViewer:
    viewer = ImageViewer()
    qtbot.addWidget(viewer)
    viewer.set_measurement_store(MeasurementStore(engine))
    viewer.resize(COLUMNS + 2 * FIT_MARGIN, COLUMNS + 2 * FIT_MARGIN)
    viewer.show()
    viewer.set_film(film)
    return viewer


def drag(viewer: ImageViewer, by: QPoint) -> None:
    start = viewer.rect().center()
    QTest.mousePress(viewer, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(viewer, start + by)
    QTest.mouseRelease(viewer, Qt.MouseButton.LeftButton, pos=start + by)


def kept(engine: Engine, film: Film) -> DisplayState | None:
    return MeasurementStore(engine).load_display(film.header.sop_instance_uid)


def test_window_inversion_and_turns_come_back_and_render_agrees(
    qtbot: QtBot, engine: Engine, film: Film, tmp_path: Path
) -> None:
    viewer = open_viewer(qtbot, engine, film)
    drag(viewer, QPoint(-120, 60))
    QTest.keyClick(viewer, Qt.Key.Key_I)
    QTest.keyClick(viewer, Qt.Key.Key_H)
    QTest.keyClick(viewer, Qt.Key.Key_R)
    before = viewer.picture
    assert before is not None

    again = open_viewer(qtbot, engine, film).picture
    assert again is not None
    assert again.is_inverted
    assert again.geometry.orientation == before.geometry.orientation
    assert again.geometry.is_fitted
    again.geometry = again.geometry.resized(COLUMNS, COLUMNS).fitted_to((0, 0, COLUMNS, ROWS), 1)
    on_screen = (again.rgb() & 0xFF).astype(np.uint8)

    out = tmp_path / "left.png"
    assert run_render(film.path, out, as_left_in=tmp_path / "data") == 0
    with Image.open(out) as picture:
        np.testing.assert_array_equal(np.asarray(picture), on_screen)
    left = kept(engine, film)
    assert left is not None
    key_image = orient_as_shown(colours_of_film(film, left), orientation_seen(film, left))
    np.testing.assert_array_equal(key_image, on_screen)
    assert run_render(film.path, out) == 0
    with Image.open(out) as picture:
        assert np.asarray(picture).shape == (ROWS, COLUMNS)  # without the folder: as it opens


def test_a_choice_is_kept_by_its_name(qtbot: QtBot, engine: Engine, film: Film) -> None:
    viewer = open_viewer(qtbot, engine, film)
    picture = viewer.picture
    assert picture is not None
    number = [name for name, _ in picture.choices].index("Full range") + 1
    viewer.choose_preset(number)
    left = kept(engine, film)
    assert left is not None
    assert (left.choice, left.window) == ("Full range", None)
    again = open_viewer(qtbot, engine, film).picture
    assert again is not None
    assert again.window == picture.window


def test_reset_forgets_and_a_click_keeps_nothing(qtbot: QtBot, engine: Engine, film: Film) -> None:
    viewer = open_viewer(qtbot, engine, film)
    drag(viewer, QPoint(0, 0))
    assert kept(engine, film) is None
    viewer.invert()
    assert kept(engine, film) == DisplayState(is_inverted=True)
    viewer.reset()
    assert kept(engine, film) is None


def test_what_follows_another_view_is_not_kept(qtbot: QtBot, engine: Engine, film: Film) -> None:
    viewer = open_viewer(qtbot, engine, film)
    picture = viewer.picture
    assert picture is not None
    viewer.show_window(picture.choices[-1][1], is_inverted=True)
    assert kept(engine, film) is None


def test_film_of_a_signed_report_keeps_the_display_it_was_signed_with(
    qtbot: QtBot, engine: Engine, film: Film
) -> None:
    viewer = open_viewer(qtbot, engine, film)
    viewer.invert()
    audit, uid = AuditLog(engine), film.header.study_instance_uid
    report = ReportState(impression=(Sentence(1, "Clear lungs.", "human"),))
    ReportStore(engine, audit, "ann").save_draft(uid, report, [])
    SignOff(engine, audit).sign(uid, "Dr. Roe", seen=report)
    viewer.flip_horizontally()
    assert kept(engine, film) == DisplayState(is_inverted=True)


def test_what_cannot_be_read_is_as_if_nothing_was_kept(
    qtbot: QtBot, engine: Engine, film: Film
) -> None:
    viewer = open_viewer(qtbot, engine, film)
    viewer.invert()
    with sqlite3.connect(database_path(engine)) as raw:
        raw.execute("""UPDATE display_state SET state = '{"choice": "", "window": {}}'""")
    raw.close()
    again = open_viewer(qtbot, engine, film).picture
    assert again is not None
    assert again.is_as_opened
