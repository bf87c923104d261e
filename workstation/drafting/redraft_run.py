"""Runs a redraft on the engine: one prefix after the other on the kept prompt, one stream out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

from inference import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    GenerationRequest,
    PrefillDone,
)
from workstation.drafting.drafting_engine import DraftingEngine
from workstation.reporting.redrafting.redraft import GrowingAnswer, RedraftedSentence, RedraftPlan


@dataclass(frozen=True, eq=False)
class RedraftRequest:
    """generation: films, language, decoding and, by regions, the texts given; a prefix is the
    plan's matter."""

    generation: GenerationRequest
    plan: RedraftPlan

    @property
    def request_id(self) -> str:
        return self.generation.request_id


@dataclass(frozen=True)
class AnswerRestarted:
    """The answer so far is ``text``, whatever blocks came before; the next block continues it.

    following: kept sentences whose place is still to come. regions: (region, text) of those that
    stay where the others fill at the same time; text and following are empty then.
    """

    request_id: str
    text: str
    following: str
    regions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RedraftFinished(DraftFinished):
    """findings and impression are the redraft with its kept sentences, text both with headings;
    passes, tokens and times are those of all prefixes together."""

    sentences: tuple[RedraftedSentence, ...] = ()


RedraftEvent = DraftEvent | AnswerRestarted


def run_redraft(
    engine: DraftingEngine, request: RedraftRequest, cancel: CancelToken
) -> Iterator[RedraftEvent]:
    """PrefillDone, AnswerRestarted, then BlockCommitted and AnswerRestarted in turn, and
    RedraftFinished, DraftCancelled, or the DraftFinished of a model that refuses the film.

    BlockCommitted carry drafted tokens only, counted through. Raises what the engine raises.
    """
    return _Run(engine, request, cancel).events()


class _Run:
    def __init__(
        self, engine: DraftingEngine, request: RedraftRequest, cancel: CancelToken
    ) -> None:
        self._engine, self._request, self._cancel = engine, request, cancel
        self._answer = GrowingAnswer(request.plan)
        self._blocks = self._tokens = 0
        self._prefill_ms = self._decode_ms = 0.0
        self._passes = 0  # of the prefixes before the one that runs
        self._elapsed_ms = 0.0
        self._extra_passes = 0
        self._is_over = False

    def events(self) -> Iterator[RedraftEvent]:
        is_first = True
        while not self._is_over:
            stream = self._engine.draft(self._generation(), self._cancel)
            with closing(cast("Generator[DraftEvent, None, None]", stream)) as events:
                yield from self._follow(events, is_first)
            is_first = False

    def _generation(self) -> GenerationRequest:
        prefix, asked = self._answer.prefix, self._request.generation
        needed = needed_tokens(prefix)
        return replace(asked, prefix_text=prefix, max_new_tokens=max(asked.max_new_tokens, needed))

    def _follow(self, events: Iterator[DraftEvent], is_first: bool) -> Iterator[RedraftEvent]:
        tail = WrittenTail()
        passes, began_ms, now_ms = 0, 0.0, 0.0
        for event in events:
            match event:
                case PrefillDone():
                    began_ms = event.elapsed_ms
                    if is_first:
                        self._prefill_ms = event.elapsed_ms
                        yield event
                    yield self._restarted()
                case BlockCommitted():
                    passes, now_ms = event.passes, event.elapsed_ms
                    yield from self._count(event, tail)
                    result = self._answer.read(tail.text, tail.mean_confidence, is_ended=False)
                    if result != "goes-on":
                        self._add_up(passes, began_ms, now_ms)
                        if result == "done":
                            yield self._finished("stop")
                        return
                case DraftCancelled():
                    self._is_over = True
                    yield replace(
                        event,
                        passes=self._passes + event.passes,
                        elapsed_ms=self._elapsed_ms + event.elapsed_ms,
                    )
                    return
                case DraftFinished():
                    yield from self._end(event, tail, passes, began_ms, now_ms)
                    return
        self._is_over = True

    def _restarted(self) -> AnswerRestarted:
        answer = self._answer
        return AnswerRestarted(self._request.request_id, answer.text, answer.following_text)

    def _count(self, event: BlockCommitted, tail: WrittenTail) -> Iterator[BlockCommitted]:
        """The block without what the prefix brought, if anything is left of it."""
        pinned = event.is_pinned or (False,) * len(event.token_ids)
        drafted = [at for at, is_pinned in enumerate(pinned) if not is_pinned]
        if not drafted:
            return
        texts = tuple(event.token_texts[at] for at in drafted)
        confidences = tuple(event.confidences[at] for at in drafted)
        tail.extend(texts, confidences)
        self._tokens += len(drafted)
        yield replace(
            event,
            index=self._blocks,
            token_ids=tuple(event.token_ids[at] for at in drafted),
            token_texts=texts,
            confidences=confidences,
            passes=self._passes + event.passes,
            elapsed_ms=self._elapsed_ms + event.elapsed_ms,
            is_pinned=(),
        )
        self._blocks += 1

    def _end(
        self, event: DraftFinished, tail: WrittenTail, passes: int, began_ms: float, now_ms: float
    ) -> Iterator[RedraftEvent]:
        if event.refused and self._request.plan.head == 0:
            self._is_over = True
            yield event
            return
        self._extra_passes += event.extra_passes
        self._add_up(max(passes, event.passes), began_ms, max(now_ms, began_ms + event.decode_ms))
        if self._answer.read(tail.text, tail.mean_confidence, is_ended=True) == "done":
            yield self._finished(event.stop_reason)

    def _add_up(self, passes: int, began_ms: float, now_ms: float) -> None:
        self._passes += passes
        self._decode_ms += max(0.0, now_ms - began_ms)
        self._elapsed_ms += now_ms

    def _finished(self, stop_reason: str) -> RedraftFinished:
        self._is_over = True
        answer = self._answer
        return RedraftFinished(
            self._request.request_id,
            text=answer.text,
            findings=answer.section_text("findings"),
            impression=answer.section_text("impression"),
            stop_reason=stop_reason,  # type: ignore[arg-type]
            passes=self._passes,
            tokens=self._tokens,
            prefill_ms=self._prefill_ms,
            decode_ms=self._decode_ms,
            extra_passes=self._extra_passes,
            sentences=tuple(answer.sentences),
        )


def needed_tokens(given: str) -> int:
    """Limit of an answer that holds this text, which is canonical or the model's own.

    No token of those is shorter than three bytes on the mean. As a rule the limit stays what it was
    in the first draft, and so does the kept prompt, which has room for that much.
    """
    return 160 + len(given.encode("utf-8")) // 3


class WrittenTail:
    """What the model wrote behind the prefix, with the confidence of each token."""

    def __init__(self) -> None:
        self.text = ""
        self._ends: list[int] = [0]
        self._confidences: list[float] = []

    def extend(self, texts: tuple[str, ...], confidences: tuple[float, ...]) -> None:
        for text, confidence in zip(texts, confidences, strict=True):
            self.text += text
            self._ends.append(len(self.text))
            self._confidences.append(confidence)

    def mean_confidence(self, start: int, end: int) -> float | None:
        inside = [
            confidence
            for (begin, stop), confidence in zip(
                pairwise(self._ends), self._confidences, strict=True
            )
            if begin < end and stop > start and stop > begin
        ]
        return sum(inside) / len(inside) if inside else None
