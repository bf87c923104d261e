"""The film a reader works on: pointer tools, keys, figures, magnifier on top of `FilmView`.

Left drag windows (or does what the chosen tool does), right drag zooms, middle drag or Ctrl+left
drag pans, whatever the tool. What each key does comes from the one table of `actions`.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QInputDialog, QLineEdit, QWidget

from workstation.dicom.film import Film
from workstation.dicom.voi import Voi, linear_equivalent
from workstation.reading.figure_wording import WordingLanguage
from workstation.reading.measurement_store import MeasurementStore
from workstation.reading.measurements import KINDS, Measurement, MeasurementKind, Point
from workstation.ui.theme import COLOURS, ui_font
from workstation.ui.viewer.actions import DESK_ACTIONS, Tool
from workstation.ui.viewer.film_figures import FilmFigures
from workstation.ui.viewer.film_histories import FilmHistories
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.film_placeholder import Placeholder
from workstation.ui.viewer.film_view import ZOOM_STEP, FilmView
from workstation.ui.viewer.haloed_text import HaloedLine, HaloedTextPainter
from workstation.ui.viewer.key_images import KeyImages
from workstation.ui.viewer.magnifier import paint_magnifier
from workstation.ui.viewer.measurement_editor import MeasurementEditor
from workstation.ui.viewer.pointer_drag import CURSORS, DragKind, PointerDrag
from workstation.ui.viewer.shortcuts import Shortcuts
from workstation.ui.viewer.view_geometry import ViewGeometry

_MARK_POINTS = 20.0
_MARK_BELOW_LINES = 4
"""Of the corners' texts, which it would cover in a narrow viewport."""


