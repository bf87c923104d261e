"""The report column while a real drafting thread drafts."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, Qt, Slot

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
from tests.workstation.ui.report.panel_reading import findings_shown, flip, row_of
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.draft_report import DraftReport
from workstation.ui.report.report_panel import ReportPanel

FINDINGS = "The thorax is symmetric. No focal consolidation. No pleural effusion. No pneumothorax."


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
