"""What training computes in one pass is what decoding computes block by block.

The claim behind Stages II and III: a fully masked noisy copy in the RAD layout gets, at every
block, the logits of a decoding pass over the cache of the blocks before. Checked against the
batched teacher and against the engine itself, in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration

from inference import load_engine
from inference.api import BlockCommitted, CancelToken, GenerationRequest, ModelImage
from inference.decoding.attention_masks import causal_mask
from inference.engine import ReportEngine
from inference.prompts import END_OF_TEXT, IM_END
from inference.report_language.statements import Language
from inference.training import export_model
from inference.training.config import TeacherConfig
from inference.training.data.prompt_frame import Kind, PromptFormat, PromptFrame
from inference.training.embedded_config import BLOCK_LENGTH
from inference.training.forward import ReportForward
from inference.training.layouts.rad_layout import multi_copy_rad_mask
from inference.training.loop import save_weights
from inference.training.teacher.batched_teacher import BatchedTeacher
from inference.training.teacher.collect_trajectories import keep_row, pad_to_width
from inference.training.tokenizer import special_id

BLOCKS = 3
ANSWER = BLOCKS * BLOCK_LENGTH
GRID = (1, 16, 16)
TEACHER = TeacherConfig(max_blocks=BLOCKS)
STAGE_SEEDS = {"dcd": 4, "rad": 5, "ar": 3}

pytestmark = pytest.mark.usefixtures("full_precision")


@pytest.fixture(scope="session")
def stop_ids(tokenizer: Tokenizer) -> tuple[int, int]:
    return special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT)


@pytest.fixture(scope="session")
def exported_engine(
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration],
    tokenizer: Tokenizer,
    tmp_path_factory: pytest.TempPathFactory,
) -> ReportEngine:
    """Three random stages through export_model into the engine."""
    run, out = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("exported")
    for stage, seed in STAGE_SEEDS.items():
        save_weights(build_random_model(seed), run / f"{stage}.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inference.training.tokenizer.train_tokenizer", lambda: tokenizer)
        patch.setattr("sys.argv", ["export_model", "--run", str(run), "--out", str(out)])
        export_model.main()
    return load_engine(out, "cpu")


@dataclass(frozen=True)
class Study:
    """A prompt of one kind: the engine's request for it, and training's frame and features."""

    language: Language
    images: tuple[ModelImage, ...]
    frame: PromptFrame
    features: torch.Tensor


@pytest.fixture(
    params=[("en", 1), ("zh", 1), ("en", 2), ("zh", 2)], ids=lambda kind: f"{kind[0]}{kind[1]}"
)
def study(
    request: pytest.FixtureRequest, prompt: PromptFormat, film: ModelImage, lateral: ModelImage,
    both_features: torch.Tensor,
) -> Study:  # fmt: skip
    language, count = request.param
    frame = PromptFrame(prompt, Kind(language, (GRID,) * count))
    return Study(language, (film, lateral)[:count], frame, both_features[:, : 64 * count])


@pytest.fixture
def stage_forward(
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration], study: Study
) -> Callable[[str], ReportForward]:
    return lambda stage: ReportForward(build_random_model(STAGE_SEEDS[stage]), study.frame)


def _draft_tokens(
    engine: ReportEngine, study: Study, **settings: object
) -> tuple[list[int], list[float]]:
    request = GenerationRequest(
        "r", study.images, language=study.language, max_new_tokens=ANSWER, **settings
    )  # type: ignore[arg-type]
    blocks = [event for event in engine.draft(request) if isinstance(event, BlockCommitted)]
    tokens = [token for block in blocks for token in block.token_ids]
    assert len(tokens) == ANSWER, "random weights stopped early: choose another seed"
    assert len(set(tokens)) > ANSWER // 2  # or the comparison would prove little
    return tokens, [confidence for block in blocks for confidence in block.confidences]


def _masked_copy_logits(
    forward: ReportForward, features: torch.Tensor, clean: torch.Tensor, copies: int = 1
) -> torch.Tensor:
    """[B, R, V] of the first, fully masked noisy copy; further copies hold other noise."""
    mask_id = int(forward.model.config.mask_token_id)
    noisy = [torch.full_like(clean, mask_id), *[clean.roll(n, 1) for n in range(1, copies)]]
    allowed = multi_copy_rad_mask(forward.frame.length, clean.shape[1], BLOCK_LENGTH, copies)
    hidden = forward.hidden_states(features, [*noisy, clean], allowed)
    logits = forward.logits(hidden[:, 1 : 1 + clean.shape[1]])
    logits[..., mask_id] = -torch.inf  # never chosen, in training's teacher as in the engine
    return logits


def _close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-4)


def test_prompts_and_positions_are_the_engine_s(
    exported_engine: ReportEngine, study: Study
) -> None:
    """mRoPE of two films: training's positions are those transformers gives the whole sequence."""
    request = GenerationRequest("r", study.images, language=study.language, max_new_tokens=ANSWER)
    with torch.inference_mode():
        [session] = exported_engine._runner._take_prompts(request, CancelToken())[0].values()
    assert session.prompt_ids == study.frame.ids
    model = exported_engine._weights_for("one-step").model
    ids = torch.tensor([[*study.frame.ids, *[20] * ANSWER]])
    stock, _ = model.model.get_rope_index(
        ids,
        mm_token_type_ids=(ids == model.config.image_token_id).int(),
        image_grid_thw=torch.tensor(list(study.frame.kind.grids)),
    )
    assert torch.equal(ReportForward(model, study.frame).positions(0, ids.shape[1]), stock[:, 0])


