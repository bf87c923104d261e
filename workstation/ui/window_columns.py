"""The three columns of the window; films and report can have a window of their own, for a second
monitor, and remember where it was."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QByteArray, QEvent, QSettings, Qt, Signal
from PySide6.QtGui import QCloseEvent, QIcon, QResizeEvent
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from workstation.ui.theme import font_scale

ColumnName = Literal["studies", "films", "report"]
DETACHABLE: tuple[ColumnName, ...] = ("films", "report")
_SHARES: dict[ColumnName, tuple[float, int, int]] = {
    "studies": (0.2, 240, 340),
    "report": (0.28, 330, 540),
}
"""Of the window's width, at least and at most (logical pixels); the films have the rest."""
_MOST_FOR_WORDS = 0.33
"""Of the window's width, for a report whose large text wants more than the least."""
_DETACHED_SIZE = (1100, 900)


class WindowColumns(QSplitter):
    """Signal: detached_changed(ColumnName, whether it is by itself now)."""

    detached_changed = Signal(str, bool)

    def __init__(
        self, columns: dict[ColumnName, QWidget], settings: QSettings | None, parent: QWidget
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setObjectName("columns")
        self.setChildrenCollapsible(False)
        self._columns, self._settings = columns, settings
        self._windows: dict[ColumnName, _ColumnWindow] = {}
        self._whole_state = QByteArray()  # the widths of all three, while one is away
        for name, column in columns.items():
            self.addWidget(column)
            self.setStretchFactor(self.indexOf(column), int(name == "films"))
        self._are_widths_chosen = False
        self.splitterMoved.connect(self._on_moved)

    def is_detached(self, name: ColumnName) -> bool:
        return name in self._windows

    def window_of(self, name: ColumnName) -> QWidget:
        """The window a column is in."""
        return self._columns[name].window()

    def detach(self, name: ColumnName) -> None:
        """Give a column its own window, where it was the last time."""
        if name not in DETACHABLE:
            raise ValueError(f"the {name} column stays in the window")
        if name in self._windows:
            return
        if not self._windows:
            self._whole_state = self.saveState()
        window = _ColumnWindow(name, self._columns[name], self._title(name), self.window())
        window.closed.connect(self.attach)
        self._windows[name] = window
        place = self._settings.value(f"{name}_geometry") if self._settings is not None else None
        if not isinstance(place, QByteArray) or not window.restoreGeometry(place):
            window.resize(*_DETACHED_SIZE)
        window.show()
        self.detached_changed.emit(name, True)

    def attach(self, name: ColumnName) -> None:
        """Put a column back into its place."""
        window = self._windows.pop(name, None)
        if window is None:
            return
        self._remember_place(name, window)
        before = [n for n in self._columns if n not in self._windows]
        column = window.release()
        self.insertWidget(before.index(name), column)
        self.setStretchFactor(before.index(name), int(name == "films"))
        column.show()
        window.deleteLater()
        if not self._windows:
            self.restoreState(self._whole_state)
        if not self._are_widths_chosen:
            self._share_width()
        self.detached_changed.emit(name, False)

    def set_detached(self, name: ColumnName, detached: bool) -> None:
        if detached:
            self.detach(name)
        else:
            self.attach(name)

    def restore(self) -> None:
        """As it was when the app was left."""
        if self._settings is None:
            return
        widths = self._settings.value("columns")
        if isinstance(widths, QByteArray):
            self._are_widths_chosen = self.restoreState(widths)
        for name in DETACHABLE:
            if self._settings.value(f"{name}_detached") in (True, "true"):
                self.detach(name)

    def remember(self) -> None:
        """For the next start; then the windows of their own close with this one."""
        if self._settings is not None:
            state = self._whole_state if self._windows else self.saveState()
            if self._are_widths_chosen:
                self._settings.setValue("columns", state)
            for name in DETACHABLE:
                self._settings.setValue(f"{name}_detached", name in self._windows)
        for name, window in self._windows.items():
            self._remember_place(name, window)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._are_widths_chosen:
            self._share_width()

    def changeEvent(self, event: QEvent) -> None:
        """Larger words want more room."""
        super().changeEvent(event)
        is_text = event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange)
        if is_text and not getattr(self, "_are_widths_chosen", True):  # also while it is made
            self._share_width()

    def _on_moved(self) -> None:
        """From now on the reader's widths count."""
        self._are_widths_chosen = True

    def _share_width(self) -> None:
        sizes = {name: 0 for name in self._columns if name not in self._windows}
        for name, (share, least, most) in _SHARES.items():
            if name in sizes and not self._columns[name].isHidden():
                if name == "report":
                    wanted = min(least * font_scale(), _MOST_FOR_WORDS * self.width())
                    least, most = max(least, int(wanted)), max(most, int(wanted))
                sizes[name] = int(min(max(share * self.width(), least), most))
        widest = "films" if "films" in sizes else list(sizes)[-1]
        sizes[widest] = max(self.width() - sum(sizes.values()) + sizes[widest], 1)
        self.setSizes(list(sizes.values()))

    def close_windows(self) -> None:
        for name in tuple(self._windows):
            self.attach(name)

    def _remember_place(self, name: ColumnName, window: QWidget) -> None:
        if self._settings is not None:
            self._settings.setValue(f"{name}_geometry", window.saveGeometry())

    def _title(self, name: ColumnName) -> str:
        titles = {"films": self.tr("Films"), "report": self.tr("Report")}
        return f"{titles[name]} — ECHO Workstation"


class _ColumnWindow(QWidget):
    """Closing it brings the column back: closed(name)."""

    closed = Signal(str)

    def __init__(self, name: ColumnName, column: QWidget, title: str, main: QWidget) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setObjectName(f"{name}_window")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setWindowIcon(main.windowIcon() if main is not None else QIcon())
        self._name, self._column = name, column
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(4)
        layout.addWidget(column, 1)
        research = QLabel(self.tr("Research use — not for diagnosis"), self)
        research.setAlignment(Qt.AlignmentFlag.AlignCenter)
        research.setProperty("role", "muted")
        layout.addWidget(research)
        column.show()

    def release(self) -> QWidget:
        """The column, without its window."""
        self._column.setParent(None)
        self.hide()
        return self._column

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.closed.emit(self._name)
