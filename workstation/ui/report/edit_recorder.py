"""The edits of one report since they were last taken to be saved and audited."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import Edit

EDITS_COALESCED_MS = 200


class EditRecorder(QObject):
    """Listens to one report at a time. edits_made is coalesced."""

    edits_made = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop_listening = _do_nothing
        self._edits: list[Edit] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(EDITS_COALESCED_MS)
        self._pause.timeout.connect(self.edits_made)

    @property
    def edits(self) -> list[Edit]:
        return list(self._edits)

    def listen_to(self, report: DraftReport | None) -> None:
        """Record this report's edits from now on, and none of another."""
        self._stop_listening()
        self._edits = []
        self._stop_listening = report.on_edit(self._record) if report else _do_nothing

    def clear(self) -> None:
        """They were taken; the list starts anew."""
        self._edits.clear()

    def _record(self, edit: Edit) -> None:
        self._edits.append(edit)
        self._pause.start()


def _do_nothing() -> None:
    """Stands in where no report is observed."""
