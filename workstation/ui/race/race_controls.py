"""The foot of the race view: replay, its speed, where it is."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)

from workstation.ui.race.race_playback import RacePlayback
from workstation.ui.race.race_wording import SPEEDS, choose_speed, word_speed
from workstation.ui.theme import COLOURS

_SLIDER_STEPS = 1000


class RaceControls(QWidget):
    """Steers a playback; disabled as long as nothing is recorded."""

    def __init__(self, playback: RacePlayback, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._playback = playback
        self.replay_button = QPushButton(self.tr("Replay"), self)
        self.replay_button.setObjectName("race_replay")
        self.replay_button.setMinimumWidth(96)
        self.replay_button.setToolTip(self.tr("Replay or pause (P)"))
        self.replay_button.clicked.connect(self.toggle)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("race_position")
        self.slider.setAccessibleName(self.tr("Place in the replay"))
        self.slider.setRange(0, _SLIDER_STEPS)
        self.slider.setPageStep(_SLIDER_STEPS // 20)
        self.slider.valueChanged.connect(self._on_slider_moved)
        self.speed_buttons = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.replay_button)
        layout.addSpacing(10)
        layout.addWidget(QLabel(self.tr("Speed"), self))
        for rank, speed in enumerate(SPEEDS):
            layout.addWidget(self._make_speed_button(rank, speed))
        layout.addSpacing(10)
        layout.addWidget(self.slider, 1)
        for keys, slot in (("P", self.toggle), ("+", self.go_faster), ("-", self.go_slower)):
            QShortcut(QKeySequence(keys), self.window(), slot)
        playback.moved.connect(self._on_moved)
        playback.playing_changed.connect(self._on_playing_changed)
        self.setStyleSheet(
            f"QToolButton:checked {{ background: {COLOURS.accent_dim}; "
            f"border-color: {COLOURS.accent}; color: {COLOURS.bright_text}; }}"
        )
        self.setEnabled(False)

    def _make_speed_button(self, rank: int, speed: float) -> QToolButton:
        button = QToolButton(self)
        button.setText(word_speed(speed))
        button.setCheckable(True)
        button.setObjectName(f"race_speed_{rank}")
        button.setAccessibleName(self.tr("Replay at {0}").format(word_speed(speed)))
        button.setToolTip(self.tr("Replay speed; + faster, - slower"))
        self.speed_buttons.addButton(button, rank)
        button.clicked.connect(self._on_speed_clicked)
        return button

    def start_replay(self) -> None:
        """From the start, at a speed the eye can follow."""
        self.setEnabled(True)
        self.choose_speed(choose_speed(self._playback.duration_ms))
        self._playback.pause()
        self._playback.seek(0.0)
        self._playback.play()

    def choose_speed(self, speed: float) -> None:
        """One of SPEEDS."""
        self._playback.speed = speed
        self.speed_buttons.button(SPEEDS.index(speed)).setChecked(True)

    def toggle(self) -> None:
        """Replay or pause."""
        if not self.isEnabled():
            return
        if self._playback.is_playing:
            self._playback.pause()
        else:
            self._playback.play()

    def go_faster(self) -> None:
        self._step_speed(-1)

    def go_slower(self) -> None:
        self._step_speed(1)

    def _step_speed(self, step: int) -> None:
        rank = SPEEDS.index(self._playback.speed) + step
        if self.isEnabled() and 0 <= rank < len(SPEEDS):
            self.choose_speed(SPEEDS[rank])

    def _on_speed_clicked(self) -> None:
        self._playback.speed = SPEEDS[self.speed_buttons.checkedId()]

    def _on_slider_moved(self, step: int) -> None:
        self._playback.pause()
        self._playback.seek(self._playback.duration_ms * step / _SLIDER_STEPS)

    def _on_moved(self, position_ms: float) -> None:
        with QSignalBlocker(self.slider):
            share = position_ms / max(self._playback.duration_ms, 1e-9)
            self.slider.setValue(round(_SLIDER_STEPS * share))

    def _on_playing_changed(self, is_playing: bool) -> None:
        self.replay_button.setText(self.tr("Pause") if is_playing else self.tr("Replay"))
