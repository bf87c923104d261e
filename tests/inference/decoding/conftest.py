"""The plain way to decode: transformers' own forward over the whole sequence, without any cache.

Driven by loops written here and in the tests from echo.md ("Decoding") and from nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import pytest
import torch

from inference.api import BlockCommitted, DecodingMode, GenerationRequest
from inference.decoding.prompt_ids import build_prompt_ids, rope_positions
from inference.engine import ReportEngine


class Run(NamedTuple):
    ids: list[int]
    confidences: list[float]
    passes: int


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
        self.new_tokens = request.max_new_tokens
        self._stop_ids = checkpoint.stop_ids

    @property
    def tail(self) -> int:
        """Tokens of the prompt in the block where the answer begins."""
        return len(self.prompt) % self.block_length

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

    def answer(self, ids: list[int], confidences: Mapping[int, float], passes: int) -> Run:
        """What of the sequence is no prompt; confidences by position."""
        begin = len(self.prompt)
        end = begin + self.new_tokens
        return Run(ids[begin:end], [confidences[p] for p in range(begin, end)], passes)

    def first_stop(self, answer: list[int]) -> int:
        """How many tokens the answer has, its stop id included."""
        stops = [at for at, token_id in enumerate(answer) if token_id in self._stop_ids]
        return min(stops, default=len(answer) - 1) + 1


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
    while len(ids) < begin + plain.new_tokens:
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
    return plain.answer(ids, confidences, passes)


def _unpadded(engine: ReportEngine) -> ReportEngine:
    """The released models' way: a prompt that is no whole number of blocks."""
    manifest = replace(engine._checkpoint.manifest, pad_prompt_to_block=False)
    return ReportEngine(replace(engine._checkpoint, manifest=manifest), engine._device)


@pytest.fixture(params=["padded prompt", "ragged prompt"])
def engine(request: pytest.FixtureRequest, tiny_engine: ReportEngine) -> ReportEngine:
    return tiny_engine if request.param == "padded prompt" else _unpadded(tiny_engine)


@pytest.fixture
def unpadded_engine(tiny_engine: ReportEngine) -> ReportEngine:
    return _unpadded(tiny_engine)


@pytest.fixture
def ask(make_request: Callable[..., GenerationRequest]) -> Callable[..., GenerationRequest]:
    """(mode, **settings) to a request for the tiny film, 24 tokens long."""

    def ask_for(mode: DecodingMode, **settings: object) -> GenerationRequest:
        return make_request(decoding=mode, max_new_tokens=24, **settings)

    return ask_for


@pytest.fixture
def decode() -> Callable[[ReportEngine, GenerationRequest], Run]:
    return _decode


@pytest.fixture
def recompute() -> type[Recompute]:
    return Recompute


@pytest.fixture
def naive_blocks() -> Callable[..., Run]:
    return _naive_blocks
