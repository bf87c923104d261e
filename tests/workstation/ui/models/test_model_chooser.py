"""Choosing the model: what is shown, what is remembered, what is audited, how loading is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from inference import (
    CancelToken,
    DraftEvent,
    DraftFinished,
    EngineDescription,
    GenerationRequest,
    LoadProgress,
    PrefillDone,
    ProductsRefused,
    resource_folder,
)
from workstation.app import build_records, build_window
from workstation.catalog.database import open_database
from workstation.drafting.drafting_service import DraftingService
from workstation.drafting.load_reporter import LoadReporter
from workstation.model_registry import ModelRegistry, RegisteredModel, load_registered_engine
from workstation.ui.main_window import MainWindow
from workstation.ui.models.model_choice import ModelChoice, remembered_choice
from workstation.ui.models.model_dialog import ModelDialog
from workstation.ui.models.model_progress import word_progress

WriteFilm = Callable[..., Path]
GREY = (np.indices((64, 64)).sum(0) * 30).astype(np.uint16)
EMBEDDED_FOLDER = resource_folder() / "models" / "embedded"


def describe(name: str) -> EngineDescription:
    return EngineDescription(
        name, "1", "a" * 64, f"/models/{name}", "cpu", "float32", 8,
        ("one-step", "adaptive"), ("en",), 1,
    )  # fmt: skip


class ScriptedEngine:
    """Says one sentence."""

    def __init__(self, name: str) -> None:
        self.description = describe(name)

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        name = request.request_id
        yield PrefillDone(name, 96, 8, 10.0)
        yield DraftFinished(name, "No edema.", "No edema.", "", "stop", 1, 1, 1.0, 1.0)


class Bench:
    """A window whose loads wait for may_load, report twice, and are remembered."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.folder, self.qtbot = folder, qtbot
        self.database = open_database(folder)
        self.records = build_records(self.database)
        self.loads: list[tuple[str, str, str]] = []
        self.products: list[str] = []
        self.refused_products: set[str] = set()
        self.may_load = threading.Event()
        self.may_load.set()
        self.reporter = LoadReporter()
        self.drafting = DraftingService(self._load)
        self.reporter.reported.connect(self.drafting.report_loading)
        self.settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = build_window(self.database, self.drafting, self.settings)
        self.window.models.registry = ModelRegistry(folder)
        qtbot.addWidget(self.window)
        self.window.show()

    def _load(
        self, model: str, device: str, dtype: str = "auto", products: str = "exact"
    ) -> ScriptedEngine:
        self.loads.append((model, device, dtype))
        self.products.append(products)
        self.reporter(LoadProgress("checking", 0, 100))
        self.reporter(LoadProgress("loading", 40, 100))
        assert self.may_load.wait(300)
        if products in self.refused_products:
            raise ProductsRefused(f"{model}: with products {products!r} only 12.0% of its tokens")
        return ScriptedEngine(model)

    def wait_for_model(self, act: Callable[[], object]) -> None:
        with self.qtbot.waitSignal(self.drafting.engine_ready, timeout=300_000):
            act()

    def add_model(self, name: str, folder: Path) -> None:
        model = RegisteredModel(name, folder, "b" * 64, 10, False, "", "2026-11-21T00:00:00+00:00")
        ModelRegistry(self.folder).add(model)

    def open_dialog(self) -> ModelDialog:
        self.window.choose_model()
        dialog = self.window.models.dialog
        assert dialog is not None
        return dialog

    def close(self) -> None:
        self.may_load.set()
        self.window.close()
        assert self.drafting.shutdown(300_000)
        self.database.dispose()


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Iterator[Bench]:
    opened = Bench(tmp_path / "data", qtbot)
    yield opened
    opened.close()


def choose(dialog: ModelDialog, name: str) -> None:
    """Put the selection on a model."""
    for row in range(dialog.list.count()):
        dialog.list.setCurrentRow(row)
        if dialog.chosen_name == name:
            return
    raise AssertionError(f"{name} is not listed")


