"""Films as pictures for the report, by the display pipeline that the viewer shows them with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
from workstation.exports.key_image_figures import (
    WORD_UNITS,
    draw_figures,
    draw_parts,
    number_labels,
    word_labels,
)
from workstation.exports.pdf_fonts import FONT_FILES, REGULAR
from workstation.reading.display_state import DisplayState, opened_orientation, presented_as
from workstation.reading.figure_wording import WordingLanguage
from workstation.reading.key_views import Box, KeyView, digest_of, dump_key_views
from workstation.reading.measurements import Measurement, Point, dump_measurements

Orientation = tuple[int, bool]
"""(clockwise quarter turns, mirrored left and right before them)."""

LONGEST_SIDE_PX = (1000, 1600)
"""Smaller films are enlarged, so that figures and letters on them can be read."""

_JPEG_QUALITY = 92
_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


@dataclass(frozen=True)
class KeyImage:
    """jpeg: what its reader kept of a film, or the whole film as its reader left it, else in its
    opening window and as its presentation state asks, with what is drawn on it; caption: its
    technique, the viewer's badges and what the reader changed. kept: tells apart what readers
    kept and moved, "" for a whole film without any of that."""

    jpeg: bytes
    width: int
    height: int
    caption: str
    kept: str = ""


@dataclass(frozen=True)
class _Part:
    """The part of a film on a picture. box: in pixels of the oriented film, whole ones."""

    film: Film
    seen: Orientation
    box: tuple[int, int, int, int]
    size: tuple[int, int]

    def shown(self, point: Point) -> Point:
        """A point of the stored pixels on the picture."""
        x, y = _oriented_point(self.film, self.seen, point)
        left, top, right, bottom = self.box
        return (
            (x - left) * self.size[0] / (right - left),
            (y - top) * self.size[1] / (bottom - top),
        )


def render_key_image(
    image: ExportedImage,
    measurements: Sequence[Measurement] = (),
    left: DisplayState | None = None,
    parts: Sequence[tuple[int, Box]] = (),
) -> KeyImage:
    """The whole film. left: how its reader left it. parts: where the key images of these numbers
    lie on it. Decodes it: not for the UI's thread. Raises UnreadableInstance."""
    film = open_as_presented(read_film(image.path))
    if left is not None and not left.applies_to(film):
        left = None
    picture, part = _picture_of(film, left, None)
    picture = _annotated(picture, part)
    if measurements or parts:
        picture = picture.convert("RGB")
        draw_figures(picture, measurements, number_labels(measurements), part.shown)
        draw_parts(picture, parts, part.shown)
    moved = [each for each in measurements if each.label is not None]
    kept = digest_of([dump_measurements(moved), list(parts)]) if moved or parts else ""
    return _finished(picture, part, _caption(image, film, left), kept)


def render_key_view(
    image: ExportedImage,
    view: KeyView,
    measurements: Sequence[Measurement] = (),
    number: int = 1,
    language: WordingLanguage = "en",
) -> KeyImage:
    """What was on screen when its reader kept it, with the figures of the film as they are now
    and what the screen says beside them. Otherwise as `render_key_image`."""
    film = open_as_presented(read_film(image.path))
    film = film.frame(min(view.frame_index, film.frame_count - 1))
    film = presented_as(film, view.display.presentation)
    display = view.display if view.display.applies_to(film) else None
    picture, part = _picture_of(film, display, view.box, with_overlays=view.with_graphics)
    picture = _annotated(picture, part) if view.with_graphics else picture
    if not view.with_figures:
        measurements = ()
    picture = picture.convert("RGB")
    words = word_labels(measurements, film, language)
    draw_figures(picture, measurements, words, part.shown, WORD_UNITS)
    notes = () if view.box is None else ("part of the film",)
    caption = f"{number} · {_caption(image, film, display, notes)}"
    kept = digest_of([dump_key_views([view]), dump_measurements(measurements), number])
    return _finished(picture, part, caption, kept)


