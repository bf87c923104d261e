"""Several studies drafted together: their passes run as one, their events come as they are made.

Not thread-safe, as the engine. Each draft is the engine's own, with all its modes and settings.
"""

from __future__ import annotations

from collections import OrderedDict, deque
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
from inference.decoding.prompt_state import PromptState
from inference.engine import ReportEngine
from inference.pass_paths import StepShelf
from inference.prompt_prefill import LoadedWeights, SeenFilms

SeenByDigest = OrderedDict[tuple[bytes, ...], SeenFilms]


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
    films: SeenByDigest = OrderedDict()
    drafting: list[_RowDraft] = []
    try:
        while drafting or (waiting and not cancel.is_cancelled):
            while waiting and len(drafting) < at_once:
                row = _RowEngine(engine, meeting, films, at_once)
                drafting.append(_RowDraft(row, waiting.popleft(), cancel))
            for draft in drafting:
                while (event := draft.next_event()) is not None:
                    yield event
            drafting = [draft for draft in drafting if not draft.has_ended]
            meeting.run_together()
    finally:
        for draft in drafting:
            draft.close()


class _RowEngine(ReportEngine):
    """The engine as one draft of a batch sees it: a prompt of its own, passes that meet others'.

    films: what the tower made of the last so many studies, for all drafts of the batch.
    """

    def __init__(
        self, engine: ReportEngine, meeting: PassMeeting, films: SeenByDigest, at_once: int
    ) -> None:
        self.__dict__.update(engine.__dict__)
        self._engine, self._meeting = engine, meeting
        self._kept, self._films = {}, None
        self._steps = StepShelf("any-shape", engine.device)  # rows of all drafts run as one
        self._seen, self._at_once = films, at_once
        self._joined: dict[int, LoadedWeights] = {}

    def _weights_for(self, mode: DecodingMode) -> LoadedWeights:
        weights = self._engine._weights_for(mode)
        if id(weights) not in self._joined:
            decoder = JoinedDecoder(weights.decoder, self._meeting)
            self._joined[id(weights)] = weights._replace(decoder=decoder)
        return self._joined[id(weights)]

    def _prefill(
        self, request: GenerationRequest, digests: tuple[bytes, ...], cancel: CancelToken
    ) -> PromptState:
        self._films = self._films or self._seen.get(digests)
        prompt = super()._prefill(request, digests, cancel)
        if self._films is not None:
            self._seen[digests] = self._films
        while len(self._seen) > self._at_once:
            self._seen.popitem(last=False)
        return prompt


class _RowDraft:
    """One draft of a batch, on its way in a greenlet."""

    def __init__(self, row: _RowEngine, request: GenerationRequest, cancel: CancelToken) -> None:
        self._row, self._request, self._cancel = row, request, cancel
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
            for event in self._row.draft(self._request, self._cancel):
                tell(event)
        except EngineError as error:
            failure = str(error)
        finally:
            self._row.forget_prompt()  # not when cycles are next collected: it may be large
        if failure:
            tell(DraftFailed(self._request.request_id, failure))
