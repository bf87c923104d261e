"""Edits waiting to be saved. Qt-free: the UI calls flush at most every two seconds."""

from __future__ import annotations

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import Edit, coalesce_edits
from workstation.reporting.versions.report_store import ReportStore, SaveBasis
from workstation.reporting.versions.report_version import DraftOrigin
from workstation.reporting.versions.stored_report import OpenCorrection


class Autosave:
    """Collects the edits of one report and saves them, typing coalesced.

    A flush that fails raises CatalogUnavailable and keeps everything for the next one.
    correction: the one that the report is the text of; None where it is none.
    """

    def __init__(
        self,
        store: ReportStore,
        study_instance_uid: str,
        report: DraftReport,
        correction: OpenCorrection | None = None,
    ) -> None:
        self._store = store
        self._correction_started_at = "" if correction is None else correction.started_at
        self._study_instance_uid = study_instance_uid
        self._report = report
        self._saved_state = report.state
        self._pending: list[Edit] = []
        self._origin: DraftOrigin | None = None
        self._stop_observing = report.on_edit(self._pending.append)

    @property
    def is_dirty(self) -> bool:
        if self._pending or self._origin is not None:
            return True
        state, saved = self._report.state, self._saved_state
        has_text = not (state.is_blank and saved.is_blank)  # a language alone is nothing to keep
        return has_text and state != saved

    def set_origin(self, origin: DraftOrigin) -> None:
        """To be saved with the next flush: where the AI draft just taken over came from."""
        self._origin = origin

    def flush(self) -> bool:
        """Save what is waiting; False if there was nothing.

        Raises what ReportStore.save_draft raises; then everything still waits.
        """
        if not self.is_dirty:
            return False
        state, count, origin = self._report.state, len(self._pending), self._origin
        edits = coalesce_edits(self._pending)
        basis = SaveBasis(self._saved_state, self._correction_started_at)
        self._store.save_draft(self._study_instance_uid, state, edits, origin=origin, basis=basis)
        del self._pending[:count]
        self._saved_state, self._origin = state, None
        return True

    def set_aside(self, reason: str) -> None:
        """Keep what can never be saved in its place (another window was faster, the report is
        signed, the study gone), and stop listening. Raises CatalogUnavailable; then call again."""
        if self.is_dirty:
            edits = coalesce_edits(self._pending)
            self._store.set_aside(self._study_instance_uid, self._report.state, edits, reason)
        self._stop_observing()

    def close(self) -> None:
        """Flush and stop listening to the report. If the flush fails, it goes on listening."""
        self.flush()
        self._stop_observing()
