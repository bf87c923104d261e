"""What a reader drew on a film, on a key image of it: lines, and words where they were put."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

from workstation.dicom.film import Film
from workstation.exports.picture_text import text_size, write_text
from workstation.reading.figure_outline import leader_line
from workstation.reading.figure_wording import WordingLanguage, word_figures
from workstation.reading.key_views import Box
from workstation.reading.measurements import Measurement, Point

_INK, _EDGE = (140, 200, 255), (0, 0, 0)
_WITHOUT_VALUE = ("arrow", "text")
NUMBER_UNITS, WORD_UNITS = 16.0, 24.0
"""Height of the letters [units of the picture]; words are read in print, 8 cm wide."""
_LEADER_FROM = 26.0
_BARB = 13.0, 0.45  # length in units, angle in radians

ShownPoint = Callable[[Point], Point]
"""A point of the stored pixels -> on the picture."""


def number_labels(measurements: Sequence[Measurement]) -> list[str]:
    """Beside figures with a value the number of its line in the report; a text is its own."""
    labels, number = [], 0
    for each in measurements:
        number += each.kind not in _WITHOUT_VALUE
        labels.append(each.text if each.kind in _WITHOUT_VALUE else str(number))
    return labels


def word_labels(
    measurements: Sequence[Measurement], film: Film, language: WordingLanguage
) -> list[str]:
    """What stands beside them on the screen."""
    return [
        "\n".join(word_figures(each, film.stored, film.display, language)) for each in measurements
    ]


def draw_figures(
    picture: Image.Image,
    measurements: Sequence[Measurement],
    labels: Sequence[str],
    shown: ShownPoint,
    letters: float = NUMBER_UNITS,
) -> None:
    """Onto an RGB picture; a label is "" where nothing is to be written. letters: in units."""
    pen, unit = ImageDraw.Draw(picture), unit_of(picture)
    for measurement, label in zip(measurements, labels, strict=True):
        points = [shown(point) for point in measurement.points]
        for colour, width in ((_EDGE, 4.4 * unit), (_INK, 2.6 * unit)):
            _draw_figure(pen, measurement, points, colour, round(width), unit)
        if label:
            put = None if measurement.label is None else shown(measurement.label)
            _draw_label(picture, measurement, points, label, put, letters)


def draw_parts(picture: Image.Image, parts: Sequence[tuple[int, Box]], shown: ShownPoint) -> None:
    """Where on the film the key images of these numbers lie."""
    pen, unit = ImageDraw.Draw(picture), unit_of(picture)
    for number, (left, top, right, bottom) in parts:
        (x0, y0), (x1, y1) = shown((left, top)), shown((right, bottom))
        x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        for colour, width in ((_EDGE, 3.6 * unit), (_INK, 1.8 * unit)):
            pen.rectangle((x0, y0, x1, y1), outline=colour, width=max(1, round(width)))
        place = (x0 + 6 * unit, y0 + 4 * unit)
        _write(pen, place, str(number), WORD_UNITS * unit, unit)


def unit_of(picture: Image.Image) -> float:
    """Lines and letters are as large on every key image."""
    return max(picture.size) / 800


def _draw_label(
    picture: Image.Image,
    measurement: Measurement,
    points: Sequence[Point],
    label: str,
    put: Point | None,
    letters: float,
) -> None:
    pen, unit = ImageDraw.Draw(picture), unit_of(picture)
    width, height = text_size(label, letters * unit)
    if put is None:
        x, y = max(x for x, _ in points) + 6 * unit, min(y for _, y in points)
    else:
        x, y = put[0] - width / 2, put[1] - height / 2
    x = max(min(x, picture.width - width - 6 * unit), 4 * unit)
    y = max(min(y, picture.height - height - 10 * unit), 4 * unit)
    if put is not None:
        box = (x, y, x + width, y + height)
        leader = leader_line(measurement.kind, points, box, _LEADER_FROM * unit)
        for colour, share in ((_EDGE, 3.0), (_INK, 1.4)) if leader is not None else ():
            pen.line(leader, colour, max(1, round(share * unit)))
    _write(pen, (x, y), label, letters * unit, unit)


def _write(pen: ImageDraw.ImageDraw, corner: Point, text: str, letters: float, unit: float) -> None:
    write_text(pen, corner, text, letters, _INK, _EDGE, round(2 * unit))


def _draw_figure(
    pen: ImageDraw.ImageDraw,
    measurement: Measurement,
    points: Sequence[Point],
    colour: tuple[int, int, int],
    width: int,
    unit: float,
) -> None:
    if measurement.kind in ("rectangle", "ellipse"):
        (x0, y0), (x1, y1) = points
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        draw = pen.ellipse if measurement.kind == "ellipse" else pen.rectangle
        draw(box, outline=colour, width=width)
    elif measurement.kind == "cardiothoracic":
        pen.line(points[:2], colour, width)
        pen.line(points[2:], colour, width)
    elif measurement.kind == "arrow":
        pen.line(points, colour, width)
        pen.line(_barbs(points[0], points[1], unit), colour, width)
    elif len(points) > 1:
        pen.line(points, colour, width)


def _barbs(tail: Point, tip: Point, unit: float) -> list[Point]:
    backwards = math.atan2(tail[1] - tip[1], tail[0] - tip[0])
    length, angle = _BARB[0] * unit, _BARB[1]
    ends = [
        (tip[0] + length * math.cos(turn), tip[1] + length * math.sin(turn))
        for turn in (backwards - angle, backwards + angle)
    ]
    return [ends[0], tip, ends[1]]
