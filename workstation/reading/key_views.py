"""Key images as their reader kept them: which part of a film, and how it was shown. No Qt.

The figures on them are those of the film: what is corrected there is corrected here.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workstation.reading.display_state import (
    DisplayState,
    UnreadableDisplayState,
    dump_display_state,
    load_display_state,
)

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in stored pixels, continuous."""


class UnreadableKeyView(ValueError):
    """What was stored is no key image this version knows."""


@dataclass(frozen=True)
class KeyView:
    """box: the part that was on screen, None for the whole film. display: window, polarity and
    orientation. with_figures, with_graphics: whether the reader's figures, and overlays and
    annotations of the file, were shown."""

    display: DisplayState
    box: Box | None = None
    frame_index: int = 0
    with_figures: bool = True
    with_graphics: bool = True
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        if self.frame_index < 0:
            raise ValueError(f"no frame {self.frame_index}")
        if self.box is not None:
            left, top, right, bottom = self.box
            if not (all(map(math.isfinite, self.box)) and left < right and top < bottom):
                raise ValueError(f"no part of a film: {self.box}")


def dump_key_views(views: Sequence[KeyView]) -> list[dict[str, Any]]:
    """As JSON values, for the catalog."""
    return [
        {
            "id": view.id,
            "display": dump_display_state(view.display),
            "box": None if view.box is None else list(view.box),
            "frame_index": view.frame_index,
            "with_figures": view.with_figures,
            "with_graphics": view.with_graphics,
        }
        for view in views
    ]


def load_key_views(values: object) -> tuple[KeyView, ...]:
    """The reverse of `dump_key_views`. Raises UnreadableKeyView."""
    if not isinstance(values, list):
        raise UnreadableKeyView("key images are no list")
    return tuple(_load_key_view(value) for value in values)


def _load_key_view(value: object) -> KeyView:
    if not isinstance(value, Mapping):
        raise UnreadableKeyView("a key image is no object")
    try:
        box = value["box"]
        if box is not None:
            left, top, right, bottom = (float(edge) for edge in box)
            box = left, top, right, bottom
        return KeyView(
            display=load_display_state(value["display"]),
            box=box,
            frame_index=int(value["frame_index"]),
            with_figures=value["with_figures"] is True,
            with_graphics=value["with_graphics"] is True,
            id=str(value["id"]),
        )
    except (KeyError, TypeError, ValueError, UnreadableDisplayState) as error:
        raise UnreadableKeyView(f"a key image can not be read: {error}") from error


def digest_of(values: object) -> str:
    """Sixteen hexadecimal digits that tell key images apart."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
