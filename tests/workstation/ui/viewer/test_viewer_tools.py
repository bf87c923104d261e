from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtTest import QSignalSpy, QTest
from sqlalchemy import Engine

from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.reading.figure_wording import word_figures
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import Measurement
from workstation.ui.viewer.actions import ACTIONS, DESK_ACTIONS, TOOLS
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.magnifier import lens_geometry
from workstation.ui.viewer.shortcuts import KeyTaken, Shortcuts
from workstation.ui.viewer.tool_bar import ViewerToolBar

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SPACING = {"ImagerPixelSpacing": ["0.2", "0.2"]}


@pytest.fixture
def path(write_film) -> Path:
    stored = np.linspace(0, 4095, 2400).astype(np.uint16).reshape(40, 60)
    return write_film("film.dcm", stored, **SPACING)


@pytest.fixture
def film(path: Path, viewer: ImageViewer) -> Film:
    """Shown at zoom 10, its upper left corner at (6, 6) of the view."""
    opened = read_film(path)
    viewer.set_film(opened)
    return opened


def drag(viewer: ImageViewer, start: tuple[int, int], end: tuple[int, int]) -> None:
    QTest.mousePress(viewer, LEFT, NONE, QPoint(*start))
    QTest.mouseMove(viewer, QPoint(*end))
    QTest.mouseRelease(viewer, LEFT, NONE, QPoint(*end))


def figures(viewer: ImageViewer) -> tuple[Measurement, ...]:
    return viewer.editor.history.measurements


def test_length_is_drawn_told_and_the_left_button_windows_again(
    viewer: ImageViewer, film: Film
) -> None:
    QTest.keyClicks(viewer, "d")
    assert viewer.tool == "length"
    drag(viewer, (106, 106), (206, 106))
    (line,) = figures(viewer)
    assert line.points == ((10.0, 10.0), (20.0, 10.0))
    assert word_figures(line, film.stored, film.display) == ("2.0 mm at detector",)
    assert viewer.tool == "window"
    assert viewer.picture is not None
    window = viewer.picture.window
    drag(viewer, (300, 300), (340, 300))
    assert viewer.picture.window is not window
    assert figures(viewer) == (line,)


def test_clicks_place_points_as_drags_do(viewer: ImageViewer, film: Film) -> None:
    viewer.choose_tool("angle")
    for at in ((106, 106), (106, 206), (206, 206)):
        QTest.mouseMove(viewer, QPoint(*at))
        QTest.mouseClick(viewer, LEFT, NONE, QPoint(*at))
    (angle,) = figures(viewer)
    assert word_figures(angle, film.stored, film.display) == ("90.0°",)


@pytest.mark.parametrize("turns", [0, 1])
def test_ratio_takes_two_straight_lines(viewer: ImageViewer, film: Film, turns: int) -> None:
    for _ in range(turns):
        viewer.rotate_right()
    viewer.choose_tool("cardiothoracic")
    drag(viewer, (270, 150), (330, 170))
    assert not figures(viewer)
    assert viewer.tool == "cardiothoracic"
    drag(viewer, (240, 200), (360, 190))
    (ratio,) = figures(viewer)
    assert word_figures(ratio, film.stored, film.display)[0] == "CTR 0.50"


