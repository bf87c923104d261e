"""Windows that are opened no larger than their screen."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

_FRAME = (16, 48)
"""What the window system puts around a window (logical pixels), about."""


def resize_on_screen(window: QWidget, width: int, height: int) -> None:
    """The size asked for, or what the screen of its parent has room for."""
    parent = window.parentWidget()
    free = (parent if parent is not None else window).screen().availableGeometry()
    window.resize(min(width, free.width() - _FRAME[0]), min(height, free.height() - _FRAME[1]))
