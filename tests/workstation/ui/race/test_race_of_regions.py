"""Regions in the race: a column with a row for each region, compared with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
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
from inference.report_language import compose_report
from tests.workstation.region_streams import PARTS, stream_regions
from workstation.app import build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.race.race_dialog import RaceDialog

GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
DESCRIPTION = EngineDescription(
    "scripted", "1", "a" * 64, "/models/scripted", "cpu", "float32", 8,
    ("one-step", "adaptive", "multi-step", "autoregressive", "regions", "regions-adaptive"),
    ("en",), 1,
)  # fmt: skip
NORMAL = compose_report((), "en")
OTHER = NORMAL.replace("No pleural effusion.", "Small left pleural effusion.")


@dataclass
class ScriptedEngine:
    """Regions write an effusion, the others the normal report."""

    description: EngineDescription = DESCRIPTION

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterable[DraftEvent]:
        name = request.request_id
        if request.decoding.startswith("regions"):
            events = stream_regions(name, OTHER)
            is_adaptive = request.decoding == "regions-adaptive"
            yield from _looked_at_again(events) if is_adaptive else events
            return
        yield PrefillDone(name, 96, 8, 10.0)
        yield BlockCommitted(name, 0, (5, 6), (NORMAL, ""), (0.9, 1.0), 1, 12.0)
        yield DraftFinished(name, NORMAL, *parse_sections(NORMAL), "stop", 1, 2, 10.0, 2.0)


def _looked_at_again(events: Iterable[DraftEvent]) -> Iterator[DraftEvent]:
    """As if the lungs had been in doubt at first."""
    for event in events:
        if isinstance(event, BlockCommitted) and (event.region, event.passes) == ("lungs", 1):
            yield replace(event, second_looks=1)
        elif isinstance(event, DraftFinished):
            yield replace(event, extra_passes=1)
        else:
            yield event


@pytest.fixture
def open_dialog(
    tmp_path: Path, qtbot: QtBot, write_film: Callable[..., Path]
) -> Iterator[Callable[[EngineDescription], RaceDialog]]:
    database = open_database(tmp_path / "data")
    engine = ScriptedEngine()
    drafting = DraftingService(lambda _model, _device: engine)
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    window = build_window(database, drafting, settings)
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.loader.film_loaded, timeout=30_000):
        window.import_paths([write_film("a.dcm", GREY)])

    def open_with(description: EngineDescription) -> RaceDialog:
        engine.description = description
        with qtbot.waitSignal(drafting.engine_ready, timeout=10_000):
            drafting.start("scripted", "cpu")
        window.race_strategies()
        dialog = window.races.dialog
        assert dialog is not None
        dialog.playback._timer.setInterval(3_600_000)  # the replay moves on the test's word
        return dialog

    yield open_with
    window.close()
    assert drafting.shutdown(10_000)
    database.dispose()


def test_regions_race_only_where_the_model_offers_them(open_dialog) -> None:
    without = ("one-step", "adaptive", "autoregressive")
    dialog = open_dialog(replace(DESCRIPTION, decoding_modes=without))
    assert list(dialog.choices) == ["autoregressive", "one-step", "adaptive"]


def test_four_strategies_are_chosen_at_first_regions_among_them(open_dialog) -> None:
    dialog = open_dialog(DESCRIPTION)
    assert list(dialog.columns) == ["autoregressive", "one-step", "adaptive", "regions-adaptive"]
    assert dialog.start_button.isEnabled()


def test_the_column_of_regions_fills_row_by_row_and_is_compared(qtbot, open_dialog) -> None:
    dialog = open_dialog(DESCRIPTION)
    with qtbot.waitSignal(dialog.playback.playing_changed, timeout=60_000):
        dialog.start()
    column = dialog.columns["regions-adaptive"]
    result = dialog.result_shown
    run = next(lane.shown for lane in result.lanes if lane.decoding == "regions-adaptive")
    assert run is not None
    first_pass = [
        event for event in run.events if isinstance(event, BlockCommitted) and event.passes == 1
    ]
    column.show_at(first_pass[-1].elapsed_ms)
    assert column.view.regions is not None
    assert {block.region for block in column.view.transcript.blocks} == set(PARTS[:-1])
    assert column.view.regions.state_of("impression") == "waiting"
    dialog.stop()  # to the end of the replay
    said = "".join(text for text, _ in column.view.transcript.answer("en"))
    assert said == OTHER
    differing = [each.concept.name for each in dialog.table.findings if not each.is_agreed]
    assert differing == ["pleural_effusion"]


def test_each_region_has_its_own_strip_on_the_time_axis(qtbot, open_dialog) -> None:
    dialog = open_dialog(DESCRIPTION)
    lanes = dialog.lanes
    before = lanes.sizeHint().height()
    dialog.choices["regions-adaptive"].setChecked(False)
    assert lanes.sizeHint().height() < before - 22


def test_second_looks_are_told_by_block_and_in_all(qtbot, open_dialog) -> None:
    dialog = open_dialog(DESCRIPTION)
    with qtbot.waitSignal(dialog.playback.playing_changed, timeout=60_000):
        dialog.start()
    dialog.stop()
    labels = [dialog.table.item(row, 0).text() for row in range(dialog.table.rowCount())]
    lanes = [lane.decoding for lane in dialog.result_shown.lanes]
    passes = dialog.table.item(labels.index("Passes"), 1 + lanes.index("regions-adaptive"))
    assert passes.text().endswith(" (1 second look)")
    tiles = dialog.columns["regions-adaptive"].tiles
    again = [block.region for block in tiles.blocks if block.second_looks]
    assert again == ["lungs"]
    rank = next(rank for rank, block in enumerate(tiles.blocks) if block.second_looks)
    assert "looked at 2 times" in tiles.describe_block(rank)


def test_the_choice_makes_way_for_the_race_and_comes_back(qtbot, open_dialog) -> None:
    dialog = open_dialog(DESCRIPTION)
    box = dialog.choices["one-step"]
    assert box.isVisibleTo(dialog)
    with qtbot.waitSignal(dialog.playback.playing_changed, timeout=60_000):
        dialog.start()
    assert not box.isVisibleTo(dialog)
    assert "each alone" in dialog.conditions_label.text()
    qtbot.keyClick(dialog.head.choose_button, Qt.Key.Key_Space)
    assert box.isVisibleTo(dialog)
