"""A film of the open study and its like of the prior: side by side, or in turn at one place."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, Signal

from workstation.ui.film.compared_films import ComparedFilms
from workstation.ui.film.hung_film import HungFilm
from workstation.ui.film.viewport_place import ViewportPlace
from workstation.ui.viewer.viewport_grid import ViewportGrid


class Hanging(Protocol):
    """Of FilmDesk, what is needed here."""

    @property
    def active_place(self) -> ViewportPlace: ...
    @property
    def study_films(self) -> list[HungFilm]: ...
    def hang_in(self, number: int, film: HungFilm) -> None: ...
    def announce(self, brought: HungFilm) -> None: ...


class FilmComparison(QObject):
    """Signal: trouble(text)."""

    trouble = Signal(str)

    def __init__(
        self, grid: ViewportGrid, compared: ComparedFilms, desk: Hanging, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._grid, self._compared, self._desk = grid, compared, desk

    def toggle_links(self) -> None:
        """Zoom, pan and window of the viewports together, or each by itself."""
        links = self._grid.links
        links.set_on(not links.is_on, self._grid.active.viewer)
        self.trouble.emit(
            self.tr("Zoom, pan and window are linked.")
            if links.is_on
            else self.tr("Each viewport by itself.")
        )

    def compare(self) -> None:
        """The film of the active viewport left, its like of the prior right, linked."""
        film = self._desk.active_place.hung
        if film is None or not film.is_current:
            film = next(iter(self._desk.study_films), None)
        prior = self._compared.like(film, self._compared.priors)
        if film is None or prior is None:
            self._say_no_prior()
            return
        self._grid.set_layout("1x2")
        self._grid.links.set_on(True)
        self._desk.hang_in(0, film)
        self._desk.hang_in(1, prior)
        self._grid.activate(0, take_focus=True)

    def blink(self) -> None:
        """The active viewport's film and its like of the prior in turn, at the same place."""
        place = self._desk.active_place
        if place.is_blinking:
            place.blink_back()
            shown = place.hung
        else:
            hung = place.hung
            is_current = hung is not None and hung.is_current
            others = self._compared.priors if is_current else self._desk.study_films
            shown = self._compared.like(hung, others)
            if shown is None:
                self._say_no_prior()
                return
            place.blink_to(shown)
        if shown is not None:
            self._desk.announce(shown)

    def _say_no_prior(self) -> None:
        self.trouble.emit(
            self.tr("There is no earlier film of this view that is surely of the same patient.")
        )
