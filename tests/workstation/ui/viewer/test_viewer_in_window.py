"""The viewer inside the window: figures kept by the catalog, written into the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def test_figures_are_kept_and_written_into_the_report_once(
    tmp_path: Path, qtbot: QtBot, write_film: Callable[..., Path]
) -> None:
    grey = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
    path = write_film("a.dcm", grey, ImagerPixelSpacing=["0.2", "0.2"])
    database = open_database(tmp_path / "data")
    window = build_window(database, DraftingService())
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.loader.film_loaded, timeout=30_000):
        window.import_paths([path])
    film = window.viewer.film
    assert film is not None

    window.tool_bar.button("tool.length").trigger()
    assert window.viewer.tool == "length"
    middle = window.viewer.rect().center()
    QTest.mousePress(window.viewer, LEFT, NONE, middle)
    QTest.mouseMove(window.viewer, middle + QPoint(60, 0))
    QTest.mouseRelease(window.viewer, LEFT, NONE, middle + QPoint(60, 0))
    assert window.tool_bar.button("tool.window").isChecked()
    kept = build_records(database).measurements.load(film.header.sop_instance_uid)
    assert [each.kind for each in kept] == ["length"]

    window.add_measurements_to_report()
    window.add_measurements_to_report()
    assert window.report_panel.report is not None
    (sentence,) = window.report_panel.report.state.findings
    assert sentence.text.startswith("Length: ")
    assert sentence.text.endswith(" mm at detector.")
    assert sentence.provenance == "human"
    # One action may stand in two menus, a key may not belong to two actions.
    actions = {a for m in window.findChildren(QMenu) for a in m.actions()}
    keys = [action.shortcut().toString() for action in actions]
    taken = [key for key in keys if key]
    assert len(taken) == len(set(taken))
    assert not any(window.shortcuts.action_of(key) for key in taken)
    next_new = next(action for action in actions if action.shortcut().toString() == "Ctrl+N")
    next_new.trigger()
    assert window.statusBar().currentMessage() == "No other study in the list is new."
    window.activateWindow()
    window.study_list.view.setFocus()
    QTest.keyClick(window.study_list.view, Qt.Key.Key_Return)
    qtbot.waitUntil(window.viewer.hasFocus)
    window.close()
    database.dispose()
