"""How far a model load is, carried from the loading thread to the main one."""

from __future__ import annotations

from PySide6.QtCore import Signal

from inference import LoadProgress
from workstation.drafting.main_thread_teller import MainThreadTeller


class LoadReporter(MainThreadTeller):
    """A ProgressListener; hand it to the engine loader and connect `reported` to
    DraftingService.report_loading. Made on the main thread, called on any."""

    reported = Signal(object)  # LoadProgress

    def __call__(self, progress: LoadProgress) -> None:
        self.tell("reported", progress)
