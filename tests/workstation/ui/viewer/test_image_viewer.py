from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from tests.workstation.ui.viewer.seen_film import grey_of, painted, ramp
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.voi import Window
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.view_geometry import Orientation, SideLetters

LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def film(write_film) -> Film:
    return read_film(write_film("film.dcm", ramp()))


def drag(viewer: ImageViewer, button: Qt.MouseButton, by: QPoint, held=NONE) -> None:
    start = viewer.rect().center() + QPoint(40, 20)
    QTest.mousePress(viewer, button, held, start)
    # QTest.mouseMove leaves the buttons out, so the move is sent as Qt would.
    at = QPointF(start + by)
    move = QMouseEvent(
        QEvent.Type.MouseMove, at, viewer.mapToGlobal(at), Qt.MouseButton.NoButton, button, held
    )
    QApplication.sendEvent(viewer, move)
    QTest.mouseRelease(viewer, button, held, start + by)


def wheel(viewer: ImageViewer, at: QPointF, notches: int) -> None:
    event = QWheelEvent(
        at,
        viewer.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewer, event)


def seen(viewer: ImageViewer) -> np.ndarray:
    """[height, width] grey of the widget as painted, overlays left out."""
    viewer.clearFocus()
    return grey_of(painted(viewer))


def window_of(viewer: ImageViewer) -> Window:
    assert viewer.picture is not None
    assert isinstance(viewer.picture.window, Window)
    return viewer.picture.window


