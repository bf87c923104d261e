"""The race window: a race from Start to the table, its honesty, its way into the audit log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from pytestqt.qtbot import QtBot

from inference import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    EngineError,
    GenerationRequest,
    PrefillDone,
)
from inference.prompts import parse_sections
from inference.report_language import compose_report
from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.ui.main_window import MainWindow
from workstation.ui.race.race_dialog import RaceDialog

WriteFilm = Callable[..., Path]
GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
DESCRIPTION = EngineDescription(
    "scripted", "1", "a" * 64, "/models/scripted", "cpu", "float32", 8,
    ("one-step", "adaptive", "autoregressive"), ("en",), 1,
)  # fmt: skip
NORMAL = compose_report((), "en")
OTHER = NORMAL.replace("No pleural effusion.", "Small left pleural effusion.")


@dataclass
class ScriptedEngine:
    """Autoregressive and adaptive write the normal report, one-step an effusion."""

    description: EngineDescription = DESCRIPTION
    failing: str = ""
    refusal: str = ""
    may_write: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_write.set()

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        name = request.request_id
        text = OTHER if request.decoding == "one-step" else NORMAL
        if request.decoding == self.failing:
            raise EngineError("cpu: out of memory while drafting")
        if self.refusal:
            yield DraftFinished(name, "", "", "", "stop", 0, 0, 0.0, 0.0, refusal=self.refusal)
            return
        yield PrefillDone(name, 96, 8, 10.0)
        while not self.may_write.wait(0.005):
            if cancel is not None and cancel.is_cancelled:
                yield DraftCancelled(name, 0, 1.0)
                return
        yield BlockCommitted(name, 0, (5,), (text[:20],), (0.9,), 1, 12.0)
        yield BlockCommitted(name, 1, (6, 7), (text[20:], ""), (0.8, 1.0), 2, 14.0)
        findings, impression = parse_sections(text)
        yield DraftFinished(name, text, findings, impression, "stop", 2, 3, 10.0, 4.0)


class Bench:
    """A window with a study open and a scripted engine loaded."""

    def __init__(self, folder: Path, qtbot: QtBot, engine: ScriptedEngine) -> None:
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.engine, self.qtbot = engine, qtbot
        self.drafting = DraftingService(lambda _model, _device: engine)
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, self.drafting, settings)
        qtbot.addWidget(self.window)
        self.window.show()
        with qtbot.waitSignal(self.drafting.engine_ready, timeout=120_000):
            self.drafting.start("scripted", "cpu")

    def open_film(self, path: Path) -> None:
        with self.qtbot.waitSignal(self.window.loader.film_loaded, timeout=30_000):
            self.window.import_paths([path])
        self.qtbot.waitUntil(lambda: self.window.films.film is not None, timeout=30_000)

    def open_race(self) -> RaceDialog:
        self.window.race_strategies()
        dialog = self.window.races.dialog
        assert dialog is not None
        dialog.playback._timer.setInterval(3_600_000)  # the replay moves on the test's word
        return dialog

    def race(self, dialog: RaceDialog) -> None:
        """Start, and wait until all have run; the replay is left at its beginning."""
        with self.qtbot.waitSignal(dialog.playback.playing_changed, timeout=120_000):
            dialog.start()

    def events(self) -> list[str]:
        return [entry.event for entry in self.records.audit.entries()]

    def close(self) -> None:
        self.engine.may_write.set()
        self.window.close()
        assert self.drafting.shutdown(10_000)
        self.database.dispose()


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot, write_film: WriteFilm) -> Iterator[Bench]:
    opened = Bench(tmp_path / "data", qtbot, ScriptedEngine())
    opened.open_film(write_film("a.dcm", GREY))
    yield opened
    opened.close()


def texts(dialog: RaceDialog) -> dict[str, str]:
    return {mode: column.view.transcript.raw_text for mode, column in dialog.columns.items()}


def cells(dialog: RaceDialog, label: str) -> list[str]:
    """The cells of a row of the table, by the end of its label."""
    table = dialog.table
    for row in range(table.rowCount()):
        first = table.item(row, 0)
        if first is not None and first.text().endswith(label):
            items = [table.item(row, column) for column in range(1, table.columnCount())]
            return [item.text() for item in items if item is not None]
    raise AssertionError(f"no row {label!r}")


def test_columns_are_what_the_model_offers(bench: Bench) -> None:
    dialog = bench.open_race()
    assert list(dialog.columns) == ["autoregressive", "one-step", "adaptive"]
    dialog.choices["adaptive"].setChecked(False)
    assert list(dialog.columns) == ["autoregressive", "one-step"]
    dialog.choices["one-step"].setChecked(False)
    assert not dialog.start_button.isEnabled()  # one alone is no race
    dialog.reject()


def test_race_is_replayed_from_the_start_to_the_table(bench: Bench) -> None:
    dialog = bench.open_race()
    bench.race(dialog)
    assert dialog.playback.is_playing
    assert "slow motion" in dialog.phase_label.text()
    assert dialog.table.isHidden()
    dialog.stop()
    assert texts(dialog) == {"autoregressive": NORMAL, "one-step": OTHER, "adaptive": NORMAL}
    assert not dialog.table.isHidden()
    assert cells(dialog, "pleural effusion") == ["absent", "≠ present: small left", "absent"]
    assert cells(dialog, "1 finding differs") == []
    assert cells(dialog, "pneumothorax") == ["absent"] * 3
    assert cells(dialog, "Passes") == ["2 passes"] * 3
    assert cells(dialog, "Tokens") == ["3 tokens"] * 3
    dialog.reject()


def test_ratios_are_against_autoregressive(bench: Bench) -> None:
    dialog = bench.open_race()
    bench.race(dialog)
    dialog.stop()
    result = dialog.result_shown
    assert result is not None
    reference, other = (lane.shown for lane in result.lanes[:2])
    assert reference is not None
    assert other is not None
    ratio = reference.total_ms / other.total_ms
    shown = cells(dialog, "Elapsed, whole report")
    assert "×" not in shown[0]
    digits = f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}"
    assert shown[1].endswith(f"{digits}× as fast")
    dialog.reject()


def test_replay_goes_back_and_forth(bench: Bench) -> None:
    dialog = bench.open_race()
    bench.race(dialog)
    dialog.playback.pause()
    column = dialog.columns["one-step"]
    dialog.controls.slider.setValue(1000)
    assert column.view.transcript.raw_text == OTHER
    assert column.state_label.text() in ("1st", "2nd", "3rd")
    dialog.controls.slider.setValue(0)
    assert column.view.transcript.raw_text == ""
    dialog.reject()


def test_screen_says_how_it_was_timed(bench: Bench) -> None:
    dialog = bench.open_race()
    bench.race(dialog)
    said = dialog.conditions_label.text()
    assert "one after the other, each alone: 5 laps in changing order after a warm-up" in said
    assert "same machine" in said
    dialog.reject()


def test_race_is_audited_as_a_race_and_leaves_the_report_alone(bench: Bench) -> None:
    report = bench.window.report_panel.report
    assert report is not None
    before = report.state
    dialog = bench.open_race()
    bench.race(dialog)
    dialog.reject()
    assert bench.events()[-2:] == ["race-started", "race-finished"]
    assert not any(event.startswith("draft") for event in bench.events())
    details = bench.records.audit.entries()[-1].details
    assert details["model_sha256"] == "a" * 64
    assert [lane["mode"] for lane in details["lanes"]] == list(dialog.columns)
    assert details["lanes"][1]["text"] == OTHER
    assert bench.window.report_panel.report is report
    assert report.state == before


def test_escape_stops_a_race_before_it_closes_the_window(bench: Bench) -> None:
    bench.engine.may_write.clear()
    dialog = bench.open_race()
    dialog.start()
    race = dialog._race
    assert race is not None
    with bench.qtbot.waitSignal(race.stopped, timeout=120_000):
        bench.qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    bench.qtbot.waitUntil(lambda: not dialog.is_running, timeout=60_000)
    assert dialog.isVisible()
    assert bench.events()[-1] == "race-cancelled"
    assert dialog.start_button.isEnabled()
    bench.qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_closing_stops_the_race_and_audits_it(bench: Bench) -> None:
    bench.engine.may_write.clear()
    dialog = bench.open_race()
    dialog.start()
    race = dialog._race
    assert race is not None
    with bench.qtbot.waitSignal(race.stopped, timeout=120_000):
        dialog.reject()
    assert bench.events()[-1] == "race-cancelled"
    assert bench.events().count("race-cancelled") == 1


def test_there_is_no_race_while_a_draft_is_written(bench: Bench) -> None:
    bench.engine.may_write.clear()
    with bench.qtbot.waitSignal(bench.drafting.prefill_done, timeout=120_000):
        bench.window.report_panel.request_draft()
    bench.window.race_strategies()
    assert bench.window.races.dialog is None
    assert "while a draft is being written" in bench.window.statusBar().currentMessage()
    with bench.qtbot.waitSignal(bench.drafting.draft_finished, timeout=120_000):
        bench.engine.may_write.set()
    assert bench.open_race().start_button.isEnabled()


def test_strategy_that_fails_says_why_in_its_column(bench: Bench) -> None:
    bench.engine.failing = "adaptive"
    dialog = bench.open_race()
    bench.race(dialog)
    dialog.stop()
    column = dialog.columns["adaptive"]
    assert column.message_label.text() == "cpu: out of memory while drafting"
    assert column.state_label.text() == "failed"
    assert texts(dialog)["one-step"] == OTHER
    dialog.reject()


def test_refused_film_is_raced_to_its_refusal(bench: Bench) -> None:
    bench.engine.refusal = "the film shows nothing"
    dialog = bench.open_race()
    bench.race(dialog)
    dialog.stop()
    for column in dialog.columns.values():
        assert column.state_label.text() == "refused"
        assert column.message_label.text() == "the film shows nothing"
    assert dialog.table.findings == ()
    dialog.reject()


def test_everything_is_within_reach_of_the_keyboard(bench: Bench) -> None:
    dialog = bench.open_race()
    bench.race(dialog)
    bench.qtbot.keyClick(dialog, Qt.Key.Key_P)
    assert not dialog.playback.is_playing
    slow = dialog.playback.speed
    bench.qtbot.keyClick(dialog, Qt.Key.Key_Plus)
    assert dialog.playback.speed > slow
    bench.qtbot.keyClick(dialog, Qt.Key.Key_Minus)
    assert dialog.playback.speed == slow
    unnamed = [
        widget.objectName()
        for widget in (*dialog.columns.values(), dialog.table, dialog.lanes, dialog.controls.slider)
        if not widget.accessibleName()
    ]
    assert unnamed == []
    dialog.reject()
