"""Films in viewports of the real window: hanging, dropping, linking, blinking, what is drafted."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QDrag, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from inference.phantom.demo_cases import DEMO_STUDIES
from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.voi import Window
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.intake.demo_films import write_demo_films
from workstation.ui.main_window import MainWindow
from workstation.ui.viewer.film_dragging import DraggedFilm, drag_data, dragged_film

WriteFilm = Callable[..., Path]
GREY = (np.indices((64, 48)).sum(0) * 30).astype(np.uint16)
CURRENT, PRIOR, STRANGER = "1.2.1", "1.2.2", "1.2.3"


class Room:
    """A window with a follow-up (PA and lateral), its prior (PA) and another patient's study."""

    def __init__(self, folder: Path, write_film: WriteFilm, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.database: Engine = open_database(folder)
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, DraftingService(), settings)
        qtbot.addWidget(self.window)
        self.window.resize(1600, 900)
        self.window.show()
        spacing = {"ImagerPixelSpacing": ["0.2", "0.2"]}
        paths = [
            write_film("pa.dcm", GREY, StudyInstanceUID=CURRENT, StudyDate="20260412", **spacing),
            write_film(
                "lat.dcm", GREY[::-1], StudyInstanceUID=CURRENT, ViewPosition="LL", **spacing
            ),
            write_film(
                "prior.dcm", GREY[:, :40], StudyInstanceUID=PRIOR, StudyDate="20250812", **spacing
            ),
            write_film(
                "stranger.dcm", GREY.T, StudyInstanceUID=STRANGER, StudyDate="20250101",
                PatientName="ROE^RICHARD",
            ),
        ]  # fmt: skip
        with qtbot.waitSignal(self.window.importer.finished, timeout=30_000):
            self.window.import_paths(paths, open_first=False)

    def open(self, study_instance_uid: str) -> None:
        self.window.study_list.activate_study(study_instance_uid)
        self.settle()

    def settle(self) -> None:
        """Until every film asked for is there."""
        shown = self.window.grid.shown_viewers
        self.qtbot.waitUntil(
            lambda: not any("Opening" in viewer.message for viewer in shown()), timeout=30_000
        )

    def studies(self) -> list[str]:
        """What hangs, by study and view, "" for an empty viewport."""
        films = [viewer.film for viewer in self.window.grid.shown_viewers()]
        return [
            f"{f.header.study_instance_uid} {f.header.view_position}" if f else "" for f in films
        ]

    def drop(self, number: int, study_instance_uid: str) -> None:
        viewport = self.window.grid.viewports[number]
        event = QDropEvent(
            QPointF(20, 60), Qt.DropAction.CopyAction,
            carried := drag_data(DraggedFilm(study_instance_uid)),
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        assert carried.formats()
        viewport.dropEvent(event)
        self.settle()

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier) -> None:
        QTest.keyClick(self.window.viewer, key, held)
        self.settle()

    def close(self) -> None:
        self.window.close()
        self.database.dispose()


NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


@pytest.fixture
def room(tmp_path: Path, qtbot: QtBot, write_film: WriteFilm) -> Iterator[Room]:
    opened = Room(tmp_path / "data", write_film, qtbot)
    yield opened
    opened.close()


def test_opening_a_study_looks_for_its_priors_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[str] = []
    search = StudyCatalog.list_studies

    def counted(catalog: StudyCatalog, words: str = "", *, with_removed: bool = False) -> object:
        searches.append(words)
        return search(catalog, words, with_removed=with_removed)

    monkeypatch.setattr(StudyCatalog, "list_studies", counted)
    room.open(CURRENT)
    room.press(Qt.Key.Key_B, SHIFT)
    assert room.studies() == [f"{CURRENT} PA", f"{PRIOR} PA"]
    assert len([words for words in searches if words]) == 1


def test_frontal_lateral_and_prior_hang_without_a_click(room: Room) -> None:
    room.open(CURRENT)
    grid = room.window.grid
    assert grid.layout_name == "2x2"
    assert room.studies() == [f"{CURRENT} PA", f"{CURRENT} LL", f"{PRIOR} PA", ""]
    prior = grid.viewports[2]
    assert prior.role == "prior"
    assert prior.caption.words.startswith("PRIOR  2025-08-12")
    for words in ("2025-08-12", "8 months earlier", "same patient ID, birth date, name"):
        assert words in prior.caption.words
    assert grid.viewports[0].caption.words.startswith("▸ Current  2026-04-12")
    entries = build_records(room.database).audit.entries()
    opened = [entry for entry in entries if entry.event == "study-opened"]
    assert [entry.study_instance_uid for entry in opened] == [CURRENT, PRIOR]
    assert opened[1].details == {"beside": CURRENT}

    room.open(STRANGER)
    assert grid.layout_name == "1x1"
    assert room.studies() == [f"{STRANGER} PA"]
    assert not grid.links.is_on


