"""The frames of a multi-frame film: a slider over its lower edge, and the thread that decodes."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from workstation.dicom.film import Film
from workstation.dicom.unreadable import UnreadableInstance
from workstation.ui.theme import COLOURS
from workstation.ui.viewer.film_sampler import sampler_of

BAR_HEIGHT = 34
_SLIDER_STYLE = f"""
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {COLOURS.strong_line}; }}
QSlider::sub-page:horizontal {{ border-radius: 2px; background: {COLOURS.accent}; }}
QSlider::handle:horizontal {{
    width: 14px; margin: -5px 0; border-radius: 7px; background: {COLOURS.bright_text};
}}
"""
"""The theme's handle is meant for panels; on a film it would be dark on black."""


class FrameLoader(QObject):
    """Decodes frames on a thread of its own; only the newest request is delivered.

    Signals, on the main thread: frame_loaded(Film), frame_failed(reason).
    """

    frame_loaded = Signal(object)
    frame_failed = Signal(str)
    _decoded = Signal(int, object)
    _refused = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._newest = 0
        self._executor: ThreadPoolExecutor | None = None
        self._decoded.connect(self._on_decoded, Qt.ConnectionType.QueuedConnection)
        self._refused.connect(self._on_refused, Qt.ConnectionType.QueuedConnection)

    def request(self, film: Film, index: int) -> None:
        """Another frame of the film's file, counted from 0."""
        self._newest += 1
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="frames")
        self._executor.submit(self._decode, self._newest, film, index)

    def cancel(self) -> None:
        """Deliver nothing of what was asked so far."""
        self._newest += 1

    def _decode(self, request_id: int, film: Film, index: int) -> None:
        """On the loader's thread."""
        if request_id != self._newest:
            return
        # The view may be gone by the time a frame is there.
        with contextlib.suppress(RuntimeError):
            try:
                frame = film.frame(index)
                sampler_of(frame).prepare()
            except UnreadableInstance as refusal:
                self._refused.emit(request_id, refusal.reason)
            except MemoryError:
                self._refused.emit(request_id, self.tr("not enough memory to decode this frame"))
            else:
                self._decoded.emit(request_id, frame)

    @Slot(int, object)
    def _on_decoded(self, request_id: int, frame: Film) -> None:
        if request_id == self._newest:
            self.frame_loaded.emit(frame)

    @Slot(int, str)
    def _on_refused(self, request_id: int, reason: str) -> None:
        if request_id == self._newest:
            self.frame_failed.emit(reason)


class FrameBar(QWidget):
    """Slider and number; hidden for films of one frame. Signal: frame_chosen(index from 0)."""

    frame_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("frameBar")
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setPageStep(1)
        # The keys stay with the film: frames have keys of their own in the table.
        self._slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._slider.setAccessibleName(self.tr("Frame"))
        self._slider.setStyleSheet(_SLIDER_STYLE)
        self._number = QLabel()
        self._number.setMinimumWidth(96)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 14, 4)
        row.addWidget(self._slider, 1)
        row.addWidget(self._number)
        self._slider.valueChanged.connect(self._on_value_changed)
        self.hide()

    @property
    def index(self) -> int:
        """The frame chosen, which may still be decoding."""
        return self._slider.value()

    def show_frames(self, count: int, index: int) -> None:
        """The frames of another film; of one frame: nothing."""
        self._slider.blockSignals(True)
        self._slider.setRange(0, max(0, count - 1))
        self._slider.setValue(index)
        self._slider.blockSignals(False)
        self._tell()
        self.setVisible(count > 1)

    def step(self, by: int) -> None:
        """So many frames on or back, not beyond the ends."""
        self._slider.setValue(self._slider.value() + by)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A dark ground, so that the number is readable on white film."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(0, 0, 0, 150))

    def _on_value_changed(self, index: int) -> None:
        self._tell()
        self.frame_chosen.emit(index)

    def _tell(self) -> None:
        words = self.tr("frame {0} / {1}")
        self._number.setText(words.format(self._slider.value() + 1, self._slider.maximum() + 1))
