"""Streams side by side in one training pass: what each row sees; decoding sees the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import Qwen2_5_VLForConditionalGeneration

from inference import load_engine
from inference.api import BlockCommitted, GenerationRequest, ModelImage, WeightsMismatch
from inference.prompts import END_OF_TEXT, IM_END
from inference.report_language import word_statement
from inference.report_parts import IMPRESSION, PARTS
from inference.training.config import ConfigError, ModelConfig
from inference.training.data.pairs import AnswerStore
from inference.training.data.prompt_frame import Kind, PromptFormat, PromptFrame
from inference.training.embedded_config import BLOCK_LENGTH
from inference.training.forward import ReportForward
from inference.training.layouts.region_layout import (
    layout_of,
    region_answer,
    region_mask,
    stack_layout,
)
from inference.training.start_model import name_ids, open_start
from inference.training.teacher.relaid_drafts import lay_out_by_regions
from inference.training.tokenizer import special_id

GRID = (1, 16, 16)
LAST = PARTS.index(IMPRESSION)


def test_each_part_ends_in_a_stop_and_fills_whole_blocks(tokenizer: Tokenizer) -> None:
    stop, filler = special_id(tokenizer, IM_END), special_id(tokenizer, END_OF_TEXT)
    texts = dict.fromkeys(PARTS, "") | {"lungs": " " + word_statement("consolidation", "absent")}
    ids, parts = region_answer(tokenizer, texts, BLOCK_LENGTH)
    assert parts == [*range(len(PARTS))]  # each has one block
    assert len(ids) == len(parts) * BLOCK_LENGTH
    blocks = [ids[at : at + BLOCK_LENGTH] for at in range(0, len(ids), BLOCK_LENGTH)]
    for part, block in zip(PARTS, blocks, strict=True):
        text = tokenizer.encode(texts[part], add_special_tokens=False).ids
        rest = [filler] * (BLOCK_LENGTH - len(text) - 1)
        assert block == [*text, stop, *rest]


def test_numbers_and_positions_begin_anew_in_every_stream() -> None:
    layout = stack_layout([[0, 1, 1, 9], [9, 9]])
    assert layout.parts.tolist() == [[0, 1, 1, 9], [9, 9, -1, -1]]
    assert layout.numbers[0].tolist() == [0, 0, 1, 0]
    assert layout.numbers[1, :2].tolist() == [0, 1]
    assert layout.offsets(2)[0].tolist() == [1, 2, 1, 2, 3, 4, 1, 2]


@pytest.mark.parametrize("copies", [1, 2])
def test_mask_is_the_rule_said_row_by_row(copies: int) -> None:
    prompt, block, parts = 4, 2, torch.tensor([[0, 2, 2, LAST], [1, LAST, LAST, -1]])
    mask = region_mask(prompt, layout_of(parts), block, copies)
    for batch, own in enumerate(parts.tolist()):
        numbers = [own[:at].count(part) for at, part in enumerate(own)]
        rows = [("prompt", 0, at // block) for at in range(prompt)]
        rows += [("stored", part, -1) for part in range(len(PARTS))]
        for copy in [*range(copies), "stored"]:
            rows += [(copy, p, n) for p, n in zip(own, numbers, strict=True) for _ in range(block)]

        def sees(of: tuple[object, int, int], to: tuple[object, int, int]) -> bool:
            if to[0] == "prompt":
                return of[0] != "prompt" or to[2] <= of[2]
            if of[0] == "prompt" or of[1] < 0 or to[1] < 0:
                return False
            if to[0] == "stored":
                newest = of[2] if of[0] == "stored" else of[2] - 1
                return (to[1] == of[1] and to[2] <= newest) or (of[1] == LAST and to[1] < LAST)
            return of == to

        expected = [[sees(of, to) for to in rows] for of in rows]
        assert mask[batch].tolist() == expected


@pytest.mark.usefixtures("full_precision")
@torch.inference_mode()
def test_one_training_pass_computes_what_decoding_does_block_by_block(
    exported: Path, region_model: Qwen2_5_VLForConditionalGeneration, prompt: PromptFormat,
    film: ModelImage, both_features: torch.Tensor, tokenizer: Tokenizer,
) -> None:  # fmt: skip
    engine = load_engine(exported, "cpu")
    request = GenerationRequest("r", (film,), decoding="regions", max_new_tokens=200)
    blocks = [event for event in engine.draft(request) if isinstance(event, BlockCommitted)]
    filler = special_id(tokenizer, END_OF_TEXT)
    order = sorted(blocks, key=lambda event: PARTS.index(event.region))
    clean = torch.full((1, len(order) * BLOCK_LENGTH), filler)
    for at, event in enumerate(order):
        clean[0, at * BLOCK_LENGTH :][: len(event.token_ids)] = torch.tensor(event.token_ids)
    layout = stack_layout([[PARTS.index(event.region) for event in order]])
    assert max(layout.numbers[0].tolist()) > 0, "a second block was to be compared"
    named = PromptFormat(
        prompt.tokenizer, prompt.processor, prompt.block_length, name_ids=name_ids(tokenizer)
    )
    forward = ReportForward(region_model, PromptFrame(named, Kind("en", (GRID,))))
    mask_id = forward.mask_id
    allowed = region_mask(forward.frame.length, layout, BLOCK_LENGTH, 1)
    noisy = torch.full_like(clean, mask_id)
    hidden = forward.hidden_states(both_features[:, :64], [noisy, clean], allowed, layout)
    logits = forward.logits(hidden[:, 1 : 1 + clean.shape[1]])
    logits[..., mask_id] = -torch.inf
    sure, tokens = logits.softmax(-1).max(-1)
    for at, event in enumerate(order):
        own = slice(at * BLOCK_LENGTH, at * BLOCK_LENGTH + len(event.token_ids))
        assert tokens[0, own].tolist() == list(event.token_ids)
        assert sure[0, own].tolist() == pytest.approx(event.confidences, abs=1e-4)


def test_sequential_drafts_are_laid_out_again_without_what_was_known_of_them(
    tokenizer: Tokenizer,
) -> None:
    report = "Findings: The thorax is symmetric. No pneumothorax. Impression: No pneumothorax."
    ids = [*tokenizer.encode(report).ids, special_id(tokenizer, IM_END)]
    ids += [-1] * (-len(ids) % BLOCK_LENGTH)
    drafts = {
        "indices": torch.tensor([3]),
        "kinds": torch.tensor([[0, 16, 16, 0, 0]]),
        "tokens": torch.tensor([ids], dtype=torch.int32),
    }
    laid = lay_out_by_regions(drafts, tokenizer, BLOCK_LENGTH)
    tokens = laid["tokens"].view(-1, BLOCK_LENGTH)
    texts = {
        PARTS[part]: tokenizer.decode(tokens[laid["parts"][0] == part].flatten().tolist())
        for part in range(len(PARTS))
    }
    assert texts == dict.fromkeys(PARTS, "") | {
        "thorax": " The thorax is symmetric.",
        "pleura": " No pneumothorax.",
        IMPRESSION: " No pneumothorax.",
    }
    assert laid["indices"].tolist() == [3]
    assert torch.equal(laid["top_ids"][..., 0], laid["tokens"])
    assert bool((laid["steps"] == 1).all())


def test_answers_are_streams_where_parts_have_names(prompt: PromptFormat) -> None:
    report = "Findings: The thorax is symmetric. Impression: No pneumothorax."
    named = PromptFormat(
        prompt.tokenizer, prompt.processor, prompt.block_length, name_ids=tuple(range(10))
    )
    answers = AnswerStore(named, [(report, "en"), (report, "en")]).take([1])
    assert answers.layout is not None
    assert answers.layout.parts.tolist() == [[*range(len(PARTS))]]
    assert AnswerStore(prompt, [(report, "en")]).take([0]).layout is None


def test_manifest_without_a_name_for_every_part_is_refused(exported: Path, tmp_path: Path) -> None:
    for path in exported.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    manifest = tmp_path / "echo_manifest.json"
    text = manifest.read_text()
    first = f"{name_ids(Tokenizer.from_file(str(tmp_path / 'tokenizer.json')))[0]},"
    manifest.write_text(text.replace(first, "", 1))
    with pytest.raises(WeightsMismatch, match="region_name_ids must be 10 different tokens"):
        load_engine(tmp_path, "cpu")


def test_a_tokenizer_that_can_not_tell_the_parts_apart_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer
) -> None:
    monkeypatch.setattr("inference.training.tokenizer.train_tokenizer", lambda: tokenizer)
    monkeypatch.setattr("inference.training.start_model.PARTS", ("heart", "heart"))
    config = ModelConfig(start="embedded", regions=True)
    with pytest.raises(ConfigError, match="begin with the same token"):
        open_start(config, tmp_path, torch.device("cpu"))