def test_keys_cycle_viewports_and_choose_the_layout_for_good(room: Room) -> None:
    room.open(CURRENT)
    window, grid = room.window, room.window.grid
    room.press(Qt.Key.Key_X, NONE)
    assert (grid.active_index, window.viewer) == (1, grid.viewers[1])
    assert grid.viewports[1].is_active
    assert "active" in grid.viewports[1].accessibleName()
    room.press(Qt.Key.Key_X, SHIFT)
    assert grid.active_index == 0
    room.press(Qt.Key.Key_2, CTRL)
    assert room.studies() == [f"{CURRENT} PA", f"{CURRENT} LL"]
    room.press(Qt.Key.Key_BracketRight, NONE)
    room.press(Qt.Key.Key_BracketRight, NONE)
    assert room.studies()[0] == f"{PRIOR} PA"
    room.open(STRANGER)
    assert grid.layout_name == "1x2"
    room.press(Qt.Key.Key_0, CTRL)
    assert grid.layout_name == "1x1"


def test_tools_work_in_the_active_viewport_only(room: Room) -> None:
    room.open(CURRENT)
    window, grid = room.window, room.window.grid
    room.press(Qt.Key.Key_X, NONE)
    window.tool_bar.button("invert").trigger()
    assert [v.picture.is_inverted for v in grid.viewers[:2] if v.picture] == [True, True]  # linked
    room.press(Qt.Key.Key_U, NONE)
    window.tool_bar.button("rotate_right").trigger()
    window.tool_bar.button("tool.length").trigger()
    turned = [v.picture.geometry.orientation.turns for v in grid.viewers[:3] if v.picture]
    assert turned == [0, 1, 0]
    assert [viewer.tool for viewer in grid.viewers] == ["length"] * 4


def test_an_unlinked_window_leaves_the_other_viewports_unpainted(room: Room) -> None:
    room.open(CURRENT)
    grid = room.window.grid
    first, others = grid.viewers[0], grid.viewers[1:3]
    grid.links.set_on(False)
    QApplication.processEvents()
    painted: list[object] = []
    for viewer in others:
        original = viewer.paintEvent
        viewer.paintEvent = lambda e, v=viewer, o=original: (painted.append(v), o(e))  # type: ignore
    windows = [viewer.picture.window for viewer in others if viewer.picture]
    first.set_window(Window(900, 500))
    first.zoom_in()
    first.repaint()
    QApplication.processEvents()
    assert painted == []
    assert [viewer.picture.window for viewer in others if viewer.picture] == windows
    grid.links.set_on(True)
    first.set_window(Window(950, 500))
    QApplication.processEvents()
    assert set(painted) == set(others)
    assert [viewer.picture.window for viewer in others if viewer.picture] == [Window(950, 500)] * 2


def test_linked_films_keep_one_scale_and_place(room: Room) -> None:
    room.open(CURRENT)
    first, lateral, prior = room.window.grid.viewers[:3]
    assert room.window.grid.links.is_on
    for act in (first.zoom_in, first.zoom_in, first.zoom_to_pixels, prior.zoom_out, first.fit):
        act()
        zooms = [v.picture.geometry.zoom for v in (first, lateral, prior) if v.picture]
        assert zooms == pytest.approx([zooms[0]] * 3)  # same spacing: same pixels a millimetre
    assert first.picture is not None
    assert first.picture.geometry.is_fitted


def test_blinking_shows_the_prior_at_the_same_place_and_drafts_the_current(room: Room) -> None:
    room.open(CURRENT)
    window, viewport = room.window, room.window.grid.viewports[0]
    viewer = viewport.viewer
    viewer.zoom_in()
    assert viewer.picture is not None
    geometry = viewer.picture.geometry
    current = window.films.film
    room.press(Qt.Key.Key_B, NONE)
    room.qtbot.waitUntil(lambda: viewport.role == "prior", timeout=30_000)
    assert viewer.film is not None
    assert viewer.film.header.study_instance_uid == PRIOR
    assert viewport.caption.isVisible()
    assert "PRIOR" in viewport.accessibleName()
    assert viewer.picture.geometry.zoom == pytest.approx(geometry.zoom)
    assert window.films.film is current is not None
    assert current.header.study_instance_uid == CURRENT
    window.report_panel.write_by_hand()
    window.add_measurements_to_report()
    assert "another study" in window.statusBar().currentMessage()
    room.press(Qt.Key.Key_B, NONE)
    assert viewer.film is current
    assert viewport.role == "current"
    assert viewer.picture.geometry.zoom == pytest.approx(geometry.zoom)
    assert viewer.picture.geometry.centre == pytest.approx(geometry.centre)


def test_prior_beside_the_current_film(room: Room) -> None:
    room.open(CURRENT)
    room.press(Qt.Key.Key_B, SHIFT)
    assert room.window.grid.layout_name == "1x2"
    assert room.studies() == [f"{CURRENT} PA", f"{PRIOR} PA"]
    assert room.window.grid.links.is_on
    room.open(STRANGER)
    room.press(Qt.Key.Key_B, NONE)
    assert "no earlier film" in room.window.statusBar().currentMessage()
    assert room.studies() == [f"{STRANGER} PA"]


