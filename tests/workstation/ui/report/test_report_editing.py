"""The report column under edit: text, list and provenance stay one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QSignalSpy

from tests.workstation.ui.report.panel_reading import findings_shown, flip, row_number, row_of
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_state import Edit
from workstation.ui.report.signing.version_wording import format_utc

FINDINGS = "The thorax is symmetric. No focal consolidation. No pleural effusion. No pneumothorax."


def test_flip_changes_text_list_and_provenance_and_undo_restores_all(qtbot, editing) -> None:
    flip(qtbot, editing, "No pneumothorax.")
    assert "No pneumothorax" not in findings_shown(editing)
    flipped = next(
        row
        for row in editing.editor.statement_list.table.rows
        if row.statement is not None and row.statement.concept == "pneumothorax"
    )
    assert flipped.statement.status == "present"
    assert flipped.sentence.provenance == "edited"
    qtbot.keyClick(editing.editor.statement_list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert findings_shown(editing) == FINDINGS
    assert row_of(editing, "No pneumothorax.").sentence.provenance == "ai"
    qtbot.keyClick(editing.editor.statement_list, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert "No pneumothorax" not in findings_shown(editing)


def test_impression_is_left_alone_by_a_flip(qtbot, editing, report) -> None:
    flip(qtbot, editing, "No pneumothorax.")
    assert report.state.impression_text == "No acute cardiopulmonary abnormality."


def test_flip_that_would_change_another_statement_says_why(qtbot, panel) -> None:
    report = DraftReport()
    report.set_from_draft("Worsening opacity may be pneumonia.", "")
    panel.show_report(report)
    flip(qtbot, panel, "pneumonia")
    assert report.state.findings_text == "Worsening opacity may be pneumonia."
    assert panel.notice.isVisible()
    assert panel.notice.text.startswith("Not changed: ")


def test_typing_reaches_the_list_after_a_pause(qtbot, editing, report) -> None:
    editor = editing.editor.editors["findings"]
    editor.moveCursor(QTextCursor.MoveOperation.End)
    with qtbot.waitSignal(editing.edits_made):
        qtbot.keyClicks(editor, " Small hiatal hernia.")
    row = row_of(editing, "Small hiatal hernia.")
    assert row.sentence.provenance == "human"
    assert report.state.findings[0].provenance == "ai"


def test_typing_inside_an_ai_sentence_makes_it_edited(editing, report, qtbot) -> None:
    editor = editing.editor.editors["findings"]
    cursor = editor.textCursor()
    cursor.setPosition(FINDINGS.index("focal"))
    editor.setTextCursor(cursor)
    qtbot.keyClicks(editor, "new ")
    editing.flush_typing()
    assert row_of(editing, "No new focal consolidation.").sentence.provenance == "edited"
    assert editor.textCursor().position() == FINDINGS.index("focal") + len("new ")


def test_space_typed_at_the_end_survives_the_pause(qtbot, editing) -> None:
    editor = editing.editor.editors["findings"]
    editor.setFocus()
    qtbot.waitUntil(editor.hasFocus)
    editor.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(editor, " New. ")
    editing.flush_typing()
    qtbot.keyClicks(editor, "More.")
    editing.flush_typing()
    assert findings_shown(editing).endswith("New. More.")


def test_change_in_the_list_leaves_the_cursor_at_its_words(qtbot, editing) -> None:
    editor = editing.editor.editors["findings"]
    cursor = editor.textCursor()
    cursor.setPosition(FINDINGS.index("pneumothorax"))
    editor.setTextCursor(cursor)
    rows = editing.editor.statement_list
    rows.select_row(row_number(editing, "No focal consolidation."))
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    position = editor.textCursor().position()
    assert findings_shown(editing)[position:].startswith("pneumothorax")


def test_undo_in_the_editor_is_the_report_s_undo(qtbot, editing) -> None:
    editor = editing.editor.editors["findings"]
    qtbot.keyClicks(editor, "Rotated. ")
    qtbot.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert findings_shown(editing) == FINDINGS
    qtbot.keyClick(editor, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert findings_shown(editing).startswith("Rotated. The thorax")


def test_undo_and_redo_buttons_follow_the_report(qtbot, editing) -> None:
    assert not editing.redo_button.isEnabled()
    flip(qtbot, editing, "No pneumothorax.")
    qtbot.mouseClick(editing.undo_button, Qt.MouseButton.LeftButton)
    assert findings_shown(editing) == FINDINGS
    assert editing.redo_button.isEnabled()


def test_sentence_edited_in_the_list_changes_the_text(qtbot, editing) -> None:
    rows = editing.editor.statement_list
    rows.select_row(row_number(editing, "The thorax is symmetric."))
    qtbot.keyClick(rows, Qt.Key.Key_F2)
    field = rows.findChild(QObject, "sentence_field")
    field.setText("The film is rotated.")
    with qtbot.waitSignal(editing.editor.report_changed):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert findings_shown(editing).startswith("The film is rotated. No focal")
    assert row_of(editing, "The film is rotated.").sentence.provenance == "edited"


def test_picked_finding_is_worded_canonically_in_its_region(qtbot, editing) -> None:
    qtbot.mouseClick(editing.editor.add_button, Qt.MouseButton.LeftButton)
    picker = editing.editor.finding_picker
    picker.concept_box.setCurrentIndex(picker.concept_box.findData("nodule"))
    picker.side_box.setCurrentIndex(picker.side_box.findData("left"))
    picker.zone_box.setCurrentIndex(picker.zone_box.findData("upper"))
    picker.severity_box.setCurrentIndex(picker.severity_box.findData("small"))
    qtbot.mouseClick(picker.add_button, Qt.MouseButton.LeftButton)
    assert (
        "No focal consolidation. Small nodule in the left upper zone. No pleural effusion."
        in findings_shown(editing)
    )


def test_picked_finding_replaces_its_denial(qtbot, editing, report) -> None:
    editing.editor.open_finding_picker()
    picker = editing.editor.finding_picker
    picker.concept_box.setCurrentIndex(picker.concept_box.findData("pneumothorax"))
    picker.side_box.setCurrentIndex(picker.side_box.findData("right"))
    qtbot.keyClick(picker.sentence_field, Qt.Key.Key_Return)
    assert "No pneumothorax" not in findings_shown(editing)
    assert findings_shown(editing).endswith("No pleural effusion. Right pneumothorax.")


def test_free_sentence_is_added_as_written(qtbot, editing) -> None:
    editing.editor.open_finding_picker()
    picker = editing.editor.finding_picker
    qtbot.keyClicks(picker.sentence_field, "Compare with the film of May.")
    qtbot.mouseClick(picker.add_button, Qt.MouseButton.LeftButton)
    assert row_of(editing, "Compare with the film of May.").sentence.provenance == "human"


def test_concepts_are_found_by_any_part_of_their_name(editing) -> None:
    completer = editing.editor.finding_picker.concept_box.completer()
    completer.setCompletionPrefix("effus")
    assert completer.currentCompletion() == "pleural effusion"


def test_hover_lights_the_row_s_words_and_click_jumps_to_them(qtbot, editing) -> None:
    rows = editing.editor.statement_list
    row = row_of(editing, "No pleural effusion.")
    rows.row_hovered.emit(row.section, row.start, row.end)
    editor = editing.editor.editors["findings"]
    assert editor.lit_text == "No pleural effusion."
    rows.row_clicked.emit(row.section, row.start, row.end)
    assert findings_shown(editing)[editor.textCursor().position() :].startswith("No pleural")
    rows.hover_ended.emit()
    assert editor.lit_text == ""


def test_provenance_is_said_in_words(editing, report) -> None:
    editor = editing.editor.editors["findings"]
    report.edit_sentence("findings", report.state.findings[0].id, "The thorax is rotated.")
    report.add_sentence("findings", "Mine.", 1)
    texts = [editor.describe_sentence(s).splitlines() for s in report.state.findings[:3]]
    said = ["AI, edited by the reader", "Written by the reader", "AI, untouched"]
    assert [lines[0] for lines in texts] == said
    edited, written = (format_utc(s.touched_at) for s in report.state.findings[:2])
    assert [lines[1:] for lines in texts] == [[f"edited {edited}"], [f"written {written}"], []]
    assert "3 AI" not in editing.state_label.text()
    assert "1 edited · 1 by hand" in editing.state_label.text()


def test_edits_are_told_once_they_rest(qtbot, editing) -> None:
    told = QSignalSpy(editing.edits_made)
    with qtbot.waitSignal(editing.edits_made):
        flip(qtbot, editing, "No pneumothorax.")
        qtbot.keyClicks(editing.editor.editors["impression"], "Pneumothorax. ")
        editing.flush_typing()
    assert told.count() == 1


def test_another_report_takes_no_typing_of_the_one_before(qtbot, editing, report) -> None:
    other = DraftReport()
    other.set_from_draft("No free air.", "")
    heard: list[Edit] = []
    other.on_edit(heard.append)
    qtbot.keyClicks(editing.editor.editors["findings"], "Typed. ")
    editing.show_report(other)
    assert report.state.findings_text.startswith("Typed.")
    assert other.state.findings_text == "No free air."
    assert findings_shown(editing) == "No free air."
    assert heard == []
