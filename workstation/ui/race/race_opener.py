"""Opens the race window over the open study, or says why there can be none now."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from workstation.drafting.drafting_service import DraftingService
from workstation.drafting.eligibility import reason_not_to_draft
from workstation.ui.film.film_desk import FilmDesk
from workstation.ui.race.race_dialog import RaceDialog
from workstation.ui.race.race_ledger import RaceLedger, RaceSubject
from workstation.ui.reading_desk import ReadingDesk, Records


class RaceOpener(QObject):
    """At most one race window. trouble(text): why none was opened."""

    trouble = Signal(str)

    def __init__(
        self,
        records: Records,
        drafting: DraftingService,
        films: FilmDesk,
        desk: ReadingDesk,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._drafting, self._films, self._desk, self._window = drafting, films, desk, window
        self._ledger = RaceLedger(records.audit, records.user, self.trouble.emit)
        self.dialog: RaceDialog | None = None

    def open(self) -> None:
        """Over the films that a draft would be made of."""
        film, engine = self._films.film, self._drafting.engine_description
        reason = self._reason_against()
        if reason or film is None or engine is None:
            self.trouble.emit(reason)
            return
        lateral = self._films.lateral
        subject = RaceSubject(
            self._desk.study_instance_uid,
            (film,) if lateral is None else (film, lateral),
            self._desk.language,
            engine,
        )
        self.dialog = RaceDialog(subject, self._drafting, self._ledger, self._window)
        self.dialog.finished.connect(self.dialog.deleteLater)
        self.dialog.resize(self._window.size())
        self.dialog.open()

    def _reason_against(self) -> str:
        film, engine = self._films.film, self._drafting.engine_description
        if engine is None:
            return self.tr("No race: no model is loaded yet.")
        if film is None or self._films.is_lateral_loading:
            return self.tr("No race: no film is shown yet.")
        if self._drafting.is_drafting:
            return self.tr("No race while a draft is being written. Stop it, or wait for its end.")
        if len(engine.decoding_modes) < 2:
            return self.tr("No race: this model has one decoding strategy only.")
        return reason_not_to_draft(film.header)