def test_a_dropped_study_hangs_only_if_it_is_the_same_patients(room: Room) -> None:
    room.open(CURRENT)
    room.drop(1, STRANGER)
    assert room.studies()[1] == f"{CURRENT} LL"
    assert "names differ" in room.window.statusBar().currentMessage()
    room.drop(1, PRIOR)
    assert room.studies()[1] == f"{PRIOR} PA"
    assert room.window.desk.study_instance_uid == CURRENT
    room.open(PRIOR)
    room.drop(0, CURRENT)
    assert room.window.grid.viewports[0].role == "later"
    assert "LATER STUDY" in room.window.grid.viewports[0].caption.words
    assert room.window.films.film is None  # nothing of the open study is on screen


def test_the_same_patient_id_of_another_issuer_is_refused(
    tmp_path: Path, qtbot: QtBot, write_film: WriteFilm
) -> None:
    """What the catalog does not know stands in the files."""
    room = Room(tmp_path / "data", write_film, qtbot)
    try:
        for name, issuer in (("pa.dcm", "CITY"), ("prior.dcm", "COUNTY")):
            path = tmp_path / name
            film = pydicom.dcmread(path)
            film.IssuerOfPatientID = issuer
            film.save_as(path)
        room.open(CURRENT)
        assert room.studies()[:3] == [f"{CURRENT} PA", f"{CURRENT} LL", ""]
        message = room.window.grid.viewers[2].message
        assert "different issuers: CITY and COUNTY" in message
    finally:
        room.close()


def test_a_caption_is_never_cut_off_and_films_stay_level(room: Room) -> None:
    room.open(CURRENT)
    room.press(Qt.Key.Key_B, SHIFT)
    one, two = room.window.grid.shown
    heights = []
    for width in (1250, 2600):
        room.window.resize(width, 800)
        QApplication.processEvents()
        needed = [each.caption.wanted_height(each.width()) for each in (one, two)]
        heights.append(one.caption.height())
        assert one.caption.height() == max(needed)
        assert one.caption.height() == two.caption.height()
        assert one.viewer.y() == two.viewer.y()
    assert heights[0] > heights[1]


def test_no_film_outlives_its_study(room: Room) -> None:
    room.open(CURRENT)
    room.press(Qt.Key.Key_B, NONE)
    room.window.grab()
    shown = [weakref.ref(viewer.film) for viewer in room.window.grid.viewers if viewer.film]
    assert len(shown) == 3
    room.open(STRANGER)
    room.window.grab()
    gc.collect()
    assert [film() for film in shown] == [None] * 3


def test_a_tab_is_clicked_or_dragged_into_a_viewport(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.open(CURRENT)
    strip, carried = room.window.film_tabs, []
    monkeypatch.setattr(QDrag, "exec", lambda drag, _action: carried.append(drag.mimeData()))
    assert [strip.tabText(index) for index in range(strip.count())] == [
        "1 · PA", "2 · LL", "PRIOR 2025-08-12 · PA",
    ]  # fmt: skip
    prior = strip.tabRect(2).center()
    QTest.mousePress(strip, Qt.MouseButton.LeftButton, NONE, prior)
    move_to = QPointF(prior + QPoint(0, 60))
    moved = QMouseEvent(
        QEvent.Type.MouseMove, move_to, strip.mapToGlobal(move_to), Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton, NONE,
    )  # fmt: skip
    QApplication.sendEvent(strip, moved)
    dragged = dragged_film(carried[0])
    assert dragged is not None
    assert dragged.study_instance_uid == PRIOR
    assert room.studies()[0] == f"{CURRENT} PA"
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, NONE, prior)
    room.settle()
    assert room.studies()[0] == f"{PRIOR} PA"


def test_the_demo_follow_up_hangs_beside_its_prior(
    room: Room, tmp_path: Path, qtbot: QtBot
) -> None:
    demo = [study for study in DEMO_STUDIES if study.seed == 18825]
    paths = list(write_demo_films(tmp_path, 128, tuple(demo)))
    with qtbot.waitSignal(room.window.importer.finished, timeout=30_000):
        room.window.import_paths(paths, open_first=False)
    newest = max((pydicom.dcmread(path) for path in paths), key=lambda film: film.StudyDate)
    room.open(str(newest.StudyInstanceUID))
    one, two = room.window.grid.shown
    assert one.viewer.film is not None
    assert two.viewer.film is not None
    assert two.role == "prior"
    assert "4 weeks earlier" in two.caption.words
    dates = [viewport.viewer.film.header.study_date for viewport in (one, two)]
    assert dates == [newest.StudyDate, min(pydicom.dcmread(p).StudyDate for p in paths)]


def test_a_press_in_the_list_opens_on_release_and_dragging_opens_nothing(room: Room) -> None:
    room.open(CURRENT)
    view = room.window.study_list.view
    model = room.window.study_list.model
    at = view.visualRect(model.index(model.reveal(PRIOR))).center()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, NONE, at)
    assert room.window.desk.study_instance_uid == CURRENT
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, NONE, at)
    assert room.window.desk.study_instance_uid == PRIOR
