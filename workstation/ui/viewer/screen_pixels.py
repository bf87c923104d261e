"""How large a pixel of a screen is, where the screen says so itself."""

from __future__ import annotations

from PySide6.QtGui import QScreen

_PLAUSIBLE_MM = (0.03, 1.5)
"""From a telephone's pixel to a projector's."""


def pixel_size_mm(screen: QScreen | None) -> float | None:
    """Millimetres across a device pixel; None where the screen has not told.

    Qt makes up a size (100 dots an inch) for a screen without EDID; such a screen has no maker
    and model either.
    """
    if screen is None or not (screen.manufacturer() or screen.model()):
        return None
    pixels = screen.geometry().width() * screen.devicePixelRatio()
    width_mm = screen.physicalSize().width()
    if pixels <= 0 or width_mm <= 0:
        return None
    size = width_mm / pixels
    return size if _PLAUSIBLE_MM[0] <= size <= _PLAUSIBLE_MM[1] else None
