"""The middle column: tools, tabs of the films, viewports."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workstation.reading.hanging import PLACES
from workstation.ui.film.film_strip import FilmStrip
from workstation.ui.viewer.shortcuts import Shortcuts
from workstation.ui.viewer.tool_bar import VIEWPORT_GROUPS, ViewerToolBar
from workstation.ui.viewer.viewport_grid import ViewportGrid


class FilmColumn(QWidget):
    """Widgets and what they show of each other; which film hangs where is the `FilmDesk`'s."""

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = ViewportGrid(shortcuts, self)
        self.tool_bar = ViewerToolBar(
            shortcuts, self.grid.perform, self, presets=lambda: self.grid.active.viewer.presets()
        )
        self.viewport_bar = ViewerToolBar(
            shortcuts, self.grid.perform, self, groups=VIEWPORT_GROUPS
        )
        self.film_tabs = FilmStrip(self.grid.count_key_images, self)
        tabs_row = QHBoxLayout()
        tabs_row.setContentsMargins(0, 0, 0, 0)
        tabs_row.addWidget(self.film_tabs, 1)
        tabs_row.addStretch(0)
        tabs_row.addWidget(self.viewport_bar)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tool_bar)
        column.addLayout(tabs_row)
        column.addWidget(self.grid, 1)
        self.grid.tool_changed.connect(self.tool_bar.show_tool)
        self.grid.marks_changed.connect(self.film_tabs.count_anew)
        self.grid.links.changed.connect(self._show_linked)
        self.grid.layout_changed.connect(self._show_layout)
        self._show_linked(self.grid.links.is_on)
        self._show_layout(self.grid.layout_name)

    def _show_linked(self, linked: bool) -> None:
        self.viewport_bar.show_checked("link", linked)

    def _show_layout(self, shown: str) -> None:
        for layout in PLACES:
            self.viewport_bar.show_checked(f"layout.{layout}", layout == shown)
