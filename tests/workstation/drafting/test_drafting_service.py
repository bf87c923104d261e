"""The drafting thread, driven by an engine that moves one step at a time on the test's word."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QObject, QThread, Signal, Slot

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
    WeightsMismatch,
    load_engine,
)
from workstation.drafting.drafting_service import DraftingService

DESCRIPTION = EngineDescription(
    model_name="scripted",
    model_version="0",
    model_sha256="0" * 64,
    model_folder="",
    device="cpu",
    dtype="float32",
    block_length=4,
    decoding_modes=("one-step",),
    languages=("en",),
    max_images=1,
)


class SteppedEngine:
    """Gives real events; waits for one release() before every forward pass."""

    description = DESCRIPTION

    def __init__(self, blocks: int = 3) -> None:
        self.blocks = blocks
        self.drafted: list[str] = []
        self.threads: list[QThread] = []
        self.failure: Exception | None = None
        self.is_deaf = False  # does not look at the cancel token
        self.has_started = threading.Event()
        self._passes = threading.Semaphore(0)

    def release(self, passes: int = 1000) -> None:
        self._passes.release(passes)

    def draft(
        self, request: GenerationRequest, cancel: CancelToken | None = None
    ) -> Iterator[DraftEvent]:
        assert cancel is not None
        self.drafted.append(request.request_id)
        self.threads.append(QThread.currentThread())
        self.has_started.set()
        texts = [f"{request.request_id}-{index} " for index in range(self.blocks)]
        yield PrefillDone(request.request_id, prompt_tokens=9, block_length=4, elapsed_ms=1.0)
        for index, text in enumerate(texts):
            while not self._passes.acquire(timeout=0.005):
                if cancel.is_cancelled and not self.is_deaf:
                    yield DraftCancelled(request.request_id, passes=index, elapsed_ms=2.0)
                    return
            if self.failure is not None:
                raise self.failure
            yield BlockCommitted(request.request_id, index, (7,), (text,), (0.9,), index + 1, 2.0)
        raw = "".join(texts)
        yield DraftFinished(request.request_id, raw, raw, "", "stop", 3, 3, 1.0, 1.0)


class Recorder(QObject):
    """Every signal of a service in the order and on the thread it was delivered."""

    ended = Signal()

    def __init__(self, service: DraftingService) -> None:
        super().__init__()
        self.heard: list[tuple[str, str]] = []
        self.threads: set[QThread] = set()
        service.draft_started.connect(self.on_started)
        service.prefill_done.connect(self.on_event)
        service.block_committed.connect(self.on_event)
        service.draft_finished.connect(self.on_end)
        service.draft_cancelled.connect(self.on_end)
        service.draft_failed.connect(self.on_failed)
        service.superseded_draft_ended.connect(self.on_superseded)

    def kinds(self, request_id: str) -> list[str]:
        return [kind for kind, of in self.heard if of == request_id]

    @Slot(str)
    def on_started(self, request_id: str) -> None:
        self.heard.append(("started", request_id))

    @Slot(object)
    def on_event(self, event: DraftEvent) -> None:
        self.threads.add(QThread.currentThread())
        self.heard.append((type(event).__name__, event.request_id))

    @Slot(object)
    def on_end(self, event: DraftEvent) -> None:
        self.on_event(event)
        self.ended.emit()

    @Slot(str, str)
    def on_failed(self, request_id: str, message: str) -> None:
        self.heard.append(("failed", request_id))
        self.ended.emit()

    @Slot(str)
    def on_superseded(self, request_id: str) -> None:
        self.heard.append(("superseded", request_id))


def request(request_id: str) -> GenerationRequest:
    return GenerationRequest(request_id=request_id, images=())


@pytest.fixture
def engine() -> Iterator[SteppedEngine]:
    engine = SteppedEngine()
    yield engine
    engine.is_deaf = False


@pytest.fixture
def start_service(qtbot) -> Iterator[Callable[[SteppedEngine], DraftingService]]:
    services: list[DraftingService] = []

    def start(engine: SteppedEngine) -> DraftingService:
        service = DraftingService(lambda model, device: engine)
        services.append(service)
        with qtbot.waitSignal(service.engine_ready):
            service.start("embedded", "cpu")
        return service

    yield start
    for service in services:
        assert service.shutdown(5000)


@pytest.fixture
def service(start_service, engine) -> DraftingService:
    return start_service(engine)


def test_draft_runs_off_the_main_thread_and_is_heard_on_it(qtbot, service, engine) -> None:
    recorder = Recorder(service)
    engine.release()
    with qtbot.waitSignal(recorder.ended):
        service.request_draft(request("a"))
    assert recorder.kinds("a") == [
        "started",
        "PrefillDone",
        *["BlockCommitted"] * 3,
        "DraftFinished",
    ]
    assert recorder.threads == {QThread.currentThread()}
    assert engine.threads != [QThread.currentThread()]
    assert not service.is_drafting


def test_cancel_ends_in_cancelled_before_another_pass(qtbot, service, engine) -> None:
    recorder = Recorder(service)
    engine.release(1)
    with qtbot.waitSignal(service.block_committed):
        service.request_draft(request("a"))
    with qtbot.waitSignal(recorder.ended):
        service.cancel()
    assert recorder.kinds("a")[-2:] == ["BlockCommitted", "DraftCancelled"]
    assert not service.is_drafting


def test_cancel_of_an_engine_that_raises_is_still_cancelled(qtbot, service, engine) -> None:
    recorder = Recorder(service)
    engine.is_deaf = True
    engine.failure = RuntimeError("out of memory")
    with qtbot.waitSignal(service.prefill_done):
        service.request_draft(request("a"))
    service.cancel()
    with qtbot.waitSignal(recorder.ended):
        engine.release()
    assert recorder.kinds("a")[-1] == "DraftCancelled"


def test_cancel_in_the_last_moment_gives_no_text(qtbot, service, engine) -> None:
    recorder = Recorder(service)
    engine.is_deaf = True
    with qtbot.waitSignal(service.prefill_done):
        service.request_draft(request("a"))
    service.cancel()
    with qtbot.waitSignal(recorder.ended):
        engine.release()
    assert recorder.kinds("a") == ["started", "PrefillDone", "DraftCancelled"]


def test_second_request_stops_the_first_and_never_receives_its_text(qtbot, service, engine) -> None:
    recorder = Recorder(service)
    engine.is_deaf = True  # the first goes on giving blocks after it was replaced
    with qtbot.waitSignal(service.prefill_done):
        service.request_draft(request("a"))
    service.request_draft(request("b"))
    with qtbot.waitSignal(service.draft_finished) as finished:
        engine.release()
    assert finished.args[0].text == "b-0 b-1 b-2 "
    assert engine.drafted == ["a", "b"]
    assert recorder.kinds("a") == ["started", "PrefillDone", "superseded"]
    assert recorder.kinds("b")[-1] == "DraftFinished"


def test_request_replaced_while_waiting_never_reaches_the_engine(qtbot, service, engine) -> None:
    recorder = Recorder(service)
    engine.is_deaf = True
    with qtbot.waitSignal(service.prefill_done):  # the engine is taken: the next one has to wait
        service.request_draft(request("a"))
    service.request_draft(request("b"))
    service.request_draft(request("c"))
    with qtbot.waitSignal(service.draft_finished):
        engine.release()
    assert "b" not in engine.drafted
    assert engine.drafted[-1] == "c"
    assert recorder.kinds("b") == ["superseded"]


def test_failure_is_told_in_words_and_the_worker_goes_on(qtbot, service, engine) -> None:
    engine.failure = RuntimeError("CUDA out of memory")
    engine.release()
    with qtbot.waitSignal(service.draft_failed) as failed:
        service.request_draft(request("a"))
    assert failed.args == ["a", "RuntimeError: CUDA out of memory"]
    engine.failure = None
    with qtbot.waitSignal(service.draft_finished):
        service.request_draft(request("b"))


def test_failure_keeps_no_traceback_and_so_no_tensors_alive(qtbot, service, engine) -> None:
    class Tensor:
        pass

    class PinningError(Exception):
        pass

    tensor = Tensor()
    watched = weakref.ref(tensor)
    engine.failure = PinningError("boom")
    engine.failure.tensor = tensor  # type: ignore[attr-defined]
    del tensor
    engine.release()
    with qtbot.waitSignal(service.draft_failed):
        service.request_draft(request("a"))
    engine.failure = None
    with qtbot.waitSignal(service.draft_finished):  # the worker has left the failed slot
        service.request_draft(request("b"))
    gc.collect()
    assert watched() is None


def test_model_that_cannot_load_is_named_and_drafts_say_so(qtbot) -> None:
    def refuse(model: str, device: str) -> SteppedEngine:
        raise WeightsMismatch(f"{model}/model.safetensors: missing key lm_head.weight")

    service = DraftingService(refuse)
    with qtbot.waitSignal(service.engine_failed) as failed:
        service.start("/models/broken", "cpu")
    assert failed.args == ["/models/broken/model.safetensors: missing key lm_head.weight"]
    assert service.engine_description is None
    with qtbot.waitSignal(service.draft_failed) as failed:
        service.request_draft(request("a"))
    assert failed.args == ["a", "No model is loaded."]
    assert service.shutdown()


def test_shutdown_during_a_draft_ends_the_thread_in_silence(qtbot, start_service, engine) -> None:
    service = start_service(engine)
    recorder = Recorder(service)
    with qtbot.waitSignal(service.prefill_done):
        service.request_draft(request("a"))
    assert service.shutdown(5000)
    QCoreApplication.processEvents()
    assert recorder.kinds("a") == ["started", "PrefillDone"]
    assert service.shutdown(5000)


def test_shutdown_of_an_engine_that_hangs_says_so_and_can_be_repeated(
    qtbot, start_service, engine
) -> None:
    service = start_service(engine)
    engine.is_deaf = True
    with qtbot.waitSignal(service.prefill_done):
        service.request_draft(request("a"))
    assert not service.shutdown(30)
    engine.release()
    assert service.shutdown(5000)


def test_engine_description_is_known_once_ready(service) -> None:
    assert service.engine_description == DESCRIPTION


def test_embedded_model_drafts_through_the_service(qtbot) -> None:
    import numpy as np

    from inference import ModelImage

    service = DraftingService(load_engine)
    try:
        with qtbot.waitSignals([service.engine_ready], timeout=60_000):
            service.start("embedded", "cpu")
        film = ModelImage(np.linspace(0, 1, 256 * 256, dtype=np.float32).reshape(256, 256))
        with qtbot.waitSignal(service.draft_finished, timeout=60_000) as finished:
            service.request_draft(GenerationRequest("real", (film,)))
        assert finished.args[0].request_id == "real"
        assert finished.args[0].passes > 0
    finally:
        assert service.shutdown(20_000)


def test_environment_errors_keep_their_words() -> None:
    from workstation.drafting.drafting_engine import describe_error

    assert describe_error(EngineError("no such folder: x")) == "no such folder: x"
    assert describe_error(ValueError("x")) == "ValueError: x"
