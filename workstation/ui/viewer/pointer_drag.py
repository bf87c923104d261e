"""A drag of the pointer over a film: what it does and what it comes to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, Qt

from workstation.dicom.voi import Window
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.view_geometry import ViewGeometry

_ZOOM_PX = 200.0
"""Vertical drag that zooms by e (logical pixels)."""

DragKind = Literal["window", "zoom", "pan", "magnify", "measure"]
CURSORS: dict[DragKind, Qt.CursorShape] = {
    "window": Qt.CursorShape.CrossCursor,
    "zoom": Qt.CursorShape.SizeVerCursor,
    "pan": Qt.CursorShape.ClosedHandCursor,
    "magnify": Qt.CursorShape.BlankCursor,
    "measure": Qt.CursorShape.CrossCursor,
}


@dataclass(frozen=True, eq=False)
class PointerDrag:
    """A drag in progress: what it does, where (logical pixels) and from which state it began."""

    kind: DragKind
    button: Qt.MouseButton
    start: QPointF
    window: Window
    geometry: ViewGeometry

    def window_at(self, at: QPointF, picture: FilmPicture) -> Window:
        """The window a "window" drag has come to."""
        moved = at - self.start
        return picture.window_dragged(self.window, moved.x(), moved.y())

    def geometry_at(self, at: QPointF, pixel_ratio: float) -> ViewGeometry:
        """The geometry a "zoom" or "pan" drag has come to."""
        moved = at - self.start
        if self.kind == "zoom":
            start = self.start * pixel_ratio
            factor = math.exp(-moved.y() / _ZOOM_PX)
            return self.geometry.zoomed_at(factor, start.x(), start.y())
        by = moved * pixel_ratio
        return self.geometry.panned(by.x(), by.y())
