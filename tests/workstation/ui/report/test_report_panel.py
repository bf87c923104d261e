"""The report column in all its states, on a real DraftReport and a real drafting thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QTextCursor

from inference import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    GenerationRequest,
    PrefillDone,
)
from workstation.drafting import DraftingService
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.report_store import Addendum, StoredReport
from workstation.ui.report.report_panel import ReportPanel
from workstation.ui.report.version_wording import format_utc

FINDINGS = "The thorax is symmetric. No focal consolidation. No pleural effusion. No pneumothorax."
IMPRESSION = "No acute cardiopulmonary abnormality."


@pytest.fixture
def panel(qtbot) -> ReportPanel:
    panel = ReportPanel()
    qtbot.addWidget(panel)
    panel.resize(560, 900)
    panel.show()
    panel.activateWindow()
    return panel


@pytest.fixture
def report() -> DraftReport:
    report = DraftReport()
    report.set_from_draft(FINDINGS, IMPRESSION)
    return report


@pytest.fixture
def editing(panel, report) -> ReportPanel:
    panel.show_report(report)
    return panel


def row_number(panel: ReportPanel, text: str) -> int:
    return [row.text for row in panel.editor.statement_list.table.rows].index(text)


def row_of(panel: ReportPanel, text: str):
    return panel.editor.statement_list.table.rows[row_number(panel, text)]


def findings_shown(panel: ReportPanel) -> str:
    return panel.editor.editors["findings"].toPlainText()


def flip(qtbot, panel: ReportPanel, text: str) -> None:
    rows = panel.editor.statement_list
    rows.select_row(row_number(panel, text))
    qtbot.keyClick(rows, Qt.Key.Key_Space)


# -- states ----------------------------------------------------------------------------------


def test_without_a_study_nothing_can_be_asked(qtbot, panel) -> None:
    assert panel.state == "no-study"
    with qtbot.assertNotEmitted(panel.draft_requested):
        qtbot.keyClick(panel, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert not panel.start_page.draft_button.isVisible()


@pytest.mark.parametrize("by", ["button", "key"])
def test_blank_report_offers_a_draft(qtbot, panel, by) -> None:
    panel.show_report(DraftReport())
    assert panel.state == "not-drafted"
    with qtbot.waitSignal(panel.draft_requested):
        if by == "button":
            qtbot.mouseClick(panel.start_page.draft_button, Qt.MouseButton.LeftButton)
        else:
            qtbot.keyClick(panel, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)


def test_without_a_model_the_reason_is_said_and_the_hand_can_write(qtbot, panel) -> None:
    panel.set_can_draft(False, "model.safetensors: missing key lm_head.weight")
    panel.show_report(DraftReport())
    assert not panel.start_page.draft_button.isEnabled()
    assert "lm_head" in panel.start_page.text_label.text()
    qtbot.mouseClick(panel.start_page.write_button, Qt.MouseButton.LeftButton)
    assert panel.state == "editing"
    qtbot.keyClicks(panel.editor.editors["findings"], "Small left pleural effusion.")
    panel.flush_typing()
    assert row_of(panel, "Small left pleural effusion.").sentence.provenance == "human"


def test_unseen_line_tells_what_the_model_did_not_see(editing) -> None:
    editing.set_unseen("The model saw one frontal film; not: lateral, priors, indication")
    assert editing.unseen_label.isVisible()
    editing.set_unseen("")
    assert not editing.unseen_label.isVisible()


# -- editing ---------------------------------------------------------------------------------


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
    assert report.state.impression_text == IMPRESSION


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


def test_edits_are_taken_once_typing_included(qtbot, editing) -> None:
    flip(qtbot, editing, "No pneumothorax.")
    qtbot.keyClicks(editing.editor.editors["impression"], "Pneumothorax. ")
    kinds = [edit.kind for edit in editing.take_edits()]
    assert kinds[0] == "flip"
    assert len(kinds) >= 2
    assert editing.take_edits() == []


def test_another_report_takes_no_typing_of_the_one_before(qtbot, editing, report) -> None:
    other = DraftReport()
    other.set_from_draft("No free air.", "")
    qtbot.keyClicks(editing.editor.editors["findings"], "Typed. ")
    editing.show_report(other)
    assert report.state.findings_text.startswith("Typed.")
    assert other.state.findings_text == "No free air."
    assert findings_shown(editing) == "No free air."
    assert editing.pending_edits() == []


# -- drafting --------------------------------------------------------------------------------


class PacedEngine:
    """Words of a report, one block at a time, each on the test's word."""

    description = EngineDescription(
        "paced", "0", "0" * 64, "", "cpu", "float32", 4, ("one-step",), ("en",), 1
    )

    def __init__(self) -> None:
        self.passes = threading.Semaphore(0)

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        assert cancel is not None
        name = request.request_id
        findings, impression = f"No nodule in {name}. No mass in {name}.", f"Normal {name}."
        words = f"Findings: {findings} Impression: {impression}".split(" ")
        tokens = [words[0], *(" " + word for word in words[1:])]
        yield PrefillDone(name, prompt_tokens=5, block_length=4, elapsed_ms=1.0)
        blocks = [tuple(tokens[i : i + 4]) for i in range(0, len(tokens), 4)]
        for index, block in enumerate(blocks):
            while not self.passes.acquire(timeout=0.005):
                if cancel.is_cancelled:
                    yield DraftCancelled(name, index, 2.0)
                    return
            yield BlockCommitted(
                name, index, (1,) * len(block), block, (0.9,) * len(block), index + 1, 5.0
            )
        raw = "".join(tokens)
        yield DraftFinished(name, raw, findings, impression, "stop", 4, len(tokens), 1.0, 4.0)