def test_the_picture_is_what_render_grey_says(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    shown = seen(viewer)
    assert viewer.picture is not None
    assert viewer.picture.geometry.zoom == 10
    assert np.array_equal(shown[11:411:10, 11:611:10], render_grey(film))
    assert not shown[0].any()


def test_monochrome1_looks_like_its_monochrome2_equivalent(viewer: ImageViewer, write_film) -> None:
    first = read_film(write_film("m2.dcm", ramp()))
    other = read_film(
        write_film(
            "m1.dcm",
            4095 - ramp(),
            PhotometricInterpretation="MONOCHROME1",
            PresentationLUTShape="INVERSE",
        )
    )
    pictures = []
    for film in (first, other):
        viewer.set_film(film)
        opened = seen(viewer)
        drag(viewer, LEFT, QPoint(30, -50))
        pictures.append((opened, seen(viewer)))
    assert np.abs(pictures[0][0].astype(int) - pictures[1][0]).max() <= 1
    assert np.abs(pictures[0][1].astype(int) - pictures[1][1]).max() <= 2
    assert pictures[0][1].mean() > pictures[0][0].mean()


def test_left_drag_changes_width_and_level(qtbot, viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    opened = window_of(viewer)
    with qtbot.waitSignal(viewer.window_changed) as changed:
        drag(viewer, LEFT, QPoint(90, 0))
    assert window_of(viewer).width > opened.width
    assert window_of(viewer).center == opened.center
    assert changed.args == [window_of(viewer)]
    wide = window_of(viewer)
    drag(viewer, LEFT, QPoint(0, 60))
    assert window_of(viewer).width == wide.width
    assert window_of(viewer).center > wide.center


def test_drag_is_proportional_to_the_window(viewer: ImageViewer, film: Film) -> None:
    moved = []
    for width in (400.0, 4000.0):
        viewer.set_film(film)
        viewer.set_window(Window(2000, width))
        drag(viewer, LEFT, QPoint(0, 40))
        moved.append(window_of(viewer).center - 2000)
    assert moved[1] == pytest.approx(10 * moved[0])


def test_width_never_falls_below_one(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    drag(viewer, LEFT, QPoint(-100000, 0))
    assert window_of(viewer).width == 1
    seen(viewer)


def test_right_drag_zooms_about_the_press_point(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    assert viewer.picture is not None
    before = viewer.picture.geometry
    drag(viewer, RIGHT, QPoint(0, -60))
    after = viewer.picture.geometry
    press = viewer.rect().center() + QPoint(40, 20)
    assert after.zoom > before.zoom
    assert after.view_to_image(press.x(), press.y()) == pytest.approx(
        before.view_to_image(press.x(), press.y())
    )


@pytest.mark.parametrize(("button", "held"), [(MIDDLE, NONE), (LEFT, CTRL)])
def test_middle_or_ctrl_drag_pans(viewer: ImageViewer, film: Film, button, held) -> None:
    viewer.set_film(film)
    assert viewer.picture is not None
    window, before = viewer.picture.window, viewer.picture.geometry
    drag(viewer, button, QPoint(30, 10), held)
    after = viewer.picture.geometry
    assert after.zoom == before.zoom
    assert after.image_to_view(0, 0)[0] == pytest.approx(before.image_to_view(0, 0)[0] + 30)
    assert viewer.picture.window is window


def test_wheel_zooms_at_the_pointer_and_double_click_fits(
    qtbot, viewer: ImageViewer, film: Film
) -> None:
    viewer.set_film(film)
    assert viewer.picture is not None
    fitted = viewer.picture.geometry
    at = QPointF(200, 100)
    with qtbot.waitSignal(viewer.zoom_changed) as changed:
        wheel(viewer, at, 2)
    zoomed = viewer.picture.geometry
    assert changed.args[0] == zoomed.zoom > fitted.zoom
    assert zoomed.view_to_image(200, 100) == pytest.approx(fitted.view_to_image(200, 100))
    QTest.mouseDClick(viewer, LEFT, NONE, QPoint(100, 100))
    assert viewer.picture.geometry == fitted


@pytest.mark.parametrize(
    ("keys", "orientation", "letters"),
    [
        ("r", Orientation(1), SideLetters("F", "H", "R", "L")),
        ("l", Orientation(3), SideLetters("H", "F", "L", "R")),
        ("h", Orientation(0, True), SideLetters("L", "R", "H", "F")),
        ("v", Orientation(2, True), SideLetters("R", "L", "F", "H")),
        ("rrrr", Orientation(), SideLetters("R", "L", "H", "F")),
        ("rh", Orientation(3, True), SideLetters("H", "F", "R", "L")),
    ],
)
def test_keys_turn_film_and_letters_together(
    viewer: ImageViewer, film: Film, keys: str, orientation: Orientation, letters: SideLetters
) -> None:
    viewer.set_film(film)
    QTest.keyClicks(viewer, keys)
    assert viewer.picture is not None
    assert viewer.picture.geometry.orientation == orientation
    assert viewer.picture.letters == letters
    seen(viewer)


def test_turned_picture_is_the_turned_rendering(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    upright = seen(viewer)
    QTest.keyClicks(viewer, "h")
    assert np.array_equal(seen(viewer), upright[:, ::-1])
    QTest.keyClicks(viewer, "v")
    assert np.array_equal(seen(viewer), upright[::-1, ::-1])


def test_a_film_that_states_no_sides_gets_no_letters(viewer: ImageViewer, write_film) -> None:
    viewer.set_film(read_film(write_film("f.dcm", ramp(), PatientOrientation=None)))
    QTest.keyClicks(viewer, "rh")
    assert viewer.picture is not None
    assert viewer.picture.letters == SideLetters()
    assert "sides not stated" in viewer.corner_text


def test_i_inverts_what_is_seen(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    before = seen(viewer)[10:400, 10:600]
    QTest.keyClicks(viewer, "i")
    assert np.array_equal(seen(viewer)[10:400, 10:600], 255 - before)
    assert "inverted" in viewer.corner_text


def test_zoom_keys(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    assert viewer.picture is not None
    zoom = viewer.picture.geometry.zoom
    QTest.keyClicks(viewer, "+=")
    assert viewer.picture.geometry.zoom == pytest.approx(zoom * 1.25**2)
    QTest.keyClicks(viewer, "-")
    assert viewer.picture.geometry.zoom == pytest.approx(zoom * 1.25)
    viewer.zoom_to_pixels()
    assert viewer.picture.geometry.zoom == 1


def test_space_restores_everything(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    opened = seen(viewer)
    QTest.keyClicks(viewer, "irh+")
    drag(viewer, LEFT, QPoint(50, 50))
    assert not np.array_equal(seen(viewer), opened)
    QTest.keyClicks(viewer, " ")
    assert np.array_equal(seen(viewer), opened)


def test_number_keys_choose_the_windows_of_the_header(viewer: ImageViewer, write_film) -> None:
    film = read_film(
        write_film(
            "f.dcm",
            ramp(),
            WindowCenter=["2048", "1000"],
            WindowWidth=["4096", "500"],
            WindowCenterWidthExplanation=["NORMAL", "HARDER"],
        )
    )
    viewer.set_film(film)
    QTest.keyClicks(viewer, "2")
    assert (window_of(viewer).center, window_of(viewer).width) == (1000, 500)
    assert "HARDER" in viewer.corner_text
    assert "W 500  L 1000" in viewer.corner_text
    QTest.keyClicks(viewer, "5")
    QTest.keyClicks(viewer, "1")
    assert window_of(viewer).center == 2048


def test_corners_tell_patient_study_and_view(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    told = viewer.corner_text
    for piece in (
        "DOE, JANE",
        "ID A-17",
        "born 1958-03-02 · 68 y · F",
        "Chest PA",
        "2026-04-12  09:41",
        "acc. ACC1",
        "PA",
        "60 × 40",
        "W 4096  L 2048",
        "zoom 1000%",
    ):
        assert piece in told


def test_badges_are_written_on_the_film(viewer: ImageViewer, write_film) -> None:
    path = write_film("f.dcm", ramp(), WindowWidth=None, WindowCenter=None)
    viewer.set_film(read_film(path))
    assert "▲ percentile window" in viewer.corner_text


def test_the_pointer_reads_stored_pixels(qtbot, viewer: ImageViewer, write_film) -> None:
    path = write_film("f.dcm", ramp(), RescaleSlope="2", RescaleIntercept="-100")
    film = read_film(path)
    viewer.set_film(film)
    with qtbot.waitSignal(viewer.pixel_probed) as probed:
        QTest.mouseMove(viewer, QPoint(6 + 35, 6 + 27))
    assert probed.args == [3, 2, 2.0 * film.stored[2, 3] - 100]


def test_a_message_takes_the_film_away(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    viewer.set_message("This film can't be shown", "it is truncated", is_error=True)
    assert viewer.film is None
    assert viewer.message == "This film can't be shown\nit is truncated"
    assert "truncated" in viewer.accessibleDescription()
    seen(viewer)
    viewer.set_film(None)
    assert "Drop films here" in viewer.message


def test_keys_without_a_film_do_nothing(viewer: ImageViewer) -> None:
    QTest.keyClicks(viewer, "irlhv+-= 123")
    drag(viewer, LEFT, QPoint(10, 10))
    wheel(viewer, QPointF(50, 50), 1)
    for act in (viewer.reset, viewer.fit, viewer.invert, viewer.rotate_left, viewer.zoom_in):
        act()
    assert viewer.film is None


class _Outside(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.keys: list[int] = []

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keys.append(event.key())


def test_other_keys_reach_the_window_around(qtbot, film: Film) -> None:
    outside = _Outside()
    qtbot.addWidget(outside)
    viewer = ImageViewer(outside)
    QVBoxLayout(outside).addWidget(viewer)
    outside.show()
    viewer.set_film(film)
    QTest.keyClick(viewer, Qt.Key.Key_F5)
    QTest.keyClick(viewer, Qt.Key.Key_Escape)
    QTest.keyClick(viewer, Qt.Key.Key_I, CTRL)
    outside.keys.remove(Qt.Key.Key_Control)
    assert outside.keys == [Qt.Key.Key_F5, Qt.Key.Key_Escape, Qt.Key.Key_I]
    assert viewer.picture is not None
    assert not viewer.picture.is_inverted
    assert not viewer.acceptDrops()


def test_a_window_drag_samples_the_film_only_once(viewer: ImageViewer, film: Film) -> None:
    viewer.set_film(film)
    seen(viewer)
    assert viewer.picture is not None
    sampled = viewer.picture._sampled
    drag(viewer, LEFT, QPoint(25, 25))
    seen(viewer)
    assert viewer.picture._sampled is sampled


def test_text_is_readable_on_a_white_film(viewer: ImageViewer, write_film) -> None:
    white = read_film(write_film("white.dcm", np.full((40, 60), 4095, dtype=np.uint16)))
    viewer.set_film(white)
    viewer.clearFocus()
    corner = viewer.grab().toImage().copy(10, 8, 120, 60)
    greys = [corner.pixelColor(x, y).lightness() for x in range(120) for y in range(60)]
    assert min(greys) < 60
    assert max(greys) > 230


def test_opening_announces_zoom_and_window(viewer: ImageViewer, film: Film) -> None:
    zooms, windows = QSignalSpy(viewer.zoom_changed), QSignalSpy(viewer.window_changed)
    viewer.set_film(film)
    assert zooms.count() == 1
    assert windows.count() == 1


def test_page_keys_ask_for_another_study(viewer: ImageViewer, film: Film) -> None:
    steps = QSignalSpy(viewer.study_step_requested)
    QTest.keyClick(viewer, Qt.Key.Key_PageDown)
    viewer.set_film(film)
    QTest.keyClick(viewer, Qt.Key.Key_PageUp)
    assert [steps.at(i)[0] for i in range(steps.count())] == [1, -1]
