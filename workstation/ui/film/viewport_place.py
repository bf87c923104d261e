"""One viewport's film: asked for, decoded, shown under its caption; blinked with another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from workstation.dicom.film import Film
from workstation.ui.film.film_loader import FilmLoader
from workstation.ui.film.hung_film import HungFilm
from workstation.ui.viewer.view_linking import follow_geometry, follow_window
from workstation.ui.viewer.view_links import ViewLinks
from workstation.ui.viewer.viewport import Viewport


class ViewportPlace(QObject):
    """reason_to_refuse: why a film of another study is not shown beside the current one, "" where
    it is. settled(): a film asked for is shown, or can't be. While another film blinks in, the one
    that hangs here stays `hung`, and its decoded `film` stays the place's."""

    settled = Signal()

    def __init__(
        self,
        viewport: Viewport,
        loader: FilmLoader,
        links: ViewLinks,
        reason_to_refuse: Callable[[Film], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.viewport = viewport
        self._loader, self._links = loader, links
        self._reason_to_refuse = reason_to_refuse
        self.hung: HungFilm | None = None
        self.film: Film | None = None
        self._blinked: HungFilm | None = None
        self._blinked_film: Film | None = None
        self._is_blinked_in = self._is_waiting = False
        loader.film_loaded.connect(self._on_film_loaded)
        loader.film_failed.connect(self._on_film_failed)

    @property
    def showing(self) -> HungFilm | None:
        """What the viewport shows just now."""
        return self._blinked if self._is_blinked_in else self.hung

    @property
    def is_blinking(self) -> bool:
        """Whether the other film is in view."""
        return self._is_blinked_in

    @property
    def is_of_current_study(self) -> bool:
        return self.hung is not None and self.hung.is_current

    @property
    def view_position(self) -> str:
        return self.hung.row.view_position if self.hung is not None else ""

    def hang(self, film: HungFilm | None, *, at_once: bool = True) -> None:
        """Decode and show a film; None leaves the place empty. at_once: else when `begin` says
        so, so that the film that matters most need not share the cores."""
        if film is None:
            self._leave_vacant()
            return
        if film == self.hung and self.film is not None and not self._is_blinked_in:
            return
        self._forget()
        self.hung = film
        self.viewport.viewer.set_message(self.viewport.tr("Opening the film…"))
        self.viewport.set_caption(film.role, film.caption)
        self._is_waiting = not at_once
        if at_once:
            self._loader.request(film.row.path)

    def begin(self) -> None:
        """Decode what was hung to be shown later; nothing for anything else."""
        if self._is_waiting and self.hung is not None:
            self._is_waiting = False
            self._loader.request(self.hung.row.path)

    def clear(self) -> None:
        self._forget()
        self.viewport.viewer.set_film(None)
        self.viewport.set_caption("current")

    def _leave_vacant(self) -> None:
        self._forget()
        detail = self.viewport.tr("Drag a film of this patient here, from the tabs or the list")
        self.viewport.viewer.show_vacant(self.viewport.tr("Empty viewport"), detail)
        self.viewport.set_caption("current")

    def say(self, text: str) -> None:
        """Words instead of a film."""
        self._forget()
        self.viewport.viewer.set_message(text)
        self.viewport.set_caption("current")

    def blink_to(self, film: HungFilm) -> None:
        """Another film in the same place: at once where it was here before, else when decoded."""
        if self.film is None:
            return
        if film != self._blinked:
            self._blinked, self._blinked_film = film, None
        self._is_blinked_in = True
        if self._blinked_film is None:
            self._loader.request(film.row.path)
        else:
            self._swap_in(self._blinked_film, film)

    def blink_back(self) -> None:
        """The film that hangs here again."""
        if self._is_blinked_in and self.film is not None and self.hung is not None:
            self._is_blinked_in = False
            self._loader.cancel()
            self._swap_in(self.film, self.hung)

    def shutdown(self) -> None:
        self._loader.shutdown()

    def _forget(self) -> None:
        self._loader.cancel()
        self.hung = self.film = None
        self._blinked = self._blinked_film = None
        self._is_blinked_in = self._is_waiting = False

    def _swap_in(self, film: Film, hung: HungFilm) -> None:
        """Caption first: no film is ever seen under another one's words. At the same scale,
        place and window, so that only what changed in the patient moves."""
        viewer = self.viewport.viewer
        before = viewer.picture
        self.viewport.set_caption(hung.role, hung.caption)
        with self._links.paused():
            viewer.set_film(film)
            after = viewer.picture
            if before is None or after is None:
                return
            viewer.show_window(follow_window(before, after), before.is_inverted)
            geometry = follow_geometry(before, after)
            viewer.show_geometry(replace(geometry, is_fitted=before.geometry.is_fitted))

    def _on_film_loaded(self, path: str, film: Film) -> None:
        asked = self.showing
        if asked is None or str(asked.row.path) != path:
            return
        if film.header.study_instance_uid != asked.study_instance_uid:
            # The file was replaced on disk since its import: never show it under another name.
            self._on_film_failed(path, self.viewport.tr("the file now belongs to another study"))
            return
        refusal = "" if asked.is_current else self._reason_to_refuse(film)
        if refusal:
            self._on_film_failed(path, refusal)
            return
        if self._is_blinked_in:
            self._blinked_film = film
            self._swap_in(film, asked)
        else:
            self.film = film
            with self._links.paused():
                self.viewport.viewer.set_film(film)
        self.settled.emit()

    def _on_film_failed(self, path: str, reason: str) -> None:
        asked = self.showing
        if asked is None or str(asked.row.path) != path:
            return
        if self._is_blinked_in:
            self.blink_back()
            self.viewport.viewer.trouble.emit(
                self.viewport.tr("The prior can't be shown: {0}").format(reason)
            )
        else:
            self.viewport.viewer.set_message(
                self.viewport.tr("This film can't be shown"), f"{path}\n{reason}", is_error=True
            )
        self.settled.emit()
