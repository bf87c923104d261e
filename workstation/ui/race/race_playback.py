"""The clock of the replay: real recorded milliseconds, passed at a chosen speed."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

_TICK_MS = 16


class RacePlayback(QObject):
    """Position on the recorded race [ms]; speed 0.5 takes twice as long as it took."""

    moved = Signal(float)  # position_ms
    playing_changed = Signal(bool)
    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.duration_ms = 0.0
        self.speed = 1.0
        self._position_ms = 0.0
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def position_ms(self) -> float:
        return self._position_ms

    @property
    def is_playing(self) -> bool:
        return self._timer.isActive()

    def play(self) -> None:
        """Go on; from the start if it stands at the end."""
        if self.is_playing or self.duration_ms <= 0:
            return
        if self._position_ms >= self.duration_ms:
            self.seek(0.0)
        self._clock.start()
        self._timer.start()
        self.playing_changed.emit(True)

    def pause(self) -> None:
        if self.is_playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def seek(self, position_ms: float) -> None:
        self._position_ms = min(max(0.0, position_ms), self.duration_ms)
        self.moved.emit(self._position_ms)

    def _tick(self) -> None:
        passed_ms = self._clock.nsecsElapsed() / 1e6
        self._clock.start()
        self.seek(self._position_ms + passed_ms * self.speed)
        if self._position_ms >= self.duration_ms:
            self.pause()
            self.ended.emit()
