"""The checklist: what is not stated is visible, and one key away from being stated."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from inference.report_language import REGIONS, Language
from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.report_editor import ReportEditor
from workstation.ui.report.statements.checklist_lines import ChecklistLine
from workstation.ui.report.statements.negatives_checklist import STATE

FINDINGS: dict[Language, str] = {
    "en": "No focal consolidation. Small left pleural effusion. The hila are not enlarged.",
    "zh": "未见实变。左侧少量胸腔积液。两肺门影不大。",
}


def written(language: Language = "en") -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS[language], "", language=language)
    return report


@pytest.fixture
def report() -> DraftReport:
    return written()


@pytest.fixture
def editor(qtbot, report) -> ReportEditor:
    editor = ReportEditor()
    qtbot.addWidget(editor)
    editor.resize(520, 1000)
    editor.set_report(report)
    editor.show()
    editor.listing.focus_checklist()
    return editor


def number_of(editor: ReportEditor, concept: str) -> int:
    lines = editor.checklist.table.lines
    return next(n for n, each in enumerate(lines) if each.concept and each.concept.name == concept)


def line_of(editor: ReportEditor, concept: str) -> ChecklistLine:
    return editor.checklist.table.lines[number_of(editor, concept)]


def press(qtbot, editor: ReportEditor, concept: str, key: Qt.Key) -> None:
    editor.checklist.select_line(number_of(editor, concept))
    qtbot.keyClick(editor.checklist, key)


def test_lines_stand_in_anatomical_order(editor) -> None:
    regions = list(dict.fromkeys(line.region for line in editor.checklist.table.lines))
    assert regions == [region for region in REGIONS if region in regions]
    editor.listing.all_button.setChecked(True)
    shown = {line.region for line in editor.checklist.table.lines}
    assert shown == set(REGIONS) - {"thorax"}  # no concept of the vocabulary is of the thorax


def test_what_is_not_stated_is_said_and_counted(editor) -> None:
    assert line_of(editor, "pleural_effusion").state == "present"
    assert line_of(editor, "consolidation").state == "absent"
    missing = line_of(editor, "pneumothorax")
    assert missing.state == "not stated"
    assert missing.is_pertinent
    number = number_of(editor, "pneumothorax")
    shown = editor.checklist.table.data(editor.checklist.table.index(number, STATE))
    assert shown == "○ not stated"
    count = editor.checklist.unstated_count
    assert f"{count} not stated" in editor.listing.checklist_button.text()


def test_consolidation_is_not_missed_beside_an_opacity(editor, report) -> None:
    report.edit_sentence("findings", report.state.findings[0].id, "Right lower zone opacity.")
    assert all(
        line.concept is None or line.concept.name != "consolidation"
        for line in editor.checklist.table.lines
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_key_states_it_at_its_place(qtbot, editor, language) -> None:
    report = written(language)
    editor.set_report(report)
    press(qtbot, editor, "pneumothorax", Qt.Key.Key_N)
    assert (
        report.state.findings_text
        == {
            "en": "No focal consolidation. Small left pleural effusion. No pneumothorax."
            " The hila are not enlarged.",
            "zh": "未见实变。左侧少量胸腔积液。未见气胸。两肺门影不大。",
        }[language]
    )
    assert report.state.findings[2].provenance == "human"
    assert line_of(editor, "pneumothorax").state == "absent"
    current = editor.checklist.current_line()
    assert current.state == "not stated"  # the keyboard went on to the next gap
    editor.undo()
    assert len(report.state.findings) == 3


def test_keys_restate_and_withdraw_what_is_said(qtbot, editor, report) -> None:
    press(qtbot, editor, "consolidation", Qt.Key.Key_P)
    assert report.state.findings_text.startswith("Consolidation.")
    press(qtbot, editor, "consolidation", Qt.Key.Key_U)
    assert report.state.findings_text.startswith("Possible consolidation.")
    press(qtbot, editor, "consolidation", Qt.Key.Key_X)
    assert report.state.findings_text.startswith("Small left pleural effusion.")
    assert line_of(editor, "consolidation").state == "not stated"


def test_click_opens_the_choices(qtbot, editor, report) -> None:
    number = number_of(editor, "fracture")
    checklist = editor.checklist
    place = checklist.visualRect(checklist.table.index(number, STATE)).center()
    qtbot.mouseClick(checklist.viewport(), Qt.MouseButton.LeftButton, pos=place)
    menu = checklist.findChild(QMenu, "checklist_choices")
    next(action for action in menu.actions() if action.text() == "absent").trigger()
    menu.close()
    assert report.state.findings_text.endswith("No displaced fracture.")


def test_enter_jumps_to_the_words(qtbot, editor) -> None:
    press(qtbot, editor, "pleural_effusion", Qt.Key.Key_Return)
    assert editor.editors["findings"].lit_text == "Small left pleural effusion"


def test_nothing_left_to_state_is_said(qtbot, editor) -> None:
    for _ in range(20):
        if not editor.checklist.go_to_unstated():
            break
        qtbot.keyClick(editor.checklist, Qt.Key.Key_N)
    assert editor.checklist.unstated_count == 0
    assert editor.listing.checklist_button.text() == "Checklist ✓"
