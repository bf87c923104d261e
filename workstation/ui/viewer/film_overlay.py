"""Paints what is written over a film: its corners and the letters of the sides.

Every piece of text has a dark halo, so that it is readable on white film too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from weakref import ref

from PySide6.QtCore import QObject, QPointF, QRectF
from PySide6.QtGui import QPainter

from workstation.dicom.film import Film
from workstation.dicom.voi import Voi
from workstation.ui.theme import COLOURS, font_scale
from workstation.ui.viewer.corner_words import CornerWords, ShownState
from workstation.ui.viewer.haloed_text import (
    HaloedLine,
    HaloedTextPainter,
    PlacedText,
    pixel_ratio_of,
)
from workstation.ui.viewer.overlay_lines import OverlayLine, fit_line, fit_lines
from workstation.ui.viewer.view_geometry import SideLetters

_MARGIN = 14.0
_SIDE_LETTER_POINTS = 26.0
_END_LETTER_POINTS = 17.0
"""Head and feet, or whatever lies above and below, are less often in doubt than the sides."""
_KEPT_CORNERS = 16
_CORNER_SHARE = 0.48
"""Of the width, at most."""
_LETTER_ROOM = 14
"""Left free on each side of the middle, for the letters at the top and bottom: logical pixels at
the usual text size."""


class FilmOverlay(QObject):
    """Paints the corners and the letters of the sides."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._text_painter = HaloedTextPainter()
        self._placed: dict[Hashable, tuple[PlacedText, ...]] = {}
        self.words = CornerWords(self)
        self.upper_end = 0.0
        """Where the upper corners ended when they were painted last [px from the top]."""
        self._still: tuple[object, ...] = ()
        self._placed_still: tuple[PlacedText, ...] = ()
        self._placed_moving: dict[Hashable, tuple[Voi, tuple[PlacedText, ...]]] = {}

    def paint(self, painter: QPainter, area: QRectF, film: Film, state: ShownState) -> None:
        """Corners and side letters inside `area` (device-independent pixels)."""
        ratio = pixel_ratio_of(painter)
        inner = area.adjusted(_MARGIN, _MARGIN - 3, -_MARGIN, -_MARGIN + 3)
        for text in self._place_still(film, state, inner, ratio):
            painter.drawPixmap(text.corner, text.pixmap)
        for text in self._place_moving(state, inner, ratio):
            painter.drawPixmap(text.corner, text.pixmap)

    def _place_moving(
        self, state: ShownState, area: QRectF, ratio: float
    ) -> tuple[PlacedText, ...]:
        key = (
            id(state.window), round(state.zoom * 100), state.true_size,
            area.getRect(), ratio, font_scale(),
        )  # fmt: skip
        kept = self._placed_moving.get(key)
        if kept is None:
            if len(self._placed_moving) >= _KEPT_CORNERS:
                self._placed_moving.clear()
            placed = self._place(self.words.moving_lines(state), area, ratio, True, True)
            kept = self._placed_moving[key] = state.window, placed  # held, so that its id stays its
        return kept[1]

    def _place_still(
        self, film: Film, state: ShownState, area: QRectF, ratio: float
    ) -> tuple[PlacedText, ...]:
        """All but the moving lines: while a hand zooms or windows they are not worded again,
        which would take a fifth of a frame."""
        still = (
            ref(film), state.window.explanation, state.orientation, state.is_inverted,
            state.badges, state.letters, state.probe, state.are_graphics_shown, state.true_size,
            state.key_note, area.getRect(), ratio, font_scale(),
        )  # fmt: skip
        if still != self._still:
            corners, moving = self.words.corners(film, state), self.words.moving_lines(state)
            room = int(area.width())
            above = sum(fit_line(line, room).metrics().height() for line in moving)
            upper = (
                *self._place(corners.top_left, area, ratio, False, False),
                *self._place(corners.top_right, area, ratio, True, False),
            )
            self.upper_end = max(
                (text.corner.y() + text.pixmap.deviceIndependentSize().height() for text in upper),
                default=0.0,
            )
            self._placed_still = (
                *upper,
                *self._place(corners.bottom_left, area, ratio, False, True),
                *self._place(
                    corners.bottom_right[: -len(moving)],
                    area.adjusted(0, 0, 0, -above), ratio, True, True,
                ),
                *self._place(state.letters, area, ratio, False, False),
            )  # fmt: skip
            self._still = still
        return self._placed_still

    def _place(
        self,
        content: tuple[OverlayLine, ...] | SideLetters,
        area: QRectF,
        ratio: float,
        at_right: bool,
        at_bottom: bool,
    ) -> tuple[PlacedText, ...]:
        """Kept, because most corners stay the same from frame to frame and measuring takes
        longer than drawing."""
        key = content, area.getRect(), ratio, font_scale(), at_right, at_bottom
        placed = self._placed.pop(key, None)
        if placed is None:
            if isinstance(content, SideLetters):
                placed = tuple(self._place_letters(content, area, ratio))
            else:
                placed = tuple(self._place_corner(content, area, ratio, at_right, at_bottom))
        self._placed[key] = placed  # moved to the end: the first is the longest unused
        while len(self._placed) > _KEPT_CORNERS:
            del self._placed[next(iter(self._placed))]
        return placed

    def _place_corner(
        self,
        lines: tuple[OverlayLine, ...],
        area: QRectF,
        ratio: float,
        at_right: bool,
        at_bottom: bool,
    ) -> Iterator[PlacedText]:
        """Smaller, then on two lines where there is no room."""
        free = _LETTER_ROOM * font_scale()
        room = int(min(area.width() * _CORNER_SHARE, area.width() / 2 - free))
        fitted = [part for line in lines for part in fit_lines(line, room)]
        heights = [line.metrics().height() for line in fitted]
        top = area.bottom() - sum(heights) if at_bottom else area.top()
        for line, height in zip(fitted, heights, strict=True):
            metrics = line.metrics()
            width = metrics.horizontalAdvance(line.text)
            left = area.right() - width if at_right else area.left()
            baseline = QPointF(left, top + metrics.ascent())
            yield self._text_painter.place(baseline, line, ratio)
            top += height

    def _place_letters(
        self, letters: SideLetters, area: QRectF, ratio: float
    ) -> Iterator[PlacedText]:
        """In the middle of each side."""
        for text, points, across, down in (
            (letters.left, _SIDE_LETTER_POINTS, 0.0, 0.5),
            (letters.right, _SIDE_LETTER_POINTS, 1.0, 0.5),
            (letters.top, _END_LETTER_POINTS, 0.5, 0.0),
            (letters.bottom, _END_LETTER_POINTS, 0.5, 1.0),
        ):
            if not text:
                continue
            line = HaloedLine(text, points, COLOURS.bright_text, is_bold=True)
            width, height = line.metrics().horizontalAdvance(text), line.metrics().capHeight()
            baseline = QPointF(
                area.left() + across * (area.width() - width),
                area.top() + height + down * (area.height() - height),
            )
            yield self._text_painter.place(baseline, line, ratio)
