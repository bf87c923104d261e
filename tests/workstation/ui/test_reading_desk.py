"""The desk with a scripted model: languages, lateral film, refusal, what the audit log says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
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
from inference.report_language import NOT_A_FRONTAL_CHEST, compose_refusal, compose_report
from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow
from workstation.ui.report.statements.statement_row_painter import PROVENANCE, SENTENCE, STATUS

WriteFilm = Callable[..., Path]
GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
DESCRIPTION = EngineDescription(
    "scripted", "1", "a" * 64, "/models/scripted", "cpu", "float32", 8,
    ("one-step", "adaptive"), ("en", "zh"), 2, ((0.0, 0.0), (1.0, 0.5)),
)  # fmt: skip


@dataclass
class ScriptedEngine:
    """Drafts a normal report in the language asked for, or refuses; remembers what was asked."""

    description: EngineDescription = DESCRIPTION
    refuses: bool = False
    requests: list[GenerationRequest] = field(default_factory=list)

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        self.requests.append(request)
        name, language = request.request_id, request.language
        text = compose_refusal(language) if self.refuses else compose_report((), language)
        yield PrefillDone(name, 96, 8, 10.0)
        yield BlockCommitted(name, 0, (5,), (text[:20],), (0.9,), 1, 12.0)
        looks = 2 if request.decoding == "adaptive" else 0
        last = BlockCommitted(name, 1, (6, 7), (text[20:], ""), (0.8, 1.0), 4, 14.0)
        yield replace(last, second_looks=looks)
        findings, impression = parse_sections(text)
        refusal = NOT_A_FRONTAL_CHEST[language] if self.refuses else ""
        yield DraftFinished(
            name, text, findings, impression, "stop", 4, 3, 10.0, 4.0, 2, refusal=refusal
        )


class Bench:
    """A window on a data folder with a scripted engine loaded."""

    def __init__(self, folder: Path, qtbot: QtBot, engine: ScriptedEngine) -> None:
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.engine, self.qtbot = engine, qtbot
        self.drafting = DraftingService(lambda _model, _device: engine)
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, self.drafting, settings)
        qtbot.addWidget(self.window)
        self.window.show()
        with qtbot.waitSignal(self.drafting.engine_ready, timeout=10_000):
            self.drafting.start("scripted", "cpu")
        self.panel = self.window.report_panel

    def open(self, *paths: Path) -> None:
        with self.qtbot.waitSignal(self.window.loader.film_loaded, timeout=30_000):
            self.window.import_paths(list(paths))

    def draft(self) -> None:
        with self.qtbot.waitSignal(self.drafting.draft_finished, timeout=10_000):
            self.panel.request_draft()

    def choose(self, value: str) -> None:
        """Take a mode or a language from the Draft menu."""
        groups = (self.window.decoding_group, self.window.language_group)
        actions = [action for group in groups for action in group.actions()]
        next(action for action in actions if action.data() == value).trigger()

    def details(self, event: str) -> dict[str, object]:
        entries = self.records.audit.entries()
        return next(dict(e.details) for e in reversed(entries) if e.event == event)

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(10_000)
        self.database.dispose()


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Iterator[Bench]:
    opened = Bench(tmp_path / "data", qtbot, ScriptedEngine())
    yield opened
    opened.close()


# -- languages -------------------------------------------------------------------------------


def test_chinese_draft_is_shown_stated_stored_and_signed_as_chinese(
    bench: Bench, write_film: WriteFilm
) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.choose("zh")
    bench.draft()
    report = bench.panel.report
    assert report is not None
    assert bench.engine.requests[0].language == "zh"
    assert report.language == "zh"
    assert report.state.findings_text == parse_sections(compose_report((), "zh"))[0]
    table = bench.panel.editor.statement_list.table
    stated = {row.statement.concept for row in table.rows if row.statement is not None}
    assert {"pneumothorax", "pleural_effusion", "cardiomegaly"} <= stated

    flipped = next(
        (sentence, each)
        for sentence, each in report.statements("findings")
        if each.concept == "pneumothorax"
    )
    report.flip_statement("findings", flipped[0].id, flipped[1])
    bench.window.desk.save()
    stored = bench.records.reports.load(bench.window.desk.study_instance_uid)
    assert stored is not None
    assert stored.state == report.state
    assert "气胸。" in stored.state.findings_text
    assert " " not in stored.state.findings_text
    assert bench.details("draft-finished")["decoding"]["language"] == "zh"  # type: ignore[index]

    assert not bench.window.desk.sign(lambda _report: "Dr. A. Reader")
    assert "气胸：" in bench.panel.notice.text  # the impression calls it normal still
    report.set_section_text("impression", "气胸。")
    assert bench.window.desk.sign(lambda _report: "Dr. A. Reader")
    assert str(bench.details("sign")["text"]).startswith("所见：")


def test_a_chinese_report_stays_chinese_after_a_restart_with_english_chosen(
    bench: Bench, write_film: WriteFilm, tmp_path: Path, qtbot: QtBot
) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.choose("zh")
    bench.draft()
    uid = bench.window.desk.study_instance_uid
    bench.choose("en")
    assert bench.panel.report is not None
    assert bench.panel.report.language == "zh"
    bench.close()
    again = Bench(tmp_path / "data", qtbot, ScriptedEngine())
    try:
        with qtbot.waitSignal(again.window.loader.film_loaded, timeout=30_000):
            again.window.study_list.activate_study(uid)
        assert again.panel.report is not None
        assert again.panel.report.language == "zh"
        assert again.panel.report.statements("findings")
        again.draft()
        assert again.engine.requests[-1].language == "zh"  # a redraft is in the report's own
        assert again.panel.report.language == "zh"
    finally:
        again.close()


def test_mode_and_language_are_remembered(bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
    bench.choose("zh")
    bench.choose("adaptive")
    bench.close()
    again = Bench(tmp_path / "data", qtbot, ScriptedEngine())
    try:
        assert (again.window.desk.language, again.window.desk.decoding) == ("zh", "adaptive")
    finally:
        again.close()


def test_only_what_the_model_offers_can_be_chosen_and_is_asked_for(
    tmp_path: Path, qtbot: QtBot, write_film: WriteFilm
) -> None:
    english = replace(DESCRIPTION, languages=("en",), decoding_modes=("one-step",))
    bench = Bench(tmp_path / "data", qtbot, ScriptedEngine(english))
    try:
        bench.choose("zh")
        bench.window.desk.choose_language("zh")  # remembered from another model
        window = bench.window
        enabled = {
            action.data(): action.isEnabled()
            for group in (window.decoding_group, window.language_group)
            for action in group.actions()
        }
        assert [name for name, is_enabled in enabled.items() if is_enabled] == ["one-step", "en"]
        bench.open(write_film("a.dcm", GREY))
        bench.draft()
        assert bench.engine.requests[0].language == "en"
        assert bench.panel.report is not None
        assert bench.panel.report.language == "en"
    finally:
        bench.close()


def test_a_report_by_hand_is_read_in_the_language_chosen(
    bench: Bench, write_film: WriteFilm
) -> None:
    bench.open(write_film("a.dcm", GREY))
    assert bench.records.reports.load(bench.window.desk.study_instance_uid) is None
    bench.choose("zh")
    assert bench.window.desk.save()
    assert bench.records.reports.load(bench.window.desk.study_instance_uid) is None
    bench.panel.write_by_hand()
    report = bench.panel.report
    assert report is not None
    report.set_section_text("findings", "未见气胸。")
    ((_, statement),) = report.statements("findings")
    assert (statement.concept, statement.status) == ("pneumothorax", "absent")
    picker = bench.panel.editor.finding_picker
    bench.panel.editor.open_finding_picker()
    picker.concept_box.setCurrentIndex(picker.concept_box.findData("pleural_effusion"))
    picker.add_button.click()
    assert report.state.findings_text.count("。") == 2
    assert " " not in report.state.findings_text


# -- films -----------------------------------------------------------------------------------


def test_frontal_then_lateral_go_to_a_model_that_takes_two(
    bench: Bench, write_film: WriteFilm
) -> None:
    lateral = write_film("a.dcm", GREY.T[::-1], ViewPosition="LL")
    other = write_film("b.dcm", GREY[::-1], ViewPosition="PA")
    bench.open(write_film("c.dcm", GREY), lateral, other)
    bench.qtbot.waitUntil(lambda: bench.window.film_tabs.count() >= 1)
    uid = bench.window.desk.study_instance_uid
    bench.qtbot.waitUntil(lambda: len(bench.records.catalog.instances(uid)) == 3)
    assert bench.window.desk.leave_study()
    with bench.qtbot.waitSignal(bench.window.loader.film_loaded, timeout=30_000):
        bench.window.desk.open_study(uid)
    bench.draft()
    assert len(bench.engine.requests[0].images) == 2
    details = bench.details("draft-finished")
    assert details["views"] == ["PA", "LL"]
    assert len(set(details["image_sha256"])) == 2  # type: ignore[call-overload]
    said = bench.panel.unseen_label.text()
    assert said == details["not_seen"]
    assert "frontal, lateral" in said
    assert "1 more" in said
    stored = bench.records.reports.load(uid)
    assert stored is not None
    assert list(stored.image_sha256) == details["image_sha256"]


def test_frontal_only_is_said(bench: Bench, write_film: WriteFilm) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.draft()
    assert len(bench.engine.requests[0].images) == 1
    assert bench.details("draft-finished")["views"] == ["PA"]
    assert "frontal only" in str(bench.details("draft-finished")["not_seen"])
    assert "frontal only" in bench.panel.unseen_label.text()


def test_a_lateral_film_that_cannot_be_read_leaves_frontal_only(
    bench: Bench, write_film: WriteFilm
) -> None:
    lateral = write_film("b.dcm", GREY[::-1], ViewPosition="LL")
    bench.open(write_film("a.dcm", GREY), lateral)
    uid = bench.window.desk.study_instance_uid
    bench.qtbot.waitUntil(lambda: len(bench.records.catalog.instances(uid)) == 2)
    assert bench.window.desk.leave_study()
    whole = lateral.read_bytes()
    lateral.write_bytes(whole[: len(whole) // 2])
    with bench.qtbot.waitSignal(bench.window.loader.film_loaded, timeout=30_000):
        bench.window.desk.open_study(uid)
    bench.draft()
    assert len(bench.engine.requests[0].images) == 1
    assert "frontal only" in str(bench.details("draft-finished")["not_seen"])


# -- refusal ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_refusal_never_becomes_a_report(
    bench: Bench, write_film: WriteFilm, language: str
) -> None:
    bench.engine.refuses = True
    bench.open(write_film("a.dcm", GREY))
    bench.choose(language)
    bench.draft()
    panel, uid = bench.panel, bench.window.desk.study_instance_uid
    assert panel.state == "not-drafted"
    assert panel.notice.isVisible()
    assert NOT_A_FRONTAL_CHEST[language] in panel.notice.text  # type: ignore[index]
    assert bench.window.block_rail.figures_text().endswith("refused")
    assert bench.window.desk.save()
    assert bench.records.reports.load(uid) is None
    details = bench.details("draft-refused")
    assert details["refusal"] == NOT_A_FRONTAL_CHEST[language]  # type: ignore[index]
    assert "draft-finished" not in [entry.event for entry in bench.records.audit.entries()]

    panel.write_by_hand()
    assert panel.report is not None
    panel.report.set_section_text("findings", "Hand, no fracture.")
    assert bench.window.desk.save()
    assert bench.records.reports.load(uid) is not None


def test_a_refused_redraft_leaves_the_report(bench: Bench, write_film: WriteFilm) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.draft()
    assert bench.panel.report is not None
    before = bench.panel.report.state
    bench.engine.refuses = True
    bench.draft()
    assert bench.panel.state == "editing"
    assert bench.panel.report.state == before


# -- confidence and second looks -------------------------------------------------------------


def test_confidence_is_calibrated_by_the_model_that_drafted(
    bench: Bench, write_film: WriteFilm, tmp_path: Path, qtbot: QtBot
) -> None:
    bench.open(write_film("a.dcm", GREY))
    bench.draft()
    table = bench.panel.editor.statement_list.table
    row = next(n for n, each in enumerate(table.rows) if each.text == "No pneumothorax.")
    cell = table.index(row, PROVENANCE)
    assert table.data(cell) == "AI 0.40"  # the curve halves 0.8
    tool_tip = str(table._tool_tip(table.rows[row], PROVENANCE))
    assert "calibrated confidence 0.40" in tool_tip
    assert "Not a probability of disease" in tool_tip
    assert table.data(table.index(row, STATUS)) == "absent"
    assert table.data(table.index(row, SENTENCE)) == "No pneumothorax."
    uid = bench.window.desk.study_instance_uid
    bench.close()

    other = Bench(
        tmp_path / "data", qtbot, ScriptedEngine(replace(DESCRIPTION, model_sha256="b" * 64))
    )
    try:
        with qtbot.waitSignal(other.window.loader.film_loaded, timeout=30_000):
            other.window.study_list.activate_study(uid)
        table = other.panel.editor.statement_list.table
        assert table.data(table.index(row, PROVENANCE)) == "AI"
    finally:
        other.close()


def test_second_looks_are_marked_in_adaptive_only(bench: Bench, write_film: WriteFilm) -> None:
    bench.open(write_film("a.dcm", GREY))
    rail = bench.window.block_rail
    for mode, looks, figures in (
        ("adaptive", [0, 2], "4 passes (2 second looks) · 3 tokens"),
        ("one-step", [0, 0], "4 passes · 3 tokens"),
    ):
        bench.choose(mode)
        bench.draft()
        assert [block.second_looks for block in rail.tiles.blocks] == looks
        assert rail.figures_text().startswith(figures)
        assert ("looked at 3 times" in rail.tiles.describe_block(1)) == (mode == "adaptive")
        assert bench.details("draft-finished")["decoding"]["mode"] == mode  # type: ignore[index]