class Reader(QObject):
    """Joins panel and service the way the main window does: one report a study."""

    def __init__(self, panel: ReportPanel, service: DraftingService) -> None:
        super().__init__()
        self.panel, self.service = panel, service
        self.reports: dict[str, DraftReport] = {}
        service.prefill_done.connect(panel.set_prefill)
        service.block_committed.connect(panel.add_block)
        service.draft_finished.connect(panel.finish_drafting)
        service.draft_cancelled.connect(panel.cancel_drafting)
        service.draft_failed.connect(self.on_failed)
        panel.stop_requested.connect(service.cancel)

    @Slot(str, str)
    def on_failed(self, request_id: str, message: str) -> None:
        self.panel.fail_drafting(message)

    def draft(self, study: str) -> None:
        self.panel.show_report(self.reports.setdefault(study, DraftReport()))
        self.panel.begin_drafting()
        self.service.request_draft(GenerationRequest(study, ()))


@pytest.fixture
def engine() -> PacedEngine:
    return PacedEngine()


@pytest.fixture
def reader(qtbot, panel, engine) -> Iterator[Reader]:
    service = DraftingService(lambda model, device: engine)
    reader = Reader(panel, service)
    with qtbot.waitSignal(service.engine_ready):
        service.start()
    yield reader
    assert service.shutdown()


def test_finished_draft_becomes_rows_with_confidence(qtbot, panel, reader, engine) -> None:
    engine.passes.release(100)
    with qtbot.waitSignal(reader.service.draft_finished):
        reader.draft("a")
    assert panel.state == "editing"
    assert findings_shown(panel) == "No nodule in a. No mass in a."
    sentence = row_of(panel, "No nodule in a.").sentence
    assert sentence.provenance == "ai"
    assert sentence.confidence == pytest.approx(0.9)
    assert panel.editor.editors["findings"].describe_sentence(sentence) == "AI, confidence 0.90"


def test_placeholders_stand_for_the_blocks_to_come(qtbot, panel, reader, engine) -> None:
    with qtbot.waitSignal(reader.service.prefill_done):
        reader.draft("a")
    qtbot.waitUntil(lambda: panel.draft_view.placeholder_count == 3)
    with qtbot.waitSignal(reader.service.block_committed):
        engine.passes.release()
    qtbot.waitUntil(lambda: len(panel.draft_view.placed_words()) == 4)
    assert panel.draft_view.placeholder_count == 3


@pytest.mark.parametrize("by", ["button", "key"])
def test_stop_ends_the_draft_and_leaves_the_report_as_it_was(
    qtbot, panel, reader, engine, by
) -> None:
    engine.passes.release(1)
    with qtbot.waitSignal(reader.service.block_committed):
        reader.draft("a")
    with qtbot.waitSignal(reader.service.draft_cancelled):
        if by == "button":
            qtbot.mouseClick(panel.stop_button, Qt.MouseButton.LeftButton)
        else:
            qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert panel.state == "not-drafted"
    assert reader.reports["a"].state.is_blank
    assert "stopped" in panel.notice.text


