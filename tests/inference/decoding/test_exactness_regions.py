"""Decoding by regions equals plain loops over one stream at a time, without any cache, in fp32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from inference import in_report_order
from inference.api import (
    REGION_MODES,
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftFinished,
    GenerationRequest,
    PrefillDone,
    UnsupportedRequest,
)
from inference.engine import ReportEngine
from inference.prompts import END_OF_TEXT
from inference.report_parts import IMPRESSION, PARTS, REGIONS
from inference.training.tokenizer import special_id
from tests.inference.decoding.naive_loops import (
    NaiveStreams,
    fill_adaptive,
    fill_multi_step,
    fill_one_step,
)

NAME_IDS = tuple(range(300, 310))
STOPS = frozenset(Random(8).sample(range(60, 300), 16))  # streams end at different lengths
LIMIT = 400


@pytest.fixture(scope="module")
def region_engine(tiny_engine: ReportEngine) -> ReportEngine:
    return _with_regions(tiny_engine, STOPS)


@pytest.fixture(scope="module")
def usual_engine(tiny_engine: ReportEngine) -> ReportEngine:
    """Its stop ids are no words, so that any text can be given."""
    return _with_regions(tiny_engine, tiny_engine._checkpoint.stop_ids)


def _with_regions(engine: ReportEngine, stop_ids: frozenset[int]) -> ReportEngine:
    checkpoint = engine._checkpoint
    manifest = replace(
        checkpoint.manifest,
        decoding_modes=(*checkpoint.manifest.decoding_modes, *REGION_MODES),
        region_name_ids=NAME_IDS,
    )
    checkpoint = replace(checkpoint, manifest=manifest, stop_ids=stop_ids)
    return ReportEngine(checkpoint, engine._device)


@pytest.fixture
def ask(make_request: Callable[..., GenerationRequest]) -> Callable[..., GenerationRequest]:
    return lambda mode, **settings: make_request(
        **{"decoding": mode, "max_new_tokens": LIMIT} | settings
    )


FILLS = {
    "regions": (fill_one_step, {}),
    "regions-multi-step": (
        lambda plain: fill_multi_step(plain, 4, 0.3),
        {"denoising_steps": 4, "confidence_threshold": 0.3},
    ),
    "regions-adaptive": (
        lambda plain: fill_adaptive(plain, 0.3, 3, STOPS),
        {"adaptive_threshold": 0.3, "adaptive_max_passes": 3},
    ),
}


def _texts(blocks: list[BlockCommitted]) -> dict[str, list[int]]:
    return {
        part: [token for block in blocks if block.region == part for token in block.token_ids]
        for part in PARTS
    }


def _draft(engine: ReportEngine, request: GenerationRequest) -> tuple[list[Any], DraftFinished]:
    *events, finished = engine.draft(request)
    assert isinstance(finished, DraftFinished)
    assert isinstance(events[0], PrefillDone)
    assert events[0].regions == PARTS
    return events[1:], finished


@pytest.mark.parametrize("mode", FILLS)
def test_tokens_are_those_of_plain_loops(
    region_engine: ReportEngine, ask: Callable[..., GenerationRequest], recompute: Any, mode: str
) -> None:
    make_fill, settings = FILLS[mode]
    request = ask(mode, **settings)
    plain = recompute(region_engine, request)
    filler = special_id(region_engine._checkpoint.tokenizer, END_OF_TEXT)
    naive = NaiveStreams(plain, filler, NAME_IDS, STOPS)
    expected = {part: naive.draft(part, make_fill(plain)) for part in PARTS}
    blocks, finished = _draft(region_engine, request)
    assert _texts(blocks) == expected
    lengths = {len(ids) for ids in expected.values()}
    assert len(lengths) > 1, "streams of different lengths were to be compared"
    assert finished.stop_reason == "stop"
    assert finished.tokens == sum(map(len, expected.values()))
    longest = max(-(-len(expected[region]) // plain.block_length) for region in REGIONS)
    conclusion = -(-len(expected[IMPRESSION]) // plain.block_length)
    if mode == "regions":
        assert finished.passes == longest + conclusion
    else:
        assert finished.passes > longest + conclusion
    looks: dict[int, int] = {}  # by the pass that ended a round, those of its regions
    for block in blocks:
        looks[block.passes] = max(looks.get(block.passes, 0), block.second_looks)
    assert sum(looks.values()) == finished.extra_passes
    if mode == "regions-adaptive":
        assert finished.extra_passes == finished.passes - longest - conclusion
        assert 0 in {block.second_looks for block in blocks}, "not all regions were in doubt"


def test_blocks_of_a_round_come_in_report_order_and_add_up_to_the_text(
    region_engine: ReportEngine, ask: Callable[..., GenerationRequest]
) -> None:
    blocks, finished = _draft(region_engine, ask("regions"))
    rounds: dict[int, list[str]] = {}
    for block in blocks:
        rounds.setdefault(block.passes, []).append(block.region)
    assert next(iter(rounds.values())) == [*REGIONS]
    assert all(names == sorted(names, key=PARTS.index) for names in rounds.values())
    assert [block.index for block in blocks] == [*range(len(blocks))]
    assert [block.region for block in blocks if block.is_region_end][-1] == IMPRESSION
    assert {block.region for block in blocks if block.is_region_end} == {*PARTS}
    ordered = in_report_order(blocks, "en")
    assert "".join(text for text, _ in ordered) == finished.text


def test_given_regions_stand_and_the_others_do_not_change(
    usual_engine: ReportEngine, ask: Callable[..., GenerationRequest]
) -> None:
    free, _ = _draft(usual_engine, ask("regions", max_new_tokens=150))
    given = (("lungs", "No pleural effusion."), ("devices", ""))
    blocks, finished = _draft(usual_engine, ask("regions", region_texts=given, max_new_tokens=150))
    before, after = _texts(free), _texts(blocks)
    lungs = [block for block in blocks if block.region == "lungs"]
    assert "".join(text for block in lungs for text in block.token_texts) == " No pleural effusion."
    assert all(all(block.is_pinned) for block in lungs)
    assert finished.pinned_tokens == len(after["lungs"]) + len(after["devices"])
    assert {
        part: ids for part, ids in after.items() if part not in ("lungs", "devices", IMPRESSION)
    }
    for region in REGIONS:
        if region not in ("lungs", "devices"):
            assert after[region] == before[region]
    assert after[IMPRESSION] != before[IMPRESSION]


def test_impression_alone_is_drafted_from_given_findings(
    usual_engine: ReportEngine, ask: Callable[..., GenerationRequest]
) -> None:
    given = tuple((region, f"No {region}.") for region in REGIONS)
    blocks, finished = _draft(
        usual_engine, ask("regions-adaptive", region_texts=given, max_new_tokens=150)
    )
    assert finished.findings == " ".join(text for _, text in given)
    drafted = [block.region for block in blocks if not any(block.is_pinned)]
    assert set(drafted) == {IMPRESSION}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"region_texts": (("liver", "Large."),)}, "'liver' is none of thorax"),
        ({"region_texts": (("heart", "Large."), ("heart", "Small."))}, "heart is given twice"),
        ({"region_texts": tuple((part, "") for part in PARTS)}, "nothing is left to draft"),
        ({"region_texts": (("heart", "Large " * 400),)}, "longer than the answer's 400 tokens"),
        ({"prefix_text": "Findings:"}, "takes region_texts, not a prefix"),
        ({"pinned": ((0, 5),)}, "takes region_texts, not a prefix"),
        ({"decoding": "one-step", "region_texts": (("heart", ""),)}, "writes the report as one"),
    ],
)
def test_requests_that_make_no_report_are_refused_by_name(
    region_engine: ReportEngine, ask: Callable[..., GenerationRequest],
    settings: dict[str, Any], message: str,
) -> None:  # fmt: skip
    with pytest.raises(UnsupportedRequest, match=message):
        region_engine.draft(ask("regions", **settings))


def test_a_model_without_names_of_regions_offers_none_of_it(
    tiny_engine: ReportEngine, ask: Callable[..., GenerationRequest]
) -> None:
    assert not {*tiny_engine.description.decoding_modes} & {*REGION_MODES}
    with pytest.raises(UnsupportedRequest, match="'regions': tiny offers one-step"):
        tiny_engine.draft(ask("regions"))


def test_answer_as_long_as_it_may_be_ends_every_stream(
    region_engine: ReportEngine, ask: Callable[..., GenerationRequest]
) -> None:
    blocks, finished = _draft(region_engine, ask("regions", max_new_tokens=40))
    assert finished.stop_reason == "length"
    assert {block.region for block in blocks} == {*PARTS}
    assert finished.tokens <= 40 + len(PARTS) * region_engine.description.block_length


def test_cancel_stops_before_the_next_pass_and_the_prompt_is_kept(
    region_engine: ReportEngine, ask: Callable[..., GenerationRequest]
) -> None:
    cancel, events = CancelToken(), []
    for event in region_engine.draft(ask("regions"), cancel):
        events.append(event)
        if isinstance(event, BlockCommitted) and event.region == REGIONS[-1]:
            cancel.cancel()
    assert isinstance(events[-1], DraftCancelled)
    assert events[-1].passes == 1
    again = next(iter(region_engine.draft(ask("regions"))))
    assert isinstance(again, PrefillDone)
    assert again.reused


def test_draws_of_a_stream_do_not_depend_on_the_others(
    region_engine: ReportEngine, ask: Callable[..., GenerationRequest]
) -> None:
    warm = {"temperature": 1.0, "seed": 7}
    free, _ = _draft(region_engine, ask("regions", **warm))
    given = (("thorax", "Chest."), ("lungs", "Clear."))
    held, _ = _draft(region_engine, ask("regions", region_texts=given, **warm))
    assert _texts(held)["heart"] == _texts(free)["heart"]
    assert _texts(free) != _texts(_draft(region_engine, ask("regions"))[0])
