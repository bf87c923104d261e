"""Pictures without a patient: asked about one after the other, described, listed anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from workstation.catalog.database import CatalogUnavailable
from workstation.catalog.study_catalog import StudyCatalog
from workstation.intake.picture_details import PictureDescriber, PictureDetails, guess_details
from workstation.ui.intake.picture_form import PictureForm, UndescribedPicture
from workstation.ui.studies.study_list import StudyList
from workstation.ui.studies.thumbnail_loader import ThumbnailLoader

PICTURE_FORMATS = ("PNG", "JPEG")

RunInBackground = Callable[[Callable[[], object], Callable[[object], None]], None]
"""(what to do on a thread, what to do with its result on the main one)"""


class OpenStudy(Protocol):
    """Of ReadingDesk, what is needed here: a study must leave the desk before it is changed."""

    @property
    def study_instance_uid(self) -> str: ...
    def leave_study(self) -> bool: ...


class PictureDesk(QObject):
    """Signals: said(text) for the status line; studies_changed() when a picture got its patient."""

    said = Signal(str)
    studies_changed = Signal()

    def __init__(
        self,
        catalog: StudyCatalog,
        describer: PictureDescriber,
        studies: StudyList,
        desk: OpenStudy,
        thumbnails: ThumbnailLoader,
        run: RunInBackground,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._catalog, self._describer, self._studies = catalog, describer, studies
        self._desk, self._thumbnails, self._run, self._window = desk, thumbnails, run, window
        self._pictures: deque[UndescribedPicture] = deque()
        self._joinable = ("", "")  # study described last, and its patient's name
        self.form: PictureForm | None = None

    def show_trouble(self, reason: str) -> None:
        """In the form, if it is open."""
        if self.form is not None:
            self.form.show_trouble(reason)

    def ask_about(self, pictures: list[tuple[str, str]]) -> None:
        """(study, SOP instance) each; sop "": every picture of the study."""
        for study_uid, sop_uid in pictures:
            try:
                films = self._catalog.instances(study_uid)
            except CatalogUnavailable as error:
                self.said.emit(str(error))
                return
            for film in films:
                is_asked = sop_uid in ("", film.sop_instance_uid)
                if is_asked and film.source_format in PICTURE_FORMATS:
                    picture = UndescribedPicture(study_uid, film.sop_instance_uid, film.path)
                    self._pictures.append(picture)
        if self._pictures and self.form is None:
            self.form = PictureForm(self._window)
            self.form.details_given.connect(self._on_details_given)
            self.form.skipped.connect(self._on_skipped)
            self._joinable = ("", "")
            self._show_next_picture()
            self.form.open()

    def _show_next_picture(self) -> None:
        form = self.form
        if form is None:
            return
        if not self._pictures:
            self.form = None
            form.blockSignals(True)
            form.close()
            form.deleteLater()
            return
        picture, left = self._pictures[0], len(self._pictures) - 1
        form.show_picture(picture, guess_details(picture.path), left, self._joinable[1])
        self.show_preview()

    def show_preview(self) -> None:
        """The picture asked about, once its thumbnail is there."""
        if self.form is None or not self._pictures:
            return
        uid = self._pictures[0].study_instance_uid
        at = self._studies.model.studies.position_of(uid)
        row = self._studies.model.studies.rows[at] if at is not None else None
        shown = self._thumbnails.thumbnail(row) if row is not None else None
        if shown is not None and not shown.isNull():
            self.form.show_preview(shown)

    def _on_skipped(self, is_all: bool) -> None:
        if is_all:
            self._pictures.clear()
        else:
            self._pictures.popleft()
        self._show_next_picture()

    def _on_details_given(self, details: PictureDetails, joins: bool) -> None:
        picture = self._pictures[0]
        uid = picture.study_instance_uid
        if self._desk.study_instance_uid == uid and not self._desk.leave_study():
            self.show_trouble(self.tr("The open report could not be saved."))
            return
        into_study = self._joinable[0] if joins else ""

        def describe() -> tuple[str, PictureDetails]:
            sop_uid = picture.sop_instance_uid
            target = self._describer.describe(uid, sop_uid, details, into_study=into_study)
            return target, details

        self._run(describe, self._on_described)

    def _on_described(self, result: object) -> None:
        assert isinstance(result, tuple)
        study_uid, details = result
        name = details.patient_name or details.patient_id or self.tr("(no name)")
        self._joinable = (study_uid, name)
        self._pictures.popleft()
        self._thumbnails.forget({study_uid})
        self.studies_changed.emit()
        self._studies.reopen(study_uid)
        self._show_next_picture()
