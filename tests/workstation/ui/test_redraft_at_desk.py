"""Redrafts, covered drafts and prior reports in the whole window, with what the audit log says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from inference import (
    BlockCommitted,
    CancelToken,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    GenerationRequest,
    PrefillDone,
)
from inference.prompts import parse_sections
from workstation.app import build_records, build_window
from workstation.audit.audit_log import AuditEntry
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow

WriteFilm = Callable[..., Path]
GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
FIRST = (
    "Findings: The thorax is symmetric. No pleural effusion. No pneumothorax. "
    "Impression: No acute cardiopulmonary abnormality."
)
SECOND = (
    "Findings: The thorax is symmetric. Scoliosis. No pneumothorax. "
    "Impression: No acute cardiopulmonary abnormality."
)


DESCRIPTION = EngineDescription(
    "talking", "1", "a" * 64, "/models/talking", "cpu", "float32", 8, ("one-step",), ("en",), 1
)


@dataclass
class TalkingEngine:
    """Says ``text``; behind a prefix, what follows it there, or nothing."""

    text: str = FIRST
    requests: list[GenerationRequest] = field(default_factory=list)
    description: EngineDescription = DESCRIPTION

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        self.requests.append(request)
        name, prefix = request.request_id, request.prefix_text
        said = self.text if not prefix else " No pneumothorax. Impression: Left effusion."
        yield PrefillDone(name, 96, 8, 10.0, bool(prefix))
        if prefix:
            yield BlockCommitted(name, 0, (4,), (prefix,), (1.0,), 1, 11.0, (True,))
        words = [word + " " for word in said.split(" ")]
        for index, word in enumerate(words):
            yield BlockCommitted(name, index + 1, (5,), (word,), (0.9,), index + 1, 12.0 + index)
        findings, impression = parse_sections(prefix + said)
        yield DraftFinished(
            name, prefix + said, findings, impression, "stop", len(words), len(words), 10.0, 4.0
        )


class Bench:
    """A window on a data folder with that engine loaded."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.engine, self.qtbot = TalkingEngine(), qtbot
        self.drafting = DraftingService(lambda _model, _device: self.engine)
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, self.drafting, settings)
        qtbot.addWidget(self.window)
        self.window.show()
        with qtbot.waitSignal(self.drafting.engine_ready, timeout=10_000):
            self.drafting.start("talking", "cpu")
        self.panel = self.window.report_panel

    @property
    def report(self):
        assert self.panel.report is not None
        return self.panel.report

    def open(self, *paths: Path) -> None:
        with self.qtbot.waitSignal(self.window.loader.film_loaded, timeout=30_000):
            self.window.import_paths(list(paths))

    def activate(self, study_uid: str) -> None:
        with self.qtbot.waitSignal(self.window.loader.film_loaded, timeout=30_000):
            self.window.study_list.activate_study(study_uid)

    def draft(self) -> None:
        with self.qtbot.waitSignal(self.drafting.draft_finished, timeout=10_000):
            self.panel.request_draft()

    def entries(self, *events: str) -> list[AuditEntry]:
        return [each for each in self.records.audit.entries() if each.event in events]

    def edits(self, kind: str) -> list[dict[str, object]]:
        return [dict(e.details) for e in self.entries("edit") if e.details["kind"] == kind]

    def press(self, key: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(QApplication.focusWidget() or self.panel.review_page, key, modifier)

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(10_000)
        self.database.dispose()


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Iterator[Bench]:
    opened = Bench(tmp_path / "data", qtbot)
    yield opened
    opened.close()


def lock_effusion(bench: Bench) -> None:
    effusion = bench.report.state.findings[1]
    bench.report.edit_sentence("findings", effusion.id, "Small left effusion, 3 mm.")
    bench.report.set_locked("findings", effusion.id, True)


# -- redrafts --------------------------------------------------------------------------------


def test_edit_lock_redraft_accept_in_part_and_find_it_after_a_restart(
    bench: Bench, write_film: WriteFilm, tmp_path: Path, qtbot: QtBot
) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.draft()
    lock_effusion(bench)
    before = bench.report.state
    bench.engine.text = SECOND
    bench.draft()
    assert bench.panel.state == "reviewing"
    assert bench.panel.unseen_label.isVisible()
    assert bench.report.state == before
    asked = [request.prefix_text for request in bench.engine.requests[1:]]
    assert asked == [
        "",
        "Findings: The thorax is symmetric. Scoliosis. Small left pleural effusion.",
    ]
    offered = [row.new_label.text() for row in bench.panel.review_page.rows]
    assert [text for text in offered if text] == ["Scoliosis.", "Left effusion."]
    bench.panel.review_page.rows[0].accept()
    bench.panel.review_page.close_review()
    assert bench.panel.state == "editing"
    assert bench.report.state.findings_text == (
        "The thorax is symmetric. Scoliosis. Small left effusion, 3 mm. No pneumothorax."
    )
    assert bench.report.state.impression == before.impression
    uid, state = bench.window.desk.study_instance_uid, bench.report.state
    stored = bench.records.reports.load(uid)
    assert stored is not None
    assert stored.state == state
    assert stored.ai_impression == "Left effusion."
    (redraft,) = bench.edits("redraft")
    assert redraft["before"] == before.findings_text
    assert redraft["after"] == state.findings_text
    assert redraft["model_sha256"] == "a" * 64
    (lock,) = bench.edits("lock")
    assert lock["before"] == "Small left effusion, 3 mm."
    started = bench.entries("draft-started")[-1].details
    assert started["redraft"] == {
        "scope": "all",
        "varied": False,
        "kept": ["Small left effusion, 3 mm."],
    }
    assert "not: lateral" in started["not_seen"]
    assert bench.entries("draft-finished")[-1].details["taken_over"] is False
    reviewed = bench.entries("redraft-reviewed")[-1].details
    assert reviewed["pieces_accepted"] == 1
    assert bench.records.audit.verify().ok
    bench.close()
    again = Bench(tmp_path / "data", qtbot)
    try:
        again.activate(uid)
        assert again.report.state == state
        assert again.report.state.findings[2].locked
    finally:
        again.close()


def test_leaving_the_review_leaves_the_report_and_is_audited(
    bench: Bench, write_film: WriteFilm
) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.draft()
    lock_effusion(bench)
    before = bench.report.state
    bench.engine.text = SECOND
    bench.draft()
    bench.press(Qt.Key.Key_Escape)
    assert bench.panel.state == "editing"
    assert bench.report.state == before
    assert bench.edits("redraft") == []
    assert bench.entries("redraft-reviewed")[-1].details["pieces_accepted"] == 0


def test_another_study_opened_during_a_review_gets_nothing_of_it(
    bench: Bench, write_film: WriteFilm
) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.draft()
    first, before = bench.window.desk.study_instance_uid, bench.report.state
    bench.engine.text = SECOND
    bench.draft()
    assert bench.panel.state == "reviewing"
    bench.open(write_film("b.dcm", GREY, StudyInstanceUID="1.2.9", PatientID="B-2"))
    bench.panel.review_page.accept_all()
    assert bench.report.state.is_blank
    stored = bench.records.reports.load(first)
    assert stored is not None
    assert stored.state == before
    (reviewed,) = bench.entries("redraft-reviewed")
    assert reviewed.study_instance_uid == first
    assert reviewed.details["study_left"] is True


def test_one_sentence_is_asked_for_with_another_draw_each_time(
    bench: Bench, write_film: WriteFilm
) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.draft()
    for _ in range(2):
        with bench.qtbot.waitSignal(bench.drafting.draft_finished, timeout=10_000):
            bench.panel.redrafts.ask("sentence", "findings", bench.report.state.findings[1].id)
        bench.panel.review_page.keep_all()
    one, two = bench.engine.requests[1:]
    assert one.prefix_text == "Findings: The thorax is symmetric."
    assert one.temperature > 0
    assert one.seed != two.seed


# -- read first, then reveal -----------------------------------------------------------------


@pytest.fixture
def reading_first(bench: Bench) -> Bench:
    bench.window.menus.read_first_action.trigger()
    return bench


def open_covered(bench: Bench, path: Path) -> None:
    with bench.qtbot.waitSignal(bench.drafting.draft_finished, timeout=30_000):
        bench.open(path)


def visible_words(bench: Bench) -> str:
    labels = bench.window.findChildren(QLabel)
    return " ".join(each.text() for each in labels if each.isVisible())


def test_the_draft_is_made_in_the_background_and_nothing_of_it_is_told(
    reading_first: Bench, write_film: WriteFilm
) -> None:
    bench = reading_first
    open_covered(bench, write_film("a.dcm", GREY))
    assert bench.panel.state == "covered"
    assert bench.report.state.is_blank
    assert bench.panel.cover.title_label.text() == "A draft is ready"
    assert "a draft is ready" in bench.window.block_rail.figures_label.text()
    assert bench.window.block_rail.tiles.tile_count == 0
    assert bench.panel.draft_view.transcript.raw_text == ""
    assert "pneumothorax" not in visible_words(bench)
    assert not bench.panel.stop_button.isVisible()


def test_revealing_shows_it_beside_the_own_impression_and_is_audited(
    reading_first: Bench, write_film: WriteFilm
) -> None:
    bench = reading_first
    open_covered(bench, write_film("a.dcm", GREY))
    bench.qtbot.keyClicks(bench.panel.cover.impression_editor, "Left effusion?")
    bench.window.activateWindow()
    bench.panel.keys.reveal.trigger()
    assert bench.panel.state == "editing"
    assert [(each.provenance, each.text) for each in bench.report.state.impression] == [
        ("human", "Left effusion?"),
        ("ai", "No acute cardiopulmonary abnormality."),
    ]
    assert bench.report.state.findings[0].confidence == pytest.approx(0.9)
    assert bench.window.block_rail.tiles.tile_count > 0
    details = bench.entries("draft-revealed")[-1].details
    assert details["own_impression"] == "Left effusion?"
    assert details["covered_s"] >= 0
    assert details["model_sha256"] == "a" * 64
    events = [each.event for each in bench.records.audit.entries()]
    assert events.index("draft-finished") < events.index("draft-revealed")
    assert events.index("draft-revealed") < events.index("draft-taken-over")
    bench.report.undo()
    assert bench.report.state.impression_text == "Left effusion?"


def test_own_impression_is_saved_before_the_draft_is_revealed(
    reading_first: Bench, write_film: WriteFilm, tmp_path: Path, qtbot: QtBot
) -> None:
    bench = reading_first
    open_covered(bench, write_film("a.dcm", GREY))
    uid = bench.window.desk.study_instance_uid
    with qtbot.waitSignal(bench.window.desk.study_changed, timeout=5_000):
        qtbot.keyClicks(bench.panel.cover.impression_editor, "Left effusion.")
    stored = bench.records.reports.load(uid)
    assert stored is not None
    assert stored.state.impression_text == "Left effusion."
    bench.close()
    assert bench.window.desk.study_instance_uid == ""
    again = Bench(tmp_path / "data", qtbot)
    try:
        assert again.window.menus.read_first_action.isChecked()
        again.activate(uid)
        assert again.panel.state == "editing"
        assert again.report.state.impression_text == "Left effusion."
        (left,) = again.entries("draft-never-revealed")
        assert left.study_instance_uid == uid
        assert again.entries("draft-revealed") == []
    finally:
        again.close()


def test_a_draft_not_revealed_never_reaches_another_study(
    reading_first: Bench, write_film: WriteFilm
) -> None:
    bench = reading_first
    open_covered(bench, write_film("a.dcm", GREY))
    first = bench.window.desk.study_instance_uid
    bench.engine.text = SECOND
    open_covered(bench, write_film("b.dcm", GREY, StudyInstanceUID="1.2.9", PatientID="B-2"))
    bench.panel.keys.reveal.trigger()
    assert "Scoliosis." in bench.report.state.findings_text
    assert bench.records.reports.load(first) is None


# -- prior report ----------------------------------------------------------------------------


def sign_prior(bench: Bench, write_film: WriteFilm) -> str:
    bench.open(
        write_film("prior.dcm", GREY, StudyInstanceUID="1.2.7", SeriesInstanceUID="1.2.7.1",
                   StudyDate="20250302")
    )  # fmt: skip
    bench.draft()
    bench.records.sign_off.sign("1.2.7", "Dr. Ada Reader", seen=bench.report.state)
    return "1.2.7"


def test_the_signed_prior_report_is_compared_and_its_opening_audited(
    bench: Bench, write_film: WriteFilm
) -> None:
    prior_uid = sign_prior(bench, write_film)
    bench.engine.text = SECOND
    bench.open(write_film("now.dcm", GREY))
    bench.draft()
    pane = bench.panel.prior_pane
    assert pane.isVisible()
    assert "2025-03-02" in pane.toggle.text()
    assert "Dr. Ada Reader" in pane.toggle.text()
    assert bench.entries("prior-report-opened") == []
    bench.panel.keys.prior.trigger()
    words = pane.browser.toPlainText()
    assert words.startswith("Impression")
    assert "? not stated\nNo pleural effusion." in words
    assert "= unchanged\nNo pneumothorax." in words
    assert "+ new\nScoliosis." in words
    assert pane.browser.isReadOnly()
    (opened,) = bench.entries("prior-report-opened")
    assert opened.study_instance_uid == prior_uid
    assert opened.details["beside"] == bench.window.desk.study_instance_uid
    bench.report.add_sentence("findings", "Small left pleural effusion.")
    assert "≠ changed\nNo pleural effusion." in pane.browser.toPlainText()
    uid = bench.window.desk.study_instance_uid
    bench.report.undo()  # it contradicts the impression, so that it could not be signed
    bench.window.desk.save()
    bench.records.sign_off.sign(uid, "Dr. Ada Reader")
    bench.activate(prior_uid)
    assert not pane.isVisible()
    bench.activate(uid)
    assert bench.panel.state == "signed"
    pane.unfold()
    assert "= unchanged\nNo pneumothorax." in pane.browser.toPlainText()


def test_no_prior_report_of_another_patient_or_unsigned(
    bench: Bench, write_film: WriteFilm
) -> None:
    sign_prior(bench, write_film)
    bench.open(write_film("other.dcm", GREY, StudyInstanceUID="1.2.8", PatientID="Z-9"))
    assert not bench.panel.prior_pane.isVisible()
    bench.open(write_film("later.dcm", GREY, StudyInstanceUID="1.2.10", StudyDate="20240101"))
    assert not bench.panel.prior_pane.isVisible()
