"""Studies drafted together: each as it would be drafted alone, whatever becomes of the others."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from inference import draft_batch, load_engine
from inference.api import (
    REGION_MODES,
    BlockCommitted,
    CancelToken,
    DraftCancelled,
    DraftFailed,
    DraftFinished,
    GenerationRequest,
    ModelImage,
    PrefillDone,
)
from inference.decoding.joined_passes import JoinedDecoder, WaitingPass
from inference.decoding.prompt_state import PromptState
from inference.engine import ReportEngine
from inference.phantom import render_film, sample_case

MakeRequest = Callable[..., GenerationRequest]
MODES = ("one-step", "one-step-unfused", "adaptive", "guided", "multi-step", "autoregressive")


def _film(seed: int, rows: int = 84, columns: int = 84) -> ModelImage:
    return ModelImage(np.random.default_rng(seed).normal(1000, 300, (rows, columns)))


def _studies(make_request: MakeRequest, **settings: object) -> list[GenerationRequest]:
    """Films of several sizes, one twice, answers of several lengths."""
    films = [(_film(1),), (_film(2, 56, 112),), (_film(3),), (_film(1), _film(4, 56, 56)), None]
    films[-1] = films[0]
    return [
        make_request(request_id=f"study {at}", images=film, max_new_tokens=8 + 5 * at, **settings)
        for at, film in enumerate(films)
    ]


Told = tuple[list[int], list[float], str, int]


def _tell(events: Iterable[object]) -> dict[str, Told]:
    """By request: token ids, confidences, text and stop reason, passes."""
    ids: dict[str, list[int]] = {}
    confidences: dict[str, list[float]] = {}
    told: dict[str, Told] = {}
    for event in events:
        name: str = event.request_id  # type: ignore[attr-defined]
        if isinstance(event, BlockCommitted):
            assert len(ids.setdefault(name, [])) == 0 or event.index > 0
            ids[name] += event.token_ids
            confidences.setdefault(name, []).extend(event.confidences)
        if isinstance(event, DraftFinished):
            told[name] = ids[name], confidences[name], event.text + event.stop_reason, event.passes
    return told


def _alone(engine: ReportEngine, requests: Iterable[GenerationRequest]) -> dict[str, Told]:
    return _tell(event for request in requests for event in engine.draft(request))


def _assert_same(together: dict[str, Told], alone: dict[str, Told]) -> None:
    assert together.keys() == alone.keys()
    for name, (ids, confidences, text, passes) in alone.items():
        assert (together[name][0], *together[name][2:]) == (ids, text, passes)
        assert together[name][1] == pytest.approx(confidences, abs=1e-4)


@pytest.fixture(params=["padded prompt", "ragged prompt"])
def engine(request: pytest.FixtureRequest, tiny_engine: ReportEngine) -> ReportEngine:
    if request.param == "padded prompt":
        return tiny_engine
    manifest = replace(tiny_engine._checkpoint.manifest, pad_prompt_to_block=False)
    return ReportEngine(replace(tiny_engine._checkpoint, manifest=manifest), tiny_engine._device)


@pytest.mark.parametrize("mode", MODES)
def test_each_study_is_drafted_as_it_would_be_alone(
    engine: ReportEngine, make_request: MakeRequest, mode: str
) -> None:
    requests = _studies(make_request, decoding=mode)
    _assert_same(_tell(draft_batch(engine, requests, at_once=3)), _alone(engine, requests))


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 1.2, "top_p": 0.9, "seed": 5},
        {"prefix_text": "Findings:", "pinned": ((6, 70),)},
        {"decoding": "multi-step", "remasking": "random", "seed": 3},
        {"decoding": "multi-step", "remasking": "entropy_bounded"},
    ],
)
def test_settings_of_each_request_hold_in_company(
    tiny_engine: ReportEngine, make_request: MakeRequest, settings: dict[str, object]
) -> None:
    requests = _studies(make_request, **settings)
    together = _tell(draft_batch(tiny_engine, requests))
    _assert_same(together, _alone(tiny_engine, requests))


def test_modes_may_be_mixed(tiny_engine: ReportEngine, make_request: MakeRequest) -> None:
    requests = [make_request(request_id=mode, decoding=mode) for mode in MODES]
    together = _tell(draft_batch(tiny_engine, requests))
    _assert_same(together, _alone(tiny_engine, requests))


def test_regions_fill_beside_whole_reports(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    checkpoint = tiny_engine._checkpoint
    manifest = replace(
        checkpoint.manifest,
        decoding_modes=(*checkpoint.manifest.decoding_modes, *REGION_MODES),
        region_name_ids=tuple(range(300, 310)),
    )
    stop_ids = frozenset(range(60, 300, 15))  # streams end at different lengths
    checkpoint = replace(checkpoint, manifest=manifest, stop_ids=stop_ids)
    engine = ReportEngine(checkpoint, tiny_engine._device)
    requests = [
        make_request(request_id=f"{mode} {seed}", images=(_film(seed),), decoding=mode)
        for seed in (1, 2)
        for mode in (*REGION_MODES, "adaptive")
    ]
    requests = [replace(request, max_new_tokens=200) for request in requests]
    _assert_same(_tell(draft_batch(engine, requests)), _alone(engine, requests))


def test_embedded_model_drafts_phantoms_as_it_would_alone() -> None:
    """With every mode it offers, in both languages, all in one batch."""
    engine = load_engine("embedded", "cpu")
    films = [ModelImage(render_film(sample_case(seed), 256)) for seed in (11, 12)]
    requests = [
        GenerationRequest(
            f"{seed} {mode}",
            (films[seed],),
            language=engine.description.languages[seed - 1],
            decoding=mode,
            max_new_tokens=24 if mode == "autoregressive" else 64,
        )
        for mode in engine.description.decoding_modes
        for seed in (0, 1)
    ]
    _assert_same(_tell(draft_batch(engine, requests)), _alone(engine, requests))


def test_a_batch_of_one_is_the_study_alone(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    for mode in MODES:
        request = make_request(decoding=mode)
        _assert_same(_tell(draft_batch(tiny_engine, [request])), _alone(tiny_engine, [request]))


def test_passes_are_run_together(
    tiny_engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    run = JoinedDecoder.run_joined

    def counting(self: JoinedDecoder, together: list[WaitingPass]) -> None:
        sizes.append(len(together))
        run(self, together)

    monkeypatch.setattr(JoinedDecoder, "run_joined", counting)
    requests = [make_request(request_id=str(at), images=(_film(at),)) for at in range(4)]
    told = _tell(draft_batch(tiny_engine, requests, at_once=4))
    assert sizes == [4] * told["0"][3]


def test_studies_beyond_at_once_begin_where_others_end(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    requests = _studies(make_request)
    under_way, most = set[str](), 0
    for event in draft_batch(tiny_engine, requests, at_once=2):
        if isinstance(event, PrefillDone):
            under_way.add(event.request_id)
        if isinstance(event, DraftFinished):
            under_way.remove(event.request_id)
        most = max(most, len(under_way))
    assert most == 2


def test_request_that_cannot_be_served_does_not_lose_the_others(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    good = _studies(make_request)
    unfit = ModelImage(np.full((84, 84), np.nan))
    bad = [
        make_request(request_id="Chinese", language="zh"),
        make_request(request_id="no film", images=()),
        make_request(request_id="a line", images=(_film(1, 1, 999),)),
        make_request(request_id="not numbers", images=(unfit,)),
        make_request(request_id="blank", images=(ModelImage(np.ones((84, 84))),)),
    ]
    requests = [bad[0], good[0], bad[1], *good[1:3], bad[2], bad[3], good[3], bad[4], good[4]]
    events = list(draft_batch(tiny_engine, requests, at_once=3))
    failed = {e.request_id: e.reason for e in events if isinstance(e, DraftFailed)}
    assert failed.keys() == {"Chinese", "no film", "a line", "not numbers"}
    assert "writes en" in failed["Chinese"]
    assert "1×999" in failed["a line"]
    refused = [e for e in events if isinstance(e, DraftFinished) and e.refused]
    assert [event.request_id for event in refused] == ["blank"]
    finished = [e for e in events if not (isinstance(e, DraftFinished) and e.refused)]
    _assert_same(_tell(finished), _alone(tiny_engine, good))


def test_memory_that_runs_out_for_all_leaves_each_to_itself(
    tiny_engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, runs = JoinedDecoder.run_joined, 0

    def run_twice(self: JoinedDecoder, together: list[WaitingPass]) -> None:
        nonlocal runs
        runs += 1
        run(self, together)
        if runs == 3:
            torch.empty(1 << 55)  # after it wrote its keys and values: the worst moment

    monkeypatch.setattr(JoinedDecoder, "run_joined", run_twice)
    requests = _studies(make_request)
    _assert_same(_tell(draft_batch(tiny_engine, requests)), _alone(tiny_engine, requests))
    assert runs == 3


def test_cancel_ends_all_between_any_two_passes(
    tiny_engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [make_request(request_id=str(at), images=(_film(at),)) for at in range(4)]
    run = JoinedDecoder.run_joined
    for stop_at in range(1, 8):
        cancel, runs = CancelToken(), 0

        def cancelling(
            self: JoinedDecoder,
            together: list[WaitingPass],
            cancel: CancelToken = cancel,
            at: int = stop_at,
        ) -> None:
            nonlocal runs
            runs += 1
            run(self, together)
            if runs == at:
                cancel.cancel()

        monkeypatch.setattr(JoinedDecoder, "run_joined", cancelling)
        events = list(draft_batch(tiny_engine, requests, cancel, at_once=3))
        ended = [event for event in events if isinstance(event, DraftCancelled)]
        assert [(event.request_id, event.passes) for event in ended] == [
            (str(at), stop_at) for at in range(3)
        ]
        assert runs == stop_at


def test_stream_that_is_closed_frees_its_prompts(
    tiny_engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[PromptState]] = []
    begin = PromptState.__init__

    def remembering(self: PromptState, *arguments: object) -> None:
        made.append(weakref.ref(self))
        begin(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(PromptState, "__init__", remembering)
    stream = draft_batch(tiny_engine, _studies(make_request), at_once=3)
    assert len(list(islice(stream, 5))) == 5
    stream.close()  # type: ignore[attr-defined]
    gc.collect()
    assert len(made) == 3
    assert [prompt() for prompt in made] == [None] * 3


def test_listener_is_not_put_into_inference_mode(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    for _ in draft_batch(tiny_engine, _studies(make_request), at_once=2):
        assert not torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()


def test_kept_prompt_of_the_engine_is_left_alone(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    list(tiny_engine.draft(make_request()))
    list(draft_batch(tiny_engine, _studies(make_request)))
    assert next(iter(tiny_engine.draft(make_request()))).reused  # type: ignore[union-attr]


def test_two_requests_of_one_name_are_our_own_mistake(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    with pytest.raises(ValueError, match="request_id"):
        draft_batch(tiny_engine, [make_request(), make_request()])