@torch.inference_mode()
def test_rad_layout_gives_the_logits_of_block_by_block_decoding(
    forward: ReportForward, features: torch.Tensor, stop_ids: tuple[int, int]
) -> None:
    teacher = BatchedTeacher(forward, stop_ids, TEACHER)
    generator = torch.Generator().manual_seed(0)
    clean = torch.randint(10, 900, (2, ANSWER), generator=generator)
    both = torch.cat([features, features.flip(1)])  # two different films
    at_once = _masked_copy_logits(forward, both, clean, copies=2)
    masks = torch.full((2, BLOCK_LENGTH), int(forward.model.config.mask_token_id))
    cache = teacher._prefill(both)
    for start in range(0, ANSWER, BLOCK_LENGTH):
        block = slice(start, start + BLOCK_LENGTH)
        _close(teacher._pass(cache, masks, store=False), at_once[:, block])
        teacher._pass(cache, clean[:, block], store=True)
    assert cache.get_seq_length() == forward.frame.length + ANSWER


@torch.inference_mode()
def test_a_block_reads_the_clean_blocks_before_it_and_no_others(
    forward: ReportForward, features: torch.Tensor
) -> None:
    clean = torch.arange(20, 20 + ANSWER)[None]
    logits = _masked_copy_logits(forward, features, clean)
    other = clean.clone()
    other[:, BLOCK_LENGTH : 2 * BLOCK_LENGTH] += 300
    changed = (_masked_copy_logits(forward, features, other) - logits).nan_to_num().abs()
    by_block = changed.view(BLOCKS, -1).amax(1)
    assert by_block[:2].max() < 1e-4
    assert by_block[2] > 0.1
    blind = _masked_copy_logits(forward, torch.zeros_like(features), clean)
    assert (blind - logits).nan_to_num().abs().max() > 0.1  # the film matters


@torch.inference_mode()
def test_one_step_tokens_of_the_engine_are_the_student_s_in_one_pass(
    exported_engine: ReportEngine,
    stage_forward: Callable[[str], ReportForward],
    study: Study,
) -> None:
    tokens, confidences = _draft_tokens(exported_engine, study, decoding="one-step")
    clean = torch.tensor([tokens])
    best, choice = (
        _masked_copy_logits(stage_forward("dcd"), study.features, clean).softmax(-1).max(-1)
    )
    assert choice.tolist() == [tokens]
    _close(best[0], torch.tensor(confidences))


@torch.inference_mode()
@pytest.mark.parametrize("threshold", [0.5, 1.0])
def test_multi_step_tokens_of_the_engine_are_the_teacher_s(
    exported_engine: ReportEngine,
    stage_forward: Callable[[str], ReportForward],
    study: Study,
    stop_ids: tuple[int, int],
    threshold: float,
) -> None:
    tokens, confidences = _draft_tokens(
        exported_engine,
        study,
        decoding="multi-step",
        denoising_steps=BLOCK_LENGTH,
        confidence_threshold=threshold,
    )
    settings = replace(TEACHER, threshold=threshold)
    draft = BatchedTeacher(stage_forward("rad"), stop_ids, settings).draft(study.features)
    assert draft.tokens.tolist() == [tokens]
    assert draft.top_ids[..., 0].tolist() == [tokens]
    recorded = draft.top_probabilities[0, :, 0].float()
    torch.testing.assert_close(recorded, torch.tensor(confidences), rtol=1e-3, atol=1e-3)
    steps = draft.steps.view(BLOCKS, BLOCK_LENGTH)
    if threshold == 1.0:
        assert steps.sort(1).values.tolist() == [[*range(1, BLOCK_LENGTH + 1)]] * BLOCKS
    else:
        assert int(steps.max()) > 1  # some committed later than others, some together
        assert int(steps.amax(1).min()) < BLOCK_LENGTH


