"""Linked viewports: what is zoomed, panned or windowed in one is in the others too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QObject, Signal

from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.view_linking import fit_together, follow_geometry, follow_window


class ViewLinks(QObject):
    """Watches viewers; while off, none of them is touched. shown(): those on screen.

    Signal: changed(bool) when linking is turned on or off.
    """

    changed = Signal(bool)

    def __init__(
        self,
        viewers: Sequence[ImageViewer],
        shown: Callable[[], Sequence[ImageViewer]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown = shown
        self._is_on = False
        self._is_leading = False
        for viewer in viewers:
            viewer.geometry_changed.connect(self._on_geometry_changed)
            viewer.window_changed.connect(self._on_window_changed)

    @property
    def is_on(self) -> bool:
        return self._is_on

    def set_on(self, on: bool, leader: ImageViewer | None = None) -> None:
        """leader: whom the others follow at once."""
        if on == self._is_on:
            return
        self._is_on = on
        if on and leader is not None:
            self.follow(leader)
        self.changed.emit(on)

    def follow(self, leader: ImageViewer) -> None:
        """Let the others follow a viewer, for instance one that just got its film."""
        if self._is_on and leader.picture is not None:
            self._lead_geometry(leader, leader.picture)
            self._lead_window(leader, leader.picture)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nobody follows while a film is exchanged."""
        was_leading, self._is_leading = self._is_leading, True
        try:
            yield
        finally:
            self._is_leading = was_leading

    def _on_geometry_changed(self) -> None:
        viewer = self.sender()
        if self._is_on and isinstance(viewer, ImageViewer) and viewer.picture is not None:
            self._lead_geometry(viewer, viewer.picture)

    def _on_window_changed(self) -> None:
        viewer = self.sender()
        if self._is_on and isinstance(viewer, ImageViewer) and viewer.picture is not None:
            self._lead_window(viewer, viewer.picture)

    def _lead_geometry(self, leader: ImageViewer, source: FilmPicture) -> None:
        if self._is_leading:
            return
        followers = self._followers(leader)
        with self.paused():
            if source.geometry.is_fitted:
                together = [(leader, source), *followers]
                fitted = fit_together([picture for _, picture in together])
                for (viewer, _), geometry in zip(together, fitted, strict=True):
                    viewer.show_geometry(geometry)
            else:
                for viewer, picture in followers:
                    viewer.show_geometry(follow_geometry(source, picture))

    def _lead_window(self, leader: ImageViewer, source: FilmPicture) -> None:
        if self._is_leading:
            return
        with self.paused():
            for viewer, picture in self._followers(leader):
                viewer.show_window(follow_window(source, picture), source.is_inverted)

    def _followers(self, leader: ImageViewer) -> list[tuple[ImageViewer, FilmPicture]]:
        return [
            (viewer, viewer.picture)
            for viewer in self._shown()
            if viewer is not leader and viewer.picture is not None
        ]
