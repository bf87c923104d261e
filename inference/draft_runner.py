"""One draft after the other with one model, and what is kept from one to the next."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import torch

from inference.api import (
    REGION_MODES,
    CancelToken,
    DraftCancelled,
    DraftEvent,
    EngineError,
    GenerationRequest,
    PrefillDone,
)
from inference.decoding.draft_session import DecodingCancelled, DraftSession, raise_if_cancelled
from inference.decoding.one_shape_step import OneShapeStep
from inference.decoding.prompt_state import PromptState
from inference.decoding.region_session import RegionSession
from inference.decoding_modes import decode_blocks, open_answer, open_session
from inference.draft_events import BegunDraft, refuse_unseen, stream_answer
from inference.memory.out_of_memory import describe_out_of_memory, is_out_of_memory
from inference.model_folder.checkpoint import Checkpoint
from inference.model_weights import WeightsOfModes
from inference.pass_paths import StepShelf
from inference.prompt_prefill import (
    FilmShelf,
    PromptKey,
    answer_capacity,
    digest_films,
    needed_prompts,
    prefill_prompt,
)
from inference.region_drafting import RegionDraft, stream_regions
from inference.report_parts import PARTS
from inference.stopwatch import Stopwatch
from inference.vision.film_checks import describe_emptiness


class FixedTokens(NamedTuple):
    """What a request brings of its answer: tokens by offset, and whole parts of a report."""

    pinned: Mapping[int, int]
    given: Mapping[str, Sequence[int]]


class DraftRunner:
    """Runs checked requests, one at a time. films, steps: may serve other runners too.

    The prompts of the last films and language are kept, one for each weights that was needed.
    """

    def __init__(
        self, checkpoint: Checkpoint, weights: WeightsOfModes, films: FilmShelf, steps: StepShelf
    ) -> None:
        self._checkpoint, self._weights = checkpoint, weights
        self._films, self._steps = films, steps
        self._kept: dict[PromptKey, PromptState] = {}  # empty while a draft uses them

    def forget_prompts(self) -> None:
        """Free their memory, not that of the films."""
        self._kept = {}

    def stream(
        self, request: GenerationRequest, cancel: CancelToken, fixed: FixedTokens
    ) -> Iterator[DraftEvent]:
        """The draft's events; memory that runs out ends it with EngineError, all of it freed."""
        if emptiness := describe_emptiness(request.images[0]):
            yield refuse_unseen(request, emptiness)
            return
        doing, failure = "reading the films", ""
        try:
            with closing(self._run_draft(request, cancel, fixed)) as events:
                for event in events:
                    doing = "drafting"
                    yield event
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            weights = self._weights
            failure = describe_out_of_memory(
                self._checkpoint, request, weights.device, weights.dtype, doing, weights.products
            )
        if failure:  # outside the handler: its traceback would keep the draft's tensors alive
            self.forget_prompts()
            self._films.clear()
            self._steps.clear()
            if self._weights.device.type == "cuda":
                torch.cuda.empty_cache()
            raise EngineError(failure)

    @torch.inference_mode()
    def _run_draft(
        self, request: GenerationRequest, cancel: CancelToken, fixed: FixedTokens
    ) -> Generator[DraftEvent, None, None]:
        checkpoint, clock = self._checkpoint, Stopwatch()
        session: DraftSession | RegionSession | None = None
        step: OneShapeStep | None = None
        try:
            prompts, others, is_reused = self._take_prompts(request, cancel)
            prompt, *checking = prompts.values()
            regions: RegionDraft | None = None
            if request.decoding in REGION_MODES:
                regions = RegionDraft(checkpoint, prompt, request, fixed.given, cancel)
                session = regions.session
            else:
                capacity = answer_capacity(checkpoint, prompt.prompt_ids, request)
                step = self._steps.lend_for(request, prompt, capacity, checkpoint.stop_ids)
                session = open_session(
                    checkpoint, prompt, capacity, request, cancel, fixed.pinned, step
                )
            draft = BegunDraft(request, fixed.pinned, cancel, clock, clock.elapsed_ms)
            try:
                yield PrefillDone(
                    request.request_id,
                    prompt_tokens=len(prompt.prompt_ids),
                    block_length=prompt.block_length,
                    elapsed_ms=draft.prefill_ms,
                    reused=is_reused,
                    regions=PARTS if regions else (),
                )
                if isinstance(session, DraftSession):
                    blocks = decode_blocks(checkpoint, draft, session, checking)
                    yield from stream_answer(draft, session, blocks, open_answer(checkpoint, draft))
                elif regions:
                    yield from stream_regions(draft, regions)
            finally:
                self._kept = others | prompts
                if step is not None:
                    self._steps.put_back(step)
        except DecodingCancelled:
            passes = session.passes if session else 0
            yield DraftCancelled(request.request_id, passes, clock.elapsed_ms)

    def _take_prompts(
        self, request: GenerationRequest, cancel: CancelToken
    ) -> tuple[dict[PromptKey, PromptState], dict[PromptKey, PromptState], bool]:
        """A draft's prompts, the others of these films in this language, and whether all of the
        draft's were kept.

        What else was kept is freed before another is made.
        """
        raise_if_cancelled(cancel)
        checkpoint, digests = self._checkpoint, digest_films(request.images)
        kept, self._kept = self._kept, {}
        kept = {
            key: prompt
            for key, prompt in kept.items()
            if (key.films, key.language) == (digests, request.language)
        }
        needed = needed_prompts(checkpoint, request, digests)
        others = {key: prompt for key, prompt in kept.items() if key not in needed}
        kept = {
            key: prompt
            for key, prompt in kept.items()
            if key in needed
            and answer_capacity(checkpoint, prompt.prompt_ids, request) <= prompt.capacity
        }
        prompts = {
            key: kept.get(key) or self._prefill(part, digests, cancel)
            for key, part in needed.items()
        }
        return prompts, others, len(kept) == len(needed)

    def _prefill(
        self, request: GenerationRequest, digests: tuple[bytes, ...], cancel: CancelToken
    ) -> PromptState:
        weights = self._weights.of(request.decoding)
        films = self._films.take(request.images, digests)
        return prefill_prompt(self._checkpoint, weights, request, films, cancel)
