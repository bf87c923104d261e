"""`render` and the viewer, pixel for pixel, overlays, shutters and presentation states included;
and both with the pure display pipeline, which knows nothing of either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from workstation.commands.render import run_render
from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.overlays import OVERLAY_INK
from workstation.dicom.presentation_search import open_as_presented
from workstation.dicom.presentation_state import GRAYSCALE_SOFTCOPY
from workstation.dicom.unreadable import UnreadableInstance
from workstation.ui.viewer.film_view import FilmView
from workstation.ui.viewer.view_geometry import FIT_MARGIN

WriteDicom = Callable[..., Path]


def seen_by_reader(qtbot: QtBot, film: Film) -> np.ndarray:
    """[height, width, 3] uint8: the whole film as a real widget paints it at 1:1, its words left
    out."""
    view = FilmView()
    qtbot.addWidget(view)
    view.set_overlay_visible(False)
    rows, columns = film.stored.shape
    view.setMinimumSize(1, 1)
    view.resize(columns + 2 * FIT_MARGIN, rows + 2 * FIT_MARGIN)
    view.set_film(film)
    if film.frame_count > 1:
        view._frame_bar.hide()
    picture = view.picture
    assert picture is not None
    turned = picture.geometry.orientation.is_sideways
    height, width = (columns, rows) if turned else (rows, columns)
    view.resize(width + 2 * FIT_MARGIN, height + 2 * FIT_MARGIN)
    picture.geometry = picture.geometry.resized(view.width(), view.height()).fitted_to(
        (0, 0, columns, rows), 1.0
    )
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    seen = raw[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    return seen[FIT_MARGIN : FIT_MARGIN + height, FIT_MARGIN : FIT_MARGIN + width].copy()


def rendered(path: Path, tmp_path: Path) -> np.ndarray:
    """[height, width, 3] uint8 from the PNG that the command writes."""
    out = tmp_path / "rendered.png"
    assert run_render(path, out) == 0
    with Image.open(out) as picture:
        return np.array(picture.convert("RGB"))


def piped(film: Film) -> np.ndarray:
    """[rows, columns, 3] what the pipeline alone makes of an upright film of square pixels."""
    grey = render_grey(film)
    colours = np.stack([grey] * 3, axis=-1)
    if film.overlay_mask is not None:
        colours[film.overlay_mask] = OVERLAY_INK
    return colours


ELEMENTS: list[dict[str, object]] = [
    {},
    {"WindowCenter": 2000, "WindowWidth": 1500},
    {"WindowCenter": 2000, "WindowWidth": 1500, "VOILUTFunction": "SIGMOID"},
    {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    {"RescaleSlope": -3, "RescaleIntercept": 500},
    {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 700},
    {
        "ShutterShape": "CIRCULAR",
        "CenterOfCircularShutter": [120, 100],
        "RadiusOfCircularShutter": 90,
        "ShutterPresentationValue": 20000,
    },
]


@pytest.mark.parametrize("elements", ELEMENTS, ids=str)
def test_synthetic_films(
    qtbot: QtBot, write_dicom: WriteDicom, tmp_path: Path, elements: dict[str, object]
) -> None:
    pixels = np.arange(300 * 260, dtype=np.uint16).reshape(300, 260) % 4096
    path = write_dicom(pixels, BitsStored=12, HighBit=11, **elements)
    film = read_film(path)
    assert np.array_equal(rendered(path, tmp_path), piped(film))
    assert np.array_equal(seen_by_reader(qtbot, film), piped(film))


def add_overlay(dataset: Dataset, rows: int, columns: int) -> None:
    mask = np.zeros((rows, columns), np.uint8)
    mask[20:40, 30:80] = 1
    dataset.add_new(0x60000010, "US", rows)
    dataset.add_new(0x60000011, "US", columns)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", np.packbits(mask, bitorder="little").tobytes())


def write_state(write_dicom: WriteDicom, *, annotated: bool = False) -> None:
    """Beside the film 1.2.3.4: turned, flipped, windowed, shuttered, its overlay activated."""
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = "1.2", "1.2.3.4"
    series, window, state = Dataset(), Dataset(), Dataset()
    series.ReferencedImageSequence = Sequence([image])
    window.WindowCenter, window.WindowWidth = "1800", "900"
    state.SOPClassUID, state.SOPInstanceUID = GRAYSCALE_SOFTCOPY, "1.2.9"
    state.Modality, state.ContentLabel = "PR", "CONF"
    state.ReferencedSeriesSequence = Sequence([series])
    state.SoftcopyVOILUTSequence = Sequence([window])
    state.PresentationLUTShape = "INVERSE"
    state.ImageRotation, state.ImageHorizontalFlip = 90, "Y"
    state.ShutterShape = "RECTANGULAR"
    state.ShutterLeftVerticalEdge, state.ShutterRightVerticalEdge = 10, 200
    state.ShutterUpperHorizontalEdge, state.ShutterLowerHorizontalEdge = 5, 250
    state.add_new(0x60001001, "CS", "LAYER")
    if annotated:
        state.GraphicAnnotationSequence = Sequence([annotation_layer()])
    write_dicom(dataset=state, name="state.dcm")


def test_a_presentation_state_beside_the_film(
    qtbot: QtBot, write_dicom: WriteDicom, make_dataset: Callable[..., Dataset], tmp_path: Path
) -> None:
    pixels = np.arange(300 * 260, dtype=np.uint16).reshape(300, 260) % 4096
    dataset = make_dataset(pixels, BitsStored=12, HighBit=11)
    add_overlay(dataset, 300, 260)
    path = write_dicom(dataset=dataset)
    plain = rendered(path, tmp_path)
    write_state(write_dicom)
    film = open_as_presented(read_film(path))
    assert film.presentation is not None
    shown = rendered(path, tmp_path)
    assert shown.shape == (260, 300, 3)
    # Turned clockwise by a quarter, then mirrored left and right (C.10.6).
    assert np.array_equal(shown, np.rot90(piped(film), -1)[:, ::-1])
    assert np.array_equal(shown, seen_by_reader(qtbot, film))
    assert (plain[30, 40] == OVERLAY_INK).all()
    assert not np.array_equal(plain, piped(film))


def test_annotations_are_rendered_as_the_reader_sees_them(
    qtbot: QtBot, write_dicom: WriteDicom, tmp_path: Path
) -> None:
    pixels = np.arange(300 * 260, dtype=np.uint16).reshape(300, 260) % 4096
    path = write_dicom(pixels, BitsStored=12, HighBit=11)
    write_state(write_dicom, annotated=True)
    film = open_as_presented(read_film(path))
    assert film.presentation is not None
    assert len(film.presentation.annotations) == 2
    shown, grey = rendered(path, tmp_path), np.rot90(piped(film), -1)[:, ::-1]
    drawn = (shown != grey).any(axis=-1)
    assert 300 < drawn.sum() < 4000
    assert np.array_equal(shown, seen_by_reader(qtbot, film))


def annotation_layer() -> Dataset:
    circle, text, layer = Dataset(), Dataset(), Dataset()
    circle.GraphicAnnotationUnits, circle.GraphicType = "PIXEL", "CIRCLE"
    circle.GraphicDimensions, circle.NumberOfGraphicPoints, circle.GraphicFilled = 2, 2, "N"
    circle.GraphicData = [120.0, 100.0, 150.0, 100.0]
    text.UnformattedTextValue, text.AnchorPoint = "Nodule", [120.0, 160.0]
    text.AnchorPointAnnotationUnits, text.AnchorPointVisibility = "PIXEL", "Y"
    layer.GraphicLayer = "A"
    layer.GraphicObjectSequence, layer.TextObjectSequence = Sequence([circle]), Sequence([text])
    return layer


def test_every_film_of_the_shared_folder(qtbot: QtBot, shared_data: Path, tmp_path: Path) -> None:
    compared = with_overlays = 0
    folders = ("01_chest_cr_dx", "02_not_a_chest_xray", "04_grayscale_pipeline")
    for folder in (*folders, "05_overlays_shutters", "06_geometry_multiframe_colour"):
        for path in sorted((shared_data / "dicom" / folder).iterdir()):
            try:
                film = open_as_presented(read_film(path))
            except UnreadableInstance:
                continue
            shown = rendered(path, tmp_path)
            if abs(film.display.pixel_aspect_ratio - 1) >= 0.01:
                continue
            assert np.array_equal(shown, piped(film)), path
            assert np.array_equal(shown, seen_by_reader(qtbot, film)), path
            compared += 1
            with_overlays += film.overlay_mask is not None
    assert compared > 12
    assert with_overlays
