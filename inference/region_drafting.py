"""A draft by regions: a request into streams, and their blocks into events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from inference.api import (
    BlockCommitted,
    CancelToken,
    DraftFinished,
    GenerationRequest,
    StopReason,
    UnsupportedRequest,
)
from inference.decoding.answer import Answer
from inference.decoding.block_doubts import ReportCheck
from inference.decoding.prompt_state import PromptState
from inference.decoding.region_session import RegionSession
from inference.decoding.regions import (
    FillBlocks,
    PartBlock,
    Stream,
    decode_streams,
    fill_adaptive,
    fill_multi_step,
    fill_one_step,
)
from inference.decoding.remasking import remasking_of
from inference.decoding.sampling import TokenChooser
from inference.draft_events import BegunDraft, finish_draft
from inference.model_folder.checkpoint import Checkpoint
from inference.prompts import END_OF_TEXT, IM_END
from inference.report_language import REGIONS
from inference.report_parts import IMPRESSION, PARTS, join_parts
from inference.report_rules.report_check import CanonicalPartCheck
from inference.report_rules.report_conflicts import ReportSoFar
from inference.stopwatch import Stopwatch


class RegionDraft:
    """One request's streams, in one session."""

    def __init__(
        self, checkpoint: Checkpoint, prompt: PromptState, request: GenerationRequest,
        given: Mapping[str, Sequence[int]], cancel: CancelToken,
    ) -> None:  # fmt: skip
        """given: see given_tokens."""
        self._checkpoint, self._request = checkpoint, request
        choosers = [
            TokenChooser(request.temperature, request.top_k, request.top_p, request.seed + part)
            for part in range(len(PARTS))
        ]
        self.session = RegionSession(
            prompt, checkpoint.manifest.region_name_ids, cancel,
            choosers=choosers if request.temperature else (),
            with_entropies=request.remasking == "entropy_bounded",
        )  # fmt: skip
        self._given = given
        self._filler: int = checkpoint.tokenizer.token_to_id(END_OF_TEXT)  # type: ignore[assignment]  # checked at load
        self._streams: list[Stream] = []

    def blocks(self) -> Iterator[PartBlock]:
        """Regions first, in rounds; then the impression."""
        for part in range(len(REGIONS)):
            self._begin(part, ReportSoFar())
        yield from self._decode(self._streams)
        impression = self._begin(PARTS.index(IMPRESSION), self._said())
        yield from self._decode([impression])

    def _decode(self, streams: list[Stream]) -> Iterator[PartBlock]:
        for stream in streams:
            if given := self._given.get(PARTS[stream.part]):
                yield from stream.give(given)
        others = [stream for stream in self._streams if stream not in streams]
        used = sum(len(stream.answer.token_ids) for stream in others)
        limit = self._request.max_new_tokens - used
        yield from decode_streams(self.session, streams, self._fill, limit)

    def _begin(self, part: int, said: ReportSoFar) -> Stream:
        request, name = self._request, PARTS[part]
        given = self._given.get(name, ())
        answer = Answer(
            self._checkpoint.tokenizer,
            self._checkpoint.stop_ids,
            request.max_new_tokens,
            len(given),
        )
        check = self._check(name, said)
        stream = Stream(part, self.session, answer, self._filler, check)
        self._streams.append(stream)
        return stream

    def _check(self, part: str, said: ReportSoFar) -> ReportCheck | None:
        """Only for a model whose every sentence is known; else confidence alone counts."""
        checkpoint, language = self._checkpoint, self._request.language
        if not checkpoint.manifest.canonical_wording:
            return None
        return CanonicalPartCheck(checkpoint.tokenizer, language, checkpoint.stop_ids, part, said)

    def _said(self) -> ReportSoFar:
        """The findings' sentences, for the impression."""
        said = ReportSoFar()
        for stream in self._streams:
            said = said.with_text(stream.answer.text)
        return said.with_heading()

    @property
    def _fill(self) -> FillBlocks:
        request = self._request
        if request.decoding == "regions-adaptive":
            return fill_adaptive(
                request.adaptive_threshold, request.adaptive_max_passes, self._checkpoint.stop_ids
            )
        if request.decoding == "regions-multi-step":
            remasks = [remasking_of(request) for _ in PARTS]
            return fill_multi_step(request.denoising_steps, remasks)
        return fill_one_step

    @property
    def text(self) -> str:
        parts = {PARTS[stream.part]: stream.answer.text for stream in self._streams}
        return join_parts(parts, self._request.language)

    @property
    def token_ids(self) -> list[int]:
        return [token for stream in self._streams for token in stream.answer.token_ids]

    @property
    def stop_reason(self) -> StopReason:
        """The worst of them: "stop" only where every part came to its end."""
        reasons = {stream.answer.stop_reason for stream in self._streams}
        order: tuple[StopReason, ...] = ("length", "repetition", "stop")
        return next(reason for reason in order if reason in reasons)


def stream_regions(
    draft: BegunDraft, regions: RegionDraft
) -> Iterator[BlockCommitted | DraftFinished]:
    """Each block as its part takes it, then the report."""
    blocks, index, decode_ms, given = regions.blocks(), 0, 0.0, 0
    while True:
        resumed = Stopwatch()
        block = next(blocks, None)
        decode_ms += resumed.elapsed_ms  # the engine's time, not the listener's
        if block is None:
            break
        count = len(block.token_ids)
        given += count if block.is_given else 0
        if not count:  # all of it belongs to a loop
            continue
        yield BlockCommitted(
            draft.request.request_id,
            index=index,
            token_ids=tuple(block.token_ids),
            token_texts=tuple(block.token_texts),
            confidences=tuple(block.confidences),
            passes=regions.session.passes,
            elapsed_ms=draft.clock.elapsed_ms,
            is_pinned=(True,) * count if block.is_given else (),
            region=block.part,
            is_region_end=block.is_end,
            second_looks=block.second_looks,
        )
        index += 1
    yield finish_draft(
        draft, regions.text, regions.stop_reason, regions.session.passes,
        len(regions.token_ids), given, regions.session.extra_passes, decode_ms,
    )  # fmt: skip


def given_tokens(checkpoint: Checkpoint, request: GenerationRequest) -> dict[str, list[int]]:
    """The parts that the request gives as tokens, stop id included.

    UnsupportedRequest for a part that there isn't, for one given twice, and for a whole report.
    """
    tokenizer = checkpoint.tokenizer
    given: dict[str, list[int]] = {}
    if not request.region_texts:
        return given  # a model that never stops (benchmarks) has no stop id either
    stop_id = min(checkpoint.stop_ids & {tokenizer.token_to_id(IM_END)} or checkpoint.stop_ids)
    gap = " " if request.language == "en" else ""
    for part, text in request.region_texts:
        if part not in PARTS:
            raise UnsupportedRequest(f"region_texts: {part!r} is none of {', '.join(PARTS)}")
        if part in given:
            raise UnsupportedRequest(f"region_texts: {part} is given twice")
        said = gap + text.strip() if text.strip() else ""
        ids = tokenizer.encode(said, add_special_tokens=False).ids
        given[part] = [*ids, stop_id]
    if len(given) == len(PARTS):
        raise UnsupportedRequest("region_texts: every part is given, nothing is left to draft")
    if sum(map(len, given.values())) >= request.max_new_tokens:
        raise UnsupportedRequest(
            f"region_texts: longer than the answer's {request.max_new_tokens} tokens"
        )
    return given
