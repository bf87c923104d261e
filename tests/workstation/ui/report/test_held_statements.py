"""Statements turned by their chips in a real report: one clause, one undo step, or a reason."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtWidgets import QMenu

from workstation.reporting.checks.site_words import SiteWords
from workstation.reporting.checks.spelling import Speller
from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.report_editor import ReportEditor

FINDINGS = "Small left pleural effusion, unchanged. No mass or nodule."


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS, "Small left pleural effusion.")
    return report


@pytest.fixture
def editor(qtbot, report) -> ReportEditor:
    editor = ReportEditor()
    qtbot.addWidget(editor)
    editor.resize(520, 900)
    editor.set_report(report)
    editor.show()
    return editor


def choose(editor: ReportEditor, number: int, slot: str, text: str) -> None:
    menu = editor.statement_list.open_choices(number, slot)
    next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()


def test_chip_rewrites_its_word_only_and_undo_takes_it_back(editor, report) -> None:
    before = report.state
    choose(editor, 1, "side", "right")
    assert report.state.findings_text == FINDINGS.replace("left", "right")
    assert report.state.findings[0].provenance == "edited"
    assert report.state.findings[1] == before.findings[1]
    assert editor.check_bar.open_count == 2  # side differs; pneumothorax is not stated
    editor.undo()
    assert report.state == before


def test_item_of_a_list_is_taken_out(editor, report) -> None:
    choose(editor, 4, "status", "not stated")
    assert report.state.findings_text.endswith("No mass.")


def test_refusal_is_explained_without_the_report_s_language(qtbot, editor) -> None:
    report = DraftReport()
    report.set_from_draft("左下肺见斑片影，考虑炎症。", "", language="zh")
    editor.set_report(report)
    with qtbot.waitSignal(editor.refused) as said:
        choose(editor, 2, "side", "right")
    assert said.args == [
        "Not changed: the same clause also speaks of pneumonia. Please edit the sentence."
    ]


def test_accept_takes_the_tint_away_and_keeps_the_origin(qtbot, editor, report) -> None:
    editor.listing.focus_statements()
    for _ in range(3):
        qtbot.keyClick(editor.statement_list, Qt.Key.Key_A)
    sentences = (*report.state.findings, *report.state.impression)
    assert all(each.accepted and each.provenance == "ai" for each in sentences)
    tints = [
        selection
        for selection in editor.editors["findings"].extraSelections()
        if selection.format.background().style() != Qt.BrushStyle.NoBrush
    ]
    assert tints == []
    text = editor.editors["findings"].describe_sentence(sentences[0])
    assert text.startswith("AI, accepted")


def test_hover_in_the_text_lights_its_row_and_click_chooses_it(qtbot, editor) -> None:
    field = editor.editors["findings"]
    at = FINDINGS.index("nodule") + 2
    field.text_hovered.emit(at)
    rows = editor.statement_list
    lit = rows.table.rows[rows.row_painter.lit_row]
    assert lit.text == "nodule"
    field.text_hovered.emit(-1)
    assert rows.row_painter.lit_row == -1
    cursor = field.textCursor()
    cursor.setPosition(3)
    place = field.cursorRect(cursor).center()
    qtbot.mouseClick(field.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert rows.current_row().text == "Small left pleural effusion, unchanged."


def test_keys_move_between_the_parts(qtbot, editor) -> None:
    editor.activateWindow()
    qtbot.waitUntil(editor.isActiveWindow)
    editor.editors["impression"].setFocus()
    alt = Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(editor.editors["impression"], Qt.Key.Key_1, alt)
    assert editor.statement_list.hasFocus()
    qtbot.keyClick(editor.statement_list, Qt.Key.Key_2, alt)
    assert editor.checklist.hasFocus()
    qtbot.keyClick(editor.checklist, Qt.Key.Key_3, alt)
    assert editor.editors["findings"].hasFocus()


def test_findings_are_picked_by_their_chinese_names_in_a_chinese_report(editor) -> None:
    report = DraftReport()
    report.set_from_draft("未见气胸。", "", language="zh")
    editor.set_report(report)
    editor.open_finding_picker()
    picker = editor.finding_picker
    picker.concept_box.setCurrentIndex(picker.concept_box.findText("胸腔积液"))
    assert picker.concept == "pleural_effusion"
    assert picker.sentence_field.text() == "胸腔积液。"


# -- spelling --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def speller(tmp_path_factory) -> Speller:
    return Speller(SiteWords(tmp_path_factory.mktemp("site")))


def dotted(editor: ReportEditor) -> list[str]:
    style = QTextCharFormat.UnderlineStyle.DotLine
    return [
        selection.cursor.selectedText()
        for selection in editor.editors["findings"].extraSelections()
        if selection.format.underlineStyle() == style
    ]


def test_unknown_word_is_marked_and_replaced_from_the_menu(editor, report, speller) -> None:
    report.edit_sentence("findings", report.state.findings[1].id, "No mass or noduel.")
    editor.set_speller(speller)
    assert dotted(editor) == ["noduel"]
    field = editor.editors["findings"]
    cursor = field.textCursor()
    cursor.setPosition(field.toPlainText().index("noduel") + 2)
    menu = field.make_context_menu(field.cursorRect(cursor).center())
    suggested = [action for action in menu.actions() if action.text() == "nodule"]
    suggested[0].trigger()
    assert report.state.findings_text.endswith("No mass or nodule.")
    assert dotted(editor) == []
    menu.deleteLater()


def test_added_word_is_known_from_then_on(editor, report, speller) -> None:
    report.edit_sentence("findings", report.state.findings[1].id, "Old Klinikumsche scar.")
    editor.set_speller(speller)
    assert dotted(editor) == ["Klinikumsche"]
    field = editor.editors["findings"]
    cursor = field.textCursor()
    cursor.setPosition(field.toPlainText().index("Klinikumsche") + 2)
    menu: QMenu = field.make_context_menu(field.cursorRect(cursor).center())
    add = next(a for a in menu.actions() if a.text().startswith("Add “Klinikumsche”"))
    add.trigger()
    assert dotted(editor) == []
    assert speller.site_words.path.read_text("utf-8") == "klinikumsche\n"
    menu.deleteLater()
