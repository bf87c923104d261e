"""Films as pictures for the report, by the display pipeline that the viewer shows them with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from workstation.dicom.display_pipeline import badges, render_grey
from workstation.dicom.instance_reader import Film, read_film
from workstation.dicom.overlays import OVERLAY_INK
from workstation.dicom.presentation_search import open_as_presented
from workstation.exports.exported_report import ExportedImage
from workstation.exports.pdf_fonts import FALLBACK, FONT_FILES, REGULAR
from workstation.reading.measurements import Measurement, Point

LONGEST_SIDE_PX = (1000, 1600)
"""Smaller films are enlarged, so that figures and letters on them can be read."""

_JPEG_QUALITY = 92
_WITHOUT_VALUE = ("arrow", "text")
_INK, _EDGE = (140, 200, 255), (0, 0, 0)


@dataclass(frozen=True)
class KeyImage:
    """jpeg: the whole film in its opening window, as its presentation state asks, with what is
    drawn on it; caption: its technique and the viewer's badges."""

    jpeg: bytes
    width: int
    height: int
    caption: str


def render_key_image(image: ExportedImage, measurements: Sequence[Measurement] = ()) -> KeyImage:
    """Decodes the film: not for the UI's thread. Raises UnreadableInstance."""
    film = open_as_presented(read_film(image.path))
    turned = orient_as_shown(film, colours_of_film(film))
    picture = Image.fromarray(turned)
    width, height = _fitted_size(film, picture.width, picture.height)
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    if measurements:
        picture = picture.convert("RGB")
        _draw_measurements(picture, film, measurements)
    _draw_side_letters(picture, film)
    stream = BytesIO()
    picture.save(stream, format="JPEG", quality=_JPEG_QUALITY)
    caption = " · ".join((image.technique, *badges(film)))
    return KeyImage(stream.getvalue(), width, height, caption)


def colours_of_film(film: Film) -> np.ndarray:
    """[rows, columns] uint8 grey, or [rows, columns, 3] where overlays are drawn."""
    grey = render_grey(film)
    if film.overlay_mask is None:
        return grey
    colours = np.repeat(grey[:, :, None], 3, axis=2)
    colours[film.overlay_mask] = OVERLAY_INK
    return colours


def orient_as_shown(film: Film, pixels: np.ndarray) -> np.ndarray:
    """Rotated clockwise, then flipped, as the film's presentation state asks (PS3.3 C.10.6)."""
    if film.presentation is None:
        return pixels
    turned = np.rot90(pixels, -(film.presentation.rotation_degrees // 90))
    return np.ascontiguousarray(turned[:, ::-1] if film.presentation.is_flipped else turned)


def _is_sideways(film: Film) -> bool:
    return film.presentation is not None and film.presentation.rotation_degrees % 180 == 90


def _fitted_size(film: Film, width: int, height: int) -> tuple[int, int]:
    """Square pixels (C.7.6.3.1.7), the longer side within LONGEST_SIDE_PX."""
    aspect = film.display.pixel_aspect_ratio
    across, down = (width * aspect, height) if _is_sideways(film) else (width, height * aspect)
    longest = max(across, down)
    scale = min(max(longest, LONGEST_SIDE_PX[0]), LONGEST_SIDE_PX[1]) / longest
    return max(1, round(across * scale)), max(1, round(down * scale))


def _shown_point(film: Film, point: Point, width: int, height: int) -> Point:
    """A point of the stored pixels on the picture."""
    rows, columns = film.stored.shape
    x, y = point[0] / columns, point[1] / rows
    if film.presentation is not None:
        for _ in range(film.presentation.rotation_degrees // 90 % 4):
            x, y = 1 - y, x
        if film.presentation.is_flipped:
            x = 1 - x
    return x * width, y * height


def _draw_measurements(
    picture: Image.Image, film: Film, measurements: Sequence[Measurement]
) -> None:
    pen = ImageDraw.Draw(picture)
    unit = max(picture.size) / 800
    size = round(16 * unit)
    number = 0
    for measurement in measurements:
        points = [_shown_point(film, each, *picture.size) for each in measurement.points]
        for colour, width in ((_EDGE, 4.4 * unit), (_INK, 2.6 * unit)):
            _draw_figure(pen, measurement, points, colour, round(width))
        place = (max(x for x, _ in points) + 6 * unit, min(y for _, y in points))
        number += measurement.kind not in _WITHOUT_VALUE
        label = measurement.text if measurement.kind in _WITHOUT_VALUE else str(number)
        font = ImageFont.truetype(FONT_FILES[REGULAR if label.isascii() else FALLBACK], size)
        edge = round(2 * unit)
        pen.text(place, label, _INK, font, stroke_width=edge, stroke_fill=_EDGE)


def _draw_figure(
    pen: ImageDraw.ImageDraw,
    measurement: Measurement,
    points: Sequence[Point],
    colour: tuple[int, int, int],
    width: int,
) -> None:
    if measurement.kind in ("rectangle", "ellipse"):
        (x0, y0), (x1, y1) = points
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        draw = pen.ellipse if measurement.kind == "ellipse" else pen.rectangle
        draw(box, outline=colour, width=width)
    elif measurement.kind == "cardiothoracic":
        pen.line(points[:2], colour, width)
        pen.line(points[2:], colour, width)
    elif len(points) > 1:
        pen.line(points, colour, width)


def _draw_side_letters(picture: Image.Image, film: Film) -> None:
    """The patient's side at the left edge, where the film says it and nothing was turned."""
    opposite = {"L": "R", "R": "L", "A": "P", "P": "A"}
    orientation = film.header.patient_orientation
    if film.presentation is not None or not orientation or orientation[0] not in opposite:
        return
    size = round(max(picture.size) / 22)
    font = ImageFont.truetype(FONT_FILES[REGULAR], size)
    white, black = (255, 0) if picture.mode == "L" else ((255,) * 3, (0,) * 3)
    place = (size * 0.5, picture.height / 2 - size)
    pen = ImageDraw.Draw(picture)
    pen.text(place, opposite[orientation[0]], white, font, stroke_width=2, stroke_fill=black)
