"""Which films of the open study go to the model: one on screen, and the study's lateral one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from workstation.dicom.film import Film
from workstation.dicom.view_position import FRONTAL_VIEWS, choose_model_films, find_lateral
from workstation.ui.film.hung_film import HungFilm
from workstation.ui.film.lateral_companion import LateralCompanion
from workstation.ui.film.viewport_place import ViewportPlace


class DraftedFilms(QObject):
    """shown(): the places on screen, the active one first. Whatever they show, no film of another
    study is ever drafted."""

    def __init__(
        self,
        shown: Callable[[], Sequence[ViewportPlace]],
        data_folder: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown = shown
        self.companion = LateralCompanion(self, data_folder)
        self._max_images = 1
        self._films: Sequence[HungFilm] = ()

    @property
    def place(self) -> ViewportPlace | None:
        """Where the film hangs that a draft is asked of: frontal if there is one."""
        active, *others = self._shown()
        places = [place for place in (active, *others) if place.is_of_current_study]
        if active in places and active.view_position.upper() in FRONTAL_VIEWS:
            return active
        places.sort(key=lambda place: place.viewport.number)
        chosen = choose_model_films([place.view_position for place in places], max_images=1)
        return places[chosen[0]] if chosen else None

    @property
    def film(self) -> Film | None:
        """None while it is decoded."""
        place = self.place
        return place.film if place is not None else None

    def set_max_images(self, max_images: int) -> None:
        """How many films the model takes."""
        self._max_images = max_images
        self.find_lateral(self._films)

    def find_lateral(self, films: Sequence[HungFilm]) -> None:
        """Among the study's, for a model that takes two; films: (), where no study is open."""
        self._films = films
        place = self.place
        drafted = place.hung.row if place is not None and place.hung is not None else None
        lateral = find_lateral([film.row.view_position for film in films])
        row = films[lateral].row if lateral is not None else None
        if self._max_images < 2 or row is None or row == drafted:
            self.companion.clear()
        else:
            self.companion.request(row.path, films[0].study_instance_uid)
