"""What stands in the corners of a film: patient, study, view, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject

from workstation.dicom.display_attributes import BADGE_PRESENTED
from workstation.dicom.film import Film, InstanceHeader
from workstation.dicom.voi import Voi, Window
from workstation.ui.film.header_wording import age_at, iso_date, join_present
from workstation.ui.viewer.film_picture import TrueSize
from workstation.ui.viewer.overlay_lines import OverlayLine
from workstation.ui.viewer.view_geometry import Orientation, SideLetters

_WARNING_MARK = "▲ "
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
    modality value) under the pointer. key_note: what is kept of it as key images."""

    window: Voi
    zoom: float
    orientation: Orientation
    is_inverted: bool
    badges: tuple[str, ...]
    letters: SideLetters
    probe: tuple[int, int, float] | None = None
    are_graphics_shown: bool = True
    true_size: TrueSize = "not asked"
    key_note: str = ""


class CornerWords(QObject):
    """Words the corners, translated."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worded: WeakKeyDictionary[Film, _UpperLines] = WeakKeyDictionary()

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
            OverlayLine(state.key_note),
            OverlayLine(name, "quiet"),
            *self.moving_lines(state),
        ]

    def moving_lines(self, state: ShownState) -> tuple[OverlayLine, ...]:
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
