"""One line of what is written over a film, and how it is made to fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import Qt

from workstation.ui.theme import COLOURS, font_scale
from workstation.ui.viewer.haloed_text import HaloedLine

LineStyle = Literal["strong", "plain", "quiet", "warning", "moving"]

_QUIET_INK = "#b9bec4"
"""Quieter than text, yet readable with its halo on the white parts of a film."""
_POINT_SIZES: dict[LineStyle, float] = {
    "strong": 12.5, "plain": 10.5, "quiet": 10, "warning": 10.5, "moving": 10.5,
}  # fmt: skip
_SMALLER = (10.5, 9.0)
"""Before a line is broken, and before any of it is cut off; at last as small at any text size."""
_BREAKS = (" · ", " (", ", ", "  ", " ")
"""Where a line may be broken, the best first."""
_INKS: dict[LineStyle, str] = {
    "strong": COLOURS.bright_text,
    "plain": COLOURS.text,
    "quiet": _QUIET_INK,
    "warning": COLOURS.amber,
    "moving": COLOURS.text,
}


@dataclass(frozen=True)
class OverlayLine:
    """One line of a corner."""

    text: str
    style: LineStyle = "plain"


def fit_line(line: OverlayLine, room: int) -> HaloedLine:
    """A line that is too long is written smaller before any of it is cut off."""
    style = line.style
    haloed = HaloedLine(line.text, _POINT_SIZES[style], _INKS[style], is_bold=style == "strong")
    for smaller in (*_SMALLER, _SMALLER[-1] / max(font_scale(), 1.0)):
        if haloed.metrics().horizontalAdvance(line.text) > room:
            haloed = replace(haloed, point_size=min(smaller, haloed.point_size))
    text = haloed.metrics().elidedText(line.text, Qt.TextElideMode.ElideRight, room)
    return replace(haloed, text=text)


def fit_lines(line: OverlayLine, room: int) -> tuple[HaloedLine, ...]:
    """One line, or two where it would be cut off in one: who the patient is must not be guessed
    from dots."""
    fitted = fit_line(line, room)
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
