from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import get_args

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QAccessible, QFontMetrics
from PySide6.QtTest import QSignalSpy

from workstation.catalog.study_rows import StudyRow, StudyStatus
from workstation.ui.film.header_wording import age_at, iso_date, join_present
from workstation.ui.studies.study_list import StudyList
from workstation.ui.studies.study_row_painter import join_fitting
from workstation.ui.theme import ui_font

FIRST = StudyRow(
    study_instance_uid="1.2.1",
    patient_name="DOE, JANE",
    patient_id="A-17",
    patient_birth_date="19580302",
    patient_sex="F",
    study_date="20260412",
    study_description="Chest PA",
    accession_number="ACC1",
    modalities=("CR", "DX"),
    instance_count=2,
    status="new",
)
SECOND = replace(FIRST, study_instance_uid="1.2.2", patient_name="ROE, RICHARD", status="draft")
THIRD = replace(FIRST, study_instance_uid="1.2.3", patient_name="", status="signed")
ROWS = [FIRST, SECOND, THIRD]


@pytest.fixture
def study_list(qtbot) -> StudyList:
    widget = StudyList()
    qtbot.addWidget(widget)
    widget.resize(320, 500)
    widget.show()
    qtbot.waitExposed(widget)
    widget.set_studies(ROWS)
    return widget


def activations(widget: StudyList) -> QSignalSpy:
    return QSignalSpy(widget.study_activated)


def emitted(spy: QSignalSpy) -> list[str]:
    return [spy.at(i)[0] for i in range(spy.count())]


def test_filling_the_list_activates_nothing(study_list: StudyList) -> None:
    assert study_list.current_study() is None
    assert study_list.count_label.text() == "3 studies · 1 new · 1 draft · 1 signed"


