"""The clock of the replay, and what the axis draws at a moment of it."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from inference import BlockCommitted, DraftFinished, PrefillDone
from workstation.ui.race.race_lanes import RaceLanes
from workstation.ui.race.race_playback import RacePlayback
from workstation.ui.race.race_wording import choose_speed, word_speed, word_time
from workstation.ui.theme import COLOURS

EVENTS = (
    PrefillDone("r", 9, 4, 100.0),
    BlockCommitted("r", 0, (7,), ("No ",), (0.9,), 1, 200.0),
    BlockCommitted("r", 1, (8,), ("edema.",), (0.9,), 2, 400.0),
    DraftFinished("r", "No edema.", "No edema.", "", "stop", 2, 2, 100.0, 300.0),
)


@pytest.fixture
def playback(qtbot: QtBot) -> RacePlayback:
    made = RacePlayback()
    made.duration_ms = 40.0
    return made


def test_replay_runs_to_its_end_and_starts_anew(qtbot: QtBot, playback: RacePlayback) -> None:
    with qtbot.waitSignal(playback.ended, timeout=10_000):
        playback.play()
    assert playback.position_ms == 40.0
    assert not playback.is_playing
    playback.play()
    assert playback.position_ms < 40.0
    playback.pause()


def test_slow_motion_takes_longer_than_it_took(qtbot: QtBot, playback: RacePlayback) -> None:
    positions: list[float] = []
    playback.moved.connect(positions.append)
    playback.speed = 0.025
    with qtbot.waitSignals([playback.moved] * 3, timeout=10_000):
        playback.play()
    playback.pause()
    assert positions == sorted(positions)
    # 16 ms of the wall pass in 0.4 ms of the race; a stalled machine only lengthens the former
    assert positions[1] - positions[0] > 0


def test_seeking_stays_within_the_race(playback: RacePlayback) -> None:
    playback.seek(1e9)
    assert playback.position_ms == 40.0
    playback.seek(-1.0)
    assert playback.position_ms == 0.0


@pytest.mark.parametrize(
    ("duration_ms", "speed"),
    [(20_000.0, "1×"), (4000.0, "½×"), (2000.0, "¼×"), (800.0, "1⁄10×"), (90.0, "1⁄40×")],
)
def test_replay_is_slow_enough_to_be_watched(duration_ms: float, speed: str) -> None:
    assert word_speed(choose_speed(duration_ms)) == speed


def test_times_are_worded_by_their_size() -> None:
    words = [word_time(each) for each in (3.4, 999.4, 1234.0, 12_340.0)]
    assert words == ["3 ms", "999 ms", "1.23 s", "12.3 s"]


@pytest.fixture
def lanes(qtbot: QtBot) -> RaceLanes:
    made = RaceLanes()
    qtbot.addWidget(made)
    made.resize(800, 80)
    made.clear(("one-step", "adaptive"))
    made.set_events("one-step", EVENTS)
    return made


def colour_at(lanes: RaceLanes, time_ms: float) -> QColor:
    """In the middle of the first lane."""
    image = lanes.grab().toImage()
    ratio = image.devicePixelRatio()
    return image.pixelColor(int(lanes.x_of(time_ms) * ratio), int(8 * ratio))


def test_axis_is_as_long_as_the_slowest(lanes: RaceLanes) -> None:
    assert lanes.duration_ms == 400.0
    assert lanes.x_of(0) == lanes.gutter
    assert lanes.x_of(200) == pytest.approx((lanes.x_of(0) + lanes.x_of(400)) / 2)
    lanes.add_event("adaptive", PrefillDone("s", 9, 4, 800.0))
    assert lanes.duration_ms == 800.0


def test_what_is_still_to_come_is_dim(lanes: RaceLanes) -> None:
    assert colour_at(lanes, 300.0) == QColor(COLOURS.accent)
    lanes.set_position(250.0)
    assert colour_at(lanes, 150.0) == QColor(COLOURS.accent)
    assert colour_at(lanes, 300.0).lightness() < QColor(COLOURS.accent).lightness() / 2
