"""Drafts by regions with the real engine: real window, real DICOM, the embedded weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from inference import REGION_MODES, BlockCommitted, PrefillDone, load_engine
from inference.engine import ReportEngine
from inference.report_language import compose_findings
from inference.report_parts import PARTS
from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.reporting.redrafting.region_redraft import split_by_part
from workstation.ui.main_window import MainWindow


def load_with_regions(model: str, device: str) -> ReportEngine:
    """The embedded model; its one-step weights serve the regions where it has none of its own."""
    engine = load_engine(model, device)
    if {*REGION_MODES} & {*engine.description.decoding_modes}:
        return engine
    checkpoint = engine._checkpoint
    names = tuple(range(300, 300 + len(PARTS)))  # any words: what it says is not what is tested
    modes = (*checkpoint.manifest.decoding_modes, *REGION_MODES)
    manifest = replace(checkpoint.manifest, decoding_modes=modes, region_name_ids=names)
    return ReportEngine(replace(checkpoint, manifest=manifest), engine._device)


class Desk:
    """A window on a data folder with a film open."""

    def __init__(self, folder: Path, qtbot: QtBot, film: Path) -> None:
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.drafting = DraftingService(load_with_regions)
        self.window: MainWindow = build_window(self.database, self.drafting)
        self.qtbot, self.panel = qtbot, self.window.report_panel
        qtbot.addWidget(self.window)
        self.window.show()
        with qtbot.waitSignal(self.drafting.engine_ready, timeout=240_000):
            self.drafting.start("embedded", "cpu")
        with qtbot.waitSignal(self.window.loader.film_loaded, timeout=60_000):
            self.window.import_paths([film])
        self.blocks: list[BlockCommitted] = []
        self.drafting.block_committed.connect(self.blocks.append)

    def draft(self, mode: str) -> None:
        self.window.desk.decoding = mode
        with self.qtbot.waitSignal(self.drafting.draft_finished, timeout=60_000) as finished:
            self.panel.request_draft()
        self.finished = finished.args[0]

    def close(self) -> None:
        self.window.close()
        assert self.drafting.shutdown(60_000)
        self.database.dispose()


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot, phantom_films: list[Path]) -> Iterator[Desk]:
    opened = Desk(tmp_path / "data", qtbot, phantom_films[0])
    yield opened
    opened.close()


@pytest.mark.slow
def test_regions_are_drafted_shown_and_redrafted_around_what_stays(
    desk: Desk, qtbot: QtBot
) -> None:
    offered = desk.drafting.engine_description.decoding_modes
    mode = next(mode for mode in reversed(REGION_MODES[:2]) if mode in offered)
    desk.draft(mode)
    view = desk.panel.draft_view
    assert view.regions is not None
    assert view.regions.regions == PARTS
    first = [block.region for block in desk.blocks if block.passes == desk.blocks[0].passes]
    assert first == [part for part in PARTS[:-1] if part in first]
    answer = view.transcript.answer("en")
    if desk.finished.stop_reason == "stop":
        assert "".join(text for text, _ in answer) == desk.finished.text
    report = desk.panel.report
    assert report is not None
    assert report.state.findings_text == desk.finished.findings
    assert all(each.confidence is not None for each in report.state.findings)

    prefills: list[PrefillDone] = []
    desk.drafting.prefill_done.connect(prefills.append)
    report.set_section_text("findings", compose_findings((), "en"))  # whatever it said
    findings = report.state.findings
    with qtbot.waitSignal(desk.drafting.draft_finished, timeout=60_000) as finished:
        desk.panel.keys.rewrite_impression.trigger()
    kept = [each for each in finished.args[0].sentences if each.section == "findings"]
    assert [each.text for each in kept] == [each.text for each in findings]
    assert {each.kept_id for each in kept} == {each.id for each in findings}
    if desk.panel.state == "reviewing":
        desk.panel.review_page.keep_all()

    own = split_by_part(report.state)["lungs"]
    with qtbot.waitSignal(desk.drafting.draft_finished, timeout=60_000) as finished:
        desk.panel.redrafts.ask("region", "findings", own[0].id)
    stay = {each.kept_id for each in finished.args[0].sentences}
    others = {each.id for each in findings} - {each.id for each in own}
    assert others <= stay
    assert not {each.id for each in own} & stay
    if desk.panel.state == "reviewing":
        desk.panel.review_page.keep_all()

    # A sentence is written again in one sequence, by weights of their own: their prompt is read
    # once, and the other stays.
    for scope in ("sentence", "sentence", "region"):
        sentence = report.state.findings[0]
        with qtbot.waitSignal(desk.drafting.draft_finished, timeout=60_000):
            desk.panel.redrafts.ask(scope, "findings", sentence.id)
        if desk.panel.state == "reviewing":
            desk.panel.review_page.keep_all()
    assert [each.reused for each in prefills] == [True, True, False, True, True]
    assert desk.records.audit.verify().ok
