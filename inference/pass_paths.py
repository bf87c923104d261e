"""Which passes an engine runs: of one shape, as CUDA graphs, or of whatever shape comes."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import get_args

import torch

from inference.api import EngineError, GenerationRequest, PassPath
from inference.decoding.cuda_graphs import Capture, capture_graph
from inference.decoding.one_shape_step import OneShapeStep, bucket_of
from inference.decoding.prompt_state import PromptState
from inference.decoding.text_decoder import TextDecoder

_VARIABLE = "ECHO_PASSES"
_PATHS: dict[str, PassPath] = {path: path for path in get_args(PassPath)}


def choose_path(path: PassPath, device: torch.device) -> PassPath:
    """ "auto" is what the environment's ECHO_PASSES says, else graphs on a GPU only.

    A pass of one shape attends to a whole bucket: on a CPU that costs more than it saves.
    EngineError for graphs where there is no GPU, and for a name that is no path.
    """
    asked = path if path != "auto" else os.environ.get(_VARIABLE, "auto")
    if asked == "auto":
        return "graphs" if device.type == "cuda" else "any-shape"
    if asked == "graphs" and device.type != "cuda":
        raise EngineError(f"passes 'graphs': {device} has no CUDA graphs")
    if (known := _PATHS.get(asked)) is None:
        raise EngineError(f"passes {asked!r} (or {_VARIABLE}): only {', '.join(_PATHS)} are known")
    return known


def is_in_one_sequence(request: GenerationRequest) -> bool:
    """Whether a request's passes are of one block or two, and so of one shape.

    Not by regions: rows of many streams, whose mask the host makes for every pass. Nor the whole
    answer as one block.
    """
    return request.decoding in (
        "one-step", "one-step-unfused", "adaptive", "guided", "multi-step", "autoregressive",
    )  # fmt: skip


class StepShelf:
    """An engine's one-shape steps: made when first needed, then kept, and each lent to one draft.

    capture: how a pass becomes a graph, where the path is graphs.
    """

    def __init__(self, path: PassPath, device: torch.device, capture: Capture = capture_graph):
        self._device, self._capture = device, capture
        self._kept: list[OneShapeStep] = []
        self.choose(path)

    def choose(self, path: PassPath) -> None:
        """For the next drafts; see choose_path."""
        self.path = choose_path(path, self._device)

    def lend_for(
        self,
        request: GenerationRequest,
        prompt: PromptState,
        capacity: int,
        stop_ids: Collection[int],
    ) -> OneShapeStep | None:
        """What runs a draft's passes, see lend; None also where they are not of one shape."""
        if not is_in_one_sequence(request):
            return None
        decoder, length = prompt.decoder, prompt.block_length
        return self.lend(decoder, length, capacity, prompt.mask_token_id, stop_ids)

    def lend(
        self,
        decoder: TextDecoder,
        block_length: int,
        capacity: int,
        mask_token_id: int,
        stop_ids: Collection[int],
    ) -> OneShapeStep | None:
        """A step for so many positions, to be put back; None where passes take any shape.

        EngineError where its pass can't be captured.
        """
        if self.path == "any-shape":
            return None
        capture = self._capture if self.path == "graphs" else None
        wanted = (block_length, bucket_of(capacity), capture is not None)
        for step in self._kept:
            if step.decoder is decoder and _kind(step) == wanted:
                self._kept.remove(step)
                return step
        return OneShapeStep(decoder, *wanted[:2], mask_token_id, stop_ids, capture)

    @property
    def captured(self) -> tuple[OneShapeStep, ...]:
        """Those that aren't lent."""
        return tuple(step for step in self._kept if step.is_captured)

    def put_back(self, step: OneShapeStep) -> None:
        self._kept.append(step)

    def clear(self) -> None:
        """Free the memory of all that isn't lent."""
        self._kept.clear()


def _kind(step: OneShapeStep) -> tuple[int, int, bool]:
    return step.block_length, step.capacity, step.is_captured
