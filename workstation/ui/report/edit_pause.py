"""When a report has been edited and rests: the time to save it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import Edit

EDITS_COALESCED_MS = 200


class EditPause(QObject):
    """Listens to one report at a time. edits_made comes once EDITS_COALESCED_MS after the last
    edit."""

    edits_made = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop_listening = _do_nothing
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(EDITS_COALESCED_MS)
        self._pause.timeout.connect(self.edits_made)

    def listen_to(self, report: DraftReport | None) -> None:
        """To this report's edits from now on, and to none of another."""
        self._stop_listening()
        self._stop_listening = report.on_edit(self._on_edit) if report else _do_nothing

    def _on_edit(self, _edit: Edit) -> None:
        self._pause.start()


def _do_nothing() -> None:
    """Stands in where no report is observed."""
