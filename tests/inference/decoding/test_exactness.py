"""fp32 on random weights, with a film: every fast path equals a plain one, token for token.

The plain one is transformers' own forward over the whole sequence, without any cache, driven
by loops written here from echo.md ("Decoding") and from nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import pairwise
from random import Random
from types import MappingProxyType
from typing import NamedTuple

import pytest
import torch

from inference.api import (
    BlockCommitted,
    CancelToken,
    DecodingMode,
    DraftFinished,
    GenerationRequest,
    PrefillDone,
    Remasking,
    redraft_span,
)
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


# (confidences by position, entropies by position, masked positions, minimum) -> to commit
Pick = Callable[[dict[int, float], dict[int, float], list[int], int], Collection[int]]


def _pick_above(threshold: float) -> Pick:
    def pick(
        confidences: dict[int, float], entropies: dict[int, float], masked: list[int], minimum: int
    ) -> list[int]:
        ranking = sorted(masked, key=lambda p: (-confidences[p], p))
        return [p for n, p in enumerate(ranking) if confidences[p] > threshold or n < minimum]

    return pick


def _naive_blocks(
    plain: Recompute,
    steps: int,
    threshold: float,
    pick: Pick | None = None,
    pinned: Mapping[int, int] = MappingProxyType({}),
    draw: Callable[[torch.Tensor], list[int]] | None = None,
    stop_ids: Collection[int] = (),
) -> Run:
    """Block after block: commit what is above threshold, at least ceil(L / steps) a step."""
    length, mask, begin = plain.block_length, plain.mask_token_id, len(plain.prompt)
    pick, draw = pick or _pick_above(threshold), draw or (lambda rows: rows.argmax(-1).tolist())
    ids, confidences, passes = list(plain.prompt), {}, 0
    while len(ids) < begin + NEW_TOKENS:
        for _ in range(length - len(ids) % length):
            ids.append(pinned.get(len(ids) - begin, mask))
            confidences[len(ids) - 1] = 1.0
        while mask in ids:
            passes += 1
            logits = plain.logits(ids, length)
            for position in range(begin, begin + max(pinned, default=0)):
                logits[position : position + 1, list(stop_ids)] = float("-inf")
            first = ids.index(mask)
            chosen = dict(zip(range(first, len(ids)), draw(logits[first:]), strict=True))
            probabilities = logits.softmax(-1)
            masked = [position for position, token in enumerate(ids) if token == mask]
            sure = {p: float(probabilities[p, chosen[p]]) for p in masked}
            entropies = {
                p: -sum(x * math.log(x) for x in probabilities[p].tolist() if x) for p in masked
            }
            for position in pick(sure, entropies, masked, math.ceil(length / steps)):
                ids[position], confidences[position] = chosen[position], sure[position]
    end = begin + NEW_TOKENS
    return Run(ids[begin:end], [confidences[p] for p in range(begin, end)], passes)


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


def _pick_named(remasking: Remasking, seed: int, bound: float) -> Pick:
    random = Random(seed)

    def pick(
        confidences: dict[int, float], entropies: dict[int, float], masked: list[int], minimum: int
    ) -> Collection[int]:
        count = min(minimum, len(masked))
        if remasking == "low_confidence_static":
            return sorted(masked, key=lambda p: (-confidences[p], p))[:count]
        if remasking == "sequential":
            return masked[:count]
        if remasking == "random":
            return random.sample(masked, count)
        taken: list[int] = []
        for position in sorted(masked, key=lambda p: entropies[p]):
            total = [entropies[p] for p in [*taken, position]]
            if sum(total) - max(total) > bound and len(taken) >= count:
                break
            taken.append(position)
        return taken

    return pick


@pytest.mark.parametrize("steps", [4, 2])
@pytest.mark.parametrize(
    "remasking", ["low_confidence_static", "sequential", "random", "entropy_bounded"]
)
def test_each_remasking_equals_naive_loop(
    engine: ReportEngine, make_request: MakeRequest, remasking: Remasking, steps: int
) -> None:
    request = _request(
        make_request,
        "multi-step",
        denoising_steps=steps,
        remasking=remasking,
        seed=3,
        entropy_bound=1.0,
    )
    cached, plain = _decode(engine, request), Recompute(engine, request)
    naive = _naive_blocks(plain, steps, 1.0, _pick_named(remasking, 3, 1.0))
    assert cached.ids == naive.ids
    assert cached.confidences == pytest.approx(naive.confidences, abs=1e-4)
    blocks = math.ceil((NEW_TOKENS + len(plain.prompt) % 4) / 4)
    assert cached.passes == naive.passes + blocks - 1


def test_unfused_one_step_is_one_step_in_twice_the_passes(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    fused = _decode(engine, _request(make_request, "one-step"))
    unfused = _decode(engine, _request(make_request, "one-step-unfused"))
    assert unfused.ids == fused.ids
    assert unfused.confidences == pytest.approx(fused.confidences, abs=1e-4)
    assert unfused.passes == 2 * fused.passes - 1


PINS: list[dict[int, int]] = [
    dict(enumerate(range(20, 25))),  # a prefix that ends inside a block
    dict(enumerate(range(20, 28))),  # of whole blocks
    {6: 30},
    {0: 30, 5: 31, 7: 32, 12: 33, 13: 34, 14: 35, 15: 36, 20: 37},  # one block wholly pinned
]


def _pinned_request(
    make_request: MakeRequest, mode: DecodingMode, pins: dict[int, int], **settings: object
) -> GenerationRequest:
    prefix = tuple(pins[at] for at in range(len(pins)) if all(n in pins for n in range(at + 1)))
    rest = tuple(pins.items())[len(prefix) :]
    return _request(make_request, mode, prefix_ids=prefix, pinned=rest, **settings)


@pytest.mark.parametrize("pins", PINS)
@pytest.mark.parametrize(
    ("mode", "steps"),
    [("one-step", 1), ("one-step-unfused", 1), ("adaptive", 1), ("multi-step", 4)],
)
def test_pinned_tokens_equal_naive_loop(
    engine: ReportEngine,
    make_request: MakeRequest,
    pins: dict[int, int],
    mode: DecodingMode,
    steps: int,
) -> None:
    request = _pinned_request(
        make_request, mode, pins, adaptive_threshold=0.0, denoising_steps=steps
    )
    cached, plain = _decode(engine, request), Recompute(engine, request)
    stop_ids = engine._checkpoint.stop_ids
    naive = _naive_blocks(plain, steps, 0.85, pinned=pins, stop_ids=stop_ids)
    assert cached.ids == naive.ids
    assert cached.confidences == pytest.approx(naive.confidences, abs=1e-4)
    assert all(cached.ids[at] == token_id for at, token_id in pins.items())
    if mode in ("one-step", "adaptive"):
        assert cached.passes == naive.passes


@pytest.mark.parametrize("pins", PINS)
def test_second_looks_leave_pinned_tokens_alone(
    engine: ReportEngine, make_request: MakeRequest, pins: dict[int, int]
) -> None:
    one_step = _decode(engine, _pinned_request(make_request, "one-step", pins))
    looked = _decode(
        engine, _pinned_request(make_request, "adaptive", pins, adaptive_threshold=1.0)
    )
    assert all(looked.ids[at] == token_id for at, token_id in pins.items())
    assert looked.passes > one_step.passes


def test_autoregressive_prefix_equals_naive_loop(
    engine: ReportEngine, make_request: MakeRequest
) -> None:
    request = _request(make_request, "autoregressive", prefix_ids=(20, 21, 22))
    plain = Recompute(engine, request)
    ids = [*plain.prompt, 20, 21, 22]
    while len(ids) < len(plain.prompt) + NEW_TOKENS:
        ids.append(int(plain.logits(ids, 1)[-1].argmax()))
    cached, answer = _decode(engine, request), ids[len(plain.prompt) :]
    length = _first_stop(engine, answer)
    assert cached.ids == answer[:length]
    assert cached.passes == length - 3


MODES: tuple[DecodingMode, ...] = (
    "one-step",
    "one-step-unfused",
    "adaptive",
    "multi-step",
    "autoregressive",
)


@pytest.mark.parametrize("mode", MODES)
def test_its_own_answer_as_prefix_gives_the_same_answer(
    engine: ReportEngine, make_request: MakeRequest, mode: DecodingMode
) -> None:
    free = _decode(engine, _request(make_request, mode)).ids
    tail = _tail(engine, _request(make_request, mode))
    for kept in (4 - tail, 12 - tail):  # whole blocks
        request = _request(make_request, mode, prefix_ids=tuple(free[:kept]))
        assert _decode(engine, request).ids == free


@pytest.mark.parametrize("mode", MODES)
def test_reused_prompt_gives_what_a_fresh_one_gives(
    engine: ReportEngine, make_request: MakeRequest, mode: DecodingMode
) -> None:
    request = _request(make_request, mode, adaptive_threshold=0.6)
    engine.forget_prompt()
    first, second = list(engine.draft(request)), list(engine.draft(request))
    assert isinstance(first[0], PrefillDone)
    assert isinstance(second[0], PrefillDone)
    assert (first[0].reused, second[0].reused) == (False, True)
    assert [e.token_ids for e in first if isinstance(e, BlockCommitted)] == [
        e.token_ids for e in second if isinstance(e, BlockCommitted)
    ]


def test_redrafted_span_stands_between_what_was_kept(
    tiny_engine: ReportEngine, make_request: MakeRequest
) -> None:
    request = _request(make_request, "one-step")
    free = _decode(tiny_engine, request).ids
    again = redraft_span(replace(request, temperature=2.0, seed=5), free, 8, 12)
    events = list(tiny_engine.draft(again))
    assert isinstance(events[0], PrefillDone)
    assert events[0].reused
    finished = events[-1]
    assert isinstance(finished, DraftFinished)
    assert (finished.passes, finished.pinned_tokens) == (1, len(free) - 4)
    ids = [t for e in events if isinstance(e, BlockCommitted) for t in e.token_ids]
    assert ids[:8] + ids[12:] == free[:8] + free[12:]
    assert ids[8:12] != free[8:12]


def _first_stop(engine: ReportEngine, ids: list[int]) -> int:
    """How many tokens the answer has, its stop id included."""
    stops = [at for at, token_id in enumerate(ids) if token_id in engine._checkpoint.stop_ids]
    return min(stops, default=len(ids) - 1) + 1


def _draw_naively(
    temperature: float, top_k: int, top_p: float, seed: int
) -> Callable[[torch.Tensor], list[int]]:
    generator = torch.Generator().manual_seed(seed)

    def draw(logits: torch.Tensor) -> list[int]:
        chosen = []
        for row, luck in zip(logits, torch.rand(len(logits), 1, generator=generator), strict=True):
            likely = sorted(range(len(row)), key=lambda token: (-float(row[token]), token))
            weights = [math.exp(float(row[t] - row.max()) / temperature) for t in likely]
            if top_k:
                weights = weights[:top_k]
            kept, total = 0, 0.0
            while kept < len(weights) and total < top_p * sum(weights):
                total += weights[kept]
                kept += 1
            reached = 0.0
            for weight, token in zip(weights[:kept], likely, strict=False):
                reached += weight
                if reached > float(luck) * total:
                    chosen.append(token)
                    break
        return chosen

    return draw


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 0, 1.0), (2.0, 5, 1.0), (1.5, 0, 0.8), (1.5, 9, 0.7)]
)
@pytest.mark.parametrize(("mode", "steps"), [("one-step", 1), ("multi-step", 2)])
def test_sampling_equals_naive_loop(
    tiny_engine: ReportEngine,
    make_request: MakeRequest,
    mode: DecodingMode,
    steps: int,
    temperature: float,
    top_k: int,
    top_p: float,
) -> None:
    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": 11}
    request = _request(make_request, mode, denoising_steps=steps, **settings)
    draw = _draw_naively(temperature, top_k, top_p, 11)
    naive = _naive_blocks(Recompute(tiny_engine, request), steps, 0.85, draw=draw)
    cached = _decode(tiny_engine, request)
    length = _first_stop(tiny_engine, naive.ids)
    assert cached.ids == naive.ids[:length]
    assert cached.confidences == pytest.approx(naive.confidences[:length], abs=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_same_seed_same_tokens(
    tiny_engine: ReportEngine, make_request: MakeRequest, mode: DecodingMode
) -> None:
    runs = [
        _decode(tiny_engine, _request(make_request, mode, temperature=2.0, seed=seed)).ids
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]
