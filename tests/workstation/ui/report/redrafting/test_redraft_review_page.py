"""A redraft under review in the report column: by mouse and by key, and nothing by itself."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from workstation.drafting.redraft_run import AnswerRestarted, RedraftFinished
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.redrafting.redraft import RedraftedSentence
from workstation.reporting.report_state import Edit
from workstation.ui.report.report_panel import ReportPanel

FINDINGS = "The thorax is symmetric. No pleural effusion. No pneumothorax."
IMPRESSION = "No acute cardiopulmonary abnormality."
SAID = (
    RedraftedSentence("findings", "The thorax is symmetric.", None, 0.99),
    RedraftedSentence("findings", "Small left pleural effusion.", None, 0.8),
    RedraftedSentence("findings", "No pneumothorax.", None, 0.98),
    RedraftedSentence("findings", "Scoliosis.", None, 0.7),
    RedraftedSentence("impression", "Small left pleural effusion.", None, 0.9),
)
SAME = tuple(
    RedraftedSentence(section, text, None, 0.9)
    for section, texts in (("findings", FINDINGS.replace(". ", ".|")), ("impression", IMPRESSION))
    for text in texts.split("|")
)


def finished(sentences: tuple[RedraftedSentence, ...] = SAID) -> RedraftFinished:
    return RedraftFinished("r", "", "", "", "stop", 9, 50, 10.0, 20.0, sentences=sentences)


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS, IMPRESSION)
    return report


@pytest.fixture
def panel(qtbot, report) -> ReportPanel:
    panel = ReportPanel()
    qtbot.addWidget(panel)
    panel.resize(560, 900)
    panel.show()
    panel.activateWindow()
    qtbot.waitActive(panel)
    panel.show_report(report)
    return panel


@pytest.fixture
def reviewing(panel) -> ReportPanel:
    panel.begin_drafting()
    panel.review_redraft(finished())
    assert panel.state == "reviewing"
    return panel


def press(qtbot, panel: ReportPanel, *keys: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier):
    for key in keys:
        qtbot.keyClick(QApplication.focusWidget() or panel.review_page, key, modifier)


def changes(panel: ReportPanel) -> list[tuple[str, str]]:
    return [(row.old_label.text(), row.new_label.text()) for row in panel.review_page.rows]


def test_the_difference_is_shown_sentence_by_sentence(reviewing) -> None:
    assert changes(reviewing) == [
        ("No pleural effusion.", "Small left pleural effusion."),
        ("", "Scoliosis."),
        (IMPRESSION, ""),
        ("", "Small left pleural effusion."),
    ]
    row = reviewing.review_page.rows[0]
    assert row.old_label.font().strikeOut()
    assert not row.new_label.font().strikeOut()
    assert row.state_label.text() == "changed · AI, confidence 0.80"
    assert "No pleural effusion." in row.accessibleName()
    shown = {label.text() for label in reviewing.review_page.findChildren(QLabel)}
    assert {"The thorax is symmetric.", "No pneumothorax."} <= shown


def test_the_first_change_has_the_keyboard_and_the_next_one_after_a_choice(
    qtbot, reviewing
) -> None:
    rows = reviewing.review_page.rows
    assert rows[0].hasFocus()
    press(qtbot, reviewing, Qt.Key.Key_A)
    assert rows[1].hasFocus()
    press(qtbot, reviewing, Qt.Key.Key_Up)
    assert rows[0].hasFocus()
    press(qtbot, reviewing, Qt.Key.Key_K)
    assert [row.decision for row in rows[:2]] == ["kept", "open"]


def test_nothing_is_in_the_report_before_the_review_ends(qtbot, reviewing, report) -> None:
    before = report.state
    press(qtbot, reviewing, Qt.Key.Key_A)
    assert report.state == before
    assert reviewing.review_page.done_button.text() == "Take over 1 of 4"


def test_pieces_are_accepted_and_kept_by_key_and_enter_as_one_step(
    qtbot, reviewing, report
) -> None:
    before, edits = report.state, list[Edit]()
    report.on_edit(edits.append)
    with qtbot.waitSignal(reviewing.redraft_reviewed) as told:
        press(qtbot, reviewing, Qt.Key.Key_A, Qt.Key.Key_K, Qt.Key.Key_K, Qt.Key.Key_A)
    assert (told.args[0].offered, told.args[0].accepted) == (4, 2)
    assert reviewing.state == "editing"
    assert report.state.findings_text == FINDINGS.replace(
        "No pleural effusion.", "Small left pleural effusion."
    )
    assert report.state.impression_text == f"{IMPRESSION} Small left pleural effusion."
    changed = report.state.findings[1]
    assert (changed.provenance, changed.confidence) == ("ai", 0.8)
    assert changed.id == before.findings[1].id
    assert [(each.kind, each.section, each.before) for each in edits] == [
        ("redraft", "findings", FINDINGS),
        ("redraft", "impression", IMPRESSION),
    ]
    report.undo()
    assert report.state == before


def test_pieces_are_decided_by_mouse(qtbot, reviewing, report) -> None:
    rows = reviewing.review_page.rows
    qtbot.mouseClick(rows[1].accept_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(rows[0].accept_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(rows[0].keep_button, Qt.MouseButton.LeftButton)  # taken back
    qtbot.mouseClick(reviewing.review_page.done_button, Qt.MouseButton.LeftButton)
    assert report.state.findings_text == FINDINGS + " Scoliosis."
    assert report.state.impression_text == IMPRESSION


@pytest.mark.parametrize("by", ["button", "key"])
def test_all_can_be_accepted_at_once(qtbot, reviewing, report, by: str) -> None:
    if by == "button":
        qtbot.mouseClick(reviewing.review_page.accept_all_button, Qt.MouseButton.LeftButton)
    else:
        press(qtbot, reviewing, Qt.Key.Key_A, modifier=Qt.KeyboardModifier.ShiftModifier)
    said = [each.text for each in SAID if each.section == "findings"]
    assert [each.text for each in report.state.findings] == said
    assert report.state.impression_text == "Small left pleural effusion."


@pytest.mark.parametrize("by", ["button", "key"])
def test_leaving_the_review_keeps_the_report_and_every_edit(
    qtbot, reviewing, report, by: str
) -> None:
    before = report.state
    press(qtbot, reviewing, Qt.Key.Key_A)
    with qtbot.waitSignal(reviewing.redraft_reviewed) as told:
        if by == "button":
            qtbot.mouseClick(reviewing.review_page.keep_all_button, Qt.MouseButton.LeftButton)
        else:
            press(qtbot, reviewing, Qt.Key.Key_Escape)
    assert told.args[0].accepted == 0
    assert report.state == before
    assert reviewing.state == "editing"


def test_ctrl_enter_takes_over_what_was_accepted_and_keeps_the_rest(
    qtbot, reviewing, report
) -> None:
    press(qtbot, reviewing, Qt.Key.Key_Down, Qt.Key.Key_A)
    press(qtbot, reviewing, Qt.Key.Key_Return, modifier=Qt.KeyboardModifier.ControlModifier)
    assert report.state.findings_text == FINDINGS + " Scoliosis."


def test_undo_is_not_to_be_had_during_a_review(qtbot, reviewing, report) -> None:
    before = report.state
    press(qtbot, reviewing, Qt.Key.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    assert report.state == before


def test_a_report_changed_meanwhile_is_not_overwritten(qtbot, reviewing, report) -> None:
    report.add_sentence("findings", "Measured: 12 mm.")
    before = report.state
    press(qtbot, reviewing, Qt.Key.Key_A, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert report.state == before
    assert "changed meanwhile" in reviewing.notice.text


def test_a_redraft_that_says_the_same_is_said_and_varied_on_a_yes(qtbot, panel, report) -> None:
    panel.request_draft()
    panel.begin_drafting()
    panel.review_redraft(finished(SAME))
    assert panel.state == "editing"
    assert panel.notice.isVisible()
    with qtbot.waitSignal(panel.redraft_requested) as asked:
        qtbot.mouseClick(panel.notice.accept_button, Qt.MouseButton.LeftButton)
    assert asked.args[0].varied
    panel.begin_drafting()
    panel.review_redraft(finished(SAME))
    assert "Asked to vary" in panel.notice.text
    assert not panel.notice.accept_button.isVisible()


def test_another_study_drops_the_review(qtbot, reviewing, report) -> None:
    before, other = report.state, DraftReport()
    other.set_from_draft("No mass.", "")
    reviewing.show_report(other)
    assert reviewing.review_page.rows == []
    reviewing.review_page.accept_all()
    assert report.state == before
    assert other.state.findings_text == "No mass."


# -- asking ----------------------------------------------------------------------------------


def test_redraft_from_the_sentence_under_the_cursor(qtbot, panel, report) -> None:
    editor = panel.editor.editors["findings"]
    editor.setFocus()
    at = FINDINGS.index("effusion")
    editor.jump_to(at, at + 1)
    with qtbot.waitSignal(panel.redraft_requested) as asked:
        panel.keys.redraft_from_here.trigger()
    assert (asked.args[0].scope, asked.args[0].head) == ("from-here", 1)
    with qtbot.waitSignal(panel.redraft_requested) as asked:
        panel.keys.redraft_sentence.trigger()
    assert (asked.args[0].scope, asked.args[0].head) == ("sentence", 1)
    assert asked.args[0].varied


def test_a_locked_sentence_is_not_redrafted_and_why_is_said(qtbot, panel, report) -> None:
    report.set_locked("findings", report.state.findings[0].id, True)
    panel.editor.editors["findings"].setFocus()
    panel.editor.editors["findings"].jump_to(0, 1)
    with qtbot.assertNotEmitted(panel.redraft_requested):
        panel.keys.redraft_sentence.trigger()
    assert "locked" in panel.notice.text


def test_the_live_redraft_shows_what_stands_and_what_will(panel) -> None:
    panel.begin_drafting()
    panel.restart_answer(AnswerRestarted("r", "Findings: The thorax is symmetric.", "Locked one."))
    panel.draft_view._refresh()
    words = [placed.word.text for placed in panel.draft_view.placed_words()]
    assert words == ["Findings:", "The", "thorax", "is", "symmetric.", "Locked", "one."]
    word = panel.draft_view.placed_words()[-1].word
    assert panel.draft_view.describe_word(word) == "kept as it is"


# -- language --------------------------------------------------------------------------------


def test_the_report_changes_its_language_as_one_step(panel, report) -> None:
    before = report.state
    panel.keys.other_language.trigger()
    assert report.language == "zh"
    assert report.state.findings_text == "两侧胸廓对称。未见胸腔积液。未见气胸。"
    assert "Chinese" in panel.notice.text
    report.undo()
    assert report.state == before


def test_sentences_that_cannot_follow_are_named_and_a_redraft_is_offered(
    qtbot, panel, report
) -> None:
    report.add_sentence("impression", "Please correlate clinically.")
    panel.keys.other_language.trigger()
    assert "“Please correlate clinically.”" in panel.notice.text
    with qtbot.waitSignal(panel.redraft_requested) as asked:
        qtbot.mouseClick(panel.notice.accept_button, Qt.MouseButton.LeftButton)
    assert asked.args[0].state.language == "zh"


def test_a_report_without_an_understood_sentence_is_left_alone(panel, report) -> None:
    for section in ("findings", "impression"):
        report.set_section_text(section, "")
    report.add_sentence("findings", "Compared with last week.")
    before = report.state
    panel.keys.other_language.trigger()
    assert report.state == before
    assert "Not rewritten" in panel.notice.text
