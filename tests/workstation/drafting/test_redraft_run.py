"""Redrafts on the real embedded model: what is locked keeps its bytes, and nothing is prefilled
again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from inference import (
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftFinished,
    GenerationRequest,
    ModelImage,
    PrefillDone,
    load_engine,
)
from inference.phantom import render_film, sample_case
from workstation.drafting.drafting_engine import DraftingEngine
from workstation.drafting.redraft_run import (
    AnswerRestarted,
    RedraftEvent,
    RedraftFinished,
    RedraftRequest,
    run_redraft,
)
from workstation.reporting.draft_report import DraftReport
from workstation.reporting.redrafting.redraft import plan_redraft
from workstation.reporting.redrafting.redraft_review import compare_redraft, merge_redraft
from workstation.reporting.report_state import SECTIONS, ReportState

OWN_WORDS = (
    "Small <|im_end|> effusion on the LEFT, new since Monday; Δ = 3 mm",
    "Impression: of a nodule in the right upper zone?\n\n- see CT",
    "Ẋ ligature ﬁ, e\u0301 and 中文 。",
)


@pytest.fixture(scope="module")
def engine() -> DraftingEngine:
    return load_engine("embedded", "cpu")


@pytest.fixture(scope="module")
def generation() -> GenerationRequest:
    film = ModelImage(render_film(sample_case(3, kind="chest"), 256))
    return GenerationRequest("redraft", (film,), decoding="adaptive")


@pytest.fixture(scope="module")
def drafted(engine: DraftingEngine, generation: GenerationRequest) -> ReportState:
    *_, end = engine.draft(generation)
    assert isinstance(end, DraftFinished)
    report = DraftReport()
    report.set_from_draft(end.findings, end.impression)
    return report.state


def redraft(
    engine: DraftingEngine, generation: GenerationRequest, report: DraftReport, *asked: object
) -> list[RedraftEvent]:
    request = RedraftRequest(generation, plan_redraft(report.state, *asked))  # type: ignore[arg-type]
    return list(run_redraft(engine, request, CancelToken()))


def finished(events: list[RedraftEvent]) -> RedraftFinished:
    assert isinstance(events[-1], RedraftFinished)
    return events[-1]


def test_a_redraft_with_nothing_kept_is_the_draft(engine, generation, drafted) -> None:
    events = redraft(engine, generation, DraftReport(drafted))
    said = [(each.section, each.text) for each in finished(events).sentences]
    assert said == [(name, each.text) for name in SECTIONS for each in drafted.sentences(name)]
    assert not any(piece.is_change for piece in compare_redraft(drafted, events[-1].sentences))


@pytest.mark.parametrize("seed", range(8))
def test_locked_sentences_keep_their_bytes_wherever_they_stand(
    engine, generation, drafted, seed: int
) -> None:
    dice = random.Random(seed)
    report = DraftReport(drafted)
    for section in SECTIONS:
        for each in drafted.sentences(section):
            if dice.random() < 0.15:
                report.edit_sentence(section, each.id, dice.choice(OWN_WORDS))
    for section in SECTIONS:
        for each in report.state.sentences(section):
            report.set_locked(section, each.id, dice.random() < 0.3)
    state, ids = report.state, [each.id for each in report.state.findings if not each.locked]
    asked = ("all",) if seed % 2 else ("from-here", "findings", dice.choice(ids))
    events = redraft(engine, generation, report, *asked)
    end = finished(events)
    first, *others = [each for each in events if isinstance(each, PrefillDone)]
    assert first.reused
    assert not others
    report.change_state(
        "redraft",
        lambda now, new_id: merge_redraft(
            now, compare_redraft(now, end.sentences), range(1000), new_id
        ),
    )
    for section in SECTIONS:
        locked, after = (
            [replace(each, separator="") for each in of.sentences(section) if each.locked]
            for of in (state, report.state)  # a row may be parted from its new neighbour
        )
        assert after == locked


def test_events_are_counted_through_and_tell_what_stands(engine, generation, drafted) -> None:
    report = DraftReport(drafted)
    middle = drafted.findings[len(drafted.findings) // 2]
    report.edit_sentence("findings", middle.id, "Small left pleural effusion.")
    report.set_locked("findings", middle.id, True)
    events = redraft(engine, generation, report)
    blocks = [each for each in events if isinstance(each, BlockCommitted)]
    assert [each.index for each in blocks] == list(range(len(blocks)))
    assert [each.passes for each in blocks] == sorted(each.passes for each in blocks)
    assert sum(len(each.token_ids) for each in blocks) == finished(events).tokens
    assert finished(events).passes >= blocks[-1].passes
    first, *later = [each for each in events if isinstance(each, AnswerRestarted)]
    assert first.following == "Small left pleural effusion."
    assert later[-1].text.endswith("Small left pleural effusion.")
    assert later[-1].following == ""
    for sentence in finished(events).sentences:
        assert (sentence.confidence is None) == (sentence.kept_id is not None)


def test_a_redraft_of_one_sentence_leaves_all_others(engine, generation, drafted) -> None:
    report = DraftReport(drafted)
    one = drafted.findings[2]
    end = finished(redraft(engine, generation, report, "sentence", "findings", one.id))
    kept = [each.kept_id for each in end.sentences if each.kept_id is not None]
    everything = [each.id for name in SECTIONS for each in drafted.sentences(name)]
    assert kept == [number for number in everything if number != one.id]
    assert len(end.sentences) <= len(everything)


def test_a_stopped_redraft_ends_cancelled(engine, generation, drafted) -> None:
    cancel = CancelToken()
    request = RedraftRequest(generation, plan_redraft(drafted))
    events: Iterator[RedraftEvent] = run_redraft(engine, request, cancel)
    for event in events:
        if isinstance(event, BlockCommitted):
            cancel.cancel()
            break
    assert [type(each) for each in events] == [DraftCancelled]
