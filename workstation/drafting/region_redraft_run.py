"""Runs a redraft in which whole regions stay: one request, one stream of events."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import cast

from inference import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    PrefillDone,
)
from inference.report_language import split_sentences
from workstation.drafting.drafting_engine import DraftingEngine
from workstation.drafting.redraft_run import (
    AnswerRestarted,
    RedraftEvent,
    RedraftFinished,
    RedraftRequest,
    WrittenTail,
)
from workstation.reporting.redrafting.redraft import RedraftedSentence, RedraftPlan
from workstation.reporting.redrafting.region_redraft import (
    IMPRESSION,
    PARTS,
    kept_texts,
    place_parts,
)
from workstation.reporting.report_state import HEADINGS, JOINERS, SECTIONS, Section


def run_region_redraft(
    engine: DraftingEngine, request: RedraftRequest, cancel: CancelToken
) -> Iterator[RedraftEvent]:
    """PrefillDone, AnswerRestarted with the regions that stay, BlockCommitted of the others, and
    RedraftFinished, DraftCancelled, or the DraftFinished of a model that refuses the film.

    The request's region_texts are given_texts of its plan. Raises what the engine raises.
    """
    plan = request.plan
    asked = request.generation
    names = {region for region, _ in asked.region_texts}
    written: dict[str, WrittenTail] = {}
    blocks = 0
    with closing(cast("Generator[DraftEvent, None, None]", engine.draft(asked, cancel))) as events:
        for event in events:
            match event:
                case PrefillDone():
                    shown = {*event.regions} | names
                    yield replace(event, regions=tuple(part for part in PARTS if part in shown))
                    yield AnswerRestarted(request.request_id, "", "", kept_texts(plan))
                case BlockCommitted() if event.region not in names:
                    tail = written.setdefault(event.region, WrittenTail())
                    tail.extend(event.token_texts, event.confidences)
                    yield replace(event, index=blocks)
                    blocks += 1
                case DraftFinished() if not event.refused:
                    yield _finish(event, plan, written)
                case DraftFinished() | DraftCancelled():
                    yield event


def _finish(
    event: DraftFinished, plan: RedraftPlan, written: dict[str, WrittenTail]
) -> RedraftFinished:
    drafted = {part: _sentences_of(part, tail) for part, tail in written.items()}
    sentences = place_parts(plan, drafted)
    headings, joiner = HEADINGS[plan.state.language], JOINERS[plan.state.language]
    texts = {
        section: joiner.join(each.text for each in sentences if each.section == section)
        for section in SECTIONS
    }
    return RedraftFinished(
        event.request_id,
        text=" ".join(headings[section] + texts[section] for section in SECTIONS),
        findings=texts["findings"],
        impression=texts["impression"],
        stop_reason=event.stop_reason,
        passes=event.passes,
        tokens=event.tokens,
        prefill_ms=event.prefill_ms,
        decode_ms=event.decode_ms,
        extra_passes=event.extra_passes,
        pinned_tokens=event.pinned_tokens,
        sentences=sentences,
    )


def _sentences_of(part: str, tail: WrittenTail) -> list[RedraftedSentence]:
    """Each once: a part that began to loop is cut there."""
    section: Section = "impression" if part == IMPRESSION else "findings"
    found: dict[str, RedraftedSentence] = {}
    for start, end in split_sentences(tail.text):
        text = tail.text[start:end].strip()
        confidence = tail.mean_confidence(start, end)
        found.setdefault(text, RedraftedSentence(section, text, None, confidence))
    return list(found.values())
