"""How a reader left a film: window, polarity, flips and turns. Zoom and pan are not kept.

Kept per image, so that the film comes back as it was read and a key image shows what the reader
saw (`measurement_store`). No Qt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from workstation.dicom.film import Film
from workstation.dicom.presentation_state import present
from workstation.dicom.voi import Voi, VoiFunction, Window
from workstation.dicom.window_choices import window_choices

BY_HAND = "as left by the reader"
"""Explanation of a window that was dragged."""


class UnreadableDisplayState(Exception):
    """What is kept can't be read."""


@dataclass(frozen=True)
class DisplayState:
    """What differs from the film as it opens.

    choice: the name in `window_choices`, window: one set by hand; without both the film's own.
    mirrored: left and right, done before `turns` clockwise quarter turns. presentation: label of
    the presentation state it was left under, "" without one; under another one it says nothing.
    """

    choice: str = ""
    window: Window | None = None
    is_inverted: bool = False
    turns: int = 0
    mirrored: bool = False
    presentation: str = ""

    def applies_to(self, film: Film) -> bool:
        return self.presentation == presentation_label(film)

    def voi_of(self, film: Film) -> Voi | None:
        """The window or LUT; None for the film's own, also where its choice is gone."""
        if self.window is not None:
            return self.window
        return dict(window_choices(film)).get(self.choice)

    def notes(self) -> tuple[str, ...]:
        """In words, for a caption; in English like the badges."""
        said = []
        if self.choice:
            said.append(f"window “{self.choice}”")
        if self.window is not None:
            said.append(f"W {self.window.width:g} L {self.window.center:g}")
        if self.is_inverted:
            said.append("inverted")
        if self.mirrored:
            said.append("mirrored")
        if self.turns:
            said.append(f"turned {self.turns * 90}°")
        return tuple(said)


def presentation_label(film: Film) -> str:
    """Names the presentation state a film is shown with."""
    return film.presentation.label if film.presentation is not None else ""


def presented_as(film: Film, label: str) -> Film:
    """The film with another of its presentation states, "" for none; itself where that is gone."""
    if label == presentation_label(film):
        return film
    if not label:
        return film.original or film
    asked = next((each for each in film.presentations if each.label == label), None)
    return film if asked is None else present(film, asked)


def opened_orientation(film: Film) -> tuple[int, bool]:
    """(turns, mirrored) as the film opens. A presentation state turns first, then flips (C.10.6):
    H R = R^-1 H."""
    asked = film.presentation
    if asked is None:
        return 0, False
    turns = asked.rotation_degrees // 90
    return (-turns % 4, True) if asked.is_flipped else (turns % 4, False)


def dump_display_state(state: DisplayState) -> dict[str, Any]:
    """As JSON values; `load_display_state` reads them."""
    return asdict(state)


def load_display_state(kept: object) -> DisplayState:
    """Raises UnreadableDisplayState."""
    if not isinstance(kept, Mapping):
        raise UnreadableDisplayState("not an object")
    try:
        state = DisplayState(
            choice=str(kept["choice"]),
            window=_load_window(kept["window"]),
            is_inverted=kept["is_inverted"] is True,
            turns=int(kept["turns"]) % 4,
            mirrored=kept["mirrored"] is True,
            presentation=str(kept["presentation"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableDisplayState(f"{type(error).__name__}: {error}") from error
    return state


def _load_window(kept: Any) -> Window | None:
    if kept is None:
        return None
    window = Window(float(kept["center"]), float(kept["width"]), kept["function"], BY_HAND)
    is_sound = math.isfinite(window.center) and math.isfinite(window.width) and window.width > 0
    if not is_sound or window.function not in get_args(VoiFunction):
        raise ValueError(f"no window: {kept}")
    return window
