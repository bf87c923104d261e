"""The teacher that drafts in streams: its tokens are the engine's, its records fit the student."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration

from inference import load_engine
from inference.api import BlockCommitted, DecodingMode, GenerationRequest, ModelImage
from inference.engine import ReportEngine
from inference.prompts import END_OF_TEXT, IM_END
from inference.report_parts import PARTS
from inference.training.config import DcdWeights, TeacherConfig
from inference.training.data.prompt_frame import Kind, PromptFormat, PromptFrame
from inference.training.distill_dcd import dcd_loss
from inference.training.embedded_config import BLOCK_LENGTH
from inference.training.forward import ReportForward
from inference.training.layouts.rad_layout import MaskNoise
from inference.training.start_model import name_ids
from inference.training.teacher.batched_teacher import Trajectories
from inference.training.teacher.collect_trajectories import pad_to_width
from inference.training.teacher.stream_teacher import StreamTeacher
from inference.training.tokenizer import special_id

SETTINGS = TeacherConfig(max_blocks=12, max_steps=4, threshold=0.3)

pytestmark = pytest.mark.usefixtures("full_precision")


@pytest.fixture(scope="module")
def model(
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration],
) -> Qwen2_5_VLForConditionalGeneration:
    return build_random_model(7)


@pytest.fixture(scope="module")
def forward(model: Qwen2_5_VLForConditionalGeneration, prompt: PromptFormat) -> ReportForward:
    named = replace(prompt, name_ids=name_ids(prompt.tokenizer))
    return ReportForward(model, PromptFrame(named, Kind("en", ((1, 16, 16),))))


@pytest.fixture(scope="module")
def stop_ids(tokenizer: Tokenizer) -> tuple[int, ...]:
    """Many, or random weights would hardly stop."""
    own = (special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT))
    return (*own, *range(40, 1400, 9))


def _streams(drafts: Trajectories, row: int, stops: tuple[int, ...]) -> dict[str, list[int]]:
    assert drafts.parts is not None
    blocks = drafts.tokens[row].view(-1, BLOCK_LENGTH)
    streams = {}
    for part, name in enumerate(PARTS):
        ids = blocks[drafts.parts[row] == part].flatten().tolist()
        end = next(at for at, token in enumerate(ids) if token in stops)
        streams[name] = ids[: end + 1]
    return streams


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("regions", replace(SETTINGS, max_steps=1)),
        ("regions-multi-step", replace(SETTINGS, max_steps=BLOCK_LENGTH)),
        ("regions-adaptive", replace(SETTINGS, mends=True)),
    ],
)
def test_drafts_are_the_engine_s(
    mode: DecodingMode, settings: TeacherConfig, forward: ReportForward, tokenizer: Tokenizer,
    stop_ids: tuple[int, ...], exported: Path, film: ModelImage, both_features: torch.Tensor,
) -> None:  # fmt: skip
    checkpoint = replace(load_engine(exported, "cpu").checkpoint, stop_ids=frozenset(stop_ids))
    engine = ReportEngine(checkpoint, torch.device("cpu"))
    request = GenerationRequest(
        "r", (film,), decoding=mode, max_new_tokens=400,
        denoising_steps=BLOCK_LENGTH, confidence_threshold=0.3,
        adaptive_threshold=0.3, adaptive_max_passes=4,
    )  # fmt: skip
    blocks = [event for event in engine.draft(request) if isinstance(event, BlockCommitted)]
    expected = {
        part: [token for block in blocks if block.region == part for token in block.token_ids]
        for part in PARTS
    }
    # Two studies whose streams end at different rounds, so that there is filling.
    features = torch.cat([both_features[:, :64], both_features[:, 64:]])
    drafts = StreamTeacher(forward, stop_ids, settings, tokenizer).draft(features)
    assert _streams(drafts, 0, stop_ids) == expected
    assert len({len(ids) for ids in expected.values()}) > 1


def test_what_is_recorded_is_what_a_student_in_streams_is_asked(
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration], forward: ReportForward,
    tokenizer: Tokenizer, stop_ids: tuple[int, ...], both_features: torch.Tensor,
) -> None:  # fmt: skip
    forward = ReportForward(build_random_model(9), forward.frame)  # one that seldom stops early
    features = both_features[:, :64]
    drafts = StreamTeacher(forward, stop_ids, replace(SETTINGS, max_steps=1), tokenizer).draft(
        features
    )
    assert drafts.parts is not None
    rows = {
        "tokens": drafts.tokens, "steps": drafts.steps, "parts": drafts.parts,
        "top_ids": drafts.top_ids, "top_probabilities": drafts.top_probabilities,
    }  # fmt: skip
    weights = DcdWeights(divergence=1.0, hard=0.0, stop=0.0, refine=0.0)
    stops = torch.tensor(stop_ids[:2])
    arguments = (stops, weights, MaskNoise(), torch.Generator())
    own = dcd_loss(forward, features, rows, *arguments)
    padded = pad_to_width(
        rows | {"indices": torch.tensor([0]), "kinds": torch.tensor([[0]])},
        drafts.tokens.shape[1] + BLOCK_LENGTH,
    )
    wide = dcd_loss(forward, features, padded, *arguments)
    assert float(wide) == pytest.approx(float(own), rel=1e-3)
    # The one who wrote them in one step knows them already, but for what stands behind a stop.
    other = rows | {"top_ids": rows["top_ids"].roll(1, dims=1)}
    assert float(own) < 0.5 * float(dcd_loss(forward, features, other, *arguments))


def test_a_study_whose_stream_does_not_end_has_no_stop(
    forward: ReportForward, tokenizer: Tokenizer, both_features: torch.Tensor
) -> None:
    own = (special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT))
    settings = replace(SETTINGS, max_blocks=1, max_steps=1)
    drafts = StreamTeacher(forward, own, settings, tokenizer).draft(both_features[:, :64])
    assert bool((drafts.tokens == -1).all())
