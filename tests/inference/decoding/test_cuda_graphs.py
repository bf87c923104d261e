"""A captured pass says what it says uncaptured; one that can't be captured is told, loudly.

Without a GPU a tape stands in for the graph: it replays the very kernels of the captured pass, on
the very tensors, so that whatever the host decided while capturing stays decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from inference.api import DecodingMode, EngineError, GenerationRequest
from inference.decoding import text_decoder
from inference.decoding.attention_paths import attend_fused
from inference.decoding.cuda_graphs import Capture
from inference.decoding.one_shape_step import OneShapeStep
from inference.engine import ReportEngine
from inference.model_folder.weight_loading import build_empty_model
from inference.pass_paths import StepShelf, choose_path

Ask = Callable[..., GenerationRequest]
Decode = Callable[..., Any]

_WAITING = {"aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::is_nonzero"}


class Tape(TorchDispatchMode):
    """Kernels with their tensors, in order; refuses those for which a host waits."""

    def __init__(self) -> None:
        super().__init__()
        self._played: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []
        self.replays = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func._schema.name in _WAITING:
            raise RuntimeError(f"{func._schema.name} is not permitted when stream is capturing")
        made = func(*args, **(kwargs or {}))
        self._played.append((func, args, kwargs or {}, made))
        return made

    def replay(self) -> None:
        self.replays += 1
        for func, args, kwargs, made in self._played:
            if func._schema.is_mutable:
                func(*args, **kwargs)
            elif not _is_view(made, args):  # a view shows what is under it
                for one, again in zip(_tensors(made), _tensors(func(*args, **kwargs)), strict=True):
                    one.copy_(again)


def _is_view(made: Any, args: tuple[Any, ...]) -> bool:
    under = {tensor.untyped_storage().data_ptr() for tensor in _tensors(args)}
    return any(tensor.untyped_storage().data_ptr() in under for tensor in _tensors(made))


def _tensors(held: Any) -> list[torch.Tensor]:
    return [one for one in tree_leaves(held) if isinstance(one, torch.Tensor)]


@pytest.mark.parametrize("unstored", [40, 60, 64])
def test_pass_needs_no_value_and_nothing_of_the_host(
    tiny_engine: ReportEngine, monkeypatch: pytest.MonkeyPatch, unstored: int
) -> None:
    """On a device without values every look at one fails, and so does a tensor left elsewhere."""
    monkeypatch.setattr(text_decoder, "choose_attention", lambda *_: attend_fused)
    decoder = text_decoder.TextDecoder(build_empty_model(tiny_engine._checkpoint.config))
    assert decoder.device == torch.device("meta")
    with torch.inference_mode():
        step = OneShapeStep(decoder, block_length=4, capacity=256, mask_token_id=1, stop_ids=[2])
        step.lay_out({0: 5}, last_pinned=70)
        step._run_at(64, unstored)
        step.run([1, 1, 1, 1], 64)


@pytest.fixture
def tapes() -> list[Tape]:
    return []


@pytest.fixture
def taped(tiny_engine: ReportEngine, tapes: list[Tape]) -> Iterator[ReportEngine]:
    """The tiny engine on the path of graphs, tapes standing in for them."""

    def capture(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
        tape = Tape()
        tapes.append(tape)
        with tape:
            run()
        return tape.replay

    yield from _with_capture(tiny_engine, capture)


def _with_capture(engine: ReportEngine, capture: Capture) -> Iterator[ReportEngine]:
    shelf = engine._steps
    before = dict(vars(shelf))
    vars(shelf).update(vars(StepShelf("graphs", torch.device("cuda"), capture)))
    yield engine
    vars(shelf).update(before)


@pytest.mark.parametrize("mode", ["one-step", "adaptive", "multi-step", "autoregressive"])
def test_replayed_passes_say_what_uncaptured_ones_say(
    taped: ReportEngine, tapes: list[Tape], ask: Ask, decode: Decode, mode: DecodingMode
) -> None:
    request = ask(mode, adaptive_threshold=0.6)
    first, second = decode(taped, request), decode(taped, request)
    (tape,) = tapes  # captured once, for both drafts
    assert tape.replays == 1 + first.passes + second.passes  # the first to see that it computes
    taped.choose_passes("any-shape")
    uncaptured = decode(taped, request)
    assert first.ids == second.ids == uncaptured.ids
    assert second.confidences == pytest.approx(uncaptured.confidences, abs=1e-4)


def test_a_usual_drafts_pass_is_captured_before_the_first_draft(
    taped: ReportEngine, tapes: list[Tape], ask: Ask, decode: Decode
) -> None:
    taped.capture_passes()
    (tape,) = tapes
    usual = replace(ask("one-step"), max_new_tokens=512)
    assert decode(taped, usual).passes + 1 == tape.replays
    times = taped.measure_decoding_times()
    assert tape.replays > decode(taped, usual).passes + 1
    assert times.sequence_ms > 0
    assert tapes == [tape]


def test_capture_that_fails_ends_the_draft_and_says_what_to_do(
    tiny_engine: ReportEngine, ask: Ask, decode: Decode
) -> None:
    def fail(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
        try:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")

    engine = next(steps := _with_capture(tiny_engine, fail))
    with pytest.raises(EngineError) as told:
        list(engine.draft(ask("one-step")))
    assert "CUDA graph (operation not permitted when stream is capturing)" in str(told.value)
    assert "ECHO_PASSES=one-shape" in str(told.value)
    engine.choose_passes("one-shape")
    assert decode(engine, ask("one-step")).ids
    next(steps, None)


def test_graph_that_computes_nothing_is_refused(tiny_engine: ReportEngine, ask: Ask) -> None:
    def capture_nothing(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
        return lambda: None

    engine = next(steps := _with_capture(tiny_engine, capture_nothing))
    with pytest.raises(EngineError, match="computes nothing"):
        list(engine.draft(ask("one-step")))
    next(steps, None)


def test_memory_that_runs_out_in_capture_is_told_as_such(
    tiny_engine: ReportEngine, ask: Ask
) -> None:
    def run_out(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")

    engine = next(steps := _with_capture(tiny_engine, run_out))
    with pytest.raises(EngineError, match="out of memory"):
        list(engine.draft(ask("one-step")))
    next(steps, None)


@pytest.mark.parametrize(
    ("asked", "environment", "device", "path"),
    [
        ("auto", None, "cpu", "any-shape"),
        ("auto", None, "cuda", "graphs"),
        ("auto", "one-shape", "cuda", "one-shape"),
        ("auto", "one-shape", "cpu", "one-shape"),
        ("graphs", "one-shape", "cuda", "graphs"),
        ("any-shape", None, "cuda", "any-shape"),
    ],
)
def test_path_is_the_one_asked_for_then_the_environments_then_the_devices(
    monkeypatch: pytest.MonkeyPatch, asked: Any, environment: str | None, device: str, path: str
) -> None:
    monkeypatch.delenv("ECHO_PASSES", raising=False)
    if environment is not None:
        monkeypatch.setenv("ECHO_PASSES", environment)
    assert choose_path(asked, torch.device(device)) == path


def test_paths_that_cant_be_had_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="cpu has no CUDA graphs"):
        choose_path("graphs", torch.device("cpu"))
    monkeypatch.setenv("ECHO_PASSES", "eager")
    with pytest.raises(EngineError, match=r"'eager' \(or ECHO_PASSES\)"):
        choose_path("auto", torch.device("cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("mode", ["one-step", "adaptive", "multi-step", "autoregressive"])
def test_captured_graph_equals_uncaptured_pass(
    tiny_engine: ReportEngine, ask: Ask, decode: Decode, mode: DecodingMode
) -> None:
    engine = ReportEngine(tiny_engine._checkpoint, torch.device("cuda"), "float32")
    assert engine.passes == "graphs"
    drafts = []
    for path in ("graphs", "one-shape", "any-shape"):
        engine.choose_passes(path)
        drafts.append(decode(engine, ask(mode, adaptive_threshold=0.6)))
    captured, uncaptured, any_shape = drafts
    assert captured.ids == uncaptured.ids == any_shape.ids
    assert captured.confidences == pytest.approx(uncaptured.confidences, abs=1e-5)
