"""Drafts whose regions fill at the same time, in the whole window: menu, view, report, redrafts."""

from __future__ import annotations

import threading
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
    DecodingTimes,
    DraftCancelled,
    DraftEvent,
    EngineDescription,
    GenerationRequest,
    PrefillDone,
)
from inference.report_language import compose_report
from tests.workstation.region_streams import PARTS, stream_regions
from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow

WriteFilm = Callable[..., Path]
GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
NORMAL = compose_report((), "en")
EDEMA = NORMAL.replace("No pulmonary edema.", "Moderate pulmonary edema.").replace(
    "No acute cardiopulmonary abnormality.", "Moderate pulmonary edema."
)
DESCRIPTION = EngineDescription(
    "by region", "1", "a" * 64, "/models/by-region", "cpu", "float32", 4,
    ("one-step", "adaptive", "regions", "regions-adaptive"), ("en", "zh"), 1,
)  # fmt: skip


@dataclass
class RegionEngine:
    """Says ``text``, all regions at once but those it is given; nothing in other modes. may_go_on:
    asked before every pass but the first."""

    text: str = NORMAL
    description: EngineDescription = DESCRIPTION
    requests: list[GenerationRequest] = field(default_factory=list)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        self.requests.append(request)
        name = request.request_id
        if not request.decoding.startswith("regions"):
            yield PrefillDone(name, 96, 4, 10.0)
            yield DraftCancelled(name, 0, 10.0)  # that it was asked is all these tests want
            return
        text = compose_report((), "zh") if request.language == "zh" else self.text
        passes = 0
        for event in stream_regions(name, text, request.language, dict(request.region_texts)):
            is_block = isinstance(event, BlockCommitted)
            while is_block and event.passes > 1 and not self.may_go_on.wait(0.005):
                if cancel is not None and cancel.is_cancelled:
                    yield DraftCancelled(name, passes, 12.0)
                    return
            passes = event.passes if is_block else passes
            yield event


class Bench:
    """A window on a data folder with that engine loaded and a study open."""

    def __init__(self, folder: Path, qtbot: QtBot, film: Path) -> None:
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.engine, self.qtbot = RegionEngine(), qtbot
        self.drafting = DraftingService(lambda _model, _device: self.engine)
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, self.drafting, settings)
        qtbot.addWidget(self.window)
        self.window.show()
        self.load()
        self.panel = self.window.report_panel
        with qtbot.waitSignal(self.window.loader.film_loaded, timeout=30_000):
            self.window.import_paths([film])
        self.window.desk.decoding = "regions"

    def load(self, *modes: str) -> None:
        """The engine again; modes: what it offers then."""
        if modes:
            self.engine.description = replace(DESCRIPTION, decoding_modes=modes)
        with self.qtbot.waitSignal(self.drafting.engine_ready, timeout=10_000):
            self.drafting.start("by region", "cpu")

    @property
    def report(self):
        assert self.panel.report is not None
        return self.panel.report

    def draft(self, ask: Callable[[], object] | None = None) -> None:
        with self.qtbot.waitSignal(self.drafting.draft_finished, timeout=10_000):
            (ask or self.panel.request_draft)()

    def details(self, event: str) -> dict[str, object]:
        found = [each.details for each in self.records.audit.entries() if each.event == event]
        return dict(found[-1])

    def sentence(self, text: str, section: str = "findings"):
        return next(each for each in self.report.state.sentences(section) if each.text == text)

    def close(self) -> None:
        self.engine.may_go_on.set()
        self.window.close()
        assert self.drafting.shutdown(10_000)
        self.database.dispose()


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot, write_film: WriteFilm) -> Iterator[Bench]:
    opened = Bench(tmp_path / "data", qtbot, write_film("a.dcm", GREY))
    yield opened
    opened.close()


