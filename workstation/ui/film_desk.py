"""The films of the open study: which of them is shown, and the lateral one beside it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from workstation.catalog.study_catalog import InstanceRow
from workstation.dicom.instance_reader import Film
from workstation.dicom.view_position import choose_model_films, find_lateral
from workstation.ui.film_loader import FilmLoader
from workstation.ui.lateral_companion import LateralCompanion
from workstation.ui.viewer.image_viewer import ImageViewer


class FilmDesk(QObject):
    """Holds the films of at most one study.

    Signals: films_changed(list[InstanceRow], which one is shown); film_changed() when the viewer
    shows another film, or none; companion_settled() when a lateral film asked for is there, or
    can't be read.
    """

    films_changed = Signal(list, int)
    film_changed = Signal()
    companion_settled = Signal()

    def __init__(
        self, loader: FilmLoader, viewer: ImageViewer, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._loader, self._viewer = loader, viewer
        self._companion = LateralCompanion(self)
        self._study_uid = ""
        self._films: list[InstanceRow] = []
        self._shown = 0
        self._max_images = 1
        loader.film_loaded.connect(self._on_film_loaded)
        loader.film_failed.connect(self._on_film_failed)
        self._companion.settled.connect(self.companion_settled)

    @property
    def count(self) -> int:
        """How many films the study has."""
        return len(self._films)

    @property
    def film(self) -> Film | None:
        """The film a draft is asked of."""
        return self._viewer.film

    @property
    def lateral(self) -> Film | None:
        """The lateral film that goes to the model with the other one."""
        return self._companion.film

    @property
    def is_lateral_loading(self) -> bool:
        return self._companion.is_loading

    def open(self, study_instance_uid: str, films: list[InstanceRow]) -> None:
        """Show a study; first a frontal film, if there is one: it is what the model is asked."""
        self._study_uid, self._films = study_instance_uid, films
        chosen = choose_model_films([film.view_position for film in films], max_images=1)
        self.show_film(chosen[0] if chosen else 0)

    def clear(self) -> None:
        """Show no study."""
        self._study_uid, self._films = "", []
        self._loader.cancel()
        self._companion.clear()
        self._viewer.set_film(None)
        self.films_changed.emit([], -1)

    def show_film(self, index: int) -> None:
        """Decode and show one of the study's films."""
        if not 0 <= index < len(self._films):
            self._viewer.set_message(self.tr("This study has no films."))
            return
        self._shown = index
        self._viewer.set_film(None)
        self._viewer.set_message(self.tr("Opening the film…"))
        self._loader.request(self._films[index].path)
        self._find_companion()
        self.film_changed.emit()
        self.films_changed.emit(list(self._films), index)

    def set_max_images(self, max_images: int) -> None:
        """How many films the model takes."""
        self._max_images = max_images
        if self._films:
            self._find_companion()

    def shutdown(self) -> None:
        """When the window is gone: end the thread that reads the lateral film."""
        self._companion.shutdown()

    def _find_companion(self) -> None:
        """The lateral film that goes to the model with the one shown, if the model takes two."""
        lateral = find_lateral([film.view_position for film in self._films])
        if self._max_images < 2 or lateral is None or lateral == self._shown:
            self._companion.clear()
        else:
            self._companion.request(self._films[lateral].path, self._study_uid)

    def _on_film_loaded(self, path: str, film: Film) -> None:
        if film.header.study_instance_uid != self._study_uid:
            # The file was replaced on disk since its import: never show it under another name.
            self._on_film_failed(path, self.tr("the file now belongs to another study"))
            return
        self._viewer.set_film(film)
        self.film_changed.emit()

    def _on_film_failed(self, path: str, reason: str) -> None:
        self._viewer.set_film(None)
        self._viewer.set_message(
            self.tr("This film can't be shown"), f"{path}\n{reason}", is_error=True
        )
        self.film_changed.emit()
