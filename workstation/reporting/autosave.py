"""Edits waiting to be saved. Qt-free: the UI calls flush at most every two seconds."""

from __future__ import annotations

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_store import DraftOrigin, ReportStore


class Autosave:
    """Collects the edits of one report and saves them, typing coalesced.

    A flush that fails raises CatalogUnavailable and keeps everything for the next one.
    """

    def __init__(self, store: ReportStore, study_instance_uid: str, report: DraftReport) -> None:
        raise NotImplementedError

    @property
    def is_dirty(self) -> bool:
        raise NotImplementedError

    def set_origin(self, origin: DraftOrigin) -> None:
        """To be saved with the next flush: where the AI draft just taken over came from."""

    def flush(self) -> bool:
        """Save what is waiting; False if there was nothing."""
        raise NotImplementedError

    def close(self) -> None:
        """Flush and stop listening to the report."""
