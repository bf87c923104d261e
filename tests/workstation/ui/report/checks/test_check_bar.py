"""Live checks in the report column: line, list, jump, fix, override; marks in text and rows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat

from workstation.reporting.checks.report_check import ReportContext
from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.checks.check_bar import CheckLine
from workstation.ui.report.report_editor import ReportEditor

FINDINGS = "Small left pleural effusion. No pneumothorax. Unchanged cardiomegaly."
IMPRESSION = "Small right pleural effusion. Cardiomegaly."


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS, IMPRESSION)
    return report


@pytest.fixture
def editor(qtbot, report) -> ReportEditor:
    editor = ReportEditor()
    qtbot.addWidget(editor)
    editor.resize(520, 900)
    editor.set_report(report)
    editor.show()
    editor.activateWindow()
    return editor


def line_of(editor: ReportEditor, rule: str) -> CheckLine:
    return next(line for line in editor.check_bar.lines if line.check.rule == rule)


def underlined(editor: ReportEditor, section: str) -> list[str]:
    wave = QTextCharFormat.UnderlineStyle.WaveUnderline
    return [
        selection.cursor.selectedText()
        for selection in editor.editors[section].extraSelections()
        if selection.format.underlineStyle() == wave
    ]


def test_line_says_how_many_and_the_first(editor) -> None:
    bar = editor.check_bar
    assert bar.isVisible()
    assert bar.open_count == 1
    assert bar.chip.text() == "▲ checks 1"
    assert bar.first_label.text().startswith("Pleural effusion: left in the findings")
    assert not bar.list_area.isVisible()


def test_sentences_concerned_are_marked_in_text_and_rows(editor, report) -> None:
    assert underlined(editor, "findings") == ["Small left pleural effusion."]
    assert underlined(editor, "impression") == ["Small right pleural effusion."]
    marked = editor.statement_list.row_painter.checked_sentences
    assert marked == {report.state.findings[0].id: True, report.state.impression[0].id: True}
    described = editor.editors["findings"].describe_sentence(report.state.findings[0])
    assert "right in the impression" in described


def test_f4_opens_the_list_and_jumps(qtbot, editor) -> None:
    qtbot.waitUntil(editor.isActiveWindow)
    editor.editors["findings"].setFocus()
    qtbot.keyClick(editor.editors["findings"], Qt.Key.Key_F4)
    assert editor.check_bar.is_open
    assert editor.editors["impression"].lit_text == "Small right pleural effusion."
    assert editor.statement_list.current_row().text == "Small right pleural effusion."


@pytest.mark.parametrize("by", ["click", "key"])
def test_fix_is_one_undoable_edit_and_closes_the_check(qtbot, editor, report, by) -> None:
    editor.check_bar.chip.click()
    line = line_of(editor, "side_differs")
    if by == "click":
        qtbot.mouseClick(line.fix_button, Qt.MouseButton.LeftButton)
    else:
        qtbot.keyClick(line, Qt.Key.Key_F)
    assert report.state.impression_text == "Small left pleural effusion. Cardiomegaly."
    assert not editor.check_bar.isVisible()
    assert underlined(editor, "findings") == []
    editor.undo()
    assert report.state.impression_text == IMPRESSION
    assert editor.check_bar.open_count == 1


def test_override_needs_a_reason_and_is_kept_with_the_report(qtbot, editor, report) -> None:
    editor.check_bar.chip.click()
    line = line_of(editor, "side_differs")
    qtbot.keyClick(line, Qt.Key.Key_O)
    assert line.reason_field.isVisible()
    qtbot.keyClick(line.reason_field, Qt.Key.Key_Return)
    assert report.state.overrides == ()
    qtbot.keyClicks(line.reason_field, "Two effusions, the right one on CT.")
    qtbot.keyClick(line.reason_field, Qt.Key.Key_Return)
    (override,) = report.state.overrides
    assert override.key == line.check.key
    assert override.reason == "Two effusions, the right one on CT."
    assert editor.check_bar.open_count == 0
    assert editor.check_bar.chip.text() == "✓ checks"
    assert override.reason in line_of(editor, "side_differs").message_label.text()
    assert underlined(editor, "findings") == []
    editor.undo()
    assert report.state.overrides == ()
    assert editor.check_bar.open_count == 1


def test_reason_half_typed_survives_another_check(qtbot, editor, report) -> None:
    editor.check_bar.chip.click()
    line = line_of(editor, "side_differs")
    line.ask_reason()
    qtbot.keyClicks(line.reason_field, "Seen on")
    report.add_sentence("findings", "Nodule of [size] mm.")
    assert line_of(editor, "placeholder").check.is_blocking
    assert line_of(editor, "side_differs").reason_field.text() == "Seen on"


def test_escape_leaves_the_check(qtbot, editor, report) -> None:
    editor.check_bar.chip.click()
    line = line_of(editor, "side_differs")
    line.ask_reason()
    qtbot.keyClick(line.reason_field, Qt.Key.Key_Escape)
    assert not line.reason_field.isVisible()
    assert report.state.overrides == ()


def test_checks_follow_each_edit(editor, report) -> None:
    report.edit_sentence(
        "impression", report.state.impression[0].id, "Small left pleural effusion."
    )
    assert editor.checks == ()
    report.delete_sentence("findings", report.state.findings[1].id)
    assert [check.rule for check in editor.checks] == ["not_stated"]
    assert editor.check_bar.chip.text() == "△ checks 1"


def test_comparison_is_questioned_where_there_is_no_prior(editor) -> None:
    editor.set_context(ReportContext(has_prior=False))
    assert {check.rule for check in editor.checks} == {"side_differs", "comparison_without_prior"}
    editor.set_context(ReportContext(has_prior=True))
    assert {check.rule for check in editor.checks} == {"side_differs"}


def test_a_report_with_nothing_to_say_shows_no_bar(editor) -> None:
    sound = DraftReport()
    sound.set_from_draft("No pleural effusion. No pneumothorax.", "Normal.")
    editor.set_report(sound)
    assert not editor.check_bar.isVisible()
    editor.set_report(None)
    assert not editor.check_bar.isVisible()
