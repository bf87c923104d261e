"""The viewports of the film column: 1×1, 1×2 or 2×2, one of them active."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from workstation.catalog.database import CatalogUnavailable
from workstation.reading.hanging import PLACES, LayoutName
from workstation.reading.measurement_store import MeasurementStore
from workstation.ui.viewer.film_dragging import DraggedFilm
from workstation.ui.viewer.film_histories import FilmHistories
from workstation.ui.viewer.image_viewer import ImageViewer
from workstation.ui.viewer.shortcuts import Shortcuts
from workstation.ui.viewer.view_links import ViewLinks
from workstation.ui.viewer.viewport import Viewport

_CELLS: dict[LayoutName, tuple[tuple[int, int], ...]] = {
    "1x1": ((0, 0),),
    "1x2": ((0, 0), (0, 1)),
    "2x2": ((0, 0), (0, 1), (1, 0), (1, 1)),
}


class ViewportGrid(QWidget):
    """Four viewports, of which the layout shows some. A tool chosen in one is chosen in all.

    Signals: active_changed(); marks_changed() when figures or key images of a film did;
    layout_changed(LayoutName); film_dropped(viewport number from 0, DraggedFilm); and the
    viewers' own.
    """

    active_changed = Signal()
    marks_changed = Signal()
    layout_changed = Signal(str)
    film_dropped = Signal(int, object)
    tool_changed = Signal(str)
    trouble = Signal(str)
    keys_requested = Signal()
    study_step_requested = Signal(int)
    desk_action_requested = Signal(str)

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_grid")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.viewports = [Viewport(number, shortcuts, self) for number in (1, 2, 3, 4)]
        self.viewers = [viewport.viewer for viewport in self.viewports]
        self.links = ViewLinks(self.viewers, self.shown_viewers, self)
        self._store: MeasurementStore | None = None
        self._layout_name: LayoutName = "1x1"
        self._active = 0
        self._is_sharing_tool = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        for viewport in self.viewports:
            self._connect(viewport)
        self._arrange()

    def _connect(self, viewport: Viewport) -> None:
        viewer = viewport.viewer
        viewport.activated.connect(self._on_activated)
        viewport.caption_changed.connect(self._level_captions)
        viewport.film_dropped.connect(self._on_film_dropped)
        viewer.tool_changed.connect(self._on_tool_changed)
        viewer.trouble.connect(self.trouble)
        viewer.frame_failed.connect(self.trouble)
        viewer.keys_requested.connect(self.keys_requested)
        viewer.study_step_requested.connect(self.study_step_requested)
        viewer.desk_action_requested.connect(self.desk_action_requested)

    # -- layout ------------------------------------------------------------------------------

    @property
    def layout_name(self) -> LayoutName:
        return self._layout_name

    @property
    def shown(self) -> list[Viewport]:
        """The viewports of the layout, from left to right, then down."""
        return self.viewports[: PLACES[self._layout_name]]

    def shown_viewers(self) -> list[ImageViewer]:
        return [viewport.viewer for viewport in self.shown]

    def set_layout(self, name: LayoutName) -> None:
        """Show so many viewports; the active one stays if it is among them."""
        if name == self._layout_name:
            return
        self._layout_name = name
        self._arrange()
        if self._active >= PLACES[name]:
            self.activate(0)
        self.layout_changed.emit(name)

    def _arrange(self) -> None:
        cells = _CELLS[self._layout_name]
        for viewport in self.viewports:
            self._grid.removeWidget(viewport)
        for viewport, (row, column) in zip(self.viewports, cells, strict=False):
            self._grid.addWidget(viewport, row, column)
        for index in (0, 1):
            is_row_used = any(row == index for row, _ in cells)
            is_column_used = any(column == index for _, column in cells)
            self._grid.setRowStretch(index, int(is_row_used))
            self._grid.setColumnStretch(index, int(is_column_used))
        for number, viewport in enumerate(self.viewports):
            viewport.setVisible(number < len(cells))
        self._mark_active()
        self._level_captions()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._level_captions()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._level_captions()

    def _level_captions(self) -> None:
        """All captions as high as the highest, so that the films beside each other stay level."""
        columns = {column for _, column in _CELLS[self._layout_name]}
        width = (self.width() - self._grid.spacing() * (len(columns) - 1)) // len(columns)
        height = max(viewport.caption.wanted_height(width) for viewport in self.shown)
        for viewport in self.shown:
            viewport.caption.setFixedHeight(height)

    # -- the active one ----------------------------------------------------------------------

    @property
    def active(self) -> Viewport:
        """What keys and buttons work on."""
        return self.viewports[self._active]

    @property
    def active_index(self) -> int:
        return self._active

    def activate(self, index: int, *, take_focus: bool = False) -> None:
        """Make a shown viewport the active one."""
        if not 0 <= index < len(self.shown):
            return
        is_new = index != self._active
        self._active = index
        self._mark_active()
        if take_focus:
            self.active.viewer.setFocus()
        if is_new:
            self.active_changed.emit()

    def cycle(self, step: int) -> None:
        """The next (1) or previous (-1) viewport, with the keyboard in it."""
        self.activate((self._active + step) % len(self.shown), take_focus=True)

    def set_measurement_store(self, store: MeasurementStore) -> None:
        self._store = store
        histories = FilmHistories(self)
        histories.changed.connect(self.marks_changed)
        for viewer in self.viewers:
            viewer.set_measurement_store(store, histories)

    def count_key_images(self, sop_instance_uid: str) -> int:
        """How many are kept of a film."""
        try:
            return len(self._store.load_key_views(sop_instance_uid)) if self._store else 0
        except CatalogUnavailable:
            return 0  # who opens the film is told

    def perform(self, action_id: str) -> bool:
        """Do an action of the table in the active viewport."""
        return self.active.viewer.perform(action_id)

    def _mark_active(self) -> None:
        is_framed = len(self.shown) > 1
        for number, viewport in enumerate(self.viewports):
            viewport.set_active(number == self._active, is_framed=is_framed)

    def _on_activated(self) -> None:
        viewport = self.sender()
        if isinstance(viewport, Viewport):
            self.activate(self.viewports.index(viewport))

    def _on_film_dropped(self, dragged: DraggedFilm) -> None:
        viewport = self.sender()
        assert isinstance(viewport, Viewport)
        self.film_dropped.emit(self.viewports.index(viewport), dragged)

    def _on_tool_changed(self, tool: str) -> None:
        if self._is_sharing_tool:
            return
        self._is_sharing_tool = True
        try:
            for viewer in self.viewers:
                if viewer.tool != tool:
                    viewer.choose_tool(tool)  # type: ignore[arg-type]
        finally:
            self._is_sharing_tool = False
        self.tool_changed.emit(tool)
