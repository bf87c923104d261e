"""Looks at model folders on the drafting thread, where torch is: what they are, where they fit."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Signal

from inference import CancelToken, inspect_model
from workstation.drafting.drafting_engine import DraftingEngine, describe_error
from workstation.drafting.main_thread_teller import MainThreadTeller

_log = logging.getLogger(__name__)


class ModelInspector(MainThreadTeller):
    """An EngineTask for one look at some folders. folders: by the name they are known by.

    Every folder is answered by inspected or refused, unless it is cancelled. Nothing is loaded.
    """

    inspected = Signal(str, object)  # name, ModelInspection (not hashed)
    refused = Signal(str, str)  # name, reason

    def __init__(self, folders: Mapping[str, Path | str]) -> None:
        super().__init__()
        self._folders = dict(folders)
        self.cancel_token = CancelToken()

    def run(self, engine: DraftingEngine | None) -> None:
        """On the drafting thread; the engine is not used."""
        for name, folder in self._folders.items():
            if self.cancel_token.is_cancelled:
                return
            failure = ""
            try:
                self.tell("inspected", name, inspect_model(folder, is_hashed=False))
            except Exception as error:  # a broken folder must not end the thread
                _log.info("inspecting %s failed:\n%s", name, traceback.format_exc())
                failure = describe_error(error)
            if failure:
                self.tell("refused", name, failure)
