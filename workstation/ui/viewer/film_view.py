"""A film in its place: state, painting and words. What the reader does with it: `image_viewer`.

The stored values are resampled once per zoom or pan (`FilmSampler`); a window/level drag only
maps that small array through a lookup table, so that it stays fluid on a large film while the
model drafts. A hand that zooms or pans sees previews; the exact picture follows when it rests. The
model never sees anything of this: its pixels come from `model_image`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.dicom.film import Film
from workstation.dicom.presentation_state import present
from workstation.dicom.voi import Voi
from workstation.reading.display_state import presentation_label, presented_as
from workstation.reading.key_views import KeyView
from workstation.ui.film.header_wording import iso_date, join_present
from workstation.ui.theme import COLOURS
from workstation.ui.viewer.annotation_painter import AnnotationPainter
from workstation.ui.viewer.corner_words import ShownState
from workstation.ui.viewer.film_overlay import FilmOverlay
from workstation.ui.viewer.film_picture import FilmPicture
from workstation.ui.viewer.film_placeholder import Placeholder, paint_placeholder
from workstation.ui.viewer.frame_bar import BAR_HEIGHT, FrameBar, FrameLoader
from workstation.ui.viewer.picture_painter import paint_frame, paint_picture
from workstation.ui.viewer.screen_pixels import pixel_size_mm
from workstation.ui.viewer.view_geometry import Orientation, ViewGeometry

ZOOM_STEP = 1.25
SETTLE_MS = 140
"""After the last step of a zoom or pan the exact picture takes the preview's place."""


