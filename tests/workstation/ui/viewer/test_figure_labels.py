"""Words of figures that a reader moves aside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from sqlalchemy import Engine

from workstation.catalog.study_catalog import StudyCatalog
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import Measurement
from workstation.ui.viewer.figure_label import FigureLabel
from workstation.ui.viewer.image_viewer import ImageViewer

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def path(write_film: Callable[..., Path]) -> Path:
    stored = np.linspace(0, 4095, 2400).astype(np.uint16).reshape(40, 60)
    return write_film("film.dcm", stored, ImagerPixelSpacing=["0.2", "0.2"])


@pytest.fixture
def film(path: Path, viewer: ImageViewer, catalog_engine: Engine) -> Film:
    """Shown at zoom 10, its upper left corner at (6, 6) of the view; its figures are kept."""
    opened = read_film(path)
    StudyCatalog(catalog_engine).add_instance(opened.header, path)
    viewer.set_measurement_store(MeasurementStore(catalog_engine))
    viewer.set_film(opened)
    return opened


def drag(viewer: ImageViewer, start: QPoint, by: tuple[int, int]) -> None:
    QTest.mousePress(viewer, LEFT, NONE, start)
    QTest.mouseMove(viewer, start + QPoint(by[0] // 2, by[1] // 2))
    QTest.mouseMove(viewer, start + QPoint(*by))
    QTest.mouseRelease(viewer, LEFT, NONE, start + QPoint(*by))


def draw(viewer: ImageViewer, tool: str) -> Measurement:
    """A figure from (106, 106) to (206, 106) of the view."""
    viewer.choose_tool(tool)  # type: ignore[arg-type]
    drag(viewer, QPoint(106, 106), (100, 0))
    return figure(viewer)


def figure(viewer: ImageViewer) -> Measurement:
    (only,) = viewer.editor.history.measurements
    return only


def label(viewer: ImageViewer) -> FigureLabel:
    assert viewer.film is not None
    assert viewer.picture is not None
    found = viewer.figures._label_of(figure(viewer), viewer.picture.geometry, 1.0)
    assert found is not None
    return found


def middle(viewer: ImageViewer) -> QPoint:
    return label(viewer).box.center().toPoint()


def test_words_are_dragged_and_led_to_their_figure(viewer: ImageViewer, film: Film) -> None:
    drawn = draw(viewer, "length")
    before = label(viewer)
    assert before.leader is None
    drag(viewer, middle(viewer), (-100, 150))
    moved = label(viewer)
    assert figure(viewer).points == drawn.points
    assert moved.middle == pytest.approx((before.middle[0] - 100, before.middle[1] + 150), abs=1e-6)
    assert moved.leader is not None
    here, there = moved.leader
    assert here[1] == moved.box.top()  # from the words upwards
    assert there[1] == 106
    assert 106 <= there[0] <= 206
    QTest.keyClick(viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert figure(viewer) == drawn
    assert viewer.picture is not None  # the window was not touched
    assert viewer.picture.is_as_opened


def test_moved_words_are_seen_with_their_line(viewer: ImageViewer, film: Film) -> None:
    draw(viewer, "length")
    viewer.set_overlay_visible(False)
    plain = viewer.grab().toImage()
    drag(viewer, middle(viewer), (0, 200))
    shown = viewer.grab().toImage()
    assert label(viewer).leader is not None
    (x0, y0), (x1, y1) = label(viewer).leader or ((0, 0), (0, 0))
    between = QPoint(round((x0 + x1) / 2), round((y0 + y1) / 2))
    assert shown.pixelColor(between) != plain.pixelColor(between)


def test_a_click_on_words_moves_nothing(viewer: ImageViewer, film: Film) -> None:
    drawn = draw(viewer, "length")
    drag(viewer, middle(viewer), (2, 2))
    assert figure(viewer) == drawn
    assert viewer.editor.chosen_id == drawn.id


@pytest.mark.parametrize("turns", [0, 1])
def test_moved_words_stay_at_their_place_of_the_film(
    viewer: ImageViewer, film: Film, turns: int
) -> None:
    draw(viewer, "length")
    drag(viewer, middle(viewer), (-60, 120))
    kept = figure(viewer).label
    for _ in range(turns):
        viewer.rotate_right()
    viewer.zoom_out()
    assert viewer.picture is not None
    assert kept is not None
    assert label(viewer).middle == pytest.approx(viewer.picture.geometry.image_to_view(*kept))


def test_moved_words_stay_in_sight_with_their_figure(viewer: ImageViewer, film: Film) -> None:
    draw(viewer, "length")
    drag(viewer, middle(viewer), (300, 250))
    for _ in range(4):
        viewer._zoom_by(1.5, viewer.rect().topLeft().toPointF())
    assert viewer.rect().contains(label(viewer).box.toAlignedRect())


def test_a_figure_takes_its_words_along(viewer: ImageViewer, film: Film) -> None:
    draw(viewer, "length")
    drag(viewer, middle(viewer), (0, 150))
    kept = figure(viewer).label
    assert kept is not None
    drag(viewer, QPoint(150, 106), (20, 10))  # the line
    assert figure(viewer).label == pytest.approx((kept[0] + 2, kept[1] + 1))


def test_words_are_moved_by_keys(viewer: ImageViewer, film: Film) -> None:
    drawn, before = draw(viewer, "ellipse"), None
    QTest.keyClicks(viewer, ".")
    assert viewer.editor.is_label_chosen
    before = label(viewer).middle
    for _ in range(3):
        QTest.keyClick(viewer, Qt.Key.Key_Down)
    after = label(viewer).middle
    assert after[0] == pytest.approx(before[0])
    assert after[1] == pytest.approx(before[1] + 30)  # a film pixel each, at zoom 10
    assert figure(viewer).points == drawn.points
    viewer.grab()
    QTest.keyClicks(viewer, ".")
    assert not viewer.editor.is_label_chosen


def test_words_come_back_where_they_were_put(viewer: ImageViewer, film: Film, path: Path) -> None:
    draw(viewer, "rectangle")
    drag(viewer, middle(viewer), (-40, 160))
    kept = figure(viewer)
    assert kept.label is not None
    viewer.set_film(None)
    viewer.set_film(read_film(path))
    assert figure(viewer) == kept


def test_double_click_puts_words_back_and_asks_for_a_text_anew(
    viewer: ImageViewer, film: Film
) -> None:
    drawn = draw(viewer, "length")
    drag(viewer, middle(viewer), (0, 150))
    QTest.mouseDClick(viewer, LEFT, NONE, middle(viewer))
    assert figure(viewer) == drawn
    viewer.figures.delete_chosen()
    asked: list[str] = []

    def answer(text: str = "") -> str:
        asked.append(text)
        return "scar" if text else "nodule?"

    viewer.ask_text = answer
    viewer.choose_tool("text")
    QTest.mouseClick(viewer, LEFT, NONE, QPoint(200, 200))
    QTest.mouseDClick(viewer, LEFT, NONE, middle(viewer))
    assert (figure(viewer).text, asked) == ("scar", ["", "nodule?"])
    assert viewer.picture is not None
    assert viewer.picture.is_as_opened  # a double click beside words fits the film
    QTest.keyClick(viewer, Qt.Key.Key_Return)
    assert asked[-1] == "scar"


def test_words_of_a_note_point_at_where_it_was_put(viewer: ImageViewer, film: Film) -> None:
    viewer.ask_text = lambda *_: "nodule?"
    viewer.choose_tool("text")
    QTest.mouseClick(viewer, LEFT, NONE, QPoint(206, 106))
    drag(viewer, middle(viewer), (80, 200))
    assert figure(viewer).points == ((20.0, 10.0),)
    leader = label(viewer).leader
    assert leader is not None
    assert leader[1] == pytest.approx((206, 106))
