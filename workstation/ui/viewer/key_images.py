"""Key images of the film in one viewport: what is on screen is kept, and gone back to."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from workstation.reading.display_state import DisplayState
from workstation.reading.key_views import KeyView
from workstation.ui.viewer.film_figures import FilmFigures
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.view_geometry import ViewGeometry

_MARK = "★ "
_Shown = tuple[ViewGeometry, DisplayState]


class KeyImages(QObject):
    """Where they are kept: `FilmFigures`. Signal: said(text) for what a key did."""

    said = Signal(str)

    def __init__(self, figures: FilmFigures) -> None:
        super().__init__(figures)
        self._figures = figures
        self._reached: tuple[str, _Shown] | None = None

    @property
    def views(self) -> tuple[KeyView, ...]:
        return self._figures.editor.history.key_views

    def toggle(self, picture: FilmPicture, *, with_graphics: bool) -> None:
        """Keep what is on screen; where that is kept already, no longer."""
        current, history = self.current(picture), self._figures.editor.history
        if current is not None:
            number = self.views.index(current) + 1
            self._figures.keep_key_images(history.drop_view(current.id))
            if current not in self.views:  # it stays where the report is signed
                self.said.emit(self.tr("Key image {0} is kept no longer.").format(number))
            return
        view = view_of(picture, with_figures=self._figures.are_visible, with_graphics=with_graphics)
        if view is None:
            return
        self._figures.keep_key_images(history.keep_view(view))
        if view in self.views:
            self.arrive(view, picture)
            self.said.emit(self.tr("Kept as key image {0}.").format(len(self.views)))

    def find_next(self, picture: FilmPicture) -> KeyView | None:
        """The one after that on screen, else the first."""
        if not self.views:
            return None
        current = self.current(picture)
        return self.views[(self.views.index(current) + 1) % len(self.views) if current else 0]

    def arrive(self, view: KeyView, picture: FilmPicture) -> None:
        """The view is on screen now."""
        self._reached = view.id, (picture.geometry, picture.state)

    def current(self, picture: FilmPicture) -> KeyView | None:
        """The one on screen, as long as nothing was moved since."""
        if self._reached is None or self._reached[1] != (picture.geometry, picture.state):
            return None
        reached = self._reached[0]
        return next((view for view in self.views if view.id == reached), None)

    def note(self, picture: FilmPicture) -> str:
        """For the film's corner; "" where nothing is kept of it."""
        if not self.views:
            return ""
        current = self.current(picture)
        if current is not None:
            number = self.views.index(current) + 1
            return _MARK + self.tr("key image {0} of {1}").format(number, len(self.views))
        if len(self.views) == 1:
            return _MARK + self.tr("1 key image")
        return _MARK + self.tr("{0} key images").format(len(self.views))


def view_of(picture: FilmPicture, *, with_figures: bool, with_graphics: bool) -> KeyView | None:
    """What a viewport shows; None where nothing of the film is in it."""
    geometry, film = picture.geometry, picture.film
    placement = geometry.placement()
    if placement is None:
        return None
    left, top, right, bottom = placement.source
    is_whole = left <= 0 and top <= 0 and right >= geometry.columns and bottom >= geometry.rows
    return KeyView(
        display=picture.state,
        box=None if geometry.is_fitted or is_whole else placement.source,
        frame_index=film.frame_index,
        with_figures=with_figures,
        with_graphics=with_graphics,
    )
