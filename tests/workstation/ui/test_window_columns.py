"""Columns in windows of their own, the size of all text, and what of it is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from workstation.app import build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.draft_report import DraftReport
from workstation.ui.main_window import MainWindow
from workstation.ui.theme import apply_theme, font_scale, set_font_scale, ui_font


class Rooms:
    """Windows one after the other on the same data folder and settings."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.folder, self.qtbot = folder, qtbot
        self.database: Engine | None = None
        self.window: MainWindow | None = None

    def open(self) -> MainWindow:
        self.database = open_database(self.folder)
        settings = QSettings(str(self.folder / "window.ini"), QSettings.Format.IniFormat)
        self.window = build_window(self.database, DraftingService(), settings)
        self.qtbot.addWidget(self.window)
        self.window.resize(1500, 900)
        self.window.show()
        return self.window

    def close(self) -> None:
        if self.window is not None and self.database is not None:
            self.window.close()
            self.database.dispose()
        self.window = self.database = None


@pytest.fixture
def rooms(tmp_path: Path, qtbot: QtBot) -> Iterator[Rooms]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    font, sheet, palette = app.font(), app.styleSheet(), app.palette()
    opened = Rooms(tmp_path / "data", qtbot)
    yield opened
    opened.close()
    set_font_scale(app, 1.0)
    app.setFont(font)
    app.setPalette(palette)
    app.setStyleSheet(sheet)


def test_report_in_its_own_window_and_back(rooms: Rooms) -> None:
    window = rooms.open()
    widths = window.columns.sizes()
    action = window.menus.detach_actions["report"]
    action.trigger()
    own = window.report_panel.window()
    assert own is not window
    assert own.isVisible()
    assert window.report_panel.isVisible()
    assert "not for diagnosis" in " ".join(label.text() for label in own.findChildren(QLabel))
    assert window.columns.count() == 2
    own.close()
    assert window.report_panel.window() is window
    assert window.report_panel.isVisible()
    assert window.columns.sizes() == widths
    assert not action.isChecked()
    with pytest.raises(ValueError, match="stays"):
        window.columns.detach("studies")


def test_films_get_most_of_a_small_window_until_the_reader_moves_a_border(rooms: Rooms) -> None:
    window = rooms.open()
    for width, height in ((1920, 1080), (1280, 720)):
        window.resize(width, height)
        sizes = window.columns.sizes()
        assert sizes[1] >= 0.43 * width
        assert (window.width(), window.height()) == (width, height)
    window.menus.studies_action.trigger()
    assert not window.study_list.isVisible()
    window.menus.studies_action.trigger()
    window.columns.moveSplitter(400, 1)
    rooms.close()
    again = rooms.open()
    assert abs(again.columns.sizes()[0] - 400) < 80
    again.resize(1400, 800)


def test_a_detached_column_is_where_it_was_after_a_restart(rooms: Rooms) -> None:
    window = rooms.open()
    window.columns.detach("films")
    own = window.columns.window_of("films")
    own.setGeometry(120, 90, 640, 480)
    rooms.close()
    again = rooms.open()
    assert again.columns.is_detached("films")
    assert again.grid.window() is not again
    assert again.grid.window().geometry().size().width() == 640
    assert again.columns.count() == 2
    again.columns.attach("films")
    assert [again.columns.indexOf(w) for w in (again.study_list, again.report_panel)] == [0, 2]


def test_keys_of_menu_and_report_reach_a_window_of_its_own(rooms: Rooms) -> None:
    window = rooms.open()
    window.columns.detach("films")
    reached = {action.shortcut().toString() for action in window.grid.actions()}
    assert {"Ctrl+O", "Ctrl+PgDown", "Ctrl+D", "Ctrl+Return", "Esc", "F1"} <= reached


def test_the_keyboard_goes_to_films_and_report(rooms: Rooms) -> None:
    window = rooms.open()
    window.focus_films()
    assert window.focusWidget() is window.viewer
    window.report_panel.show_report(DraftReport())
    window.report_panel.write_by_hand()
    window.focus_films()
    window.focus_report()
    assert window.focusWidget() is window.report_panel.editor.editors["findings"]
    keys = {a.shortcut().toString() for a in window.menus.actions() if not a.shortcut().isEmpty()}
    assert {"F6", "F7", "F9", "Ctrl++", "Ctrl+-"} <= keys
    assert not any(window.shortcuts.action_of(key) for key in keys)


def test_text_size_scales_everything_and_is_kept(
    rooms: Rooms, write_film: Callable[..., Path], qtbot: QtBot
) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app)
    window = rooms.open()
    grey = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
    with qtbot.waitSignal(window.loader.film_loaded, timeout=30_000):
        window.import_paths([write_film("a.dcm", grey)])
    window.report_panel.write_by_hand()
    editor = window.report_panel.editor.editors["findings"]
    labels = [*window.findChildren(QLabel), editor, window.study_list.search_field]
    before = {id(each): QFontMetrics(each.font()).height() for each in labels}
    size = ui_font().pointSizeF()
    window.text_size.choose(1.5)
    assert ui_font().pointSizeF() == pytest.approx(1.5 * size)
    for each in labels:
        growth = QFontMetrics(each.font()).height() / before[id(each)]
        assert 1.3 < growth < 1.7, (each.objectName(), growth)
    window.grab()
    rooms.close()
    set_font_scale(app, 1.0)
    rooms.open()
    assert font_scale() == 1.5
    assert rooms.window is not None
    rooms.window.text_size.step(-1)
    assert font_scale() == 1.3
    with pytest.raises(ValueError, match="no text size"):
        set_font_scale(app, 9.0)
