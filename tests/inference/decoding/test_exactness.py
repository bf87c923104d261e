"""fp32 on random weights, with a film: every fast path equals a plain one, token for token.

The plain one is transformers' own forward over the whole sequence, without any cache, driven
by loops written here from echo.md ("Decoding") and from nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import pytest
import torch

from inference.api import BlockCommitted, CancelToken, DecodingMode, GenerationRequest
from inference.decoding.draft_session import DecodingCancelled, DraftSession
from inference.decoding.prompt_ids import build_prompt_ids, rope_positions
from inference.decoding.prompt_state import PromptState
from inference.engine import ReportEngine

MakeRequest = Callable[..., GenerationRequest]
NEW_TOKENS = 24


class Recompute:
    """Logits of the stock model over [prompt | answer], everything recomputed every time."""

    def __init__(self, engine: ReportEngine, request: GenerationRequest) -> None:
        checkpoint = engine._checkpoint
        manifest, processor = checkpoint.manifest, checkpoint.image_processor
        films = [processor(image) for image in request.images]
        self.grids = [grid for _, grid in films]
        pixels = torch.cat([pixels for pixels, _ in films])
        self.prompt = build_prompt_ids(
            checkpoint.tokenizer,
            "en",
            tuple(processor.token_count(grid) for grid in self.grids),
            manifest.block_length,
            manifest.pad_prompt_to_block,
            manifest.system_prompt,
        )
        self.model = checkpoint.load_model(
            checkpoint.weights_name(request.decoding), torch.device("cpu"), torch.float32
        )
        with torch.no_grad():
            self.vision = torch.cat(
                self.model.get_image_features(pixels, torch.tensor(self.grids)).pooler_output
            )
        self.mask_token_id = manifest.mask_token_id
        self.block_length = manifest.block_length

    @torch.no_grad()
    def logits(self, ids: list[int], block_length: int) -> torch.Tensor:
        """[len(ids), vocabulary]; the mask token's suppressed."""
        length = len(ids)
        allowed = [
            [j // block_length <= i // block_length for j in range(length)] for i in range(length)
        ]
        embeddings = self.model.get_input_embeddings()(torch.tensor([ids]))
        image_token_id = self.model.config.image_token_id
        # Only the prompt's: a random model may well write <|image_pad|> into its answer.
        images = [i for i, token in enumerate(self.prompt) if token == image_token_id]
        embeddings[0, images] = self.vision
        output = self.model(
            inputs_embeds=embeddings,
            position_ids=rope_positions(self.model, self.prompt, self.grids, length)[:, None],
            attention_mask={"full_attention": torch.tensor(allowed)[None, None]},
            use_cache=False,
        )
        logits = output.logits[0].float()
        logits[:, self.mask_token_id] = float("-inf")
        return logits


class Run(NamedTuple):
    ids: list[int]
    confidences: list[float]
    passes: int


def _decode(engine: ReportEngine, request: GenerationRequest) -> Run:
    blocks = [event for event in engine.draft(request) if isinstance(event, BlockCommitted)]
    return Run(
        [token_id for block in blocks for token_id in block.token_ids],
        [confidence for block in blocks for confidence in block.confidences],
        blocks[-1].passes,
    )


def _naive_blocks(plain: Recompute, steps: int, threshold: float) -> Run:
    """Block after block: commit what is above threshold, at least ceil(L / steps) a step."""
    length, mask = plain.block_length, plain.mask_token_id
    ids, confidences, passes = list(plain.prompt), {}, 0
    while len(ids) < len(plain.prompt) + NEW_TOKENS:
        ids += [mask] * (length - len(ids) % length)
        while mask in ids:
            passes += 1
            probabilities = plain.logits(ids, length).softmax(-1)
            masked = [position for position, token in enumerate(ids) if token == mask]
            ranking = sorted(masked, key=lambda p: (-float(probabilities[p].max()), p))
            for rank, position in enumerate(ranking):
                best = float(probabilities[position].max())
                if best > threshold or rank < math.ceil(length / steps):
                    ids[position] = int(probabilities[position].argmax())
                    confidences[position] = best
    start, end = len(plain.prompt), len(plain.prompt) + NEW_TOKENS
    return Run(ids[start:end], [confidences[p] for p in range(start, end)], passes)


def _naive_adaptive(
    plain: Recompute, threshold: float, max_passes: int, stop_ids: Collection[int] = ()
) -> Run:
    """echo.md, "Adaptive decoding": commit what is sure, look again at the rest."""
    length, mask = plain.block_length, plain.mask_token_id
    ids, confidences, passes = list(plain.prompt), {}, 0
    while len(ids) < len(plain.prompt) + NEW_TOKENS:
        ids += [mask] * (length - len(ids) % length)
        masked = {position for position, token in enumerate(ids) if token == mask}
        for look in range(1, max_passes + 1):
            for position in masked:
                ids[position] = mask
            probabilities = plain.logits(ids, length).softmax(-1)
            passes += 1
            for position in masked:
                ids[position] = int(probabilities[position].argmax())
                confidences[position] = float(probabilities[position].max())
            block = range(len(ids) - length, len(ids))
            stops = [p for p in block if p >= len(plain.prompt) and ids[p] in stop_ids]
            stop = min(stops, default=len(ids))
            doubtful = {p for p in masked if p <= stop and confidences[p] < threshold}
            followers = set(range(stop, len(ids)))
            if masked == doubtful | (followers if stop in doubtful else set()):
                doubtful.remove(max(doubtful, key=lambda p: (confidences[p], -p)))
            if not doubtful or look == max_passes:
                break
            masked = doubtful | (followers if stop in doubtful else set())
    start, end = len(plain.prompt), len(plain.prompt) + NEW_TOKENS
    return Run(ids[start:end], [confidences[p] for p in range(start, end)], passes)


def _naive_autoregressive(plain: Recompute) -> Run:
    ids, confidences = list(plain.prompt), []
    for _ in range(NEW_TOKENS):
        probabilities = plain.logits(ids, 1)[-1].softmax(-1)
        ids.append(int(probabilities.argmax()))
        confidences.append(float(probabilities.max()))
    return Run(ids[len(plain.prompt) :], confidences, NEW_TOKENS)


def _unpadded(engine: ReportEngine) -> ReportEngine:
    """The released models' way: a prompt that is no whole number of blocks."""
    manifest = replace(engine._checkpoint.manifest, pad_prompt_to_block=False)
    return ReportEngine(replace(engine._checkpoint, manifest=manifest), engine._device)


@pytest.fixture(params=["padded prompt", "ragged prompt"])
def engine(request: pytest.FixtureRequest, tiny_engine: ReportEngine) -> ReportEngine:
    return tiny_engine if request.param == "padded prompt" else _unpadded(tiny_engine)


def _request(
    make_request: MakeRequest, mode: DecodingMode, **settings: object
) -> GenerationRequest:
    return make_request(decoding=mode, max_new_tokens=NEW_TOKENS, **settings)


def test_fixture_covers_both_prompt_shapes(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    plain = Recompute(_unpadded(tiny_engine), make_request())
    assert len(plain.prompt) % plain.block_length != 0


def test_one_step_equals_full_recompute(engine: ReportEngine, make_request: MakeRequest) -> None:
    request = _request(make_request, "one-step")
    fused, plain = _decode(engine, request), _naive_blocks(Recompute(engine, request), 1, 1.0)
    assert fused.ids == plain.ids
    assert fused.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert fused.passes == plain.passes
    assert len(set(fused.ids)) > 5  # the random model does say something


def test_fused_equals_vanilla_cache(engine: ReportEngine, make_request: MakeRequest) -> None:
    fused = _decode(engine, _request(make_request, "one-step"))
    vanilla = _decode(engine, _request(make_request, "multi-step", denoising_steps=1))
    assert fused.ids == vanilla.ids
    assert fused.confidences == pytest.approx(vanilla.confidences, abs=1e-4)
    assert vanilla.passes == 2 * fused.passes - 1


@pytest.mark.parametrize(
    ("steps", "threshold"), [(4, 1.0), (4, 0.3), (3, 0.6), (2, 0.5), (1, 0.9), (8, 0.0)]
)
def test_multi_step_equals_naive_loop(
    engine: ReportEngine, make_request: MakeRequest, steps: int, threshold: float
) -> None:
    request = _request(
        make_request, "multi-step", denoising_steps=steps, confidence_threshold=threshold
    )
    cached = _decode(engine, request)
    plain = _naive_blocks(Recompute(engine, request), steps, threshold)
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    blocks = math.ceil((NEW_TOKENS + _tail(engine, request)) / 4)
    assert cached.passes == plain.passes + blocks - 1


@pytest.mark.parametrize(
    ("threshold", "max_passes"), [(1.0, 4), (1.0, 2), (0.3, 4), (0.5, 3), (0.6, 8), (0.7, 1)]
)
def test_adaptive_equals_naive_loop(
    engine: ReportEngine, make_request: MakeRequest, threshold: float, max_passes: int
) -> None:
    request = _request(
        make_request, "adaptive", adaptive_threshold=threshold, adaptive_max_passes=max_passes
    )
    cached = _decode(engine, request)
    plain = _naive_adaptive(Recompute(engine, request), threshold, max_passes)
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert cached.passes == plain.passes


def test_adaptive_without_a_threshold_is_one_step(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    adaptive = _decode(engine, _request(make_request, "adaptive", adaptive_threshold=0.0))
    assert adaptive == _decode(engine, _request(make_request, "one-step"))


def test_adaptive_cases_do_look_again(engine: ReportEngine, make_request: MakeRequest) -> None:
    one_step = _decode(engine, _request(make_request, "one-step"))
    passes = [
        _decode(engine, _request(make_request, "adaptive", adaptive_threshold=threshold)).passes
        for threshold in (0.5, 1.0)
    ]
    assert one_step.passes < passes[0] < passes[1] <= 4 * one_step.passes


def test_adaptive_equals_naive_loop_around_a_stop(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    """Every token the free answer has in its first blocks, taken as the stop, in turn."""
    request = _request(make_request, "adaptive", adaptive_threshold=0.6)
    free = _decode(engine, request)
    plain = Recompute(engine, request)
    for position in range(0, 12):
        stop_ids = frozenset({free.ids[position]})
        stopping = ReportEngine(replace(engine._checkpoint, stop_ids=stop_ids), engine._device)
        cached, naive = _decode(stopping, request), _naive_adaptive(plain, 0.6, 8, stop_ids)
        assert cached.ids == naive.ids[: len(cached.ids)]
        assert cached.ids[-1] in stop_ids or len(cached.ids) == NEW_TOKENS


def _tail(engine: ReportEngine, request: GenerationRequest) -> int:
    plain = Recompute(engine, request)
    return len(plain.prompt) % plain.block_length


def test_autoregressive_equals_naive_loop(engine: ReportEngine, make_request: MakeRequest) -> None:
    request = _request(make_request, "autoregressive")
    cached, plain = _decode(engine, request), _naive_autoregressive(Recompute(engine, request))
    assert cached.ids == plain.ids
    assert cached.confidences == pytest.approx(plain.confidences, abs=1e-4)
    assert cached.passes == NEW_TOKENS


@pytest.mark.parametrize("mode", ["one-step", "adaptive", "multi-step", "autoregressive"])
def test_each_pass_gives_the_stock_models_logits(
    engine: ReportEngine,
    make_request: MakeRequest,
    monkeypatch: pytest.MonkeyPatch,
    mode: DecodingMode,
) -> None:
    request = _request(make_request, mode)
    plain = Recompute(engine, request)
    block_length = 1 if mode == "autoregressive" else plain.block_length
    decoder = engine._weights_for(mode).decoder
    run_pass, logits = DraftSession.run_pass, decoder.logits
    sequence, seen, worst = list(plain.prompt), [], 0.0

    def recording_logits(hidden: torch.Tensor) -> torch.Tensor:
        seen.append(logits(hidden).clone())
        return logits(hidden)

    def checking_pass(
        self: DraftSession, ids: list[int], start: int, keep: int, *, fused: bool = False
    ) -> object:
        nonlocal worst
        block = run_pass(self, ids, start, keep, fused=fused)
        sequence[start:] = ids
        if keep:
            expected = plain.logits(sequence, block_length)[-keep:]
            actual = seen[-1]
            actual[:, plain.mask_token_id] = expected[:, plain.mask_token_id] = 0.0
            worst = max(worst, float((actual - expected).abs().max()))
        return block

    monkeypatch.setattr(decoder, "logits", recording_logits)
    monkeypatch.setattr(DraftSession, "run_pass", checking_pass)
    assert len(_decode(engine, request).ids) == NEW_TOKENS
    assert 0.0 < worst < 1e-4


def test_committed_positions_stay_and_each_mask_is_revealed_once(
    tiny_engine: ReportEngine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = tiny_engine._checkpoint.manifest.mask_token_id
    run_pass, canvases = DraftSession.run_pass, {}

    def recording(
        self: DraftSession, ids: list[int], start: int, keep: int, *, fused: bool = False
    ) -> object:
        canvases.setdefault(start, []).append(list(ids))
        return run_pass(self, ids, start, keep, fused=fused)

    monkeypatch.setattr(DraftSession, "run_pass", recording)
    _decode(tiny_engine, _request(make_request, "multi-step", confidence_threshold=0.4))
    for history in canvases.values():
        for earlier, later in pairwise(history):
            assert all(a in (mask, b) for a, b in zip(earlier, later, strict=True))
            assert earlier.count(mask) > later.count(mask)


def test_session_refuses_to_pass_after_cancel(tiny_engine: ReportEngine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    decoder = tiny_engine._weights_for("one-step").decoder
    prompt = PromptState(decoder, [0], torch.zeros(3, 8, dtype=torch.long), 4, 1)
    session = DraftSession(prompt, 8, cancel)
    with pytest.raises(DecodingCancelled):
        session.run_pass([1], 0, keep=1)
    assert session.passes == 0