class ImageViewer(FilmView):
    """Shows one film and lets it be read and measured.

    Dropped files are left to the window around it. Signals: tool_changed(Tool),
    measurements_changed() after every kept change, activated() when it gets the focus,
    trouble(text) where figures could not be kept, keys_requested() by ?, and
    study_step_requested(1 next | -1 previous) by PgDn and PgUp, desk_action_requested(action id)
    for what is done to the viewports around it; the last three also without a film.
    """

    tool_changed = Signal(str)
    measurements_changed = Signal()
    activated = Signal()
    trouble = Signal(str)
    keys_requested = Signal()
    study_step_requested = Signal(int)
    desk_action_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None, shortcuts: Shortcuts | None = None) -> None:
        self._drag: PointerDrag | None = None
        self._tool: Tool = "window"
        self._lens_at: QPointF | None = None
        self._mark = ""
        self._mark_painter = HaloedTextPainter()
        super().__init__(parent)
        self.figures = FilmFigures(self)
        self.figures.changed.connect(self.measurements_changed)
        self.figures.changed.connect(self._describe)
        self.figures.trouble.connect(self.trouble)
        self.figures.repaint_needed.connect(self.update)
        self.key_images = KeyImages(self.figures)
        self.key_images.said.connect(self.trouble)
        self._shortcuts = shortcuts or Shortcuts(parent=self)
        self.ask_text: Callable[..., str] = self._ask_text
        self._commands = self._make_commands()

    # Film and figures

    @property
    def editor(self) -> MeasurementEditor:
        """The figures on the film shown."""
        return self.figures.editor

    def set_measurement_store(
        self, store: MeasurementStore, histories: FilmHistories | None = None
    ) -> None:
        """Where figures, key images and displays are kept from now on, and come from when a film
        is shown. histories: of the viewports that may show the same film."""
        self.figures.set_store(store, histories)

    def set_film(self, film: Film | None) -> None:
        self._drag = self._lens_at = None
        self.figures.open_film(film)
        super().set_film(film)
        self._show_cursor()
        self.measurements_changed.emit()

    def _replace_film(self, film: Film) -> None:
        super()._replace_film(film)
        self.figures.replace_film(film)

    def _restore(self, picture: FilmPicture) -> None:
        left = self.figures.display_left()
        if left is not None:
            picture.show_as_left(left)

    def _keep_left(self) -> None:
        if self._picture is not None:
            self.figures.keep_display(self._picture.left)

    def measurement_sentences(self, language: WordingLanguage = "en") -> list[str]:
        """The figures of this film in sentences for the report."""
        return self.figures.sentences(language)

    # As one of several

    def set_mark(self, mark: str) -> None:
        """A word written large on the film, for what must not be taken for the current one."""
        if mark != self._mark:
            self._mark = mark
            self.update()

    def show_vacant(self, title: str, detail: str) -> None:
        """No film, and none is on its way: what could be put here."""
        self.set_film(None)
        self._placeholder = Placeholder("empty", title, detail)
        self._describe()
        self.update()

    def show_geometry(self, geometry: ViewGeometry) -> None:
        """Follow another view."""
        self._move_to(geometry)

    def show_window(self, window: Voi, is_inverted: bool) -> None:
        """Follow another view's window and polarity."""
        if self._picture is not None:
            self._picture.is_inverted = is_inverted
            self.set_window(window)

    def invert(self) -> None:
        super().invert()
        if self._picture is not None:
            self.window_changed.emit(self._picture.window)

    # Tools

    @property
    def tool(self) -> Tool:
        """What a left drag does."""
        return self._tool

    def choose_tool(self, tool: Tool) -> None:
        self.editor.cancel()
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
        if name in DESK_ACTIONS:
            self.desk_action_requested.emit(action_id)
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
            "graphics": lambda _: self.toggle_graphics(),
            "presentation": lambda _: self.switch_presentation(),
            "frame": lambda by: self.step_frame(int(by)),
            "reset": lambda _: self.reset(),
            "key_image": self._do_key_image,
            "place": lambda _: self._place(),
            "next_handle": lambda _: self.figures.choose_next(),
            "nudge": self._nudge,
            "delete": lambda _: self.figures.delete_chosen(),
            "delete_all": lambda _: self.figures.delete_all(),
            "undo": lambda _: self.figures.undo(),
            "redo": lambda _: self.figures.redo(),
            "figures": lambda _: self.figures.toggle_visible(),
            "cancel": lambda _: self._cancel(),
        }

    # Key images

    def _do_key_image(self, what: str) -> bool:
        """ "keep" what is on screen, or go to the "next" that was kept."""
        if self._picture is None:
            return False
        if self._mark:
            self.trouble.emit(self.tr("Key images are kept of the films of the open study."))
            return True
        if what == "keep":
            self.key_images.toggle(self._picture, with_graphics=self._are_graphics_shown)
        else:
            self._go_to_key_image(self._picture)
        self._describe()
        self.update()
        return True

    def _go_to_key_image(self, picture: FilmPicture) -> None:
        view = self.key_images.find_next(picture)
        if view is None:
            self.trouble.emit(self.tr("Nothing of this film is kept as a key image yet."))
            return
        self.show_view(view)
        self.figures.are_visible = view.with_figures
        if self._are_graphics_shown != view.with_graphics:
            self.toggle_graphics()
        self.key_images.arrive(view, self._picture or picture)

    def _key_note(self, picture: FilmPicture) -> str:
        return self.key_images.note(picture)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        kind = self._drag_kind(event)
        if self._picture is None or kind is None or self._drag is not None:
            event.ignore()
            return
        at = event.position()
        if kind == "measure" and not self.editor.is_gripping:
            if self._tool == "text":
                self._put_text(at)
                return
            self.editor.press(self._kind_of_tool(), self._device_point(at), self._geometry())
            self.update()
        start = linear_equivalent(self._picture.window)
        self._drag = PointerDrag(kind, event.button(), at, start, self._picture.geometry)
        if kind == "magnify":
            self._lens_at = at
            self.update()
        self.setCursor(CURSORS[kind])
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._picture is None:
            event.ignore()
            return
        at = event.position()
        if self._drag is None or self._drag.kind == "measure":
            if self.editor.move(self._device_point(at), self._picture.geometry):
                self.update()
            if self._drag is None:
                self._probe_at(at)
                self._show_cursor(at)
            return
        self._drag_to(self._drag, at, self._picture)

    def _drag_to(self, drag: PointerDrag, at: QPointF, picture: FilmPicture) -> None:
        if drag.kind == "window":
            self.set_window(drag.window_at(at, picture))
        elif drag.kind in ("zoom", "pan"):
            self._move_to(drag.geometry_at(at, self.devicePixelRatioF()))
        else:
            self._lens_at = at
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is None or event.button() != self._drag.button:
            event.ignore()
            return
        kind, self._drag, self._lens_at = self._drag.kind, None, None
        if kind == "window":
            self._keep_left()
        at = event.position()
        if kind == "measure" and self._picture is not None:
            had_draft = self.editor.draft is not None
            changed = self.editor.release(self._device_point(at), self._picture.geometry)
            self.figures.keep_if(changed)
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
        elif not self._take_up_label(event.position()):
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
        had_choice = bool(self.editor.chosen_id)
        if self.figures.are_visible and self.figures.grip(at, self._picture.geometry, ratio):
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
        if self._picture is None:
            return False
        if self._tool not in KINDS:
            chosen = self.editor.chosen
            return chosen is not None and chosen.kind == "text" and self._change_text(chosen)
        text = self.ask_text() if self._tool == "text" else ""
        if self._tool == "text" and not text:
            return True
        self.figures.place(self._kind_of_tool(), self._picture.geometry, text)
        self._leave_tool()
        return True

    def _put_text(self, at: QPointF) -> None:
        text = self.ask_text()
        if text and self._picture is not None:
            point = self._device_point(at)
            self.figures.put_text(point, self._picture.geometry, text)
        self._leave_tool()

    def _take_up_label(self, at: QPointF) -> bool:
        """A double click on words: a text is asked for anew, those of a figure go back to it."""
        if self._picture is None or not self.figures.are_visible:
            return False
        point, ratio = self._device_point(at), self.devicePixelRatioF()
        found = self.figures.find_label(point, self._picture.geometry, ratio)
        if found is None:
            return False
        if found.kind == "text":
            return self._change_text(found)
        self.figures.put_label_back(found)
        return True

    def _change_text(self, measurement: Measurement) -> bool:
        text = self.ask_text(measurement.text)
        if text:
            self.figures.change_text(measurement, text)
        return True

    def _ask_text(self, text: str = "") -> str:
        """text: what stands there; "" where the reader thinks better of it."""
        title, label = self.tr("Text on the film"), self.tr("Text:")
        asked, is_given = QInputDialog.getText(self, title, label, QLineEdit.EchoMode.Normal, text)
        return asked.strip() if is_given else ""

    def _nudge(self, direction: str) -> bool:
        if self._picture is None:
            return False
        geometry = self._picture.geometry
        return self.figures.nudge(direction, geometry, self.devicePixelRatioF())

    def _cancel(self) -> bool:
        """Esc: first what is being drawn or chosen, then the tool."""
        if self.editor.cancel():
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

    # Painting

    def _paint_above(self, painter: QPainter, picture: FilmPicture) -> None:
        ratio = self.devicePixelRatioF()
        self.figures.paint(painter, picture, ratio)
        if self._mark:
            self._paint_mark(painter)
        if self._lens_at is not None:
            paint_magnifier(painter, picture, self._lens_at, ratio)

    def _paint_mark(self, painter: QPainter) -> None:
        line = HaloedLine(self._mark, _MARK_POINTS, COLOURS.amber, is_bold=True)
        metrics = line.metrics()
        across = (self.width() - metrics.horizontalAdvance(self._mark)) / 2
        top = _MARK_BELOW_LINES * QFontMetrics(ui_font()).height()
        if self._is_overlay_visible:  # in a narrow viewport the corners need more lines
            top = max(top, round(self._overlay.upper_end))
        self._mark_painter.draw(painter, QPointF(across, top + metrics.ascent()), line)

    def _show_cursor(self, at: QPointF | None = None) -> None:
        if self._picture is None:
            self.unsetCursor()
        elif self._tool in KINDS:
            self.setCursor(Qt.CursorShape.CrossCursor)
        elif at is not None and self.figures.is_over(
            self._device_point(at), self._picture.geometry, self.devicePixelRatioF()
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