def test_loading_is_told_in_the_status_line_and_beside_the_draft(
    bench: Bench, write_film: WriteFilm
) -> None:
    bench.may_load.clear()
    with bench.qtbot.waitSignals([bench.drafting.load_progressed] * 2, timeout=120_000):
        bench.window.models.load_first()
    progress = bench.window.model_progress
    assert progress.isVisible()
    assert (progress.bar.value(), progress.bar.maximum()) == (400, 1000)
    with bench.qtbot.waitSignal(bench.window.loader.film_loaded, timeout=120_000):
        bench.window.import_paths([write_film("a.dcm", GREY)])
    words = "The model is still loading: reading its weights, 40 %."
    said = bench.window.report_panel.start_page.text_label
    bench.qtbot.waitUntil(lambda: said.text() == words, timeout=60_000)
    bench.wait_for_model(bench.may_load.set)
    assert not progress.isVisible()
    assert bench.window.report_panel.start_page.draft_button.isEnabled()


def test_weights_read_later_for_a_mode_are_no_model_load(bench: Bench) -> None:
    bench.wait_for_model(bench.window.models.load_first)
    told: list[LoadProgress] = []
    bench.drafting.load_progressed.connect(told.append)
    bench.drafting.report_loading(LoadProgress("loading", 1, 2))
    assert told == []


def test_choice_is_loaded_audited_and_remembered(bench: Bench) -> None:
    bench.add_model("thorax", EMBEDDED_FOLDER)
    bench.wait_for_model(bench.window.models.load_first)
    dialog = bench.open_dialog()
    choose(dialog, "thorax")
    bench.qtbot.waitUntil(lambda: dialog.device_box.count() > 1, timeout=300_000)
    dialog.device_box.setCurrentIndex(dialog.device_box.findData("cpu float32"))
    bench.wait_for_model(dialog.accept)
    assert bench.loads == [("embedded", "auto", "auto"), ("thorax", "cpu", "float32")]
    last = bench.records.audit.entries()[-1]
    chosen = {"model": "thorax", "device": "cpu", "dtype": "float32", "products": "exact"}
    assert (last.event, last.details) == ("settings", {"model": chosen})
    assert remembered_choice(bench.settings) == ModelChoice("thorax", "cpu", "float32")


def test_device_says_what_it_needs_and_whether_that_fits(bench: Bench) -> None:
    bench.wait_for_model(bench.window.models.load_first)
    dialog = bench.open_dialog()
    bench.qtbot.waitUntil(lambda: dialog.device_box.count() > 1, timeout=300_000)
    fits = dialog.fit_label.text().splitlines()
    assert any(line[3:].startswith("float32 on the CPU needs") for line in fits)
    assert all(line.startswith("✕") == line.endswith("does not fit") for line in fits)
    assert "parameters, blocks of 8 tokens" in dialog.details_label.text()
    dialog.reject()
    assert len(bench.loads) == 1


def test_folder_that_is_no_model_says_why_and_is_not_loaded(bench: Bench, tmp_path: Path) -> None:
    bench.add_model("gone", tmp_path / "nowhere")
    bench.wait_for_model(bench.window.models.load_first)
    dialog = bench.open_dialog()
    choose(dialog, "gone")
    bench.qtbot.waitUntil(lambda: bool(dialog.message_label.text()), timeout=300_000)
    assert dialog.message_label.text() == f"{tmp_path / 'nowhere'}: no such model folder"
    assert not dialog.load_button.isEnabled()
    choose(dialog, "embedded")
    assert dialog.load_button.isEnabled()
    dialog.reject()


def test_decoding_chosen_here_is_the_one_of_the_menu(bench: Bench) -> None:
    bench.wait_for_model(bench.window.models.load_first)
    dialog = bench.open_dialog()
    dialog.decoding_box.setCurrentIndex(dialog.decoding_box.findData("adaptive"))
    dialog.accept()
    assert bench.window.desk.decoding == "adaptive"
    checked = bench.window.decoding_group.checkedAction()
    assert checked is not None
    assert checked.data() == "adaptive"
    assert len(bench.loads) == 1  # the model stays as it is


