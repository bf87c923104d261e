"""The chat frame, and reading the sections of an answer back."""

from __future__ import annotations

import pytest

from inference.decoding.prompt_ids import build_prompt_ids
from inference.engine import ReportEngine
from inference.prompts import END_OF_TEXT, IMAGE_PAD, parse_sections, render_prompt


def test_prompt_is_the_stock_chat_frame_with_images_first() -> None:
    assert render_prompt("en", (2, 1), "You are a helpful assistant.") == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\n"
        "<|vision_start|><|image_pad|><|image_pad|><|vision_end|>"
        "<|vision_start|><|image_pad|><|vision_end|>"
        "Review this chest X-ray and write a report. "
        "Use this format: Findings: {}, Impression: {}.<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_prompt_without_system_turn_begins_with_the_user() -> None:
    assert render_prompt("zh", (1,)).startswith("<|im_start|>user\n<|vision_start|>")


def test_language_without_prompt_is_refused() -> None:
    with pytest.raises(KeyError):
        render_prompt("xx", (1,))


@pytest.mark.parametrize("images", [(4,), (9,), (4, 7), (16,)])
@pytest.mark.parametrize("block_length", [1, 4, 8])
def test_padding_stands_at_the_very_start(
    tiny_engine: ReportEngine, images: tuple[int, ...], block_length: int
) -> None:
    tokenizer = tiny_engine._checkpoint.tokenizer
    plain = build_prompt_ids(tokenizer, "en", images, block_length, pad=False)
    padded = build_prompt_ids(tokenizer, "en", images, block_length, pad=True)
    padding = len(padded) - len(plain)
    assert len(padded) % block_length == 0
    assert 0 <= padding < block_length
    assert padded == [tokenizer.token_to_id(END_OF_TEXT)] * padding + plain
    assert padded.count(tokenizer.token_to_id(IMAGE_PAD)) == sum(images)
    assert tokenizer.decode(plain, skip_special_tokens=False) == render_prompt("en", images)


@pytest.mark.parametrize(
    ("text", "findings", "impression"),
    [
        ("Findings: A. B. Impression: C.", "A. B.", "C."),
        ("Finding: A.\nIMPRESSION : C.", "A.", "C."),
        ("findings:A. impressions:C.", "A.", "C."),
        ("A. Impression: C.", "A.", "C."),
        ("A. B.", "A. B.", ""),
        ("Impression: C.", "", "C."),
        ("Findings: A. Impression: C. Findings: B.", "A. B.", "C."),
        ("所见：心影不大。结论：正常。", "心影不大。", "正常。"),
        ("所见：心影不大。 结论：正常。", "心影不大。", "正常。"),
        ("所见:心影不大。结论:正常。所见：无气胸。", "心影不大。无气胸。", "正常。"),
        ("", "", ""),
        ("Findings: Impression:", "", ""),
    ],
)
def test_sections_are_read_tolerantly(text: str, findings: str, impression: str) -> None:
    assert parse_sections(text) == (findings, impression)