def test_handles_drag_and_undo_brings_them_back(viewer: ImageViewer, film: Film) -> None:
    viewer.choose_tool("rectangle")
    drag(viewer, (106, 106), (206, 206))
    before = figures(viewer)
    drag(viewer, (206, 206), (306, 256))
    assert figures(viewer)[0].points == ((10.0, 10.0), (30.0, 25.0))
    drag(viewer, (106, 180), (126, 180))  # an edge: moved as a whole
    assert figures(viewer)[0].points == ((12.0, 10.0), (32.0, 25.0))
    QTest.keyClick(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert figures(viewer) == before
    QTest.keyClick(viewer, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert figures(viewer)[0].points == ((10.0, 10.0), (30.0, 25.0))


def test_figures_by_keyboard_alone(viewer: ImageViewer, film: Film) -> None:
    QTest.keyClicks(viewer, "e")
    QTest.keyClick(viewer, Qt.Key.Key_Return)
    (ellipse,) = figures(viewer)
    QTest.keyClicks(viewer, "..")  # past its words
    QTest.keyClick(viewer, Qt.Key.Key_Right)
    (moved,) = figures(viewer)
    assert moved.points[0][0] == pytest.approx(ellipse.points[0][0] + 1)
    assert moved.points[1] == ellipse.points[1]
    QTest.keyClick(viewer, Qt.Key.Key_Delete)
    assert figures(viewer) == ()


def test_escape_drops_the_figure_then_the_tool(viewer: ImageViewer, film: Film) -> None:
    viewer.choose_tool("length")
    QTest.mouseClick(viewer, LEFT, NONE, QPoint(100, 100))
    assert viewer.editor.draft is not None
    QTest.keyClick(viewer, Qt.Key.Key_Escape)
    assert viewer.editor.draft is None
    assert viewer.tool == "length"
    QTest.keyClick(viewer, Qt.Key.Key_Escape)
    assert viewer.tool == "window"
    assert figures(viewer) == ()


def test_text_and_arrow_stand_on_the_film(viewer: ImageViewer, film: Film) -> None:
    viewer.ask_text = lambda *_: "nodule?"
    viewer.choose_tool("text")
    QTest.mouseClick(viewer, LEFT, NONE, QPoint(106, 106))
    viewer.choose_tool("arrow")
    drag(viewer, (300, 300), (200, 200))
    assert [each.kind for each in figures(viewer)] == ["text", "arrow"]
    assert figures(viewer)[0].text == "nodule?"
    assert viewer.measurement_sentences() == []
    viewer.grab()


def test_figures_are_seen_and_can_be_hidden(viewer: ImageViewer, film: Film) -> None:
    viewer.set_overlay_visible(False)
    viewer.clearFocus()
    plain = viewer.grab().toImage()
    viewer.choose_tool("ellipse")
    drag(viewer, (106, 106), (206, 206))
    viewer.clearFocus()
    assert viewer.grab().toImage() != plain
    viewer.perform("figures")
    viewer.perform("cancel")
    assert viewer.grab().toImage() == plain


def test_figures_come_back_with_their_film(
    viewer: ImageViewer, film: Film, path: Path, catalog_engine: Engine
) -> None:
    StudyCatalog(catalog_engine).add_instance(film.header, path)
    viewer.set_measurement_store(MeasurementStore(catalog_engine))
    viewer.choose_tool("length")
    drag(viewer, (106, 106), (206, 106))
    drawn = figures(viewer)
    viewer.set_film(None)
    assert figures(viewer) == ()
    viewer.set_film(read_film(path))
    assert figures(viewer) == drawn
    assert viewer.measurement_sentences() == ["Length: 2.0 mm at detector."]


def test_magnifier_shows_the_pixel_under_the_pointer(viewer: ImageViewer, film: Film) -> None:
    assert viewer.picture is not None
    geometry = viewer.picture.geometry
    lens = lens_geometry(geometry, 200, 150, 100)
    assert lens.view_to_image(100, 100) == pytest.approx(geometry.view_to_image(200, 150))
    assert lens.zoom == 2.5 * geometry.zoom
    viewer.choose_tool("magnify")
    plain = viewer.grab().toImage()
    QTest.mousePress(viewer, LEFT, NONE, QPoint(200, 150))
    assert viewer.grab().toImage() != plain
    QTest.mouseRelease(viewer, LEFT, NONE, QPoint(200, 150))
    viewer.grab()


@pytest.mark.parametrize(("tool", "by"), [("pan", (30, 0)), ("zoom", (0, -60))])
def test_left_button_does_what_the_tool_says(
    viewer: ImageViewer, film: Film, tool: str, by: tuple[int, int]
) -> None:
    assert viewer.picture is not None
    viewer.perform(f"tool.{tool}")
    before, window = viewer.picture.geometry, viewer.picture.window
    drag(viewer, (200, 200), (200 + by[0], 200 + by[1]))
    after = viewer.picture.geometry
    assert (after.zoom != before.zoom) == (tool == "zoom")
    assert after.image_to_view(0, 0) != before.image_to_view(0, 0)
    assert viewer.picture.window is window


# -- the one table ---------------------------------------------------------------------------


def test_no_key_does_two_things_and_every_tool_has_an_action() -> None:
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    assert {f"tool.{tool}" for tool in TOOLS} <= {action.id for action in ACTIONS}


def test_every_action_of_the_table_is_done(viewer: ImageViewer, film: Film) -> None:
    viewer.ask_text = lambda *_: "x"
    steps = QSignalSpy(viewer.study_step_requested)
    names = [name for name in viewer._commands]
    for action in ACTIONS:
        known = action.id.split(".")[0] in names
        is_asked_of_the_desk = action.id.split(".")[0] in DESK_ACTIONS
        is_signal = action.id in ("next_study", "previous_study", "keys")
        assert known or is_asked_of_the_desk or is_signal, action.id
        viewer.perform(action.id)
    assert steps.count() == 2


def test_remapped_keys_are_kept_and_shown(tmp_path: Path, qtbot, path: Path) -> None:
    settings = QSettings(str(tmp_path / "keys.ini"), QSettings.Format.IniFormat)
    shortcuts = Shortcuts(settings)
    with pytest.raises(KeyTaken):
        shortcuts.assign("invert", "R")
    shortcuts.assign("invert", ";")
    again = Shortcuts(QSettings(str(tmp_path / "keys.ini"), QSettings.Format.IniFormat))
    assert again.keys("invert") == (";",)
    viewer = ImageViewer(shortcuts=again)
    qtbot.addWidget(viewer)
    viewer.set_film(read_film(path))
    bar = ViewerToolBar(again, viewer.perform)
    qtbot.addWidget(bar)
    assert "(;)" in bar.button("invert").toolTip()
    QTest.keyClicks(viewer, "i")
    assert viewer.picture is not None
    assert not viewer.picture.is_inverted
    QTest.keyClicks(viewer, ";")
    assert viewer.picture.is_inverted
    bar.button("invert").trigger()
    assert not viewer.picture.is_inverted
    again.restore_all()
    assert again.keys("invert") == ("I",)


def test_every_window_of_the_film_is_in_the_menu_by_its_name(qtbot, path: Path) -> None:
    viewer = ImageViewer()
    qtbot.addWidget(viewer)
    bar = ViewerToolBar(Shortcuts(), viewer.perform, presets=viewer.presets)
    qtbot.addWidget(bar)
    menu = bar.preset_menu
    assert menu is not None
    menu.aboutToShow.emit()
    assert [entry.isEnabled() for entry in menu.actions()] == [False]  # no film
    viewer.set_film(read_film(path))
    assert viewer.picture is not None
    names = [name for name, _ in viewer.picture.choices]
    menu.aboutToShow.emit()
    assert [entry.text().split("\t")[0] for entry in menu.actions()] == names
    assert menu.actions()[0].text().endswith("\t1")
    assert names[-3:] == ["Lung", "Mediastinum, bone", "Full range"]
    for number in (-3, -1):
        menu.actions()[number].trigger()
        assert viewer.picture.window == viewer.picture.choices[number][1]
        menu.aboutToShow.emit()
        shown = [entry.isChecked() for entry in menu.actions()]
        assert shown == [name == names[number] for name in names]
