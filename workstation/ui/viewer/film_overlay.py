"""What is written over a film: patient, study, view, window and the letters of the sides.

Every piece of text has a dark halo, so that it is readable on white film too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple
from weakref import WeakKeyDictionary, ref

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from workstation.dicom.display_pipeline import BADGE_PRESENTED, Voi, Window
from workstation.dicom.film import Film, InstanceHeader
from workstation.ui.film.header_wording import age_at, iso_date, join_present
from workstation.ui.theme import COLOURS, font_scale
from workstation.ui.viewer.film_picture import TrueSize
from workstation.ui.viewer.haloed_text import (
    HaloedLine,
    HaloedTextPainter,
    PlacedText,
    pixel_ratio_of,
)
from workstation.ui.viewer.view_geometry import Orientation, SideLetters

LineStyle = Literal["strong", "plain", "quiet", "warning", "moving"]

_MARGIN = 14.0
_QUIET_INK = "#b9bec4"
"""Quieter than text, yet readable with its halo on the white parts of a film."""
_POINT_SIZES: dict[LineStyle, float] = {
    "strong": 12.5, "plain": 10.5, "quiet": 10, "warning": 10.5, "moving": 10.5,
}  # fmt: skip
_SMALLER = (10.5, 9.0)
"""Before a line is broken, and before any of it is cut off."""
_BREAKS = (" · ", " (", ", ", "  ", " ")
"""Where a line may be broken, the best first."""
_INKS: dict[LineStyle, str] = {
    "strong": COLOURS.bright_text,
    "plain": COLOURS.text,
    "quiet": _QUIET_INK,
    "warning": COLOURS.amber,
    "moving": COLOURS.text,
}
_SIDE_LETTER_POINTS = 26.0
_END_LETTER_POINTS = 17.0
"""Head and feet, or whatever lies above and below, are less often in doubt than the sides."""
_KEPT_CORNERS = 16
_CORNER_SHARE = 0.48
"""Of the width, at most."""
_LETTER_ROOM = 14
"""Left free on each side of the middle, for the letters at the top and bottom: logical pixels at
the usual text size."""
_WARNING_MARK = "▲ "


@dataclass(frozen=True)
class OverlayLine:
    """One line of a corner."""

    text: str
    style: LineStyle = "plain"


_UpperLines = tuple[tuple[OverlayLine, ...], tuple[OverlayLine, ...]]


@dataclass(frozen=True)
class Corners:
    """The lines of the four corners, from top to bottom."""

    top_left: tuple[OverlayLine, ...] = ()
    top_right: tuple[OverlayLine, ...] = ()
    bottom_left: tuple[OverlayLine, ...] = ()
    bottom_right: tuple[OverlayLine, ...] = ()

    @property
    def text(self) -> str:
        """All lines, corner by corner."""
        lines = (*self.top_left, *self.top_right, *self.bottom_left, *self.bottom_right)
        return "\n".join(line.text for line in lines)


class ShownState(NamedTuple):
    """How the film is shown just now, as far as the overlay tells it. probe: (column, row,
    modality value) under the pointer."""

    window: Voi
    zoom: float
    orientation: Orientation
    is_inverted: bool
    badges: tuple[str, ...]
    letters: SideLetters
    probe: tuple[int, int, float] | None = None
    are_graphics_shown: bool = True
    true_size: TrueSize = "not asked"


class FilmOverlay(QObject):
    """Words the corners (translated) and paints them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._text_painter = HaloedTextPainter()
        self._placed: dict[Hashable, tuple[PlacedText, ...]] = {}
        self._worded: WeakKeyDictionary[Film, _UpperLines] = WeakKeyDictionary()
        self._still: tuple[object, ...] = ()
        self._placed_still: tuple[PlacedText, ...] = ()
        self._placed_moving: dict[Hashable, tuple[Voi, tuple[PlacedText, ...]]] = {}

    def corners(self, film: Film, state: ShownState) -> Corners:
        words = self._worded.get(film)
        if words is None:
            words = (
                _without_blanks(self._patient_lines(film)),
                _without_blanks(self._study_lines(film)),
            )
            self._worded[film] = words
        return Corners(
            *words,
            _without_blanks(self._view_lines(film, state)),
            _without_blanks(self._display_lines(film, state)),
        )

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
            placed = self._place(self._moving_lines(state), area, ratio, True, True)
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
            area.getRect(), ratio, font_scale(),
        )  # fmt: skip
        if still != self._still:
            corners, moving = self.corners(film, state), self._moving_lines(state)
            room = int(area.width())
            above = sum(_fit_line(line, room).metrics().height() for line in moving)
            self._placed_still = (
                *self._place(corners.top_left, area, ratio, False, False),
                *self._place(corners.top_right, area, ratio, True, False),
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
        fitted = [part for line in lines for part in _fit_lines(line, room)]
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

    def _patient_lines(self, film: Film) -> list[OverlayLine]:
        header = film.header
        name = header.patient_name or self.tr("(no patient name)")
        born = iso_date(header.patient_birth_date)
        details = join_present(
            self.tr("born {0}").format(born) if born else "",
            age_at(header.patient_birth_date, header.study_date),
            header.patient_sex,
        )
        identity = self.tr("ID {0}").format(header.patient_id) if header.patient_id else ""
        return [OverlayLine(name, "strong"), OverlayLine(identity), OverlayLine(details)]

    def _study_lines(self, film: Film) -> list[OverlayLine]:
        header = film.header
        if header.source_format != "DICOM":
            return [OverlayLine(film.path.name), OverlayLine(header.source_format, "quiet")]
        when = join_present(iso_date(header.study_date), _clock(header.study_time), separator="  ")
        accession = header.accession_number
        return [
            OverlayLine(header.study_description),
            OverlayLine(when),
            OverlayLine(self.tr("acc. {0}").format(accession) if accession else ""),
        ]

    def _view_lines(self, film: Film, state: ShownState) -> list[OverlayLine]:
        header = film.header
        probe = ""
        if state.probe is not None:
            column, row, value = state.probe
            probe = self.tr("x {0}  y {1}  value {2}").format(column, row, _number(value))
        unstated = state.letters == SideLetters()
        return [
            OverlayLine(probe, "quiet"),
            OverlayLine(self.tr("sides not stated in the file") if unstated else "", "quiet"),
            OverlayLine(self._view_name(header), "strong"),
            OverlayLine(join_present(header.modality, header.body_part)),
            OverlayLine(self._size_line(film), "quiet"),
        ]

    def _view_name(self, header: InstanceHeader) -> str:
        sides = {"R": self.tr("right"), "L": self.tr("left"), "B": self.tr("both sides")}
        side = sides.get(header.image_laterality, "")
        return join_present(header.view_position or self.tr("view not stated"), side)

    def _size_line(self, film: Film) -> str:
        size = f"{film.header.columns} × {film.header.rows}"
        spacing = film.display.pixel_spacing_mm
        if spacing is None:
            return self.tr("{0}, no pixel spacing").format(size)
        if film.display.spacing_kind == "calibrated":
            return self.tr("{0}, {1:.3f} mm").format(size, spacing[1])
        return self.tr("{0}, {1:.3f} mm at detector").format(size, spacing[1])

    def _display_lines(self, film: Film, state: ShownState) -> list[OverlayLine]:
        badges = (self._badge_words(badge, film) for badge in state.badges)
        flags = [OverlayLine(_WARNING_MARK + words, "warning") for words in badges]
        if film.presentations and film.presentation is None:
            flags.append(OverlayLine(_WARNING_MARK + self.tr("presentation state off"), "warning"))
        if not state.are_graphics_shown and _has_graphics(film):
            flags.append(OverlayLine(_WARNING_MARK + self.tr("overlays hidden"), "warning"))
        if state.true_size == "screen unknown":
            words = self.tr("true size asked; the screen's pixel size is unknown")
            flags.append(OverlayLine(_WARNING_MARK + words, "warning"))
        if state.is_inverted:
            flags.append(OverlayLine(_WARNING_MARK + self.tr("inverted"), "warning"))
        if state.orientation.mirrored:
            flags.append(OverlayLine(_WARNING_MARK + self.tr("mirrored"), "warning"))
        if state.orientation.turns:
            turned = self.tr("turned {0}°").format(state.orientation.turns * 90)
            flags.append(OverlayLine(_WARNING_MARK + turned, "warning"))
        name = "" if state.window.explanation in state.badges else state.window.explanation
        return [
            *flags,
            OverlayLine(name, "quiet"),
            *self._moving_lines(state),
        ]

    def _moving_lines(self, state: ShownState) -> tuple[OverlayLine, ...]:
        """The last ones of the lower right corner, which change as a hand drags."""
        window, zoom = self.window_words(state.window), self._zoom_words(state)
        return OverlayLine(window, "moving"), OverlayLine(zoom, "moving")

    def _zoom_words(self, state: ShownState) -> str:
        words = self.tr("zoom {0:.0f}%").format(state.zoom * 100)
        return f"{words}  {self.tr('true size')}" if state.true_size == "shown" else words

    def _badge_words(self, badge: str, film: Film) -> str:
        if badge == BADGE_PRESENTED and film.presentation is not None:
            named = film.presentation.description or film.presentation.label
            return self.tr("presentation state “{0}”").format(named) if named else badge
        return badge

    def window_words(self, window: Voi) -> str:
        """ "W 2400  L 1200", or that a lookup table is shown."""
        if not isinstance(window, Window):
            return self.tr("lookup table")
        words = self.tr("W {0}  L {1}").format(_number(window.width), _number(window.center))
        return (
            words
            if window.function == "LINEAR"
            else f"{words}  {window.function.lower().replace('_', ' ')}"
        )


def _fit_line(line: OverlayLine, room: int) -> HaloedLine:
    """A line that is too long is written smaller before any of it is cut off."""
    style = line.style
    haloed = HaloedLine(line.text, _POINT_SIZES[style], _INKS[style], is_bold=style == "strong")
    for smaller in _SMALLER:
        if haloed.metrics().horizontalAdvance(line.text) > room:
            haloed = replace(haloed, point_size=min(smaller, haloed.point_size))
    text = haloed.metrics().elidedText(line.text, Qt.TextElideMode.ElideRight, room)
    return replace(haloed, text=text)


def _fit_lines(line: OverlayLine, room: int) -> tuple[HaloedLine, ...]:
    """One line, or two where it would be cut off in one: who the patient is must not be guessed
    from dots."""
    fitted = _fit_line(line, room)
    if fitted.text == line.text or line.style == "moving":
        return (fitted,)
    metrics = fitted.metrics()
    first, _, rest = line.text.partition(_BREAKS[0])
    if rest and all(metrics.horizontalAdvance(part) <= room for part in (first, rest)):
        return replace(fitted, text=first), replace(fitted, text=rest)  # no lone last word
    for mark in _BREAKS:
        head, found, rest = line.text.rpartition(mark)
        while found and metrics.horizontalAdvance(head) > room:
            head, found, last = head.rpartition(mark)
            rest = f"{last}{mark}{rest}"
        if found and head.strip():
            head, rest = head + ("," if mark == ", " else ""), mark.strip(" ·,") + rest.strip()
            cut = metrics.elidedText(rest, Qt.TextElideMode.ElideRight, room)
            return replace(fitted, text=head), replace(fitted, text=cut)
    return (fitted,)


def _has_graphics(film: Film) -> bool:
    return film.overlay_mask is not None or bool(
        film.presentation is not None and film.presentation.annotations
    )


def _without_blanks(lines: list[OverlayLine]) -> tuple[OverlayLine, ...]:
    return tuple(line for line in lines if line.text.strip())


def _clock(value: str) -> str:
    """09:41 of a TM value (PS3.5 6.2), "" where it is none."""
    digits = value.strip()[:4]
    if len(digits) < 4 or not (digits.isascii() and digits.isdigit()):
        return ""
    return f"{digits[:2]}:{digits[2:]}"


def _number(value: float) -> str:
    """Whole numbers from 10 on, three digits below."""
    return f"{value:.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.3g}"
