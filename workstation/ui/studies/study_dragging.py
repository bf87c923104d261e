"""Drags of a study out of the list: a study that is only dragged is not opened by the press."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication

from workstation.catalog.study_rows import StudyRow
from workstation.ui.studies.study_list_model import STUDY_ROLE
from workstation.ui.viewer.film_dragging import DraggedFilm, drag_data


class StudyDragging(QObject):
    """Holds a plain left press back until it is a click or a drag; all else passes."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view
        self._press: QMouseEvent | None = None
        self._index = QPersistentModelIndex()
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress:
            return self._on_press(event)
        if self._press is None:
            return False
        if event.type() == QEvent.Type.MouseMove:
            moved = event.position() - self._press.position()
            if moved.manhattanLength() >= QApplication.startDragDistance():
                self._start_drag()
            return True
        if event.type() == QEvent.Type.MouseButtonRelease:
            self._click()
        return False

    def _on_press(self, event: QMouseEvent) -> bool:
        index = self._view.indexAt(event.position().toPoint())
        is_plain = (
            event.button() == Qt.MouseButton.LeftButton
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
        )
        inside = self._view.visualRect(index).contains(event.position().toPoint())
        if not is_plain or not inside or self._study_of(index) is None:
            return False
        self._index = QPersistentModelIndex(index)
        self._press = event.clone()
        return True

    def _click(self) -> None:
        """Hand the press over now; the release follows by itself."""
        press, self._press = self._press, None
        if press is not None:
            viewport = self._view.viewport()
            viewport.removeEventFilter(self)
            QApplication.sendEvent(viewport, press)
            viewport.installEventFilter(self)

    def _start_drag(self) -> None:
        self._press = None
        study = self._study_of(self._index)
        if study is not None:
            drag = QDrag(self._view)
            drag.setMimeData(drag_data(DraggedFilm(study.study_instance_uid)))
            drag.exec(Qt.DropAction.CopyAction)

    def _study_of(self, index: QModelIndex | QPersistentModelIndex) -> StudyRow | None:
        row = index.data(STUDY_ROLE) if index.isValid() else None
        return row if isinstance(row, StudyRow) else None
