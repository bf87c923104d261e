"""The engine's events, stops, cancelling and refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from inference.api import (
    BlockCommitted,
    CancelToken,
    DecodingMode,
    DraftCancelled,
    DraftEvent,
    DraftFinished,
    EngineError,
    GenerationRequest,
    ModelImage,
    PrefillDone,
    UnsupportedRequest,
)
from inference.decoding.draft_session import DraftSession
from inference.decoding.open_block import Block
from inference.engine import ReportEngine, choose_device
from inference.report_language import (
    NOT_A_FRONTAL_CHEST,
    Language,
    compose_refusal,
    compose_report,
)

MODES: tuple[DecodingMode, ...] = (
    "one-step",
    "adaptive",
    "guided",
    "multi-step",
    "autoregressive",
)
SERVED: tuple[DecodingMode, ...] = (*MODES, "one-step-unfused")
MakeRequest = Callable[..., GenerationRequest]


def _blocks(events: list[DraftEvent]) -> list[BlockCommitted]:
    return [event for event in events if isinstance(event, BlockCommitted)]


def _with_stop_ids(engine: ReportEngine, stop_ids: set[int]) -> ReportEngine:
    return ReportEngine(replace(engine._checkpoint, stop_ids=frozenset(stop_ids)), engine._device)


@pytest.mark.parametrize("mode", SERVED)
def test_draft_streams_prefill_blocks_finished(
    tiny_engine: ReportEngine, make_request: MakeRequest, mode: DecodingMode
) -> None:
    events = list(tiny_engine.draft(make_request(decoding=mode)))
    first, blocks, last = events[0], _blocks(events), events[-1]
    assert isinstance(first, PrefillDone)
    assert isinstance(last, DraftFinished)
    assert len(events) == len(blocks) + 2
    assert {event.request_id for event in events} == {"r1"}
    assert [block.index for block in blocks] == list(range(len(blocks)))
    assert "".join(text for block in blocks for text in block.token_texts) == last.text
    ids = [token_id for block in blocks for token_id in block.token_ids]
    assert last.text == tiny_engine._checkpoint.tokenizer.decode(ids)
    assert last.tokens == len(ids) <= 30
    assert last.passes == blocks[-1].passes
    for block in blocks:
        assert len(block.token_ids) == len(block.token_texts) == len(block.confidences)
        assert all(0.0 < confidence <= 1.0 for confidence in block.confidences)
    elapsed = [first.elapsed_ms, *(block.elapsed_ms for block in blocks)]
    assert elapsed == sorted(elapsed)


@pytest.mark.parametrize("mode", SERVED)
def test_draft_is_repeatable(
    tiny_engine: ReportEngine, make_request: MakeRequest, mode: DecodingMode
) -> None:
    first, second = (
        [block.token_ids for block in _blocks(list(tiny_engine.draft(make_request(decoding=mode))))]
        for _ in range(2)
    )
    assert first == second


def test_draft_depends_on_the_film(tiny_engine: ReportEngine, make_request: MakeRequest) -> None:
    other = ModelImage(np.random.default_rng(8).normal(0, 1, (84, 84)))
    drafts = [
        [block.token_ids for block in _blocks(list(tiny_engine.draft(request)))]
        for request in (make_request(), make_request(images=(other,)))
    ]
    assert drafts[0] != drafts[1]


def test_two_images_are_taken(tiny_engine: ReportEngine, make_request: MakeRequest) -> None:
    lateral = ModelImage(np.random.default_rng(9).normal(0, 1, (56, 112)))
    request = make_request()
    both = list(tiny_engine.draft(replace(request, images=(*request.images, lateral))))
    one = list(tiny_engine.draft(request))
    assert both[0].prompt_tokens - one[0].prompt_tokens >= 8  # type: ignore[union-attr]
    assert isinstance(both[-1], DraftFinished)


@pytest.mark.parametrize("max_new_tokens", [1, 3, 4, 9])
@pytest.mark.parametrize("mode", SERVED)
def test_max_new_tokens_ends_with_length(
    tiny_engine: ReportEngine, make_request: MakeRequest, mode: DecodingMode, max_new_tokens: int
) -> None:
    request = make_request(decoding=mode, max_new_tokens=max_new_tokens)
    last = list(tiny_engine.draft(request))[-1]
    assert isinstance(last, DraftFinished)
    assert (last.tokens, last.stop_reason) == (max_new_tokens, "length")


@pytest.mark.parametrize("mode", SERVED)
def test_nothing_follows_the_first_of_several_stop_ids(
    tiny_engine: ReportEngine, make_request: MakeRequest, mode: DecodingMode
) -> None:
    free = [
        token_id
        for block in _blocks(list(tiny_engine.draft(make_request(decoding=mode))))
        for token_id in block.token_ids
    ]
    for position in (0, 5, 6):
        stopping = _with_stop_ids(tiny_engine, {0, free[position]})
        expected = free[: free.index(free[position]) + 1]
        events = list(stopping.draft(make_request(decoding=mode)))
        last = events[-1]
        assert isinstance(last, DraftFinished)
        assert [i for block in _blocks(events) for i in block.token_ids] == expected
        assert (last.tokens, last.stop_reason) == (len(expected), "stop")


def test_one_step_needs_one_pass_a_block(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    events = list(tiny_engine.draft(make_request()))
    assert [block.passes for block in _blocks(events)] == list(range(1, len(events) - 1))


def test_extra_passes_are_those_beyond_one_a_block(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    for mode in MODES:
        events = list(tiny_engine.draft(make_request(decoding=mode, adaptive_threshold=0.9)))
        last = events[-1]
        assert isinstance(last, DraftFinished)
        extra = last.passes - len(_blocks(events))
        assert last.extra_passes == (extra if mode in ("adaptive", "guided") else 0)
        assert extra > 0 or mode in ("one-step", "autoregressive")


def test_canonical_models_are_asked_again_about_broken_sentences(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    """A random model writes nothing canonical."""
    checkpoint = tiny_engine._checkpoint
    canonical = replace(checkpoint.manifest, canonical_wording=True)
    engine = ReportEngine(replace(checkpoint, manifest=canonical), tiny_engine._device)
    request = make_request(decoding="adaptive", adaptive_threshold=0.0)
    assert list(tiny_engine.draft(request))[-1].extra_passes == 0  # type: ignore[union-attr]
    assert list(engine.draft(request))[-1].extra_passes > 0  # type: ignore[union-attr]


def test_autoregressive_needs_one_pass_a_token(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    events = list(tiny_engine.draft(make_request(decoding="autoregressive")))
    assert [block.passes for block in _blocks(events)] == list(range(1, 31))


@pytest.mark.parametrize(
    ("steps", "threshold", "per_block"), [(1, 0.5, 1), (2, 1.0, 2), (4, 1.0, 4)]
)
def test_multi_step_pass_count(
    tiny_engine: ReportEngine,
    make_request: MakeRequest,
    steps: int,
    threshold: float,
    per_block: int,
) -> None:
    request = make_request(
        decoding="multi-step", denoising_steps=steps, confidence_threshold=threshold
    )
    blocks = _blocks(list(tiny_engine.draft(request)))
    assert [block.passes for block in blocks] == [
        per_block * (block.index + 1) + block.index for block in blocks
    ]


@pytest.mark.parametrize("mode", [mode for mode in SERVED if mode != "guided"])  # has its own
def test_cancel_stops_before_the_next_pass(
    tiny_engine: ReportEngine,
    make_request: MakeRequest,
    monkeypatch: pytest.MonkeyPatch,
    mode: DecodingMode,
) -> None:
    total = list(tiny_engine.draft(make_request(decoding=mode)))[-1].passes  # type: ignore[union-attr]
    run_pass = DraftSession.run_pass
    for stop_at in range(1, total):
        cancel = CancelToken()

        def cancelling(
            self: DraftSession,
            *args: object,
            cancel: CancelToken = cancel,
            at: int = stop_at,
            **kw: object,
        ) -> object:
            block = run_pass(self, *args, **kw)  # type: ignore[arg-type]
            if self.passes == at:
                cancel.cancel()
            return block

        monkeypatch.setattr(DraftSession, "run_pass", cancelling)
        last = list(tiny_engine.draft(make_request(decoding=mode), cancel))[-1]
        assert isinstance(last, DraftCancelled), stop_at
        assert last.passes == stop_at


def test_cancel_before_prefill(tiny_engine: ReportEngine, make_request: MakeRequest) -> None:
    cancel = CancelToken()
    cancel.cancel()
    events = list(tiny_engine.draft(make_request(), cancel))
    assert [type(event) for event in events] == [DraftCancelled]
    assert events[0].passes == 0  # type: ignore[union-attr]


def test_mask_token_is_never_committed(
    tiny_engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask_token_id = tiny_engine._checkpoint.manifest.mask_token_id
    decoder = tiny_engine._weights_for("one-step").decoder
    logits = decoder.logits

    def favouring_mask(hidden: torch.Tensor) -> torch.Tensor:
        values = logits(hidden)
        values[:, mask_token_id] = 1e4
        return values

    monkeypatch.setattr(decoder, "logits", favouring_mask)
    for mode in ("one-step", "adaptive", "multi-step", "one-step-unfused"):
        for block in _blocks(list(tiny_engine.draft(make_request(decoding=mode)))):
            assert mask_token_id not in block.token_ids
            assert all(np.isfinite(block.confidences))


def test_loop_is_cut(
    tiny_engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = tiny_engine._weights_for("one-step").decoder
    logits = decoder.logits

    def always_the_same(hidden: torch.Tensor) -> torch.Tensor:
        values = logits(hidden)
        values[:, 100] = 1e4
        return values

    monkeypatch.setattr(decoder, "logits", always_the_same)
    last = list(tiny_engine.draft(make_request(max_new_tokens=400)))[-1]
    assert isinstance(last, DraftFinished)
    assert (last.tokens, last.stop_reason) == (4, "repetition")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"decoding": "sideways"},
            "sideways.*one-step, adaptive, guided, multi-step, autoregressive",
        ),
        ({"language": "zh"}, "zh"),
        ({"images": ()}, "0 images"),
        ({"images": (ModelImage(np.ones((28, 28))),) * 3}, "3 images"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"denoising_steps": 0}, "denoising_steps"),
        ({"confidence_threshold": 1.5}, "confidence_threshold"),
        ({"adaptive_max_passes": 0}, "adaptive_max_passes"),
        ({"adaptive_threshold": -0.1}, "adaptive_threshold"),
        ({"guided_ratio": 1.1}, "guided_ratio"),
        ({"guided_rounds": 0}, "guided_rounds"),
    ],
)
def test_unsupported_request_is_refused_at_once(
    tiny_engine: ReportEngine, make_request: MakeRequest, settings: dict[str, object], reason: str
) -> None:
    with pytest.raises(UnsupportedRequest, match=reason):
        tiny_engine.draft(make_request(**settings))


def test_film_that_shows_nothing_is_refused_before_any_pass(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    lettered = np.full((300, 300), 80)
    lettered[5:12, 5:40] = 4095
    half_padding = np.tile(np.arange(28) < 14, (28, 1))
    for film, reason in (
        (ModelImage(np.zeros((28, 28))), "same value"),
        (ModelImage(lettered), "same value"),
        (ModelImage(half_padding * 7, padding_mask=~half_padding), "same value"),
        (ModelImage(np.eye(28), padding_mask=np.ones((28, 28), dtype=bool)), "padding"),
    ):
        (refused,) = tiny_engine.draft(make_request(images=(film,)))
        assert isinstance(refused, DraftFinished)
        assert refused.refused
        assert reason in refused.refusal
        assert (refused.text, refused.findings, refused.passes) == ("", "", 0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_models_own_refusal_is_told_from_a_report(
    tiny_engine: ReportEngine,
    make_request: MakeRequest,
    monkeypatch: pytest.MonkeyPatch,
    language: Language,
) -> None:
    checkpoint = tiny_engine._checkpoint
    bilingual = replace(checkpoint.manifest, languages=("zh", "en"))
    engine = ReportEngine(replace(checkpoint, manifest=bilingual), tiny_engine._device)
    for answer, refusal in (
        (compose_refusal(language), NOT_A_FRONTAL_CHEST[language]),
        (compose_report((), language), ""),
    ):
        ids = [*checkpoint.tokenizer.encode(answer).ids, min(checkpoint.stop_ids)]
        blocks = iter([Block(ids, [1.0] * len(ids))])
        decode = "inference.draft_runner.decode_blocks"
        monkeypatch.setattr(decode, lambda *_, blocks=blocks: blocks)
        request = make_request(language=language, max_new_tokens=900)
        last = list(engine.draft(request))[-1]
        assert isinstance(last, DraftFinished)
        assert (last.text, last.refusal, last.refused) == (answer, refusal, bool(refusal))
        assert last.findings


def test_description_tells_what_is_loaded(tiny_engine: ReportEngine) -> None:
    description = tiny_engine.description
    assert (description.model_name, description.block_length) == ("tiny", 4)
    assert description.decoding_modes == MODES
    assert (description.device, description.dtype) == ("cpu", "float32")
    assert len(description.model_sha256) == 64


@pytest.mark.parametrize("device", ["cuda:99", "tpu9", "meta"])
def test_missing_device_is_named(device: str) -> None:
    with pytest.raises(EngineError, match=device):
        choose_device(device)


def test_listener_is_not_put_into_inference_mode(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    for _ in tiny_engine.draft(make_request()):
        assert not torch.is_inference_mode_enabled()
