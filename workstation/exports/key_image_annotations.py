"""Annotations of a presentation state on a key image (PS3.3 C.10.5), without Qt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

from workstation.dicom.annotations import Annotation, GraphicObject, Point, TextObject, Units
from workstation.dicom.film import Film
from workstation.dicom.overlays import OVERLAY_INK
from workstation.exports.picture_text import text_size, write_text

_EDGE = (0, 0, 0)
_FILL_ALPHA = 70
_STEPS = 12

ShownPoint = Callable[[Point], Point]
"""A point of the stored pixels -> on the picture."""
Place = Callable[[Point, Units], Point]


def draw_annotations(picture: Image.Image, film: Film, shown: ShownPoint) -> None:
    """Onto an RGB picture of the whole film; nothing without a presentation state."""
    if film.presentation is None:
        return
    place = _placing(film, shown)
    unit = max(picture.size) / 800
    for annotation in film.presentation.annotations:
        _draw(picture, annotation, place, unit)


def _draw(picture: Image.Image, annotation: Annotation, place: Place, unit: float) -> None:
    if isinstance(annotation, TextObject):
        _draw_text(picture, annotation, place, unit)
        return
    line = outline_of(annotation, place, unit)
    if annotation.is_filled:
        mask = Image.new("L", picture.size)
        ImageDraw.Draw(mask).polygon(line, fill=_FILL_ALPHA)
        picture.paste(OVERLAY_INK, mask=mask)
    _stroke(ImageDraw.Draw(picture), line, unit)


def outline_of(graphic: GraphicObject, place: Place, unit: float) -> list[Point]:
    """The points of its line on the picture."""
    points = [place(point, graphic.units) for point in graphic.points]
    if graphic.kind == "POINT":
        return _ring(points[0], (4 * unit, 0.0), (0.0, 4 * unit))
    if graphic.kind == "CIRCLE":
        radius = math.dist(points[0], points[1])
        return _ring(points[0], (radius, 0.0), (0.0, radius))
    if graphic.kind == "ELLIPSE":
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points[:4]
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        return _ring(middle, (x1 - middle[0], y1 - middle[1]), ((x3 - x2) / 2, (y3 - y2) / 2))
    return _smooth(points) if graphic.kind == "INTERPOLATED" else points


def _placing(film: Film, shown: ShownPoint) -> Place:
    rows, columns = film.stored.shape
    assert film.presentation is not None
    area = film.presentation.displayed_area
    box = area.box if area is not None else (0.0, 0.0, float(columns), float(rows))
    one, other = shown((box[0], box[1])), shown((box[2], box[3]))
    left, right = sorted((one[0], other[0]))
    top, bottom = sorted((one[1], other[1]))

    def place(point: Point, units: Units) -> Point:
        if units == "pixel":
            return shown(point)
        return left + point[0] * (right - left), top + point[1] * (bottom - top)

    return place


def _draw_text(picture: Image.Image, text: TextObject, place: Place, unit: float) -> None:
    pen, size = ImageDraw.Draw(picture), 15 * unit
    words = "\n".join(text.lines)
    width, height = text_size(words, size)
    anchor = place(text.anchor, text.anchor_units) if text.anchor is not None else None
    if text.box is not None:
        corners = [place(corner, text.box_units) for corner in text.box]
        corner = min(x for x, _ in corners), min(y for _, y in corners)
    else:
        assert anchor is not None
        corner = anchor[0] + 10 * unit, anchor[1] - height / 2
    if anchor is not None and text.is_anchor_visible:
        nearest = (
            min(max(anchor[0], corner[0]), corner[0] + width),
            min(max(anchor[1], corner[1]), corner[1] + height),
        )
        _stroke(pen, [nearest, anchor], unit)
    edge_width = max(1, round(1.5 * unit))
    write_text(pen, corner, words, size, OVERLAY_INK, _EDGE, edge_width)


def _stroke(pen: ImageDraw.ImageDraw, line: Sequence[Point], unit: float) -> None:
    for colour, width in ((_EDGE, 3.6 * unit), (OVERLAY_INK, 1.8 * unit)):
        pen.line(list(line), colour, max(1, round(width)), joint="curve")


def _ring(middle: Point, along: Point, across: Point) -> list[Point]:
    angles = (math.radians(degree) for degree in range(0, 361, 6))
    return [
        (
            middle[0] + along[0] * math.cos(angle) + across[0] * math.sin(angle),
            middle[1] + along[1] * math.cos(angle) + across[1] * math.sin(angle),
        )
        for angle in angles
    ]


def _smooth(points: Sequence[Point]) -> list[Point]:
    """Catmull-Rom through every point, as the viewer draws it."""
    is_closed = len(points) > 2 and points[0] == points[-1]
    before = points[-2] if is_closed else points[0]
    after = points[1] if is_closed else points[-1]
    padded = [before, *points, after]
    line = [points[0]]
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for step in range(1, _STEPS + 1):
            t = step / _STEPS
            x, y = (
                0.5
                * (
                    2 * b
                    + (c - a) * t
                    + (2 * a - 5 * b + 4 * c - d) * t**2
                    + (3 * b - a - 3 * c + d) * t**3
                )
                for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
            )
            line.append((x, y))
    return line
