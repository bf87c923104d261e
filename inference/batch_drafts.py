"""Several studies drafted together: their passes run as one, their events come as they are made.

Not thread-safe, as the engine. Each draft is the engine's own, with all its modes and settings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # brings no types

from inference.api import (
    CancelToken,
    DecodingMode,
    DraftEvent,
    DraftFailed,
    EngineError,
    GenerationRequest,
)
from inference.decoding.joined_passes import JoinedDecoder, PassMeeting
from inference.draft_runner import DraftRunner
from inference.engine import ReportEngine
from inference.model_weights import ModelWeights
from inference.pass_paths import StepShelf
from inference.prompt_prefill import FilmShelf, LoadedWeights


def stream_batch(
    engine: ReportEngine,
    requests: Sequence[GenerationRequest],
    cancel: CancelToken | None = None,
    at_once: int = 8,
) -> Iterator[DraftEvent | DraftFailed]:
    """See inference.draft_batch."""
    if at_once < 1 or len({request.request_id for request in requests}) < len(requests):
        raise ValueError("a batch takes at least one study at once, each with its own request_id")
    return _run_batch(engine, deque(requests), cancel or CancelToken(), at_once)


@torch.inference_mode()  # drafts enter and leave it out of turn, which is one mode then
def _run_batch(
    engine: ReportEngine,
    waiting: deque[GenerationRequest],
    cancel: CancelToken,
    at_once: int,
) -> Iterator[DraftEvent | DraftFailed]:
    meeting = PassMeeting(partial(getcurrent().switch, None))
    films = FilmShelf(engine.checkpoint.image_processor, most=at_once)
    drafting: list[_RowDraft] = []
    try:
        while drafting or (waiting and not cancel.is_cancelled):
            while waiting and len(drafting) < at_once:
                weights = _JoinedWeights(engine.weights, meeting)
                steps = StepShelf("any-shape", engine.device)  # rows of all drafts run as one
                runner = DraftRunner(engine.checkpoint, weights, films, steps)
                drafting.append(_RowDraft(engine, runner, waiting.popleft(), cancel))
            for draft in drafting:
                while (event := draft.next_event()) is not None:
                    yield event
            drafting = [draft for draft in drafting if not draft.has_ended]
            meeting.run_together()
    finally:
        for draft in drafting:
            draft.close()


class _JoinedWeights:
    """A model's weights as one draft of a batch has them: its passes meet the others'."""

    def __init__(self, weights: ModelWeights, meeting: PassMeeting) -> None:
        self.device, self.dtype, self.products = weights.device, weights.dtype, weights.products
        self._weights, self._meeting = weights, meeting
        self._joined: dict[int, LoadedWeights] = {}

    def of(self, mode: DecodingMode) -> LoadedWeights:
        weights = self._weights.of(mode)
        if id(weights) not in self._joined:
            decoder = JoinedDecoder(weights.decoder, self._meeting)
            self._joined[id(weights)] = weights._replace(decoder=decoder)
        return self._joined[id(weights)]


class _RowDraft:
    """One draft of a batch, on its way in a greenlet."""

    def __init__(
        self,
        engine: ReportEngine,
        runner: DraftRunner,
        request: GenerationRequest,
        cancel: CancelToken,
    ) -> None:
        self._engine, self._runner = engine, runner
        self._request, self._cancel = request, cancel
        self._greenlet = greenlet(self._tell_events)

    @property
    def has_ended(self) -> bool:
        return bool(self._greenlet.dead)

    def next_event(self) -> DraftEvent | DraftFailed | None:
        """None where it waits for a pass, or has ended."""
        event: DraftEvent | DraftFailed | None = self._greenlet.switch()
        return event

    def close(self) -> None:
        """End it where it is: its own clean-up runs."""
        self._greenlet.throw()

    def _tell_events(self) -> None:
        tell, failure = self._greenlet.parent.switch, ""
        try:
            for event in self._engine.draft_on(self._runner, self._request, self._cancel):
                tell(event)
        except EngineError as error:
            failure = str(error)
        finally:
            self._runner.forget_prompts()  # not when cycles are next collected: it may be large
        if failure:
            tell(DraftFailed(self._request.request_id, failure))