@torch.inference_mode()
def test_autoregressive_tokens_of_the_engine_are_those_of_a_causal_pass(
    exported_engine: ReportEngine,
    stage_forward: Callable[[str], ReportForward],
    study: Study,
) -> None:
    tokens, confidences = _draft_tokens(exported_engine, study, decoding="autoregressive")
    forward = stage_forward("ar")
    mask = causal_mask(forward.frame.length + ANSWER)
    hidden = forward.hidden_states(study.features, [torch.tensor([tokens])], mask)
    logits = forward.logits(hidden[:, :-1])
    logits[..., int(forward.model.config.mask_token_id)] = -torch.inf
    best, choice = logits.softmax(-1).max(-1)
    assert choice.tolist() == [tokens]
    _close(best[0], torch.tensor(confidences))


@torch.inference_mode()
def test_recorded_distribution_is_the_one_at_the_step_of_commitment(
    forward: ReportForward,
    features: torch.Tensor,
    stop_ids: tuple[int, int],
) -> None:
    settings = TeacherConfig(max_blocks=1)
    teacher = BatchedTeacher(forward, stop_ids, settings)
    draft = teacher.draft(features)
    cache, mask_id = teacher._prefill(features), int(forward.model.config.mask_token_id)
    steps, tokens = draft.steps[0], draft.tokens[0].long()
    assert int(steps.min()) == 1 < int(steps.max())
    for step in range(1, int(steps.max()) + 1):
        seen = torch.where(steps < step, tokens, mask_id)[None]
        probabilities = teacher._pass(cache, seen, store=False).softmax(-1)[0]
        now = steps == step
        values, ids = probabilities[now].topk(settings.top)
        assert draft.top_ids[0, now].tolist() == ids.tolist()
        _close(draft.top_probabilities[0, now].float(), values.half().float())


def test_teacher_drafts_the_same_while_its_model_is_in_training(
    forward: ReportForward, features: torch.Tensor, stop_ids: tuple[int, int],
    build_random_model: Callable[[int], Qwen2_5_VLForConditionalGeneration],
) -> None:  # fmt: skip
    """Gradient checkpointing would drop the cache in training mode, without a word."""
    model = build_random_model(1).requires_grad_(True).train()
    model.activation_checkpointing_enable({"use_reentrant": False})
    draft = BatchedTeacher(ReportForward(model, forward.frame), stop_ids, TEACHER).draft(features)
    plain = BatchedTeacher(forward, stop_ids, TEACHER).draft(features)
    assert torch.equal(draft.tokens, plain.tokens)
    assert model.training


@torch.inference_mode()
def test_last_step_commits_whatever_is_left(
    forward: ReportForward,
    features: torch.Tensor,
    stop_ids: tuple[int, int],
) -> None:
    settings = TeacherConfig(max_blocks=1, threshold=2.0, max_steps=3)
    draft = BatchedTeacher(forward, stop_ids, settings).draft(features)
    assert sorted(draft.steps[0].tolist()) == [1, 2, 3, 3, 3, 3, 3, 3]
    assert draft.passes == 3
    assert int(forward.model.config.mask_token_id) not in draft.tokens


@torch.inference_mode()
def test_finished_drafts_are_unused_after_their_last_block(
    forward: ReportForward, features: torch.Tensor
) -> None:
    both = torch.cat([features, torch.zeros_like(features)])
    free = BatchedTeacher(forward, (1, 2), replace(TEACHER, threshold=0.0)).draft(both)
    stop = int(free.tokens[0, 2])  # a word of the first draft's first block now stops it
    assert stop not in free.tokens[1]
    draft = BatchedTeacher(forward, (stop, 2), replace(TEACHER, threshold=0.0)).draft(both)
    assert torch.equal(draft.tokens[0, :BLOCK_LENGTH], free.tokens[0, :BLOCK_LENGTH])
    assert (draft.tokens[0, BLOCK_LENGTH:] == -1).all()
    assert (draft.steps[0, BLOCK_LENGTH:] == 0).all()
    assert torch.equal(draft.tokens[1], free.tokens[1])  # its neighbour writes on undisturbed


def test_drafts_without_stop_or_with_loops_are_dropped() -> None:
    gram = [11, 12, 13, 14]
    assert keep_row([*range(20, 40), 2, -1, -1], (2, 0), TEACHER)
    assert keep_row([*gram, *gram, 9, 2], (2, 0), TEACHER)
    assert not keep_row([*range(20, 40), -1], (2, 0), TEACHER)
    assert not keep_row([9, *gram, *gram, *gram, 2], (2, 0), TEACHER)


def test_widened_parts_mark_what_they_add_as_unused() -> None:
    part = {
        "indices": torch.tensor([4, 5]),
        "tokens": torch.ones(2, 8, dtype=torch.int32),
        "steps": torch.ones(2, 8, dtype=torch.uint8),
        "top_ids": torch.ones(2, 8, TEACHER.top, dtype=torch.int16),
    }
    wide = pad_to_width(part, 16)
    assert wide["indices"].tolist() == [4, 5]
    assert wide["tokens"][0].tolist() == [1] * 8 + [-1] * 8
    assert wide["steps"][1].tolist() == [1] * 8 + [0] * 8
    assert wide["top_ids"].shape == (2, 16, TEACHER.top)
