"""The film a reader works on: pointer tools, keys, figures, magnifier on top of `FilmView`.

Left drag windows (or does what the chosen tool does), right drag zooms, middle drag or Ctrl+left
drag pans, whatever the tool. What each key does comes from the one table of `actions`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QInputDialog, QWidget

from workstation.catalog.database import CatalogUnavailable
from workstation.dicom.display_pipeline import Window, linear_equivalent
from workstation.dicom.instance_reader import Film
from workstation.reading.figure_wording import WordingLanguage, word_for_report
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import KINDS, Measurement, MeasurementKind, Point
from workstation.ui.viewer.actions import Tool
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.film_view import ZOOM_STEP, FilmView
from workstation.ui.viewer.magnifier import paint_magnifier
from workstation.ui.viewer.measurement_editor import MeasurementEditor
from workstation.ui.viewer.measurement_painter import MeasurementPainter
from workstation.ui.viewer.shortcuts import Shortcuts
from workstation.ui.viewer.view_geometry import ViewGeometry

_DRAG_ZOOM_PX = 200.0
"""Vertical drag that zooms by e (logical pixels)."""
_NUDGE_PX = 1.0

DragKind = Literal["window", "zoom", "pan", "magnify", "measure"]
_CURSORS: dict[DragKind, Qt.CursorShape] = {
    "window": Qt.CursorShape.CrossCursor,
    "zoom": Qt.CursorShape.SizeVerCursor,
    "pan": Qt.CursorShape.ClosedHandCursor,
    "magnify": Qt.CursorShape.BlankCursor,
    "measure": Qt.CursorShape.CrossCursor,
}


@dataclass(frozen=True, eq=False)
class _Drag:
    """A drag in progress: what it does, where and from which state it began."""

    kind: DragKind
    button: Qt.MouseButton
    start: QPointF
    window: Window
    geometry: ViewGeometry


class ImageViewer(FilmView):
    """Shows one film and lets it be read and measured.

    Dropped files are left to the window around it. Signals: tool_changed(Tool),
    measurements_changed() after every kept change, activated() when it gets the focus,
    trouble(text) where figures could not be kept, keys_requested() by ?, and
    study_step_requested(1 next | -1 previous) by PgDn and PgUp, both also without a film.
    """

    tool_changed = Signal(str)
    measurements_changed = Signal()
    activated = Signal()
    trouble = Signal(str)
    keys_requested = Signal()
    study_step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None, shortcuts: Shortcuts | None = None) -> None:
        self._drag: _Drag | None = None
        self._tool: Tool = "window"
        self._lens_at: QPointF | None = None
        self._editor = MeasurementEditor()
        self._are_figures_visible = True
        self._store: MeasurementStore | None = None
        self._figure_painter = MeasurementPainter()
        super().__init__(parent)
        self._shortcuts = shortcuts or Shortcuts(parent=self)
        self.ask_text: Callable[[], str] = self._ask_text
        self._commands = self._make_commands()

    # Film and figures

    @property
    def editor(self) -> MeasurementEditor:
        """The figures on the film shown."""
        return self._editor

    def set_measurement_store(self, store: MeasurementStore) -> None:
        """Where figures are kept from now on, and come from when a film is shown."""
        self._store = store

    def set_film(self, film: Film | None) -> None:
        self._drag = self._lens_at = None
        kept = () if film is None or self._store is None else self._load_figures(film)
        self._editor = MeasurementEditor(kept)
        super().set_film(film)
        self._show_cursor()
        self.measurements_changed.emit()

    def measurement_sentences(self, language: WordingLanguage = "en") -> list[str]:
        """The figures of this film in sentences for the report."""
        film = self.film
        if film is None:
            return []
        worded = (
            word_for_report(each, film.stored, film.display, language)
            for each in self._editor.history.measurements
        )
        return [sentence for sentence in worded if sentence]

    # Tools

    @property
    def tool(self) -> Tool:
        """What a left drag does."""
        return self._tool

    def choose_tool(self, tool: Tool) -> None:
        self._editor.cancel()
        self._tool = tool
        self._show_cursor()
        self.update()
        self.tool_changed.emit(tool)

    def perform(self, action_id: str) -> bool:
        """Do what an action of the table says; False where there is nothing to do it to."""
        name, _, argument = action_id.partition(".")
        if name == "next_study" or name == "previous_study":
            self.study_step_requested.emit(1 if name == "next_study" else -1)
            return True
        if name == "keys":
            self.keys_requested.emit()
            return True
        command = self._commands.get(name)
        if self._picture is None or command is None:
            return False
        return command(argument) is not False

    def _make_commands(self) -> dict[str, Callable[[str], object]]:
        return {
            "tool": lambda tool: self.choose_tool(tool),  # type: ignore[arg-type]
            "preset": lambda number: self.choose_preset(int(number)),
            "fit": lambda _: self.fit(),
            "pixels": lambda _: self.zoom_to_pixels(),
            "zoom_in": lambda _: self.zoom_in(),
            "zoom_out": lambda _: self.zoom_out(),
            "rotate_right": lambda _: self.rotate_right(),
            "rotate_left": lambda _: self.rotate_left(),
            "flip_horizontally": lambda _: self.flip_horizontally(),
            "flip_vertically": lambda _: self.flip_vertically(),
            "invert": lambda _: self.invert(),
            "overlay": lambda _: self.set_overlay_visible(not self._is_overlay_visible),
            "reset": lambda _: self.reset(),
            "place": lambda _: self._place(),
            "next_handle": lambda _: self._after(self._editor.choose_next()),
            "nudge": self._nudge,
            "delete": lambda _: self._keep_if(self._editor.delete_chosen()),
            "undo": lambda _: self._keep_if(self._editor.history.undo()),
            "redo": lambda _: self._keep_if(self._editor.history.redo()),
            "figures": lambda _: self._toggle_figures(),
            "cancel": lambda _: self._cancel(),
        }

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        kind = self._drag_kind(event)
        if self._picture is None or kind is None or self._drag is not None:
            event.ignore()
            return
        at = event.position()
        if kind == "measure" and not self._editor.is_gripping:
            if self._tool == "text":
                self._put_text(at)
                return
            self._editor.press(self._kind_of_tool(), self._device_point(at), self._geometry())
            self.update()
        start = linear_equivalent(self._picture.window)
        self._drag = _Drag(kind, event.button(), at, start, self._picture.geometry)
        if kind == "magnify":
            self._lens_at = at
            self.update()
        self.setCursor(_CURSORS[kind])
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._picture is None:
            event.ignore()
            return
        at = event.position()
        if self._drag is None or self._drag.kind == "measure":
            if self._editor.move(self._device_point(at), self._picture.geometry):
                self.update()
            if self._drag is None:
                self._probe_at(at)
                self._show_cursor(at)
            return
        self._drag_to(self._drag, at, self._picture)

    def _drag_to(self, drag: _Drag, at: QPointF, picture: FilmPicture) -> None:
        moved = at - drag.start
        if drag.kind == "window":
            self.set_window(picture.window_dragged(drag.window, moved.x(), moved.y()))
        elif drag.kind == "zoom":
            start = drag.start * self.devicePixelRatioF()
            factor = math.exp(-moved.y() / _DRAG_ZOOM_PX)
            self._set_geometry(drag.geometry.zoomed_at(factor, start.x(), start.y()))
        elif drag.kind == "pan":
            by = moved * self.devicePixelRatioF()
            self._set_geometry(drag.geometry.panned(by.x(), by.y()))
        else:
            self._lens_at = at
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is None or event.button() != self._drag.button:
            event.ignore()
            return
        kind, self._drag, self._lens_at = self._drag.kind, None, None
        at = event.position()
        if kind == "measure" and self._picture is not None:
            had_draft = self._editor.draft is not None
            changed = self._editor.release(self._device_point(at), self._picture.geometry)
            self._keep_if(changed)
            if changed and had_draft:
                self._leave_tool()  # one figure, then the left button windows again
        self._show_cursor(at)
        self.update()
        self._probe_at(at)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._picture is None or event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
        elif self._tool in KINDS:
            self.mousePressEvent(event)
        else:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120.0
        if self._picture is None or notches == 0:
            event.ignore()
            return
        self._zoom_by(ZOOM_STEP**notches, event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self._set_probe(None)
        super().leaveEvent(event)

    def _drag_kind(self, event: QMouseEvent) -> DragKind | None:
        if event.button() == Qt.MouseButton.RightButton:
            return "zoom"
        if event.button() == Qt.MouseButton.MiddleButton:
            return "pan"
        if event.button() != Qt.MouseButton.LeftButton or self._picture is None:
            return None
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return "pan"
        if self._tool in KINDS:
            return "measure"
        at, ratio = self._device_point(event.position()), self.devicePixelRatioF()
        had_choice = bool(self._editor.chosen_id)
        if self._are_figures_visible and self._editor.grip(at, self._picture.geometry, ratio):
            self.update()
            return "measure"
        if had_choice:
            self.update()
        return self._tool  # type: ignore[return-value]

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the table; every other one reaches the window around."""
        action_id = self._shortcuts.find(event)
        if not action_id or not self.perform(action_id):
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        self.activated.emit()

    # Figures

    def _kind_of_tool(self) -> MeasurementKind:
        assert self._tool in KINDS
        return self._tool

    def _place(self) -> bool:
        if self._picture is None or self._tool not in KINDS:
            return False
        text = self.ask_text() if self._tool == "text" else ""
        if self._tool == "text" and not text:
            return True
        self._keep_if(self._editor.place(self._kind_of_tool(), self._picture.geometry, text))
        self._leave_tool()
        return True

    def _put_text(self, at: QPointF) -> None:
        text = self.ask_text()
        if text and self._picture is not None:
            point = self._device_point(at)
            self._keep_if(self._editor.put_text(point, self._picture.geometry, text))
        self._leave_tool()

    def _ask_text(self) -> str:
        text, is_given = QInputDialog.getText(self, self.tr("Text on the film"), self.tr("Text:"))
        return text.strip() if is_given else ""

    def _nudge(self, direction: str) -> bool:
        if self._picture is None:
            return False
        step = _NUDGE_PX * max(1.0, self._picture.geometry.zoom) * self.devicePixelRatioF()
        steps = {
            "left": (-step, 0.0),
            "right": (step, 0.0),
            "up": (0.0, -step),
            "down": (0.0, step),
        }
        return self._keep_if(self._editor.nudge(*steps[direction], self._picture.geometry))

    def _toggle_figures(self) -> None:
        self._are_figures_visible = not self._are_figures_visible
        self.update()

    def _cancel(self) -> bool:
        """Esc: first what is being drawn or chosen, then the tool."""
        if self._editor.cancel():
            self._drag = None
            self.update()
            return True
        if self._tool == "window":
            return False
        self._leave_tool()
        return True

    def _leave_tool(self) -> None:
        self._tool = "window"
        self._show_cursor()
        self.update()
        self.tool_changed.emit("window")

    def _after(self, happened: bool) -> bool:
        self.update()
        return happened

    def _keep_if(self, changed: bool) -> bool:
        """Keep the figures in the catalog after a change."""
        self.update()
        film = self.film
        if not changed or film is None:
            return changed
        self._are_figures_visible = True
        if self._store is not None:
            try:
                uid = film.header.sop_instance_uid
                self._store.save(uid, self._editor.history.measurements)
            except CatalogUnavailable as error:
                self.trouble.emit(self.tr("Figures not kept: {0}").format(error))
        self.measurements_changed.emit()
        return changed

    def _load_figures(self, film: Film) -> tuple[Measurement, ...]:
        assert self._store is not None
        try:
            return self._store.load(film.header.sop_instance_uid)
        except CatalogUnavailable as error:
            self.trouble.emit(self.tr("Figures not read: {0}").format(error))
            return ()

    # Painting

    def _paint_above(self, painter: QPainter, picture: FilmPicture) -> None:
        ratio = self.devicePixelRatioF()
        if self._are_figures_visible:
            self._figure_painter.paint(painter, self._editor, picture.film, picture.geometry, ratio)
        if self._lens_at is not None:
            paint_magnifier(painter, picture, self._lens_at, ratio)

    def _show_cursor(self, at: QPointF | None = None) -> None:
        if self._picture is None:
            self.unsetCursor()
        elif self._tool in KINDS:
            self.setCursor(Qt.CursorShape.CrossCursor)
        elif (
            at is not None
            and self._editor.history.measurements
            and self._editor.find_at(
                self._device_point(at), self._picture.geometry, self.devicePixelRatioF()
            )
        ):
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.unsetCursor()

    def _device_point(self, at: QPointF) -> Point:
        ratio = self.devicePixelRatioF()
        return at.x() * ratio, at.y() * ratio

    def _geometry(self) -> ViewGeometry:
        assert self._picture is not None
        return self._picture.geometry
