"""Every control has a name for a screen reader, in the window and in its dialogs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from workstation.app import build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.draft_report import DraftReport
from workstation.ui.main_window import MainWindow
from workstation.ui.report.signing.sign_dialog import SignDialog
from workstation.ui.viewer.cheat_sheet import CheatSheet

CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit,
    QPlainTextEdit, QProgressBar, QTabBar, QTextEdit,
)  # fmt: skip


def is_part_of_qt(widget: QObject) -> bool:
    """What Qt makes by itself inside a control: scroll bars, header views, clear buttons."""
    name, parent = widget.objectName(), widget.parent()
    is_inner = isinstance(parent, CONTROLS) and not isinstance(parent, QAbstractItemView)
    is_inner |= parent is not None and isinstance(parent.parent(), QComboBox)  # its pop-up
    return name.startswith("qt_") or isinstance(widget, QScrollBar | QHeaderView) or is_inner


def nameless(top: QWidget) -> list[str]:
    """The controls without a name: none of their own, no text, no label as buddy."""
    buddies = [label.buddy() for label in top.findChildren(QLabel)]
    found = []
    for widget in top.findChildren(QWidget):
        if not isinstance(widget, CONTROLS) or is_part_of_qt(widget):
            continue
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        has_words = any(character.isalpha() for character in text)
        if not (widget.accessibleName() or has_words or widget in buddies):
            parents = []
            parent = widget.parentWidget()
            while parent is not None and len(parents) < 3:
                parents.append(parent.objectName() or type(parent).__name__)
                parent = parent.parentWidget()
            name = widget.objectName() or text or "?"
            found.append(f"{type(widget).__name__} {name} in {' in '.join(parents)}")
    return found


@pytest.fixture
def window(tmp_path: Path, qtbot: QtBot, write_film: Callable[..., Path]) -> Iterator[MainWindow]:
    database = open_database(tmp_path / "data")
    opened = build_window(database, DraftingService())
    qtbot.addWidget(opened)
    opened.show()
    grey = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
    with qtbot.waitSignal(opened.loader.film_loaded, timeout=30_000):
        opened.import_paths([write_film("a.dcm", grey)])
    yield opened
    opened.close()
    database.dispose()


def test_no_control_of_the_window_is_nameless(window: MainWindow) -> None:
    window.report_panel.write_by_hand()
    window.report_panel.editor.open_finding_picker()
    window.report_panel.notice.ask("A question", "Yes")
    found = nameless(window)
    assert found == [], "\n".join(found)


def test_no_control_of_a_dialog_is_nameless(window: MainWindow, qtbot: QtBot) -> None:
    sheet = CheatSheet(window.shortcuts, window.menus.actions(), window)
    qtbot.addWidget(sheet)
    report = DraftReport()
    report.set_section_text("findings", "Normal.")
    dialog = SignDialog(report.state, signer="A", edit_count=0, parent=window)
    qtbot.addWidget(dialog)
    assert nameless(sheet) + nameless(dialog) == []


def test_a_nameless_control_is_found(qtbot: QtBot) -> None:
    top = QWidget()
    qtbot.addWidget(top)
    QLineEdit(top).setObjectName("forgotten")
    assert [each.split(" in ")[0] for each in nameless(top)] == ["QLineEdit forgotten"]


def test_viewports_and_films_say_what_they_are(window: MainWindow) -> None:
    viewport = window.grid.viewports[0]
    assert viewport.accessibleName().startswith("Viewport 1, active")
    assert window.viewer.accessibleName() == "Film"
    assert "DOE, JANE" in window.viewer.accessibleDescription()
