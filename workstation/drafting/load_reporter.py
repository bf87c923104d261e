"""How far a model load is, carried from the loading thread to the main one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from inference import LoadProgress


class LoadReporter(QObject):
    """A ProgressListener; hand it to the engine loader and connect `reported` to
    DraftingService.report_loading. Made on the main thread, called on any."""

    reported = Signal(object)  # LoadProgress

    def __call__(self, progress: LoadProgress) -> None:
        self.reported.emit(progress)
