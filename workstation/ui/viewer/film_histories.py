"""The marks of each film once, however many viewports show it: what is drawn in one is seen in
all, none writes over another's, and undo outlives the film's leaving the screen."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from workstation.reading.film_history import FilmHistory, FilmMarks

_MOST_FILMS = 64


class FilmHistories(QObject):
    """Signal: changed(sop_instance_uid)."""

    changed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._opened: dict[str, FilmHistory] = {}

    def open(self, sop_instance_uid: str, stored: FilmMarks) -> FilmHistory:
        """The history of a film; a new one where something else is stored by now."""
        history = self._opened.pop(sop_instance_uid, None)
        if history is None or history.marks != stored:
            history = FilmHistory(stored)
        self._opened[sop_instance_uid] = history  # moved to the end: the first is the oldest
        while len(self._opened) > _MOST_FILMS:
            del self._opened[next(iter(self._opened))]
        return history
