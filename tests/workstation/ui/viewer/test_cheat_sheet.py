from __future__ import annotations

import pytest
from PySide6.QtGui import QAction, QKeySequence

from workstation.ui.report.report_keys import all_report_keys
from workstation.ui.viewer.actions import ACTIONS
from workstation.ui.viewer.cheat_sheet import CheatSheet
from workstation.ui.viewer.shortcuts import Shortcuts


@pytest.fixture
def sheet(qtbot) -> CheatSheet:
    opened = QAction("&Open films…")
    opened.setShortcut(QKeySequence("Ctrl+O"))
    dialog = CheatSheet(Shortcuts(), [opened, QAction("no key")])
    qtbot.addWidget(dialog)
    return dialog


def lines(sheet: CheatSheet) -> dict[str, str]:
    found = {}
    for top in range(sheet.list.topLevelItemCount()):
        group = sheet.list.topLevelItem(top)
        assert group is not None
        for row in range(group.childCount()):
            found[group.child(row).text(0)] = group.child(row).text(1)
    return found


def test_every_action_and_menu_key_is_listed(sheet: CheatSheet) -> None:
    told = lines(sheet)
    of_report = {text for _, text in all_report_keys()}
    assert set(told) == {action.text for action in ACTIONS} | {"Open films…"} | of_report
    assert told["Next statement"] == "↓ J"
    assert told["Invert"] == "I"
    assert told["Open films…"] == "Ctrl+O"


def test_a_key_is_changed_here_unless_it_is_taken(sheet: CheatSheet) -> None:
    sheet.choose("invert")
    sheet.key_field.setKeySequence(QKeySequence("R"))
    sheet.assign_button.click()
    assert "Turn right" in sheet.message.text()
    assert lines(sheet)["Invert"] == "I"
    sheet.key_field.setKeySequence(QKeySequence(";"))
    sheet.assign_button.click()
    assert sheet.message.text() == ""
    assert lines(sheet)["Invert"] == ";"
    sheet.restore_button.click()
    assert lines(sheet)["Invert"] == "I"
