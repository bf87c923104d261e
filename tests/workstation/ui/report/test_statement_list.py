"""Rows made from a report, and what keys and clicks on them ask for."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.sentence_place import place_sentence
from workstation.ui.report.statement_list import StatementList
from workstation.ui.report.statement_row_painter import DELETE, SENTENCE, STATUS
from workstation.ui.report.statement_rows import list_rows

FINDINGS = "The thorax is symmetric. No focal consolidation. No pneumothorax."


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS, "No acute cardiopulmonary abnormality.")
    return report


@pytest.fixture
def rows(qtbot, report) -> StatementList:
    rows = StatementList()
    qtbot.addWidget(rows)
    rows.resize(500, 400)
    rows.set_rows(list_rows(report))
    rows.show()
    return rows


def centre(rows: StatementList, number: int, column: int) -> QPoint:
    return rows.visualRect(rows.table.index(number, column)).center()


def test_rows_follow_the_text_with_region_and_status(report) -> None:
    assert [
        (row.kind, row.text, row.region, row.statement.status if row.statement else "")
        for row in list_rows(report)
    ] == [
        ("heading", "", "", ""),
        ("sentence", "The thorax is symmetric.", "", ""),
        ("sentence", "No focal consolidation.", "lungs", "absent"),
        ("sentence", "No pneumothorax.", "pleura", "absent"),
        ("heading", "", "", ""),
        ("sentence", "No acute cardiopulmonary abnormality.", "", ""),
    ]


def test_sentence_with_two_statements_has_a_row_for_each() -> None:
    report = DraftReport()
    report.set_from_draft("No pleural effusion or pneumothorax.", "")
    kinds = [(row.kind, row.text) for row in list_rows(report)]
    assert kinds[1:] == [
        ("sentence", "No pleural effusion or pneumothorax."),
        ("statement", "pleural effusion"),
        ("statement", "pneumothorax"),
    ]


def test_row_offsets_are_exact_into_the_section_text(report) -> None:
    text = report.state.findings_text
    for row in list_rows(report):
        if row.kind == "sentence" and row.section == "findings":
            assert text[row.start : row.end] == row.text


@pytest.mark.parametrize("by", ["click", "space"])
def test_chip_asks_for_a_flip(qtbot, rows, by) -> None:
    with qtbot.waitSignal(rows.flip_requested) as asked:
        if by == "click":
            qtbot.mouseClick(
                rows.viewport(), Qt.MouseButton.LeftButton, pos=centre(rows, 3, STATUS)
            )
        else:
            rows.select_row(3)
            qtbot.keyClick(rows, Qt.Key.Key_Space)
    assert asked.args[0].statement.concept == "pneumothorax"


def test_space_on_a_sentence_without_statement_asks_nothing(qtbot, rows) -> None:
    rows.select_row(1)
    with qtbot.assertNotEmitted(rows.flip_requested):
        qtbot.keyClick(rows, Qt.Key.Key_Space)


@pytest.mark.parametrize("by", ["click", "key"])
def test_delete_asks_for_the_sentence(qtbot, rows, report, by) -> None:
    with qtbot.waitSignal(rows.delete_requested) as asked:
        if by == "click":
            qtbot.mouseClick(
                rows.viewport(), Qt.MouseButton.LeftButton, pos=centre(rows, 2, DELETE)
            )
        else:
            rows.select_row(2)
            qtbot.keyClick(rows, Qt.Key.Key_Delete)
    assert asked.args == ["findings", report.state.findings[1].id]


@pytest.mark.parametrize("key", [Qt.Key.Key_F2, Qt.Key.Key_Return])
def test_sentence_is_edited_in_its_row(qtbot, rows, report, key) -> None:
    rows.select_row(2)
    qtbot.keyClick(rows, key)
    field = rows.findChild(QLineEdit, "sentence_field")
    assert field.text() == "No focal consolidation."
    field.setText("No consolidation.")
    with qtbot.waitSignal(rows.sentence_edited) as asked:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert asked.args == ["findings", report.state.findings[1].id, "No consolidation."]


def test_hover_and_click_name_the_words(qtbot, rows, report) -> None:
    with qtbot.waitSignal(rows.row_hovered) as hovered:
        rows.entered.emit(rows.table.index(3, SENTENCE))
    start, end = hovered.args[1:]
    assert report.state.findings_text[start:end] == "No pneumothorax."
    with qtbot.waitSignal(rows.row_clicked) as clicked:
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=centre(rows, 3, SENTENCE))
    assert clicked.args == hovered.args


def test_current_sentence_stays_current_when_rows_are_renewed(rows, report) -> None:
    rows.select_row(3)
    report.add_sentence("findings", "Old rib deformity.", 0)
    rows.set_rows(list_rows(report))
    assert rows.current_row().text == "No pneumothorax."


def test_read_only_rows_ask_nothing(qtbot, rows) -> None:
    rows.set_read_only(True)
    rows.select_row(3)
    with qtbot.assertNotEmitted(rows.flip_requested), qtbot.assertNotEmitted(rows.delete_requested):
        qtbot.keyClick(rows, Qt.Key.Key_Space)
        qtbot.keyClick(rows, Qt.Key.Key_Delete)
        qtbot.keyClick(rows, Qt.Key.Key_F2)
    assert rows.findChild(QLineEdit, "sentence_field") is None


@pytest.mark.parametrize(
    ("text", "index", "replaces"),
    [
        ("Nodule in the left upper zone.", 2, None),
        ("Endotracheal tube in place.", 3, None),
        ("The mediastinum is widened.", 1, None),
        ("Small left pneumothorax.", None, "No pneumothorax."),
        ("A remark of one's own.", 3, None),
    ],
)
def test_new_sentence_goes_to_its_region(report, text, index, replaces) -> None:
    place = place_sentence(report, "findings", text)
    if replaces is not None:
        assert place.replaces.text == replaces
    else:
        assert (place.index, place.replaces) == (index, None)


def test_disagreement_inside_a_shared_sentence_is_named() -> None:
    report = DraftReport()
    report.set_from_draft("No pleural effusion or pneumothorax.", "")
    place = place_sentence(report, "findings", "Small left pneumothorax.")
    assert place.replaces is None
    assert place.disagrees.text == "No pleural effusion or pneumothorax."