class FilmView(QWidget):
    """Shows one film, or words in its place.

    Signals: window_changed(Window | VoiLut), zoom_changed(device pixels per image pixel),
    geometry_changed() after any zoom, pan, flip or turn, pixel_probed(column, row, modality
    value), frame_failed(reason) where another frame of a film can't be decoded.
    """

    window_changed = Signal(object)
    zoom_changed = Signal(float)
    pixel_probed = Signal(int, int, float)
    geometry_changed = Signal()
    frame_failed = Signal(str)

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
        self._are_graphics_shown = True
        self._annotations = AnnotationPainter()
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLE_MS)
        self._settling.timeout.connect(self.update)
        self._frames = FrameLoader(self)
        self._frames.frame_loaded.connect(self._replace_film)
        self._frames.frame_failed.connect(self._on_frame_failed)
        self._frame_bar = FrameBar(self)
        self._frame_bar.frame_chosen.connect(self._request_frame)
        self._picture: FilmPicture | None = None
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

    @property
    def corner_text(self) -> str:
        """What stands in the film's corners, a line each; "" without a film."""
        if self._picture is None:
            return ""
        state = self._shown_state(self._picture)
        return self._overlay.words.corners(self._picture.film, state).text

    @property
    def is_preview(self) -> bool:
        """Whether a hand zooms or pans: the exact picture follows when it rests."""
        return self._settling.isActive()

    def settle(self) -> None:
        """The exact picture at once."""
        self._settling.stop()
        self.update()

    def set_film(self, film: Film | None) -> None:
        """Show a film as its header asks, fitted; None shows how to begin."""
        self._probe = None
        self._placeholder = self._empty_placeholder()
        self._picture = self._picture_of(film) if film else None
        self._settling.stop()
        self._frames.cancel()
        if film is None:
            self._frame_bar.show_frames(1, 0)
        else:
            self._frame_bar.show_frames(film.frame_count, film.frame_index)
        if self._picture is not None:
            self._picture.are_overlays_shown = self._are_graphics_shown
            self._restore(self._picture)
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

    def _restore(self, picture: FilmPicture) -> None:
        """What was kept of how the film was left: nothing here."""

    def _keep_left(self) -> None:
        """After the reader changed window, polarity or orientation: kept nowhere here."""

    def _replace_film(self, film: Film) -> None:
        """Another frame of the same file, or the same one with or without its presentation
        state: what the reader chose stays."""
        if self._picture is None:
            return
        before, self._picture = self._picture, self._picture_of(film)
        if film.presentation is before.film.presentation or (
            film.frame_index != before.film.frame_index
        ):
            self._picture.take_over(before)
        self._picture.are_overlays_shown = self._are_graphics_shown
        self._frame_bar.show_frames(film.frame_count, film.frame_index)
        self._set_probe(None)
        self._describe()
        self.update()
        self.window_changed.emit(self._picture.window)
        self.zoom_changed.emit(self._picture.geometry.zoom)
        self.geometry_changed.emit()

    def _request_frame(self, index: int) -> None:
        if self.film is not None:
            self._frames.request(self.film, index)

    def _on_frame_failed(self, reason: str) -> None:
        """The frame shown stays, and its number with it."""
        if self.film is not None:
            self._frame_bar.show_frames(self.film.frame_count, self.film.frame_index)
        self.frame_failed.emit(reason)

    # What the reader can do, also from menus; without a film nothing happens

    def reset(self) -> None:
        """The film as it was opened: its own window, upright, fitted, not inverted."""
        if self._picture is None:
            return
        self._picture.reset()
        self._keep_left()
        self._describe()
        self.update()
        self.zoom_changed.emit(self._picture.geometry.zoom)
        self.window_changed.emit(self._picture.window)
        self.geometry_changed.emit()

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
        self._keep_left()

    def presets(self) -> list[tuple[str, bool]]:
        """The names of the film's windows and LUTs in the order of their numbers, and which of
        them is shown."""
        if self._picture is None:
            return []
        shown = self._picture.choice_name()
        return [(name, name == shown) for name, _ in self._picture.choices]

    def invert(self) -> None:
        """Turn black and white round; MONOCHROME1 by itself is not inversion."""
        if self._picture is not None:
            self._picture.is_inverted = not self._picture.is_inverted
            self._keep_left()
            self.update()

    def toggle_graphics(self) -> None:
        """Overlays and annotations of the file on or off."""
        self._are_graphics_shown = not self._are_graphics_shown
        if self._picture is not None:
            self._picture.are_overlays_shown = self._are_graphics_shown
        self.update()

    def switch_presentation(self) -> bool:
        """The next presentation state found with the film, after the last none, then the first
        again; False where there is none."""
        film = self.film
        if film is None or not film.presentations:
            return False
        asked = list(film.presentations)
        shown = asked.index(film.presentation) if film.presentation in asked else -1
        if shown + 1 < len(asked):
            self._replace_film(present(film, asked[shown + 1]))
        else:
            assert film.original is not None
            self._replace_film(film.original)
        return True

    def show_view(self, view: KeyView) -> None:
        """A key image as it was kept, in a view of any shape."""
        film = self.film
        if film is None:
            return
        if presentation_label(film) != view.display.presentation:
            self._replace_film(presented_as(film, view.display.presentation))
        assert self._picture is not None
        self._picture.show_as_left(view.display)
        geometry = self._picture.geometry
        geometry = geometry.fitted() if view.box is None else geometry.fitted_to(view.box)
        self._picture.geometry = geometry
        self._settling.stop()
        self._keep_left()
        self._describe()
        self.update()
        self.zoom_changed.emit(geometry.zoom)
        self.window_changed.emit(self._picture.window)
        self.geometry_changed.emit()
        self._request_frame(view.frame_index)

    def step_frame(self, by: int) -> bool:
        """Frames on or back; False for a film of one frame."""
        if self.film is None or self.film.frame_count < 2:
            return False
        self._frame_bar.step(by)
        return True

    def rotate_right(self) -> None:
        self._reorient(lambda seen: seen.rotated(1))

    def rotate_left(self) -> None:
        self._reorient(lambda seen: seen.rotated(-1))

    def flip_horizontally(self) -> None:
        self._reorient(Orientation.flipped_horizontally)

    def flip_vertically(self) -> None:
        self._reorient(Orientation.flipped_vertically)

    def zoom_in(self) -> None:
        self._zoom_by(ZOOM_STEP, None)

    def zoom_out(self) -> None:
        self._zoom_by(1 / ZOOM_STEP, None)

    def zoom_to_pixels(self) -> None:
        """1:1, one device pixel per image pixel."""
        if self._picture is not None:
            self._zoom_by(1 / self._picture.geometry.zoom, None)

    # Changing the state

    def _zoom_by(self, factor: float, at: QPointF | None) -> None:
        if self._picture is None:
            return
        ratio = self.devicePixelRatioF()
        point = QPointF(self.width() / 2, self.height() / 2) if at is None else at
        geometry = self._picture.geometry.zoomed_at(factor, point.x() * ratio, point.y() * ratio)
        if at is None:
            self._set_geometry(geometry)
        else:
            self._move_to(geometry)

    def _reorient(self, turn: Callable[[Orientation], Orientation]) -> None:
        if self._picture is not None:
            geometry = self._picture.geometry
            self._set_geometry(geometry.reoriented(turn(geometry.orientation)))
            self._keep_left()
            self._describe()

    def _move_to(self, geometry: ViewGeometry) -> None:
        """A step of a zoom or pan by hand: previewed, exact when the hand rests."""
        self._settling.start()
        self._set_geometry(geometry)

    def _set_geometry(self, geometry: ViewGeometry) -> None:
        if self._picture is None or geometry == self._picture.geometry:
            return
        is_zoom_new = geometry.zoom != self._picture.geometry.zoom
        self._picture.geometry = geometry
        self.update()
        if is_zoom_new:
            self.zoom_changed.emit(geometry.zoom)
        self.geometry_changed.emit()

    def _resize_picture(self) -> None:
        if self._picture is not None:
            self._set_geometry(self._picture.resized_geometry(*self._device_size()))

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
        self._frame_bar.setGeometry(0, self.height() - BAR_HEIGHT, self.width(), BAR_HEIGHT)
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
        area, ratio = QRectF(self.rect()), self.devicePixelRatioF()
        if self._picture is None:
            painter.fillRect(area, QColor(COLOURS.ground))
            paint_placeholder(painter, area, self._placeholder)
        else:
            paint_picture(painter, self._picture, self.rect(), ratio, is_preview=self.is_preview)
            if self._are_graphics_shown:
                film, geometry = self._picture.film, self._picture.geometry
                self._annotations.paint(painter, film, geometry, ratio)
            if self._is_overlay_visible:
                state = self._shown_state(self._picture)
                bar = BAR_HEIGHT if self._frame_bar.isVisible() else 0
                free = area.adjusted(0, 0, 0, -bar)
                self._overlay.paint(painter, free, self._picture.film, state)
            self._paint_above(painter, self._picture)
        if self.hasFocus():
            paint_frame(painter, self.rect(), QColor(COLOURS.accent))

    def _paint_above(self, painter: QPainter, picture: FilmPicture) -> None:
        """What lies on the film: nothing here."""

    def _shown_state(self, picture: FilmPicture) -> ShownState:
        return ShownState(
            window=picture.window,
            zoom=picture.geometry.zoom,
            orientation=picture.geometry.orientation,
            is_inverted=picture.is_inverted,
            badges=picture.badges,
            letters=picture.letters,
            probe=self._probe,
            are_graphics_shown=self._are_graphics_shown,
            true_size=picture.true_size,
            key_note=self._key_note(picture),
        )

    def _key_note(self, picture: FilmPicture) -> str:
        """What is kept of the film as key images: nothing here."""
        return ""

    # Words

    def _picture_of(self, film: Film) -> FilmPicture:
        return FilmPicture(film, *self._device_size(), pixel_size_mm(self.screen()))

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
                self._key_note(self._picture).lstrip("★ "),
                self.tr("left of the picture: {0}").format(letters.left)
                if letters.left
                else self.tr("sides not stated in the file"),
                separator=", ",
            )
        )
