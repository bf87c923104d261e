"""Graphic and text annotations of a presentation state (PS3.3 C.10.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydicom.dataset import Dataset

from workstation.dicom.element_values import clean_text, first_int, floats_of, items_of, text_of

Units = Literal["pixel", "display"]
GraphicType = Literal["POINT", "POLYLINE", "INTERPOLATED", "CIRCLE", "ELLIPSE"]
MAX_POINTS = 10_000
FARTHEST = 1e6
"""Pixels: no image is larger, and what lies beyond can't be drawn."""
_MAX_TEXT_LINES = 50
_LEAST_POINTS: dict[GraphicType, int] = {
    "POINT": 1,
    "POLYLINE": 2,
    "INTERPOLATED": 2,
    "CIRCLE": 2,
    "ELLIPSE": 4,
}
Point = tuple[float, float]


@dataclass(frozen=True)
class GraphicObject:
    """points: (column, row). Units "pixel": of the image before rotation and flip, (0, 0) being
    the outer corner of its upper left pixel and (columns, rows) the opposite one; "display":
    0..1 of the displayed area as it is on screen, from its upper left (C.10.5.1.1).

    CIRCLE: centre and a point on it. ELLIPSE: the ends of the major, then of the minor axis.
    """

    kind: GraphicType
    points: tuple[Point, ...]
    units: Units
    is_filled: bool = False
    layer: str = ""


@dataclass(frozen=True)
class TextObject:
    """lines of text in a box (its corners) or at an anchor point, each with its own units."""

    lines: tuple[str, ...]
    box: tuple[Point, Point] | None
    box_units: Units
    anchor: Point | None
    anchor_units: Units
    is_anchor_visible: bool = False
    layer: str = ""


Annotation = GraphicObject | TextObject


def read_annotations(item: Dataset) -> tuple[Annotation, ...]:
    """The readable ones of one item of the Graphic Annotation Sequence."""
    layer = text_of(item, "GraphicLayer")
    graphics = (
        _read_graphic(graphic, layer) for graphic in items_of(item, "GraphicObjectSequence")
    )
    texts = (_read_text(text, layer) for text in items_of(item, "TextObjectSequence"))
    return tuple(found for found in (*graphics, *texts) if found is not None)


def _read_graphic(item: Dataset, layer: str) -> GraphicObject | None:
    stated = text_of(item, "GraphicType").upper()
    kind = next((known for known in _LEAST_POINTS if known == stated), None)
    points = _points_of(item, "GraphicData")
    if kind is None or not _LEAST_POINTS[kind] <= len(points) <= MAX_POINTS:
        return None
    return GraphicObject(
        kind=kind,
        points=points,
        units=_units_of(item, "GraphicAnnotationUnits"),
        is_filled=text_of(item, "GraphicFilled").upper() == "Y",
        layer=layer,
    )


def _read_text(item: Dataset, layer: str) -> TextObject | None:
    stated = str(item.get("UnformattedTextValue") or "").splitlines()[:_MAX_TEXT_LINES]
    lines = tuple(clean_text(line) for line in stated)
    corners = (
        *_points_of(item, "BoundingBoxTopLeftHandCorner"),
        *_points_of(item, "BoundingBoxBottomRightHandCorner"),
    )
    anchors = _points_of(item, "AnchorPoint")
    if not any(lines) or (len(corners) != 2 and not anchors):
        return None
    return TextObject(
        lines=lines,
        box=(corners[0], corners[1]) if len(corners) == 2 else None,
        box_units=_units_of(item, "BoundingBoxAnnotationUnits"),
        anchor=anchors[0] if anchors else None,
        anchor_units=_units_of(item, "AnchorPointAnnotationUnits"),
        is_anchor_visible=text_of(item, "AnchorPointVisibility").upper() == "Y",
        layer=layer,
    )


def _units_of(item: Dataset, keyword: str) -> Units:
    return "display" if text_of(item, keyword).upper() == "DISPLAY" else "pixel"


def _points_of(item: Dataset, keyword: str) -> tuple[Point, ...]:
    """(column, row) pairs; () if one is no number or senselessly far away."""
    numbers = floats_of(item, keyword)
    dimensions = first_int(item, "GraphicDimensions") or 2
    if dimensions != 2 or len(numbers) % 2 or not all(abs(n) <= FARTHEST for n in numbers):
        return ()
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))
