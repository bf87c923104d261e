"""The film: window/level, zoom, pan, flips and turns, with overlays in the corners.

The stored values are resampled once per zoom or pan (`FilmSampler`); a window/level drag only
maps that small array through a lookup table, so that it stays fluid on a large film while the
model drafts. The model never sees anything of this: its pixels come from `model_image`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.dicom.display_pipeline import Voi, Window, linear_equivalent
from workstation.dicom.instance_reader import Film
from workstation.ui.header_wording import iso_date, join_present
from workstation.ui.theme import COLOURS
from workstation.ui.viewer.film_overlay import FilmOverlay, ShownState
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.film_placeholder import Placeholder, paint_placeholder
from workstation.ui.viewer.view_geometry import Orientation, ViewGeometry

_ZOOM_STEP = 1.25
_DRAG_ZOOM_PX = 200.0
"""Vertical drag that zooms by e (logical pixels)."""

DragKind = Literal["window", "zoom", "pan"]


@dataclass(frozen=True, eq=False)
class _Drag:
    """A drag in progress: what it does, where and from which state it began."""

    kind: DragKind
    button: Qt.MouseButton
    start: QPointF
    window: Window
    geometry: ViewGeometry


class ImageViewer(QWidget):
    """Shows one film. Left drag windows, right drag zooms, middle drag or Ctrl+left drag pans.

    Dropped files are left to the window around it. Signals: window_changed(Window | VoiLut),
    zoom_changed(device pixels per image pixel), pixel_probed(column, row, modality value),
    study_step_requested(1 next | -1 previous) by PgDn and PgUp, also without a film.
    """

    window_changed = Signal(object)
    zoom_changed = Signal(float)
    pixel_probed = Signal(int, int, float)
    study_step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("imageViewer")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 240)
        self._overlay = FilmOverlay(self)
        self._is_overlay_visible = True
        self._picture: FilmPicture | None = None
        self._drag: _Drag | None = None
        self._probe: tuple[int, int, float] | None = None
        self._placeholder = self._empty_placeholder()
        self._describe()

    # What is shown

    @property
    def film(self) -> Film | None:
        return self._picture.film if self._picture else None

    @property
    def picture(self) -> FilmPicture | None:
        """Window, zoom, flips and greys of the film shown."""
        return self._picture

    @property
    def message(self) -> str:
        """The text shown in place of a film, "" while there is one."""
        if self._picture is not None:
            return ""
        return join_present(self._placeholder.title, self._placeholder.detail, separator="\n")

    def set_film(self, film: Film | None) -> None:
        """Show a film as its header asks, fitted; None shows how to begin."""
        self._drag = None
        self._probe = None
        self._placeholder = self._empty_placeholder()
        self._picture = FilmPicture(film, *self._device_size()) if film else None
        self.unsetCursor()
        self._describe()
        self.update()
        if self._picture is not None:
            self.zoom_changed.emit(self._picture.geometry.zoom)
            self.window_changed.emit(self._picture.window)

    def set_message(self, text: str, detail: str = "", *, is_error: bool = False) -> None:
        """Show a message in the film's place; the film goes, so that none stays under it."""
        self.set_film(None)
        self._placeholder = Placeholder("error" if is_error else "busy", text, detail)
        self._describe()
        self.update()

    def set_overlay_visible(self, visible: bool) -> None:
        self._is_overlay_visible = visible
        self.update()

    # What the reader can do, also from menus; without a film nothing happens

    def reset(self) -> None:
        """The film as it was opened: its own window, upright, fitted, not inverted."""
        if self._picture is None:
            return
        self._picture.reset()
        self._describe()
        self.update()
        self.zoom_changed.emit(self._picture.geometry.zoom)
        self.window_changed.emit(self._picture.window)

    def fit(self) -> None:
        """The whole film."""
        if self._picture is not None:
            self._set_geometry(self._picture.geometry.fitted())

    def set_window(self, window: Voi) -> None:
        """Show another window or LUT."""
        if self._picture is not None:
            self._picture.window = window
            self.update()
            self.window_changed.emit(window)

    def choose_preset(self, number: int) -> None:
        """Preset 1, 2, ... of the film's choices; a number beyond them does nothing."""
        if self._picture is None or not 1 <= number <= len(self._picture.choices):
            return
        name, window = self._picture.choices[number - 1]
        if not window.explanation:
            window = replace(window, explanation=name)
        self.set_window(window)

    def invert(self) -> None:
        """Turn black and white round; MONOCHROME1 by itself is not inversion."""
        if self._picture is not None:
            self._picture.is_inverted = not self._picture.is_inverted
            self.update()

    def rotate_right(self) -> None:
        self._reorient(lambda seen: seen.rotated(1))

    def rotate_left(self) -> None:
        self._reorient(lambda seen: seen.rotated(-1))

    def flip_horizontally(self) -> None:
        self._reorient(Orientation.flipped_horizontally)

    def flip_vertically(self) -> None:
        self._reorient(Orientation.flipped_vertically)

    def zoom_in(self) -> None:
        self._zoom_by(_ZOOM_STEP, None)

    def zoom_out(self) -> None:
        self._zoom_by(1 / _ZOOM_STEP, None)

    def zoom_to_pixels(self) -> None:
        """1:1, one device pixel per image pixel."""
        if self._picture is not None:
            self._zoom_by(1 / self._picture.geometry.zoom, None)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        kind = _drag_kind(event)
        if self._picture is None or kind is None or self._drag is not None:
            event.ignore()
            return
        start = linear_equivalent(self._picture.window)
        at = event.position()
        self._drag = _Drag(kind, event.button(), at, start, self._picture.geometry)
        shapes = {
            "window": Qt.CursorShape.CrossCursor,
            "zoom": Qt.CursorShape.SizeVerCursor,
            "pan": Qt.CursorShape.ClosedHandCursor,
        }
        self.setCursor(shapes[kind])
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._picture is None:
            event.ignore()
            return
        if self._drag is None:
            self._probe_at(event.position())
            return
        moved = event.position() - self._drag.start
        if self._drag.kind == "window":
            start = self._drag.window
            self.set_window(self._picture.window_dragged(start, moved.x(), moved.y()))
        elif self._drag.kind == "zoom":
            at = self._drag.start * self.devicePixelRatioF()
            factor = math.exp(-moved.y() / _DRAG_ZOOM_PX)
            self._set_geometry(self._drag.geometry.zoomed_at(factor, at.x(), at.y()))
        else:
            by = moved * self.devicePixelRatioF()
            self._set_geometry(self._drag.geometry.panned(by.x(), by.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is None or event.button() != self._drag.button:
            event.ignore()
            return
        self._drag = None
        self.unsetCursor()
        self._probe_at(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._picture is None or event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120.0
        if self._picture is None or notches == 0:
            event.ignore()
            return
        self._zoom_by(_ZOOM_STEP**notches, event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self._set_probe(None)
        super().leaveEvent(event)

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Bare keys only, so that Ctrl+Z and the like reach the window around."""
        held = event.modifiers() & ~(
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        )
        actions: dict[int, Callable[[], None]] = {
            Qt.Key.Key_I: self.invert,
            Qt.Key.Key_R: self.rotate_right,
            Qt.Key.Key_L: self.rotate_left,
            Qt.Key.Key_H: self.flip_horizontally,
            Qt.Key.Key_V: self.flip_vertically,
            Qt.Key.Key_Plus: self.zoom_in,
            Qt.Key.Key_Equal: self.zoom_in,
            Qt.Key.Key_Minus: self.zoom_out,
            Qt.Key.Key_Space: self.reset,
        }
        key = event.key()
        steps: dict[int, int] = {Qt.Key.Key_PageDown: 1, Qt.Key.Key_PageUp: -1}
        if key in steps and held == Qt.KeyboardModifier.NoModifier:
            self.study_step_requested.emit(steps[key])
        elif self._picture is None or held != Qt.KeyboardModifier.NoModifier:
            super().keyPressEvent(event)
        elif key in actions:
            actions[key]()
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_5:
            self.choose_preset(key - Qt.Key.Key_0)
        else:
            super().keyPressEvent(event)

    # Changing the state

    def _zoom_by(self, factor: float, at: QPointF | None) -> None:
        if self._picture is None:
            return
        ratio = self.devicePixelRatioF()
        point = QPointF(self.width() / 2, self.height() / 2) if at is None else at
        geometry = self._picture.geometry
        self._set_geometry(geometry.zoomed_at(factor, point.x() * ratio, point.y() * ratio))

    def _reorient(self, turn: Callable[[Orientation], Orientation]) -> None:
        if self._picture is not None:
            geometry = self._picture.geometry
            self._set_geometry(geometry.reoriented(turn(geometry.orientation)))
            self._describe()

    def _set_geometry(self, geometry: ViewGeometry) -> None:
        if self._picture is None or geometry == self._picture.geometry:
            return
        is_zoom_new = geometry.zoom != self._picture.geometry.zoom
        self._picture.geometry = geometry
        self.update()
        if is_zoom_new:
            self.zoom_changed.emit(geometry.zoom)

    def _resize_picture(self) -> None:
        if self._picture is not None:
            self._set_geometry(self._picture.geometry.resized(*self._device_size()))

    def _probe_at(self, position: QPointF) -> None:
        if self._picture is None:
            return
        ratio = self.devicePixelRatioF()
        probe = self._picture.value_at(position.x() * ratio, position.y() * ratio)
        self._set_probe(probe)
        if probe is not None:
            self.pixel_probed.emit(*probe)

    def _set_probe(self, probe: tuple[int, int, float] | None) -> None:
        if probe != self._probe:
            self._probe = probe
            self.update(0, self.height() - 160, self.width() // 2, 160)

    # Painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._resize_picture()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._resize_picture()
            self.update()
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(900, 900)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect())
        if self._picture is None:
            painter.fillRect(area, QColor(COLOURS.ground))
            paint_placeholder(painter, area, self._placeholder)
        else:
            painter.fillRect(area, QColor(COLOURS.film_ground))
            self._paint_film(painter, self._picture)
            if self._is_overlay_visible:
                state = self._shown_state(self._picture)
                self._overlay.paint(painter, area, self._picture.film, state)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(COLOURS.accent), 2))
            painter.drawRect(area.adjusted(1, 1, -1, -1))

    def _paint_film(self, painter: QPainter, picture: FilmPicture) -> None:
        placement = picture.geometry.placement()
        if placement is None:
            return
        x, y, width, height = placement.target
        grey = picture.grey()
        image = QImage(grey.data, width, height, grey.strides[0], QImage.Format.Format_Grayscale8)
        ratio = self.devicePixelRatioF()
        image.setDevicePixelRatio(ratio)
        painter.drawImage(QPointF(x / ratio, y / ratio), image)

    def _shown_state(self, picture: FilmPicture) -> ShownState:
        return ShownState(
            window=picture.window,
            zoom=picture.geometry.zoom,
            orientation=picture.geometry.orientation,
            is_inverted=picture.is_inverted,
            badges=picture.badges,
            letters=picture.letters,
            probe=self._probe,
        )

    # Words

    def _device_size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return round(self.width() * ratio), round(self.height() * ratio)

    def _empty_placeholder(self) -> Placeholder:
        return Placeholder(
            "empty",
            self.tr("Drop films here"),
            self.tr("DICOM, PNG or JPEG: single files or whole folders"),
            (
                (self.tr("Ctrl+O"), self.tr("open files")),
                (self.tr("PgDn"), self.tr("next study of the list")),
                ("--demo", self.tr("start with phantom studies, ready to draft")),
            ),
        )

    def _describe(self) -> None:
        """Name and description for screen readers."""
        self.setAccessibleName(self.tr("Film"))
        if self._picture is None:
            self.setAccessibleDescription(self.message)
            return
        header, letters = self._picture.film.header, self._picture.letters
        self.setAccessibleDescription(
            join_present(
                header.patient_name,
                header.view_position,
                iso_date(header.study_date),
                self.tr("left of the picture: {0}").format(letters.left)
                if letters.left
                else self.tr("sides not stated in the file"),
                separator=", ",
            )
        )


def _drag_kind(event: QMouseEvent) -> DragKind | None:
    if event.button() == Qt.MouseButton.LeftButton:
        panning = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        return "pan" if panning else "window"
    if event.button() == Qt.MouseButton.RightButton:
        return "zoom"
    return "pan" if event.button() == Qt.MouseButton.MiddleButton else None
