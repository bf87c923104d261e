"""All three columns on a screen of 1280 x 800, and with large text on 1366 x 768: nothing squeezed,
names readable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QScrollArea, QToolButton
from pytestqt.qtbot import QtBot

from workstation.app import build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.draft_report import DraftReport
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


# -- large text on a small screen ------------------------------------------------------------


@pytest.fixture
def large_text(window: MainWindow) -> Iterator[MainWindow]:
    """1366 x 768 at 150%, with a report to edit."""
    window.text_size.choose(1.5)
    window.resize(1366, 768)
    report = DraftReport()
    report.set_from_draft(
        "The thorax is symmetric. No pulmonary edema. Moderate right pleural effusion.",
        "Moderate right pleural effusion.",
    )
    window.report_panel.show_report(report)
    yield window
    window.text_size.choose(1.0)


def squeezed_buttons(window: MainWindow) -> list[str]:
    """Every button on screen whose words or sign are not seen whole, by its words."""
    found = []
    for button in window.findChildren(QAbstractButton):
        if not button.isVisible() or button.objectName() == "qt_toolbar_ext_button":
            continue
        wanted, seen = button.sizeHint(), button.visibleRegion().boundingRect()
        is_small = button.width() < wanted.width() or (
            button.height() < button.fontMetrics().height() + 4
        )
        is_cut = seen.width() < button.width() or seen.height() < button.height()
        if is_small or (is_cut and not is_scrolled(button)):
            words = button.text() or button.accessibleName()
            found.append(f"{words}: {seen.size().toTuple()} of {wanted.toTuple()}")
    return found


def is_scrolled(button: QAbstractButton) -> bool:
    parent = button.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea):
        parent = parent.parentWidget()
    return parent is not None


@pytest.mark.parametrize("shown", ["report", "picker", "checks", "checklist"])
def test_large_text_leaves_every_button_whole(
    large_text: MainWindow, qtbot: QtBot, shown: str
) -> None:
    editor = large_text.report_panel.editor
    report = editor.report
    assert report is not None
    if shown == "picker":
        editor.open_finding_picker()
    elif shown == "checks":
        report.delete_sentence("impression", report.state.impression[0].id)
        editor.check_bar.show_next()
    elif shown == "checklist":
        editor.listing.focus_checklist()

    def assert_whole() -> None:
        assert squeezed_buttons(large_text) == []

    qtbot.waitUntil(assert_whole)
    assert (large_text.width(), large_text.height()) == (1366, 768)
