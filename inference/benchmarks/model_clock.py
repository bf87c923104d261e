"""Time spent in the language model's own layers, so that what is left can be called overhead."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import torch

from inference.engine import ReportEngine

_LAYERS = ("embed", "run", "logits")  # of TextDecoder


class ModelClock:
    """While entered, sums what the engine's text decoders take for embedding, layers and head.

    A captured pass is nothing else but that, and choosing: it counts as a whole.

    It waits for a GPU before and after each, which costs a draft its run-ahead: no timing of
    the draft itself is to be read from one that is clocked. elapsed_ms: since restart. now:
    seconds.
    """

    def __init__(self, engine: ReportEngine, now: Callable[[], float]) -> None:
        self._now = now
        self.elapsed_ms = 0.0
        self._decoders = engine.text_decoders
        self._replays = [(step, step.replay) for step in engine.captured_steps]
        self._is_cuda = engine.description.device.startswith("cuda")

    def __enter__(self) -> ModelClock:
        for decoder in self._decoders:
            for name in _LAYERS:
                setattr(decoder, name, self._timed(getattr(decoder, name)))
        for step, replay in self._replays:
            step.replay = self._timed(replay)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for decoder in self._decoders:
            for name in _LAYERS:
                delattr(decoder, name)  # the class's own is seen again
        for step, replay in self._replays:
            step.replay = replay

    def restart(self) -> None:
        self.elapsed_ms = 0.0

    def _timed(self, layer: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            self._wait()
            began = self._now()
            result = layer(*arguments, **named)
            self._wait()
            self.elapsed_ms += (self._now() - began) * 1000.0
            return result

        return run

    def _wait(self) -> None:
        if self._is_cuda:
            torch.cuda.synchronize()