def test_regions_are_in_the_menu_only_where_the_model_offers_them(bench: Bench) -> None:
    def visible() -> set[str]:
        return {each.data() for each in bench.window.decoding_group.actions() if each.isVisible()}

    assert {"regions", "regions-adaptive", "one-step"} <= visible()
    assert "regions-multi-step" not in visible()
    assert bench.panel.keys.redraft_region.isVisible()
    bench.load("one-step")
    assert not any(mode.startswith("regions") for mode in visible())
    assert not bench.panel.keys.redraft_region.isVisible()
    assert not bench.panel.keys.rewrite_impression.isVisible()


@pytest.mark.parametrize(
    ("times", "mode"),
    [(DecodingTimes(30.0, 20.0), "regions-adaptive"), (DecodingTimes(30.0, 40.0), "adaptive")],
)
def test_the_quickest_here_is_what_was_measured_at_load(
    bench: Bench, times: DecodingTimes, mode: str
) -> None:
    quickest = bench.window.menus.quickest_action
    assert not quickest.isVisible()
    bench.engine.description = replace(DESCRIPTION, decoding_times=times)
    bench.load()
    assert quickest.isVisible()
    quickest.trigger()
    assert bench.window.desk.decoding == mode
    assert bench.window.decoding_group.checkedAction().data() == mode
    shown = bench.window.statusBar().currentMessage()
    assert f"by regions {times.regions_ms:.0f} ms, in one sequence 30 ms" in shown


def test_at_first_drafts_are_adaptive_by_regions_or_in_one_sequence_where_there_are_none(
    bench: Bench,
) -> None:
    def checked() -> object:
        return bench.window.decoding_group.checkedAction().data()

    bench.window.draft_choices.restore()
    assert bench.window.desk.decoding == "regions-adaptive"
    assert checked() == "regions-adaptive"
    bench.load("one-step", "adaptive")
    assert checked() == "adaptive"
    with bench.qtbot.waitSignal(bench.drafting.draft_cancelled, timeout=10_000):
        bench.panel.request_draft()  # the engine here cancels what isn't by regions
    assert bench.engine.requests[-1].decoding == "adaptive"
    bench.load("one-step", "adaptive", "regions-adaptive")
    assert checked() == "regions-adaptive"


def test_a_draft_by_regions_becomes_the_report_with_each_sentences_own_confidence(
    bench: Bench,
) -> None:
    bench.draft()
    assert bench.panel.state == "editing"
    state = bench.report.state
    assert f"Findings: {state.findings_text} Impression: {state.impression_text}" == NORMAL
    confidences = {each.text: each.confidence for each in state.findings}
    assert confidences["No pulmonary edema."] == pytest.approx(0.6)
    assert confidences["No pneumothorax."] == pytest.approx(0.9)
    assert state.impression[0].confidence == pytest.approx(0.9)
    assert bench.details("draft-started")["decoding"]["mode"] == "regions"
    rail = bench.window.block_rail
    first_in_lungs = next(each.index for each in rail.tiles.blocks if each.region == "lungs")
    bench.panel.jump_to_block(first_in_lungs)
    assert "Lungs" in rail.tiles.describe_block(first_in_lungs)


def test_a_chinese_draft_by_regions_is_whole(bench: Bench) -> None:
    bench.window.desk.choose_language("zh")
    bench.draft()
    state = bench.report.state
    assert f"所见：{state.findings_text} 结论：{state.impression_text}" == compose_report((), "zh")
    assert all(each.confidence is not None for each in (*state.findings, *state.impression))


def test_stop_leaves_the_report_as_it_was(bench: Bench, qtbot: QtBot) -> None:
    bench.engine.may_go_on.clear()
    with qtbot.waitSignals([bench.drafting.block_committed] * 9, timeout=10_000):
        bench.panel.request_draft()
    view = bench.panel.draft_view
    assert view.regions is not None
    assert view.regions.regions == PARTS
    with qtbot.waitSignal(bench.drafting.draft_cancelled, timeout=10_000):
        bench.panel.keys.stop.trigger()
    assert bench.panel.state == "not-drafted"
    assert bench.report.state.is_blank
    assert bench.details("draft-cancelled")["decoding"]["mode"] == "regions"


