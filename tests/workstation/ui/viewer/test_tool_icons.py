"""The icons of the tools: there for every tool, told apart, sharp and in the theme's colours."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from workstation.ui.theme import COLOURS, set_font_scale
from workstation.ui.viewer.actions import ACTIONS
from workstation.ui.viewer.shortcuts import Shortcuts
from workstation.ui.viewer.tool_bar import FILM_GROUPS, VIEWPORT_GROUPS, ViewerToolBar
from workstation.ui.viewer.tool_icons import DRAWINGS, GRID, STROKE, tool_icon

SCALES = (1.0, 2.0)


def drawn(
    icon: QIcon,
    scale: float,
    mode: QIcon.Mode = QIcon.Mode.Normal,
    state: QIcon.State = QIcon.State.Off,
) -> np.ndarray:
    """-> uint8 [GRID * scale, GRID * scale, 4], red, green, blue, opacity."""
    picture = icon.pixmap(QSize(GRID, GRID), scale, mode, state).toImage()
    picture = picture.convertToFormat(QImage.Format.Format_RGBA8888)
    shape = (picture.height(), picture.width(), 4)
    return np.frombuffer(picture.constBits(), np.uint8).reshape(shape).copy()


@pytest.fixture
def bars(qtbot: QtBot) -> list[ViewerToolBar]:
    made = [
        ViewerToolBar(Shortcuts(), lambda _: None, groups=groups)
        for groups in (FILM_GROUPS, VIEWPORT_GROUPS)
    ]
    for bar in made:
        qtbot.addWidget(bar)
    return made


@pytest.mark.parametrize("scale", SCALES)
def test_icons_are_drawn_and_differ(qtbot: QtBot, scale: float) -> None:
    opacities = {}
    for action_id in DRAWINGS:
        opacity = drawn(tool_icon(action_id), scale)[..., 3] / 255
        assert opacity.shape == (GRID * scale, GRID * scale)
        assert 0.08 < opacity.mean() < 0.6, action_id
        margins = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
        assert margins.max() < 0.6, f"{action_id} is cut off"
        opacities[action_id] = opacity
    line = GRID / 2 * STROKE * scale**2  # what a line of half the side covers [pixels]
    for one, other in combinations(opacities, 2):
        assert np.abs(opacities[one] - opacities[other]).sum() > line, (one, other)


def test_icons_are_drawn_anew_for_finer_screens(qtbot: QtBot) -> None:
    for action_id in DRAWINGS:
        coarse, fine = (drawn(tool_icon(action_id), scale)[..., 3] for scale in SCALES)
        enlarged = coarse.repeat(2, axis=0).repeat(2, axis=1)
        assert np.abs(fine.astype(int) - enlarged).max() > 60, action_id


def test_a_copied_icon_outlives_the_first(qtbot: QtBot) -> None:
    for _ in range(20):
        icon = tool_icon("invert")
        before = drawn(icon, 1.0)
        copy = QIcon(icon)
        copy.addPixmap(icon.pixmap(QSize(GRID, GRID)))  # Qt clones the engine
        del icon
        gc.collect()
        assert (drawn(copy, 1.0) == before).all()


def test_every_button_has_an_icon_or_a_word(bars: list[ViewerToolBar]) -> None:
    on_bars = {str(each.data()): each for bar in bars for each in bar.actions() if each.data()}
    worded = {each.id for each in ACTIONS if each.word}
    assert set(DRAWINGS) <= {each.id for each in ACTIONS}
    assert set(on_bars) == set(DRAWINGS) | worded
    assert not set(DRAWINGS) & worded
    for action_id, button in on_bars.items():
        assert button.icon().isNull() == (action_id in worded)
        assert button.text().isascii(), "signs of a font are not icons"
        assert not button.isIconVisibleInMenu()  # of the tools without room: names and marks


@pytest.mark.parametrize(
    ("mode", "state", "ink"),
    [
        (QIcon.Mode.Normal, QIcon.State.Off, COLOURS.muted_text),
        (QIcon.Mode.Active, QIcon.State.Off, COLOURS.bright_text),
        (QIcon.Mode.Normal, QIcon.State.On, COLOURS.bright_text),
        (QIcon.Mode.Disabled, QIcon.State.Off, COLOURS.faint_text),
        (QIcon.Mode.Disabled, QIcon.State.On, COLOURS.faint_text),
    ],
)
def test_icons_take_the_colours_of_words(
    qtbot: QtBot, mode: QIcon.Mode, state: QIcon.State, ink: str
) -> None:
    picture = drawn(tool_icon("invert"), 2.0, mode, state)
    solid = picture[picture[..., 3] == 255][:, :3]
    assert len(solid)
    wanted = QColor(ink)
    assert (solid == (wanted.red(), wanted.green(), wanted.blue())).all()


@pytest.fixture
def larger_text() -> Iterator[None]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    set_font_scale(app, 1.5)
    yield
    set_font_scale(app, 1.0)


def test_icons_grow_with_the_text(qtbot: QtBot, request: pytest.FixtureRequest) -> None:
    bar = ViewerToolBar(Shortcuts(), lambda _: None)
    qtbot.addWidget(bar)
    button = bar.widgetForAction(bar.button("invert"))
    assert isinstance(button, QToolButton)
    assert button.iconSize() == QSize(GRID, GRID)
    request.getfixturevalue("larger_text")
    assert button.iconSize() == QSize(27, 27)
    assert button.sizeHint().height() >= 27 + 4
