"""`render` and the viewer, pixel for pixel: both end in display_pipeline.compose_grey."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workstation.commands.render import run_render
from workstation.dicom.instance_reader import UnreadableInstance, read_film
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.view_geometry import FIT_MARGIN

WriteDicom = Callable[..., Path]


def viewer_grey(path: Path) -> np.ndarray:
    """What the viewer paints at 1:1 in a view where the film just fits."""
    film = read_film(path)
    rows, columns = film.stored.shape
    picture = FilmPicture(film, columns + 2 * FIT_MARGIN, rows + 2 * FIT_MARGIN)
    assert picture.geometry.zoom == pytest.approx(1.0)
    return picture.grey()


def rendered_grey(path: Path, tmp_path: Path) -> np.ndarray:
    out = tmp_path / "rendered.png"
    assert run_render(path, out) == 0
    with Image.open(out) as picture:
        return np.array(picture)


ELEMENTS: list[dict[str, object]] = [
    {},
    {"WindowCenter": 2000, "WindowWidth": 1500},
    {"WindowCenter": 2000, "WindowWidth": 1500, "VOILUTFunction": "SIGMOID"},
    {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    {"RescaleSlope": -3, "RescaleIntercept": 500},
    {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 700},
]


@pytest.mark.parametrize("elements", ELEMENTS, ids=str)
def test_synthetic_films(
    write_dicom: WriteDicom, tmp_path: Path, elements: dict[str, object]
) -> None:
    pixels = np.arange(300 * 260, dtype=np.uint16).reshape(300, 260) % 4096
    path = write_dicom(pixels, BitsStored=12, HighBit=11, **elements)
    assert np.array_equal(viewer_grey(path), rendered_grey(path, tmp_path))


def test_every_square_pixelled_film_of_the_shared_folder(shared_data: Path, tmp_path: Path) -> None:
    compared = 0
    folders = ("01_chest_cr_dx", "02_not_a_chest_xray", "04_grayscale_pipeline")
    for folder in (*folders, "05_overlays_shutters", "06_geometry_multiframe_colour"):
        for path in sorted((shared_data / "dicom" / folder).iterdir()):
            try:
                film = read_film(path)
            except UnreadableInstance:
                continue
            if abs(film.display.pixel_aspect_ratio - 1) < 0.01 and min(film.stored.shape) > 3:
                assert np.array_equal(viewer_grey(path), rendered_grey(path, tmp_path)), path
                compared += 1
    assert compared > 12