def test_command_line_goes_before_what_is_remembered(bench: Bench) -> None:
    ModelChoice("thorax", "cpu", "float32").remember(bench.settings)
    bench.window.models.asked = remembered_choice(bench.settings)
    bench.wait_for_model(bench.window.models.load_first)
    bench.wait_for_model(lambda: bench.window.models.load_first("embedded", ""))
    assert bench.loads == [("thorax", "cpu", "float32"), ("embedded", "auto", "auto")]


def test_products_are_chosen_among_what_the_device_offers_and_remembered(bench: Bench) -> None:
    bench.wait_for_model(bench.window.models.load_first)
    dialog = bench.open_dialog()
    bench.qtbot.waitUntil(lambda: dialog.device_box.count() > 1, timeout=300_000)
    box = dialog.products_box
    dialog.device_box.setCurrentIndex(dialog.device_box.findData("cpu bfloat16"))
    assert [box.itemData(row) for row in range(box.count())] == ["exact", "int8"]
    dialog.device_box.setCurrentIndex(dialog.device_box.findData("cpu float32"))
    assert [box.itemData(row) for row in range(box.count())] == ["exact", "bfloat16", "int8"]
    box.setCurrentIndex(box.findData("int8"))
    bench.wait_for_model(dialog.accept)
    assert bench.products == ["exact", "int8"]
    chosen = remembered_choice(bench.settings)
    assert chosen == ModelChoice("embedded", "cpu", "float32", "int8")
    assert bench.records.audit.entries()[-1].details == {"model": vars(chosen)}
    again = bench.open_dialog()
    assert again.products_box.currentData() == "int8"  # before the folder has been looked at
    bench.qtbot.waitUntil(lambda: again.device_box.count() > 1, timeout=300_000)
    assert again.products_box.currentData() == "int8"
    again.reject()


def test_refused_products_are_told_and_exact_ones_used(bench: Bench) -> None:
    bench.refused_products = {"int8"}
    said: list[str] = []
    bench.window.models.trouble.connect(said.append)
    bench.wait_for_model(lambda: bench.window.models.load_first("", "", "int8"))
    assert bench.products == ["int8", "exact"]
    refusal = "embedded: with products 'int8' only 12.0% of its tokens"
    assert said == [f"The model runs in exact arithmetic. {refusal}"]
    assert bench.drafting.engine_description is not None


def test_model_replaced_while_it_loads_is_never_told_as_ready(bench: Bench) -> None:
    bench.may_load.clear()
    ready: list[str] = []
    bench.drafting.engine_ready.connect(lambda description: ready.append(description.model_name))
    bench.drafting.start("first")
    bench.drafting.start("second")
    bench.wait_for_model(bench.may_load.set)
    assert ready == ["second"]


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (LoadProgress("checking", 1, 3), "checking its files, 33 %."),
        (LoadProgress("loading", 0, 0), "reading its weights, 0 %."),
    ],
)
def test_progress_in_words(progress: LoadProgress, words: str) -> None:
    assert word_progress(progress) == f"The model is still loading: {words}"


def test_embedded_model_reports_its_load_and_takes_a_dtype(tmp_path: Path, qtbot: QtBot) -> None:
    reporter = LoadReporter()
    steps: list[str] = []
    reporter.reported.connect(lambda progress: steps.append(progress.step))
    service = DraftingService(
        lambda model, device, dtype="auto": load_registered_engine(
            model, device, tmp_path, reporter, dtype
        )
    )
    with qtbot.waitSignal(service.engine_ready, timeout=120_000) as ready:
        service.start("embedded", "cpu", "bfloat16")
    assert ready.args[0].dtype == "bfloat16"
    qtbot.waitUntil(lambda: {"checking", "loading"} == set(steps), timeout=60_000)
    assert service.shutdown(30_000)
