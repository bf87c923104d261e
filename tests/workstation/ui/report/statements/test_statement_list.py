"""Rows made from a report, and what keys and clicks on them ask for."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit, QMenu

from workstation.reporting.draft_report import DraftReport
from workstation.reporting.sentences.sentence_place import place_sentence
from workstation.ui.report.statements.statement_list import StatementList
from workstation.ui.report.statements.statement_row_painter import (
    DELETE,
    LOCK,
    REGION,
    SENTENCE,
    STATUS,
)
from workstation.ui.report.statements.statement_rows import list_rows

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


def test_space_asks_for_a_flip(qtbot, rows) -> None:
    rows.select_row(3)
    with qtbot.waitSignal(rows.flip_requested) as asked:
        qtbot.keyClick(rows, Qt.Key.Key_Space)
    assert asked.args[0].statement.concept == "pneumothorax"


def choose(rows: StatementList, text: str) -> None:
    """Take a choice of the menu that is open."""
    menu = rows.findChild(QMenu, "chip_choices")
    next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()


def test_click_on_the_status_opens_its_choices(qtbot, rows) -> None:
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=centre(rows, 3, STATUS))
    menu = rows.findChild(QMenu, "chip_choices")
    assert [(a.text(), a.isChecked()) for a in menu.actions()] == [
        ("present", False),
        ("absent", True),
        ("uncertain", False),
        ("not stated", False),
    ]
    with qtbot.waitSignal(rows.restate_requested) as asked:
        choose(rows, "uncertain")
    assert asked.args[1].status == "uncertain"
    rows.open_choices(3, "status")
    with qtbot.waitSignal(rows.withdraw_requested) as asked:
        choose(rows, "not stated")
    assert asked.args[0].statement.concept == "pneumothorax"


@pytest.fixture
def nodule_rows(qtbot) -> StatementList:
    report = DraftReport()
    report.set_from_draft("Small nodule in the left upper zone.", "")
    rows = StatementList()
    qtbot.addWidget(rows)
    rows.resize(500, 300)
    rows.set_rows(list_rows(report))
    rows.show()
    return rows


@pytest.mark.parametrize(
    ("slot", "key", "choice"),
    [
        ("side", Qt.Key.Key_S, "right"),
        ("zone", Qt.Key.Key_Z, "lower zone"),
        ("severity", Qt.Key.Key_G, "large"),
    ],
)
@pytest.mark.parametrize("by", ["click", "key"])
def test_each_slot_is_a_chip_with_choices(qtbot, nodule_rows, slot, key, choice, by) -> None:
    rows = nodule_rows
    rows.select_row(1)
    if by == "click":
        place = rows.chip_rect(1, slot).center()
        assert rows.chip_at(place) == slot
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    else:
        qtbot.keyClick(rows, key)
    with qtbot.waitSignal(rows.restate_requested) as asked:
        choose(rows, choice)
    row, wanted = asked.args
    changed = [
        name
        for name in ("status", "side", "zone", "severity")
        if getattr(row.statement, name) != getattr(wanted, name)
    ]
    assert changed == [slot]


def test_what_is_denied_has_no_slots(rows) -> None:
    assert rows.open_choices(3, "side") is None


@pytest.mark.parametrize(
    ("key", "status"),
    [(Qt.Key.Key_P, "present"), (Qt.Key.Key_U, "uncertain"), (Qt.Key.Key_N, None)],
)
def test_letters_state_the_current_row(qtbot, rows, key, status) -> None:
    rows.select_row(3)
    asked = []
    rows.restate_requested.connect(lambda row, wanted: asked.append(wanted.status))
    qtbot.keyClick(rows, key)
    assert asked == ([status] if status else [])  # absent already


def test_accept_goes_on_to_the_next_sentence(qtbot, rows, report) -> None:
    rows.select_row(1)
    rows.accept_requested.connect(report.accept_sentence)
    with qtbot.waitSignal(rows.accept_requested) as asked:
        qtbot.keyClick(rows, Qt.Key.Key_A)
    assert asked.args == ["findings", report.state.findings[0].id, True]
    assert rows.current_row().text == "No focal consolidation."


def test_lock_is_asked_for_and_taken_back(qtbot, rows, report) -> None:
    rows.select_row(2)
    with qtbot.waitSignal(rows.lock_requested) as asked:
        qtbot.keyClick(rows, Qt.Key.Key_L)
    sentence = report.state.findings[1]
    assert asked.args == ["findings", sentence.id, True]
    report.set_locked("findings", sentence.id, True)
    rows.set_rows(list_rows(report))
    with qtbot.waitSignal(rows.lock_requested) as asked:
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=centre(rows, 2, LOCK))
    assert asked.args[2] is False


def test_next_and_previous_pass_over_headings(qtbot, rows) -> None:
    rows.select_row(3)
    qtbot.keyClick(rows, Qt.Key.Key_J)
    assert rows.current_row().section == "impression"
    qtbot.keyClick(rows, Qt.Key.Key_Up)
    assert rows.current_row().text == "No pneumothorax."


def test_narrow_list_gives_the_regions_room_to_the_sentences(rows) -> None:
    wide = rows.columnWidth(SENTENCE)
    rows.resize(360, 400)
    assert rows.isColumnHidden(REGION)
    assert rows.columnWidth(SENTENCE) > wide - 140
    rows.resize(500, 400)
    assert not rows.isColumnHidden(REGION)


def test_screen_reader_hears_chips_lock_and_checks(nodule_rows) -> None:
    sentence = nodule_rows.table.rows[1].sentence
    nodule_rows.set_checks({sentence.id: True}, {sentence.id: "Stated and denied."})
    index = nodule_rows.table.index(1, SENTENCE)
    assert nodule_rows.table.data(index, Qt.ItemDataRole.AccessibleTextRole) == (
        "Small nodule in the left upper zone.; present, left, upper zone, small; Stated and denied."
    )


def test_tooltip_names_rule_and_words(rows) -> None:
    tip = rows.table.data(rows.table.index(3, STATUS), Qt.ItemDataRole.ToolTipRole)
    assert "read from: “pneumothorax”" in tip
    assert "rule: negation:no" in tip


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


def test_key_for_a_sentence_of_several_statements_says_where_to_go(qtbot) -> None:
    report = DraftReport()
    report.set_from_draft("No pleural effusion or pneumothorax. The thorax is symmetric.", "")
    rows = StatementList()
    qtbot.addWidget(rows)
    rows.set_rows(list_rows(report))
    rows.show()
    rows.select_row(1)
    with qtbot.waitSignal(rows.refused) as said:
        qtbot.keyClick(rows, Qt.Key.Key_Space)
    assert "below" in said.args[0]
    rows.select_row(4)
    with qtbot.waitSignal(rows.refused) as said:
        qtbot.keyClick(rows, Qt.Key.Key_N)
    assert "no finding" in said.args[0]
    rows.select_row(2)
    with qtbot.waitSignal(rows.flip_requested):
        qtbot.keyClick(rows, Qt.Key.Key_Space)
