"""A race as a QObject: made on the main thread, run on the drafting thread."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence

from PySide6.QtCore import Signal

from inference import CancelToken, DecodingMode, DraftEvent, GenerationRequest
from workstation.drafting.drafting_engine import DraftingEngine, describe_error
from workstation.drafting.main_thread_teller import MainThreadTeller
from workstation.drafting.race import run_race

_log = logging.getLogger(__name__)


class DecodingRace(MainThreadTeller):
    """One race; hand it to DraftingService.run_task once.

    Ends in exactly one of finished, stopped, failed. All signals are of the main thread.
    """

    run_started = Signal(str, int, int)  # decoding, lap from 1, laps (0: not known yet)
    event_happened = Signal(str, object)  # decoding, DraftEvent; first lap only
    finished = Signal(object)  # RaceResult
    stopped = Signal()
    failed = Signal(str)

    def __init__(self, requests: Sequence[GenerationRequest]) -> None:
        super().__init__()
        self.requests = tuple(requests)
        self.cancel_token = CancelToken()

    def run(self, engine: DraftingEngine | None) -> None:
        """On the drafting thread."""
        if engine is None:
            self.tell("failed", self.tr("No model is loaded."))
            return
        failure, result = "", None
        try:
            result = run_race(engine, self.requests, self.cancel_token, self)
        except Exception as error:  # a bug; the drafting thread must outlive it
            _log.error("the race failed:\n%s", traceback.format_exc())
            failure = describe_error(error)
        if failure:
            self.tell("failed", failure)
        elif result is None:
            self.tell("stopped")
        else:
            self.tell("finished", result)

    def on_run_started(self, decoding: DecodingMode, lap: int, laps: int) -> None:
        self.tell("run_started", decoding, lap, laps)

    def on_event(self, decoding: DecodingMode, event: DraftEvent) -> None:
        self.tell("event_happened", decoding, event)