def test_one_click_activates_a_study_once(qtbot, study_list: StudyList) -> None:
    spy = activations(study_list)
    middle = study_list.view.visualRect(study_list.model.index(1)).center()
    qtbot.mouseClick(study_list.view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseClick(study_list.view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert emitted(spy) == ["1.2.2"]
    assert study_list.current_study() == SECOND


def test_arrows_and_page_keys_step_by_one_study(qtbot, study_list: StudyList) -> None:
    spy = activations(study_list)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        qtbot.keyClick(study_list.view, key)
    assert emitted(spy) == ["1.2.1", "1.2.2", "1.2.3", "1.2.2"]


def test_enter_confirms_the_current_study_again(qtbot, study_list: StudyList) -> None:
    study_list.activate_study("1.2.3")
    spy = activations(study_list)
    qtbot.keyClick(study_list.view, Qt.Key.Key_Return)
    assert emitted(spy) == ["1.2.3"]


def test_the_next_new_study_is_looked_for_from_the_open_one_on(study_list: StudyList) -> None:
    last = replace(FIRST, study_instance_uid="1.2.4", patient_id="P4", patient_name="LAST")
    study_list.set_studies([*(replace(row, patient_id=row.patient_name) for row in ROWS), last])
    study_list.activate_study(SECOND.study_instance_uid)
    spy = activations(study_list)
    assert study_list.activate_next_new()
    assert study_list.activate_next_new()
    assert emitted(spy) == [last.study_instance_uid, FIRST.study_instance_uid]
    study_list.put_study(replace(last, status="draft"))
    assert not study_list.activate_next_new()
    assert spy.count() == 2


def test_an_earlier_study_is_no_next_one(study_list: StudyList) -> None:
    earlier = replace(FIRST, study_instance_uid="1.2.0", study_date="20250101")
    study_list.set_studies([FIRST, earlier])
    study_list.activate_study(FIRST.study_instance_uid)
    study_list.model.open(0)
    assert study_list.model.rowCount() == 2
    assert not study_list.activate_next_new()


def test_parts_that_do_not_fit_are_left_out_whole(study_list: StudyList) -> None:
    font = ui_font(9.5)
    parts = ("2026-04-12", "PH-000017", "DX", "CHEST PA AND LATERAL")
    room = QFontMetrics(font).horizontalAdvance("2026-04-12 · PH-000")
    assert join_fitting(parts, font, room) == "2026-04-12 · DX"
    assert join_fitting(parts, font, 2000) == " · ".join(parts)
    cut = QFontMetrics(font).horizontalAdvance("2026-04-12 · PH-000017 · DX · CHEST PA AND")
    assert join_fitting(parts, font, cut) == " · ".join(parts)  # cut off when it is drawn


def test_the_date_fits_beside_every_status_in_a_window_of_1280(study_list: StudyList) -> None:
    metrics = QFontMetrics(ui_font(9.5))
    beside = 156 - 10  # of the column's 276, without margins, mark and thumbnail
    for status in get_args(StudyStatus):
        word = study_list.model.short_status_word(status)
        assert metrics.horizontalAdvance("2026-04-12") + metrics.horizontalAdvance(word) <= beside


def test_steps_stop_at_both_ends(study_list: StudyList) -> None:
    spy = activations(study_list)
    study_list.activate_previous()
    study_list.activate_previous()
    for _ in range(5):
        study_list.activate_next()
    assert emitted(spy) == ["1.2.1", "1.2.2", "1.2.3"]


def test_refresh_keeps_the_selection_and_stays_silent(study_list: StudyList) -> None:
    study_list.activate_study("1.2.2")
    spy = activations(study_list)
    signed = replace(SECOND, status="signed")
    stranger = replace(FIRST, study_instance_uid="1.2.0", patient_id="B-1")
    study_list.set_studies([stranger, FIRST, signed])
    assert emitted(spy) == []
    assert study_list.view.currentIndex().row() == 2
    assert study_list.view.selectionModel().isSelected(study_list.model.index(2))
    assert study_list.current_study() == signed


def test_a_search_that_hides_the_active_study_does_not_change_it(study_list: StudyList) -> None:
    study_list.activate_study("1.2.2")
    spy = activations(study_list)
    study_list.set_studies([FIRST])
    assert not study_list.view.currentIndex().isValid()
    assert study_list.current_study() == SECOND
    study_list.set_studies(ROWS)
    assert study_list.view.currentIndex().row() == 1
    assert emitted(spy) == []


def test_typing_announces_the_trimmed_search_once(qtbot, study_list: StudyList) -> None:
    spy = QSignalSpy(study_list.search_changed)
    with qtbot.waitSignal(study_list.search_changed) as announced:
        qtbot.keyClicks(study_list.search_field, " doe ")
    assert announced.args == ["doe"]
    assert spy.count() == 1


def test_search_without_hits_says_so(study_list: StudyList) -> None:
    study_list.search_field.setText("nobody")
    study_list.set_studies([])
    assert study_list.count_label.text() == "0 found"
    assert "nobody" in study_list.view._empty_title
    study_list.grab()


def test_escape_clears_the_search(qtbot, study_list: StudyList) -> None:
    study_list.search_field.setText("doe")
    with qtbot.waitSignal(study_list.search_changed) as announced:
        qtbot.keyClick(study_list.search_field, Qt.Key.Key_Escape)
    assert announced.args == [""]


def test_enter_in_the_search_field_opens_the_first_hit(qtbot, study_list: StudyList) -> None:
    spy = activations(study_list)
    qtbot.keyClick(study_list.search_field, Qt.Key.Key_Return)
    assert emitted(spy) == ["1.2.1"]


def test_focusing_the_search_selects_its_text(qtbot, study_list: StudyList) -> None:
    study_list.activateWindow()
    study_list.search_field.setText("doe")
    study_list.view.setFocus()
    study_list.focus_search()
    qtbot.waitUntil(study_list.search_field.hasFocus)
    assert study_list.search_field.selectedText() == "doe"


def test_a_study_that_is_not_listed_cannot_be_activated(study_list: StudyList) -> None:
    assert not study_list.activate_study("9.9")


def test_rows_tell_everything_in_words(study_list: StudyList) -> None:
    index = study_list.model.index(0)
    tooltip = index.data(Qt.ItemDataRole.ToolTipRole)
    for word in ("DOE, JANE", "A-17", "1958-03-02", "68 y", "2026-04-12", "CR/DX", "ACC1", "new"):
        assert word in tooltip
    assert "2 films" in index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert study_list.model.index(2).data() == "(no name)"
    assert QAccessible.queryAccessibleInterface(study_list.search_field) is not None


def test_each_status_is_painted_with_its_own_shape(study_list: StudyList) -> None:
    same = replace(FIRST, patient_name="SAME", study_instance_uid="s")
    pictures = []
    for status in get_args(StudyStatus):
        study_list.set_studies([replace(same, status=status)])  # type: ignore[arg-type]
        picture = study_list.view.viewport().grab().toImage()
        mark = picture.copy(0, 0, 32, 34)
        pictures.append(bytes(mark.constBits()))
    assert len(set(pictures)) == len(get_args(StudyStatus)) == 6


def test_selected_row_is_seen(study_list: StudyList) -> None:
    before = study_list.view.viewport().grab().toImage().pixelColor(QPoint(1, 10))
    study_list.view.selectionModel().setCurrentIndex(
        study_list.model.index(0), QItemSelectionModel.SelectionFlag.ClearAndSelect
    )
    assert study_list.view.viewport().grab().toImage().pixelColor(QPoint(1, 10)) != before


@pytest.mark.parametrize(
    ("value", "shown"),
    [("20260412", "2026-04-12"), ("2026.04.12", "2026-04-12"), ("20261399", "20261399"), ("", "")],
)
def test_dates_are_iso_and_nonsense_is_shown_as_it_stands(value: str, shown: str) -> None:
    assert iso_date(value) == shown


@pytest.mark.parametrize(
    ("born", "then", "age"),
    [
        ("19580302", "20260412", "68 y"),
        ("19580502", "20260412", "67 y"),
        ("20250313", "20260412", "12 m"),
        ("20270101", "20260412", ""),
        ("", "20260412", ""),
    ],
)
def test_age_is_counted_at_the_study(born: str, then: str, age: str) -> None:
    assert age_at(born, then) == age


def test_empty_parts_leave_no_separators() -> None:
    assert join_present("a", " ", "", "b") == "a · b"


EARLIER = replace(FIRST, study_instance_uid="1.1.9", study_date="20250311", status="signed")
OLDEST = replace(EARLIER, study_instance_uid="1.1.8", study_date="20200101")


def shown(widget: StudyList) -> list[str]:
    return [row.study_instance_uid for row in widget.model.rows]


def test_earlier_studies_wait_under_their_patient(qtbot, study_list: StudyList) -> None:
    study_list.set_studies([FIRST, SECOND, EARLIER, OLDEST])
    assert shown(study_list) == ["1.2.1", "1.2.2"]
    assert study_list.count_label.text() == "4 studies · 1 new · 1 draft · 2 signed"
    assert "2 more of this patient" in study_list.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    study_list.activate_study("1.2.1")
    qtbot.keyClick(study_list.view, Qt.Key.Key_Right)
    assert shown(study_list) == ["1.2.1", "1.1.9", "1.1.8", "1.2.2"]
    assert (
        study_list.view.rowHeight(1) < study_list.view.rowHeight(0) == study_list.view.rowHeight(3)
    )
    spy = activations(study_list)
    qtbot.keyClick(study_list.view, Qt.Key.Key_Down)
    qtbot.keyClick(study_list.view, Qt.Key.Key_Left)
    assert shown(study_list) == ["1.2.1", "1.2.2"]
    assert emitted(spy) == ["1.1.9", "1.2.1"]
    assert study_list.view.rowHeight(1) == study_list.view.rowHeight(0)


def test_the_triangle_opens_without_opening_the_study(qtbot, study_list: StudyList) -> None:
    study_list.set_studies([SECOND, FIRST, EARLIER])
    spy = activations(study_list)
    corner = study_list.view.visualRect(study_list.model.index(1)).bottomLeft() + QPoint(12, -14)
    qtbot.mouseClick(study_list.view.viewport(), Qt.MouseButton.LeftButton, pos=corner)
    assert shown(study_list) == ["1.2.2", "1.2.1", "1.1.9"]
    qtbot.mouseClick(study_list.view.viewport(), Qt.MouseButton.LeftButton, pos=corner)
    assert shown(study_list) == ["1.2.2", "1.2.1"]
    assert emitted(spy) == []


def test_activating_an_earlier_study_opens_its_patient(study_list: StudyList) -> None:
    study_list.set_studies([FIRST, SECOND, EARLIER])
    assert study_list.activate_study("1.1.9")
    assert study_list.view.currentIndex().row() == 1
    study_list.set_studies([FIRST, SECOND, replace(EARLIER, status="new")])
    assert study_list.view.currentIndex().row() == 1
    assert study_list.current_study().status == "new"


def test_searching_happens_at_every_keystroke(qtbot, study_list: StudyList) -> None:
    qtbot.keyClicks(study_list.search_field, "ro")
    assert shown(study_list) == ["1.2.2"]
    assert study_list.count_label.text() == "1 found · 1 draft"
    qtbot.keyClick(study_list.search_field, Qt.Key.Key_Escape)
    assert len(shown(study_list)) == 3


def test_filters_narrow_the_list_and_clear_together(qtbot, study_list: StudyList) -> None:
    lateral = replace(FIRST, study_instance_uid="1.3", patient_id="L", views=("LL",),
                      modalities=("XA",))  # fmt: skip
    study_list.set_studies([*ROWS, lateral])
    qtbot.mouseClick(study_list.filter_button, Qt.MouseButton.LeftButton)
    bar = study_list.filter_bar
    assert bar.isVisible()
    assert [bar.film_box.itemText(i) for i in range(3, 6)] == ["CR", "DX", "XA"]
    bar.film_box.setCurrentIndex(2)
    assert shown(study_list) == ["1.3"]
    assert study_list.filter_button.text() == "Filter ●"
    bar.status_box.setCurrentIndex(3)
    assert shown(study_list) == []
    study_list.set_studies([*ROWS, lateral])
    assert bar.film_box.currentText() == "Lateral"
    qtbot.mouseClick(study_list.filter_button, Qt.MouseButton.LeftButton)
    assert len(shown(study_list)) == 4
    assert study_list.filter_button.text() == "Filter"


def test_dates_are_counted_back_from_today(study_list: StudyList) -> None:
    study_list.filter_bar.date_box.setCurrentIndex(2)
    wanted = study_list.filter_bar.apply_to("", date(2026, 4, 15))
    assert wanted.since == "20260408"


def test_a_column_pressed_twice_turns_its_order(qtbot, study_list: StudyList) -> None:
    for name, uids in (
        ("name", ["1.2.1", "1.2.2", "1.2.3"]),
        ("name", ["1.2.3", "1.2.2", "1.2.1"]),
    ):
        qtbot.mouseClick(study_list.sort_bar.buttons[name], Qt.MouseButton.LeftButton)
        assert shown(study_list) == uids
    assert study_list.sort_bar.buttons["name"].text() == "Name ↓"
    assert study_list.sort_bar.buttons["name"].accessibleName() == "Sorted by name, descending"


def test_several_are_selected_without_being_opened(qtbot, study_list: StudyList) -> None:
    study_list.activate_study("1.2.1")
    spy, removals = activations(study_list), QSignalSpy(study_list.removal_requested)
    qtbot.keyClick(study_list.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    third = study_list.view.visualRect(study_list.model.index(2)).center()
    qtbot.mouseClick(
        study_list.view.viewport(), Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.ControlModifier, pos=third,
    )  # fmt: skip
    assert study_list.selected_studies() == ["1.2.1", "1.2.2", "1.2.3"]
    assert emitted(spy) == []
    qtbot.keyClick(study_list.view, Qt.Key.Key_Delete)
    assert removals.at(0)[0] == ["1.2.1", "1.2.2", "1.2.3"]


def test_removed_studies_leave_without_a_word(study_list: StudyList) -> None:
    study_list.activate_study("1.2.2")
    spy = activations(study_list)
    study_list.discard_studies({"1.2.2"})
    assert shown(study_list) == ["1.2.1", "1.2.3"]
    assert study_list.current_study() is None
    study_list.put_study(replace(FIRST, status="signed"))
    assert study_list.model.rows[0].status == "signed"
    assert emitted(spy) == []


def test_the_open_study_stays_in_sight_while_others_come_in_above_it(
    study_list: StudyList,
) -> None:
    study_list.activate_study("1.2.1")
    newer = [
        replace(FIRST, study_instance_uid=f"9.{n}", patient_id=f"N-{n}", study_date="20260601")
        for n in range(40)
    ]
    study_list.set_studies([*newer, *ROWS])
    place = study_list.view.visualRect(study_list.view.currentIndex())
    assert study_list.view.viewport().rect().contains(place.center())


def test_a_step_by_a_key_held_with_ctrl_selects_that_study_alone(
    qtbot, study_list: StudyList
) -> None:
    """Qt would add it to what is selected: the window's keys for steps are Ctrl+PgUp and PgDn."""
    study_list.activate_study("1.2.1")
    held = Qt.KeyboardModifier.ControlModifier
    qtbot.keyPress(study_list.view, Qt.Key.Key_Control, held)
    study_list.activate_next()
    assert study_list.selected_studies() == ["1.2.2"]
    study_list.activate_study("1.2.3")
    qtbot.keyRelease(study_list.view, Qt.Key.Key_Control)
    assert study_list.selected_studies() == ["1.2.3"]