def _picture_of(
    film: Film, display: DisplayState | None, box: Box | None, *, with_overlays: bool = True
) -> tuple[Image.Image, _Part]:
    """In square pixels. box: the part of the stored pixels, None for all of them."""
    seen = orientation_seen(film, display)
    oriented = orient_as_shown(colours_of_film(film, display, with_overlays=with_overlays), seen)
    whole = (0, 0, oriented.shape[1], oriented.shape[0])
    cut = whole if box is None else _oriented_box(film, seen, box)
    cropped = oriented[cut[1] : cut[3], cut[0] : cut[2]]
    size = _fitted_size(film, seen, cropped.shape[1], cropped.shape[0])
    picture = Image.fromarray(np.ascontiguousarray(cropped))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    return picture, _Part(film, seen, cut, size)


def _annotated(picture: Image.Image, part: _Part) -> Image.Image:
    """With what the film's presentation state draws."""
    if part.film.presentation is None or not part.film.presentation.annotations:
        return picture
    picture = picture.convert("RGB")
    draw_annotations(picture, part.film, part.shown)
    return picture


def _finished(picture: Image.Image, part: _Part, caption: str, kept: str) -> KeyImage:
    _draw_side_letter(picture, part.film, part.seen)
    stream = BytesIO()
    picture.save(stream, format="JPEG", quality=_JPEG_QUALITY)
    return KeyImage(stream.getvalue(), picture.width, picture.height, caption, kept)


def _caption(
    image: ExportedImage, film: Film, display: DisplayState | None, notes: Sequence[str] = ()
) -> str:
    changed = display.notes() if display is not None else ()
    return " · ".join((image.technique, *badges(film), *notes, *changed))


def colours_of_film(
    film: Film, left: DisplayState | None = None, *, with_overlays: bool = True
) -> np.ndarray:
    """[rows, columns] uint8 grey, or [rows, columns, 3] where overlays are drawn."""
    voi = left.voi_of(film) if left is not None else None
    grey = render_grey(film, voi, inverted=left is not None and left.is_inverted)
    if film.overlay_mask is None or not with_overlays:
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


def _oriented_point(film: Film, seen: Orientation, point: Point) -> Point:
    """A point of the stored pixels in those of the oriented film."""
    rows, columns = film.stored.shape
    x, y = point
    width, height = float(columns), float(rows)
    turns, is_mirrored = seen
    if is_mirrored:
        x = width - x
    for _ in range(turns):
        x, y = height - y, x
        width, height = height, width
    return x, y


def _oriented_box(film: Film, seen: Orientation, box: Box) -> tuple[int, int, int, int]:
    """Whole pixels of the oriented film: every one that a part of the stored pixels touches."""
    rows, columns = film.stored.shape
    width, height = (rows, columns) if seen[0] % 2 else (columns, rows)
    (x0, y0), (x1, y1) = (_oriented_point(film, seen, each) for each in (box[:2], box[2:]))
    left = min(max(math.floor(min(x0, x1)), 0), width - 1)
    top = min(max(math.floor(min(y0, y1)), 0), height - 1)
    right = min(max(math.ceil(max(x0, x1)), left + 1), width)
    bottom = min(max(math.ceil(max(y0, y1)), top + 1), height)
    return left, top, right, bottom


def _draw_side_letter(picture: Image.Image, film: Film, seen: Orientation) -> None:
    """The patient's side at the left edge, where the film says it; it follows flips and turns."""
    letter = left_edge_letter(film.header.patient_orientation, seen)
    if not letter:
        return
    size = round(max(picture.size) / 22)
    font = ImageFont.truetype(FONT_FILES[REGULAR], size)
    place = (size * 0.5, picture.height / 2 - size)
    pen = ImageDraw.Draw(picture)
    pen.text(place, letter, "white", font, stroke_width=2, stroke_fill="black")


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