def test_second_study_mid_draft_never_receives_the_first_one_s_text(
    qtbot, panel, reader, engine
) -> None:
    engine.passes.release(1)
    with qtbot.waitSignal(reader.service.block_committed):
        reader.draft("first")
    reader.draft("second")
    with qtbot.waitSignal(reader.service.draft_finished):
        engine.passes.release(100)
    assert reader.reports["first"].state.is_blank
    assert reader.reports["second"].state.findings_text == "No nodule in second. No mass in second."
    assert "first" not in panel.draft_view.transcript.raw_text


def test_failed_draft_says_why_and_keeps_the_report(qtbot, panel, report) -> None:
    panel.show_report(report)
    panel.begin_drafting()
    panel.fail_drafting("CUDA out of memory")
    assert panel.state == "editing"
    assert "CUDA out of memory" in panel.notice.text
    assert findings_shown(panel) == FINDINGS


def test_a_report_with_a_text_is_redrafted_and_never_drafted_over(qtbot, editing) -> None:
    flip(qtbot, editing, "No pneumothorax.")
    with (
        qtbot.assertNotEmitted(editing.draft_requested),
        qtbot.waitSignal(editing.redraft_requested) as asked,
    ):
        qtbot.mouseClick(editing.redraft_button, Qt.MouseButton.LeftButton)
    assert asked.args[0].scope == "all"


def test_undo_takes_a_finished_draft_back(qtbot, panel, reader, engine) -> None:
    engine.passes.release(100)
    with qtbot.waitSignal(reader.service.draft_finished):
        reader.draft("a")
    qtbot.mouseClick(panel.undo_button, Qt.MouseButton.LeftButton)
    assert findings_shown(panel) == ""


def test_closing_during_a_draft_is_quiet(qtbot, panel, reader, engine) -> None:
    engine.passes.release(1)
    with qtbot.waitSignal(reader.service.block_committed):
        reader.draft("a")
    panel.close()
    assert reader.service.shutdown()
    engine.passes.release(100)


def test_block_of_the_rail_is_shown_in_the_finished_report(qtbot, panel, reader, engine) -> None:
    engine.passes.release(100)
    with qtbot.waitSignal(reader.service.draft_finished):
        reader.draft("a")
    panel.jump_to_block(1)
    assert panel.editor.editors["findings"].lit_text == "a. No mass in"


# -- signed ----------------------------------------------------------------------------------


def stored(report: DraftReport, *addenda: Addendum) -> StoredReport:
    return StoredReport(
        "1.2.3",
        report.state,
        "signed",
        signed_by="Dr Maya Lind",
        signed_at="2026-11-21T00:10:00+00:00",
        addenda=addenda,
    )


def test_signed_report_is_read_only_and_names_its_signer(qtbot, panel, report) -> None:
    panel.show_signed(stored(report))
    page = panel.signed_page
    assert panel.state == "signed"
    assert "Dr Maya Lind" in page.signature_label.text()
    assert "2026-11-2" in page.signature_label.text()
    editor = page.editors["findings"]
    qtbot.keyClicks(editor, "Tampered.")
    assert editor.toPlainText() == FINDINGS
    for button in (panel.sign_button, panel.redraft_button, panel.undo_button):
        assert not button.isVisible()
    assert panel.pending_edits() == []


def test_addendum_is_asked_for_and_listed(qtbot, panel, report) -> None:
    panel.show_signed(stored(report))
    page = panel.signed_page
    qtbot.mouseClick(page.addendum_button, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(page.addendum_field, "The effusion has grown.")
    with qtbot.waitSignal(panel.addendum_requested) as asked:
        qtbot.mouseClick(page.save_addendum_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["The effusion has grown."]
    assert page.addendum_field.toPlainText() == "The effusion has grown."  # kept until saved
    panel.show_signed(
        stored(report, Addendum("Dr Lind", "2026-11-21T01:00:00+00:00", asked.args[0]))
    )
    texts = [label.text() for label in page.findChildren(QObject, "addendum_text")]
    assert "The effusion has grown." in texts
    assert not page.addendum_field.isVisible()


def test_sign_is_asked_with_all_typing_handed_over(qtbot, editing, report) -> None:
    qtbot.keyClicks(editing.editor.editors["findings"], "Typed. ")
    with qtbot.waitSignal(editing.sign_requested):
        qtbot.mouseClick(editing.sign_button, Qt.MouseButton.LeftButton)
    assert report.state.findings_text.startswith("Typed.")


def test_blank_report_cannot_be_signed(qtbot, panel) -> None:
    panel.show_report(DraftReport())
    panel.write_by_hand()
    assert not panel.sign_button.isEnabled()