def test_a_covered_draft_is_revealed_whole(bench: Bench) -> None:
    bench.draft(bench.window.menus.read_first_action.trigger)
    assert bench.panel.state == "covered"
    assert bench.panel.draft_view.regions is None
    bench.panel.keys.reveal.trigger()
    assert bench.report.state.impression_text == "No acute cardiopulmonary abnormality."
    assert bench.report.state.findings[0].confidence == pytest.approx(0.9)


def test_one_region_is_redrafted_and_the_others_are_given(bench: Bench) -> None:
    bench.draft()
    before = bench.report.state
    bench.engine.text = EDEMA
    lungs = bench.sentence("No pulmonary edema.")
    bench.draft(lambda: bench.panel.redrafts.ask("region", "findings", lungs.id))
    request = bench.engine.requests[-1]
    assert request.decoding == "regions"
    assert request.temperature > 0
    assert dict(request.region_texts)["heart"] == " The cardiac silhouette is not enlarged."
    assert "lungs" not in dict(request.region_texts)
    assert bench.panel.draft_view.regions.state_of("heart") == "kept"
    assert bench.panel.state == "reviewing"
    offered = [row.new_label.text() for row in bench.panel.review_page.rows]
    assert [text for text in offered if text] == ["Moderate pulmonary edema."] * 2
    bench.panel.review_page.accept_all()
    after = bench.report.state
    assert after.findings_text == before.findings_text.replace(
        "No pulmonary edema.", "Moderate pulmonary edema."
    )
    assert bench.sentence("Moderate pulmonary edema.").confidence == pytest.approx(0.6)
    started = bench.details("draft-started")
    assert started["redraft"]["scope"] == "region"
    assert started["decoding"]["given_regions"].split(", ") == [
        part for part in PARTS if part not in ("lungs", "impression")
    ]


def test_the_impression_is_rewritten_from_what_the_reader_wrote(bench: Bench) -> None:
    bench.draft()
    edema = bench.sentence("No pulmonary edema.")
    bench.report.edit_sentence(
        "findings", edema.id, "Moderate edema of both lungs; Kerley B lines."
    )
    findings = bench.report.state.findings
    bench.engine.text = EDEMA
    bench.draft(bench.panel.keys.rewrite_impression.trigger)
    request = bench.engine.requests[-1]
    given = dict(request.region_texts)
    assert len(given) == 9
    assert given["lungs"].startswith(" Moderate")
    assert "Kerley" not in given["lungs"]
    bench.panel.review_page.accept_all()
    assert bench.report.state.findings == findings
    assert bench.report.state.impression_text == "Moderate pulmonary edema."


def test_locked_regions_stay_in_a_redraft_of_all(bench: Bench) -> None:
    bench.draft()
    for text in ("No pleural effusion.", "No pneumothorax."):
        bench.report.set_locked("findings", bench.sentence(text).id, True)
    bench.draft()
    assert dict(bench.engine.requests[-1].region_texts) == {
        "pleura": " No pleural effusion. No pneumothorax."
    }


def test_a_lock_inside_a_region_is_kept_by_the_same_kind_of_mode_in_turn(bench: Bench) -> None:
    bench.draft()
    bench.report.set_locked("findings", bench.sentence("No pneumothorax.").id, True)
    bench.panel.request_draft()
    bench.qtbot.waitUntil(lambda: len(bench.engine.requests) > 1, timeout=10_000)
    assert bench.engine.requests[1].decoding == "one-step"
    assert bench.engine.requests[1].region_texts == ()


def test_a_model_of_regions_alone_says_what_it_cannot_redraft(bench: Bench) -> None:
    bench.draft()
    bench.load("regions")
    bench.report.set_locked("findings", bench.sentence("No pneumothorax.").id, True)
    bench.panel.request_draft()
    assert "can't redraft that part alone" in bench.panel.notice.text
    assert bench.panel.state == "editing"
