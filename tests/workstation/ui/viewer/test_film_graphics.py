"""What the file draws on the film, its frames and its presentation states, in a real viewer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workstation.dicom.display_pipeline import Window
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.overlays import OVERLAY_INK
from workstation.dicom.presentation_search import open_as_presented
from workstation.dicom.presentation_state import GRAYSCALE_SOFTCOPY
from workstation.reading.figure_wording import word_length
from workstation.reading.figures import ruler_of
from workstation.ui.viewer import film_view
from workstation.ui.viewer.film_overlay import Corners, _fit_line
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.screen_pixels import pixel_size_mm

WriteFilm = Callable[..., Path]
INK = QColor(*OVERLAY_INK)


@pytest.fixture
def viewer(qtbot: QtBot) -> ImageViewer:
    viewer = ImageViewer()
    qtbot.addWidget(viewer)
    viewer.resize(612, 412)
    viewer.show()
    return viewer


def ramp(rows: int = 40, columns: int = 60) -> np.ndarray:
    return np.linspace(0, 4095, rows * columns, dtype=np.uint16).reshape(rows, columns)


def item(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def write_state(folder: Path, film: Film, name: str = "state", **elements: object) -> None:
    image = item(ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID=film.header.sop_instance_uid)
    content = item(
        SOPClassUID=GRAYSCALE_SOFTCOPY,
        SOPInstanceUID=f"1.2.9.{sum(name.encode())}",
        Modality="PR",
        ContentLabel=name.upper(),
        PresentationCreationDate="20260101",
        ReferencedSeriesSequence=Sequence([item(ReferencedImageSequence=Sequence([image]))]),
        PresentationLUTShape="IDENTITY",
    )
    for keyword, value in elements.items():
        setattr(content, keyword, value)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = GRAYSCALE_SOFTCOPY
    meta.MediaStorageSOPInstanceUID = content.SOPInstanceUID
    path = folder / f"{name}.dcm"
    whole = FileDataset(str(path), content, file_meta=meta, preamble=b"\0" * 128)
    whole.save_as(path, enforce_file_format=True)


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


def words(viewer: ImageViewer) -> str:
    assert viewer.picture is not None
    corners: Corners = viewer._overlay.corners(
        viewer.picture.film, viewer._shown_state(viewer.picture)
    )
    lines = corners.top_left + corners.top_right + corners.bottom_left + corners.bottom_right
    return "\n".join(line.text for line in lines)


def painted(viewer: ImageViewer) -> QImage:
    viewer.set_overlay_visible(False)
    image = viewer.grab().toImage()
    viewer.set_overlay_visible(True)
    return image


def at_pixel(viewer: ImageViewer, image: QImage, column: float, row: float) -> QColor:
    assert viewer.picture is not None
    x, y = viewer.picture.geometry.image_to_view(column, row)
    return image.pixelColor(round(x), round(y))


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
    assert "overlays hidden" not in words(viewer)
    assert viewer.perform("graphics")
    hidden = at_pixel(viewer, painted(viewer), 30.5, 15.5)
    assert hidden.red() == hidden.green() == hidden.blue()
    assert "overlays hidden" in words(viewer)


def _with_overlay(path: Path, mask: np.ndarray) -> Path:
    import pydicom

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
    plain = read_film(path)
    window = item(WindowCenter="1000", WindowWidth="500")
    write_state(
        path.parent,
        plain,
        SoftcopyVOILUTSequence=Sequence([window]),
        GraphicAnnotationSequence=Sequence([circle_at(30, 20, 10)]),
    )
    viewer.set_film(open_as_presented(read_film(path)))
    assert viewer.picture is not None
    assert viewer.picture.window == Window(1000, 500)
    assert "presentation state “STATE”" in words(viewer)
    assert is_yellow(at_pixel(viewer, painted(viewer), 40, 20))
    assert viewer.perform("presentation")
    assert viewer.picture.window == Window(2048, 4096)
    assert "presentation state off" in words(viewer)
    assert not is_yellow(at_pixel(viewer, painted(viewer), 40, 20))
    assert viewer.perform("presentation")
    assert viewer.picture.window == Window(1000, 500)


def test_several_states_come_in_turn_newest_first(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film("study/series/film.dcm", ramp())
    plain = read_film(path)
    for name, date in (("old", "20250101"), ("new", "20260301")):
        write_state(path.parent, plain, name, PresentationCreationDate=date)
    viewer.set_film(open_as_presented(read_film(path)))
    told = []
    for _ in range(3):
        told.append(words(viewer))
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
        path.parent,
        read_film(path),
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
    write_state(path.parent, read_film(path), DisplayedAreaSelectionSequence=sequence)
    viewer.set_film(open_as_presented(read_film(path)))
    assert viewer.picture is not None
    geometry = viewer.picture.geometry
    if pixel_mm is None:
        assert geometry.is_fitted
        assert "pixel size is unknown" in words(viewer)
        return
    assert geometry.zoom == 2.0  # 0.5 mm on two pixels of 0.25 mm
    assert "true size" in words(viewer)
    viewer.zoom_in()
    assert "true size" not in words(viewer)
    viewer.reset()
    assert "true size" in words(viewer)


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
        path.parent,
        read_film(path),
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


def test_missing_calibration_is_told_by_the_measure_and_the_corner_not_by_a_warning(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    viewer.set_film(read_film(write_film("plain.dcm", ramp())))
    assert "▲" not in words(viewer)
    assert "no pixel spacing" in words(viewer)
    film = read_film(write_film("detector.dcm", ramp(), ImagerPixelSpacing=["0.15", "0.15"]))
    viewer.set_film(film)
    assert "▲" not in words(viewer)
    assert "0.150 mm at detector" in words(viewer)
    assert word_length(12.34, ruler_of(film.display)) == "12.3 mm at detector"


def test_frames_come_by_slider_and_key_and_keep_the_window(
    qtbot: QtBot, viewer: ImageViewer, write_film: WriteFilm
) -> None:
    frames = np.stack([ramp(), 4095 - ramp(), ramp() // 2])
    path = write_film("frames.dcm", frames[0])
    _with_frames(path, frames)
    viewer.set_film(read_film(path))
    assert viewer._frame_bar.isVisible()
    viewer.set_window(Window(1500, 800))
    with qtbot.waitSignal(viewer._frames.frame_loaded):
        assert viewer.perform("frame.1")
    assert viewer.film is not None
    assert viewer.film.frame_index == 1
    assert np.array_equal(viewer.film.stored, frames[1])
    assert viewer.picture is not None
    assert viewer.picture.window == Window(1500, 800)
    with qtbot.waitSignal(viewer._frames.frame_loaded):
        viewer._frame_bar._slider.setValue(2)
    assert viewer.film.frame_index == 2
    viewer.set_film(read_film(write_film("single.dcm", ramp())))
    assert not viewer._frame_bar.isVisible()
    assert not viewer.perform("frame.1")


def _with_frames(path: Path, frames: np.ndarray) -> None:
    import pydicom

    dataset = pydicom.dcmread(path)
    dataset.NumberOfFrames = len(frames)
    dataset.PixelData = frames.astype("<u2").tobytes()
    dataset.save_as(path)


def test_a_frame_that_cannot_be_read_leaves_the_one_shown(
    qtbot: QtBot, viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film("frames.dcm", ramp())
    _with_frames(path, np.stack([ramp(), ramp()]))
    viewer.set_film(read_film(path))
    path.unlink()
    with qtbot.waitSignal(viewer.frame_failed) as failed:
        viewer.perform("frame.1")
    assert failed.args is not None
    assert failed.args[0]
    assert viewer.film is not None
    assert viewer.film.frame_index == viewer._frame_bar.index == 0


def test_a_wheel_zoom_is_previewed_and_then_exact(
    qtbot: QtBot, viewer: ImageViewer, write_film: WriteFilm
) -> None:
    viewer.set_film(read_film(write_film("big.dcm", ramp(1600, 1600))))
    event = QWheelEvent(
        QPointF(300, 200), QPointF(300, 200), QPoint(), QPoint(0, 120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewer, event)
    assert viewer._settling.isActive()
    previewed = grey_of(painted(viewer))
    with qtbot.waitSignal(viewer._settling.timeout):
        pass
    exact = grey_of(painted(viewer))
    assert not np.array_equal(previewed, exact)
    # The same film in the same place: a smooth ramp differs by a few levels at most.
    assert np.abs(previewed.astype(int) - exact)[8:-8, 110:-110].max() < 12


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_previews_lie_where_the_exact_picture_does(
    viewer: ImageViewer, write_film: WriteFilm, turns: int, mirrored: bool
) -> None:
    viewer.set_film(read_film(write_film("film.dcm", ramp(1200, 1400))))
    if mirrored:
        viewer.flip_horizontally()
    for _ in range(turns):
        viewer.rotate_right()
    for factor in (1.0, 2.9, 4.0):
        assert viewer.picture is not None
        viewer._move_to(viewer.picture.geometry.zoomed_at(factor, 250, 180))
        previewed = grey_of(painted(viewer))
        viewer._settling.stop()
        exact = grey_of(painted(viewer))
        seen = (exact > 8) & (previewed > 8)
        assert np.abs(previewed.astype(int) - exact)[seen].max() < 14


def test_a_pan_near_1_to_1_keeps_its_coloured_part_until_it_leaves_it(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    viewer.set_film(read_film(write_film("film.dcm", ramp(1600, 2000))))
    viewer.zoom_to_pixels()
    picture = viewer.picture
    assert picture is not None
    coloured = []
    for dx in (0, 20, 400):
        viewer._move_to(picture.geometry.panned(-dx, -dx / 4))
        preview = picture.preview()
        assert preview is not None
        coloured.append(preview.rgb)
        previewed = grey_of(painted(viewer))
        viewer._settling.stop()
        assert np.abs(previewed.astype(int) - grey_of(painted(viewer))).max() < 8
    assert coloured[0] is coloured[1]
    assert coloured[1] is not coloured[2]
    viewer.invert()
    preview = picture.preview()
    assert preview is not None
    assert preview.rgb is not coloured[2]


def grey_of(image: QImage) -> np.ndarray:
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    raw = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return raw[:, : grey.width()].copy()


def test_corners_of_a_narrow_viewport_leave_the_letter_and_the_name_readable(
    viewer: ImageViewer, write_film: WriteFilm
) -> None:
    path = write_film(
        "narrow.dcm",
        ramp(),
        PatientName="PHANTOM^ROSALIND",
        StudyDescription="CHEST PA AND LATERAL, ERECT, IN INSPIRATION",
        PatientOrientation=["L", "F"],
    )
    viewer.setMinimumSize(1, 1)
    viewer.resize(360, 300)
    viewer.set_film(read_film(path))
    picture, overlay = viewer.picture, viewer._overlay
    assert picture is not None
    area = QRectF(14, 11, 332, 278)
    state = viewer._shown_state(picture)
    corners = overlay.corners(picture.film, state)
    name = overlay._place(corners.top_left, area, 1.0, False, False)[0]
    study = overlay._place(corners.top_right, area, 1.0, True, False)[0]
    letters = overlay._place(state.letters, area, 1.0, False, False)
    top = min(letters, key=lambda letter: letter.corner.y())
    ends = top.corner.x(), top.corner.x() + top.pixmap.width()
    assert name.corner.x() + name.pixmap.width() <= ends[0] + 2  # the halo's edge is empty
    assert study.corner.x() >= ends[1] - 2
    words = _fit_line(corners.top_left[0], 332 // 2 - 14)
    assert words.text == "PHANTOM, ROSALIND"
