"""Python's cycle collector, kept on the main thread.

Left alone it runs on whichever thread happens to allocate: on the drafting thread it would destroy
widgets that are garbage there, and Qt takes the process down.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

_EVERY_MS = 500
_FULL_EVERY_S = 60.0  # a full collection beside a loaded model takes 0.16 s of processor time
_OLDEST = 2


class CycleCollection(QObject):
    """Collects while the event loop runs, by the collector's own thresholds. One for a process."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._last_full = time.monotonic()
        timer = QTimer(self)
        timer.setInterval(_EVERY_MS)
        timer.timeout.connect(self.collect_if_due)
        timer.start()

    def collect_if_due(self) -> None:
        """Never a full collection while a mouse button is down: a drag must not stutter."""
        counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [generation for generation, (count, limit) in enumerate(counts) if count > limit > 0]
        if not due:
            return
        generation = max(due)
        if generation == _OLDEST:
            is_dragging = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
            if is_dragging or time.monotonic() - self._last_full < _FULL_EVERY_S:
                generation -= 1
            else:
                self._last_full = time.monotonic()
        gc.collect(generation)
