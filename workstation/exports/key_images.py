"""Films as pictures for the report, by the display pipeline that the viewer shows them with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from workstation.dicom.display_pipeline import render_grey
from workstation.dicom.film import Film
from workstation.dicom.instance_reader import read_film
from workstation.dicom.overlays import OVERLAY_INK
from workstation.dicom.presentation_search import open_as_presented
from workstation.dicom.window_choices import badges
from workstation.exports.exported_report import ExportedImage
from workstation.exports.key_image_annotations import draw_annotations
from workstation.exports.pdf_fonts import FALLBACK, FONT_FILES, REGULAR
from workstation.reading.display_state import DisplayState, opened_orientation
from workstation.reading.measurements import Measurement, Point

Orientation = tuple[int, bool]
"""(clockwise quarter turns, mirrored left and right before them)."""

LONGEST_SIDE_PX = (1000, 1600)
"""Smaller films are enlarged, so that figures and letters on them can be read."""

_JPEG_QUALITY = 92
_WITHOUT_VALUE = ("arrow", "text")
_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
_INK, _EDGE = (140, 200, 255), (0, 0, 0)


@dataclass(frozen=True)
class KeyImage:
    """jpeg: the whole film as its reader left it, else in its opening window and as its
    presentation state asks, with what is drawn on it; caption: its technique, the viewer's badges
    and what the reader changed."""

    jpeg: bytes
    width: int
    height: int
    caption: str


def render_key_image(
    image: ExportedImage,
    measurements: Sequence[Measurement] = (),
    left: DisplayState | None = None,
) -> KeyImage:
    """left: how its reader left the film. Decodes it: not for the UI's thread. Raises
    UnreadableInstance."""
    film = open_as_presented(read_film(image.path))
    if left is not None and not left.applies_to(film):
        left = None
    seen = orientation_seen(film, left)
    turned = orient_as_shown(colours_of_film(film, left), seen)
    picture = Image.fromarray(turned)
    width, height = _fitted_size(film, seen, picture.width, picture.height)
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    if film.presentation is not None and film.presentation.annotations:
        picture = picture.convert("RGB")
        shown = partial(_shown_point, film, seen, size=picture.size)
        draw_annotations(picture, film, shown)
    if measurements:
        picture = picture.convert("RGB")
        _draw_measurements(picture, film, seen, measurements)
    _draw_side_letter(picture, film, seen)
    stream = BytesIO()
    picture.save(stream, format="JPEG", quality=_JPEG_QUALITY)
    notes = left.notes() if left is not None else ()
    caption = " · ".join((image.technique, *badges(film), *notes))
    return KeyImage(stream.getvalue(), width, height, caption)


def colours_of_film(film: Film, left: DisplayState | None = None) -> np.ndarray:
    """[rows, columns] uint8 grey, or [rows, columns, 3] where overlays are drawn."""
    voi = left.voi_of(film) if left is not None else None
    grey = render_grey(film, voi, inverted=left is not None and left.is_inverted)
    if film.overlay_mask is None:
        return grey
    colours = np.repeat(grey[:, :, None], 3, axis=2)
    colours[film.overlay_mask] = OVERLAY_INK
    return colours


def orientation_seen(film: Film, left: DisplayState | None = None) -> Orientation:
    """As its reader left it, else as its presentation state asks."""
    return opened_orientation(film) if left is None else (left.turns, left.mirrored)


def orient_as_shown(pixels: np.ndarray, seen: Orientation) -> np.ndarray:
    """Mirrored left and right, then turned clockwise."""
    turns, is_mirrored = seen
    mirrored = pixels[:, ::-1] if is_mirrored else pixels
    return np.ascontiguousarray(np.rot90(mirrored, -turns))


def _fitted_size(film: Film, seen: Orientation, width: int, height: int) -> tuple[int, int]:
    """Square pixels (C.7.6.3.1.7), the longer side within LONGEST_SIDE_PX."""
    aspect = film.display.pixel_aspect_ratio
    is_sideways = seen[0] % 2 == 1
    across, down = (width * aspect, height) if is_sideways else (width, height * aspect)
    longest = max(across, down)
    scale = min(max(longest, LONGEST_SIDE_PX[0]), LONGEST_SIDE_PX[1]) / longest
    return max(1, round(across * scale)), max(1, round(down * scale))


def _shown_point(film: Film, seen: Orientation, point: Point, size: tuple[int, int]) -> Point:
    """A point of the stored pixels on the picture."""
    rows, columns = film.stored.shape
    x, y = point[0] / columns, point[1] / rows
    turns, is_mirrored = seen
    if is_mirrored:
        x = 1 - x
    for _ in range(turns):
        x, y = 1 - y, x
    return x * size[0], y * size[1]


def _draw_measurements(
    picture: Image.Image, film: Film, seen: Orientation, measurements: Sequence[Measurement]
) -> None:
    pen = ImageDraw.Draw(picture)
    unit = max(picture.size) / 800
    size = round(16 * unit)
    number = 0
    for measurement in measurements:
        points = [_shown_point(film, seen, each, picture.size) for each in measurement.points]
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


def _draw_side_letter(picture: Image.Image, film: Film, seen: Orientation) -> None:
    """The patient's side at the left edge, where the film says it; it follows flips and turns."""
    letter = left_edge_letter(film.header.patient_orientation, seen)
    if not letter:
        return
    size = round(max(picture.size) / 22)
    font = ImageFont.truetype(FONT_FILES[REGULAR], size)
    white, black = (255, 0) if picture.mode == "L" else ((255,) * 3, (0,) * 3)
    place = (size * 0.5, picture.height / 2 - size)
    pen = ImageDraw.Draw(picture)
    pen.text(place, letter, white, font, stroke_width=2, stroke_fill=black)


def left_edge_letter(patient_orientation: Sequence[str], seen: Orientation) -> str:
    """What lies at the left of a film turned so (PS3.3 C.7.6.1.1.1), "" where it isn't said."""
    if not patient_orientation:
        return ""
    right, bottom = (*patient_orientation, "")[:2]
    left, top = _OPPOSITE.get(right, ""), _OPPOSITE.get(bottom, "")
    turns, is_mirrored = seen
    if is_mirrored:
        left, right = right, left
    for _ in range(turns):
        top, right, bottom, left = left, top, right, bottom
    return left if left in _OPPOSITE else ""
