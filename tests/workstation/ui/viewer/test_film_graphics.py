"""What the file draws on the film, its frames and its presentation states, in a real viewer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from tests.workstation.ui.viewer.seen_film import at_pixel, painted, ramp
from tests.workstation.written_states import write_state
from workstation.dicom.instance_reader import read_film
from workstation.dicom.overlays import OVERLAY_INK
from workstation.dicom.presentation_search import open_as_presented
from workstation.dicom.voi import Window
from workstation.ui.viewer import film_view
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.screen_pixels import pixel_size_mm

WriteFilm = Callable[..., Path]
INK = QColor(*OVERLAY_INK)


def item(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def circle_at(column: float, row: float, radius: float) -> Dataset:
    graphic = item(
        GraphicAnnotationUnits="PIXEL",
        GraphicDimensions=2,
        NumberOfGraphicPoints=2,
        GraphicData=[column, row, column + radius, row],
        GraphicType="CIRCLE",
        GraphicFilled="N",
    )
    return item(GraphicLayer="A", GraphicObjectSequence=Sequence([graphic]))


def is_yellow(colour: QColor) -> bool:
    return colour.red() > 150 and colour.red() - colour.blue() > 80


def test_overlay_planes_are_drawn_and_g_hides_them(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 20:40] = 1
    path = write_film("film.dcm", ramp())
    film = read_film(path)
    assert film.overlay_mask is None
    film = read_film(_with_overlay(path, mask))
    viewer.set_film(film)
    assert at_pixel(viewer, painted(viewer), 30.5, 15.5) == INK
    assert "overlays hidden" not in viewer.corner_text
    assert viewer.perform("graphics")
    hidden = at_pixel(viewer, painted(viewer), 30.5, 15.5)
    assert hidden.red() == hidden.green() == hidden.blue()
    assert "overlays hidden" in viewer.corner_text


def _with_overlay(path: Path, mask: np.ndarray) -> Path:
    dataset = pydicom.dcmread(path)
    rows, columns = mask.shape
    dataset.add_new(0x60000010, "US", rows)
    dataset.add_new(0x60000011, "US", columns)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", np.packbits(mask, bitorder="little").tobytes())
    dataset.save_as(path)
    return path


def test_a_thin_overlay_line_survives_a_shrunk_view(
    qtbot: QtBot, viewer: ImageViewer, write_film: WriteFilm
) -> None:
    mask = np.zeros((1600, 1600), np.uint8)
    mask[801, :] = 1
    viewer.set_film(read_film(_with_overlay(write_film("big.dcm", ramp(1600, 1600)), mask)))
    image = painted(viewer)
    column = [image.pixelColor(306, y) for y in range(image.height())]
    assert INK in column
    assert viewer.picture is not None
    preview = viewer.picture.preview()
    assert preview is not None
    assert (preview.rgb == INK.rgb()).any()


def test_a_state_beside_the_film_is_applied_told_and_switched_off(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film("study/series/film.dcm", ramp())
    window = item(WindowCenter="1000", WindowWidth="500")
    write_state(
        path,
        path.parent / "state.dcm",
        "STATE",
        SoftcopyVOILUTSequence=Sequence([window]),
        GraphicAnnotationSequence=Sequence([circle_at(30, 20, 10)]),
    )
    viewer.set_film(open_as_presented(read_film(path)))
    assert viewer.picture is not None
    assert viewer.picture.window == Window(1000, 500)
    assert "presentation state “STATE”" in viewer.corner_text
    assert is_yellow(at_pixel(viewer, painted(viewer), 40, 20))
    assert viewer.perform("presentation")
    assert viewer.picture.window == Window(2048, 4096)
    assert "presentation state off" in viewer.corner_text
    assert not is_yellow(at_pixel(viewer, painted(viewer), 40, 20))
    assert viewer.perform("presentation")
    assert viewer.picture.window == Window(1000, 500)


def test_several_states_come_in_turn_newest_first(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film("study/series/film.dcm", ramp())
    for name, date in (("old", "20250101"), ("new", "20260301")):
        beside = path.parent / f"{name}.dcm"
        write_state(path, beside, name.upper(), PresentationCreationDate=date)
    viewer.set_film(open_as_presented(read_film(path)))
    told = []
    for _ in range(3):
        told.append(viewer.corner_text)
        viewer.perform("presentation")
    assert "“NEW”" in told[0]
    assert "“OLD”" in told[1]
    assert "presentation state off" in told[2]


def test_a_turned_state_opens_turned_and_space_restores_it(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film("film.dcm", ramp())
    area = item(
        DisplayedAreaTopLeftHandCorner=[11, 11],
        DisplayedAreaBottomRightHandCorner=[30, 30],
        PresentationSizeMode="SCALE TO FIT",
        PresentationPixelAspectRatio=[1, 1],
    )
    write_state(
        path,
        path.parent / "state.dcm",
        ImageRotation=90,
        ImageHorizontalFlip="Y",
        DisplayedAreaSelectionSequence=Sequence([area]),
    )
    viewer.set_film(open_as_presented(read_film(path)))
    assert viewer.picture is not None
    opened = viewer.picture.geometry
    assert opened.zoom == 20.0  # 20 pixels in the 400 that 412 leave
    assert opened.image_to_view(20, 20) == (306.0, 206.0)
    viewer.rotate_right()
    viewer.fit()
    assert viewer.picture.geometry != opened
    viewer.reset()
    assert viewer.picture.geometry == opened
    viewer.resize(712, 612)
    assert viewer.picture.geometry.zoom == 30.0


@pytest.mark.parametrize("pixel_mm", [0.25, None])
def test_true_size_is_shown_where_the_screen_tells_its_pixels_and_else_said(
    viewer: ImageViewer,
    write_film: WriteFilm,
    monkeypatch: pytest.MonkeyPatch,
    pixel_mm: float | None,
) -> None:
    monkeypatch.setattr(film_view, "pixel_size_mm", lambda _: pixel_mm)
    path = write_film("film.dcm", ramp(40, 60))
    area = item(
        DisplayedAreaTopLeftHandCorner=[1, 1],
        DisplayedAreaBottomRightHandCorner=[60, 40],
        PresentationSizeMode="TRUE SIZE",
        PresentationPixelSpacing=["0.5", "0.5"],
    )
    sequence = Sequence([area])
    write_state(path, path.parent / "state.dcm", DisplayedAreaSelectionSequence=sequence)
    viewer.set_film(open_as_presented(read_film(path)))
    assert viewer.picture is not None
    geometry = viewer.picture.geometry
    if pixel_mm is None:
        assert geometry.is_fitted
        assert "pixel size is unknown" in viewer.corner_text
        return
    assert geometry.zoom == 2.0  # 0.5 mm on two pixels of 0.25 mm
    assert "true size" in viewer.corner_text
    viewer.zoom_in()
    assert "true size" not in viewer.corner_text
    viewer.reset()
    assert "true size" in viewer.corner_text


def test_a_screen_that_names_no_maker_has_no_known_pixels(viewer: ImageViewer) -> None:
    """Qt makes up a size for it."""
    screen = viewer.screen()
    assert screen.physicalSize().width() > 0
    known = pixel_size_mm(screen) is not None
    assert known == bool(screen.manufacturer() or screen.model())


def test_senseless_states_leave_a_film_that_can_be_read(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film("study/series/film.dcm", ramp())
    area = item(
        DisplayedAreaTopLeftHandCorner=[90000, 90000],
        DisplayedAreaBottomRightHandCorner=[90010, 90010],
        PresentationSizeMode="SCALE TO FIT",
        PresentationPixelAspectRatio=[1, 1],
    )
    layers = [circle_at(30, 20, 1e30), *(circle_at(n % 60, n % 40, 3) for n in range(1500))]
    write_state(
        path,
        path.parent / "state.dcm",
        DisplayedAreaSelectionSequence=Sequence([area]),
        GraphicAnnotationSequence=Sequence(layers),
    )
    film = open_as_presented(read_film(path))
    assert film.presentation is not None
    assert len(film.presentation.annotations) == 1000
    viewer.set_film(film)
    assert viewer.picture is not None
    assert viewer.picture.geometry.is_fitted
    painted(viewer)
