"""The films of the study and of its prior as tabs; to be clicked, or dragged to a viewport."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDrag, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QTabBar, QWidget

from workstation.ui.film.header_wording import iso_date, join_present
from workstation.ui.film.hung_film import HungFilm
from workstation.ui.viewer.film_dragging import DraggedFilm, drag_data

_AROUND_TAB = 28
"""Padding of a tab, and room for a key image's mark (logical pixels)."""


class FilmStrip(QTabBar):
    """Hidden where there is only one film. count_key_images: of a film, by SOP Instance UID."""

    def __init__(
        self, count_key_images: Callable[[str], int], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._count_key_images = count_key_images
        self.setObjectName("film_tabs")
        self.setAccessibleName(self.tr("Films of this study and its prior"))
        self.setExpanding(False)
        self.setDrawBase(False)
        self.setElideMode(Qt.TextElideMode.ElideNone)  # many tabs scroll instead
        self.setUsesScrollButtons(True)
        self._films: tuple[HungFilm, ...] = ()
        self._is_short = False
        self._new: set[str] = set()
        self._pressed: QPoint | None = None
        self.hide()

    def show_films(self, films: Sequence[HungFilm], shown: int) -> None:
        """shown: the one in the active viewport, -1 for none."""
        self._new &= {film.row.sop_instance_uid for film in films}
        if tuple(films) != self._films:
            self._films = tuple(films)
            self._rebuild()
        if shown >= 0:
            self.setCurrentIndex(shown)
        self.setVisible(len(films) > 1)
        if 0 <= shown < len(films) and films[shown].row.sop_instance_uid in self._new:
            self._new.discard(films[shown].row.sop_instance_uid)
            self._name_tabs()

    def mark_new(self, sop_instance_uids: Sequence[str]) -> None:
        """Films that came while the study was open, until each has been shown."""
        self._new |= set(sop_instance_uids)
        self._name_tabs()

    def count_anew(self) -> None:
        """After a key image was kept, or is no longer."""
        self._name_tabs()

    def dragged(self, index: int) -> DraggedFilm:
        """What a tab carries when it is dragged."""
        film = self._films[index]
        return DraggedFilm(film.study_instance_uid, film.row.sop_instance_uid)

    def _rebuild(self) -> None:
        while self.count():
            self.removeTab(0)
        for _ in self._films:
            self.addTab("")
        self._name_tabs()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._is_tight() != self._is_short:
            self._name_tabs()

    def _is_tight(self) -> bool:
        """Whether the dates of priors have no room: the tabs would scroll."""
        names = (self._name_of(number, film) for number, film in enumerate(self._films, 1))
        metrics = self.fontMetrics()
        wanted = sum(metrics.horizontalAdvance(name) + _AROUND_TAB for name in names)
        return wanted > self.width()

    def _name_tabs(self) -> None:
        self._is_short = self._is_tight()
        for index, film in enumerate(self._films):
            text = self._name_of(index + 1, film, is_short=self._is_short)
            kept = self._count_key_images(film.row.sop_instance_uid)
            self.setTabText(index, f"{text}  ★{kept}" if kept else text)
            said = self.tr("key images: {0}").format(kept) if kept else ""
            words = join_present(film.caption, said, separator=", ")
            hint = self.tr("Click, or drag it into a viewport.")
            self.setTabToolTip(index, f"{words}\n{hint}")
            self.setAccessibleTabName(index, f"{text}, {words}")

    def _name_of(self, number: int, film: HungFilm, *, is_short: bool = False) -> str:
        view = film.row.view_position or film.row.modality or "?"
        mark = self.tr("NEW") + "  " if film.row.sop_instance_uid in self._new else ""
        if film.is_current:
            return f"{mark}{number} · {view}"
        word = self.tr("PRIOR") if film.role == "prior" else self.tr("LATER")
        when = "" if is_short else f" {iso_date(film.date)}"
        return f"{mark}{word}{when} · {view}"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        is_left = event.button() == Qt.MouseButton.LeftButton
        self._pressed = event.position().toPoint() if is_left else None
        if not is_left or self.tabAt(event.position().toPoint()) < 0:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._pressed is None:
            super().mouseMoveEvent(event)
        elif (at - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            index, self._pressed = self.tabAt(self._pressed), None
            if index >= 0:
                drag = QDrag(self)
                drag.setMimeData(drag_data(self.dragged(index)))
                drag.exec(Qt.DropAction.CopyAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click shows the film; on release, so that a drag does not."""
        pressed, self._pressed = self._pressed, None
        index = self.tabAt(pressed) if pressed is not None else -1
        if index >= 0 and index == self.tabAt(event.position().toPoint()):
            self.setCurrentIndex(index)
            self.tabBarClicked.emit(index)
        else:
            super().mouseReleaseEvent(event)
