"""All three columns on a screen of 1280 x 800: nothing squeezed, names readable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from workstation.app import build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow
from workstation.ui.theme import ui_font


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot) -> Iterator[MainWindow]:
    database = open_database(tmp_path / "data")
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    opened = build_window(database, DraftingService(), settings)
    qtbot.addWidget(opened)
    opened.resize(1280, 800)
    opened.show()
    qtbot.waitExposed(opened)
    yield opened
    opened.close()
    database.dispose()


def test_three_columns_share_1280_pixels(window: MainWindow) -> None:
    studies, films, report = window.columns.sizes()
    assert window.width() == 1280
    assert studies <= 300
    assert films >= 600
    assert report >= 330
    # A row's name, beside mark and thumbnail, has room for a name.
    name = studies - 16 - 34 - 56 - 12
    assert name >= QFontMetrics(ui_font(bold=True)).horizontalAdvance("MOTI, XIULAN")


def test_no_button_is_squeezed_to_dots(window: MainWindow) -> None:
    bars = (window.tool_bar, window.viewport_bar, window.study_list.sort_bar)
    for bar in bars:
        shown = [
            button
            for button in bar.findChildren(QToolButton)
            if button.isVisible() and button.objectName() != "qt_toolbar_ext_button"
        ]
        assert len(shown) > 4
        for button in shown:
            words = button.fontMetrics().horizontalAdvance(button.text())
            face = words if button.icon().isNull() else button.iconSize().width()
            assert button.width() >= face + 4, button.text()


def test_four_viewports_share_the_room_evenly(window: MainWindow) -> None:
    window.grid.set_layout("2x2")
    for viewport in window.grid.viewports[:2]:
        viewport.set_caption("current", "2026-06-22 · PA · the same patient")
    layout = window.grid.layout()
    assert layout is not None
    layout.activate()
    heights = [viewport.height() for viewport in window.grid.viewports]
    assert max(heights) - min(heights) <= 1
    assert sum(heights) >= 2 * window.grid.height() - 10
