"""ECHO's prompts, the chat frame around them, and the sections of an answer."""

from __future__ import annotations

import re

VISION_START, IMAGE_PAD, VISION_END = "<|vision_start|>", "<|image_pad|>", "<|vision_end|>"
IM_START, IM_END, END_OF_TEXT = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
MASK = "<|MASK|>"
SPECIAL_TOKENS = (END_OF_TEXT, IM_START, IM_END, VISION_START, VISION_END, IMAGE_PAD, MASK)

PROMPTS = {
    "en": (
        "Review this chest X-ray and write a report. Use this format: Findings: {}, Impression: {}."
    ),
    "zh": (
        "这是一组胸部X光图像，请生成一份医学报告，包括所见和结论。"
        "以以下格式返回报告：所见：{} 结论：{}。"
    ),
}

IMPRESSION_HEADINGS = ("Impression:", "结论：")
_HEADINGS = re.compile(r"(findings?|impressions?|所见|结论)\s*[:：]\s*", re.IGNORECASE)


def render_prompt(
    language: str, image_token_counts: tuple[int, ...], system: str | None = None
) -> str:
    """The chat text before the answer, images first; one <|image_pad|> per vision token.

    system: the system turn of stock Qwen2.5-VL checkpoints, or None for no system turn.
    Raises KeyError for a language without a prompt.
    """
    images = "".join(
        f"{VISION_START}{IMAGE_PAD * count}{VISION_END}" for count in image_token_counts
    )
    head = f"{IM_START}system\n{system}{IM_END}\n" if system is not None else ""
    return f"{head}{IM_START}user\n{images}{PROMPTS[language]}{IM_END}\n{IM_START}assistant\n"


def parse_sections(text: str) -> tuple[str, str]:
    """(findings, impression) of an answer, tolerant of heading variants and of none at all.

    Pieces of a section that stands in several are joined as their language joins sentences: by
    a space, by nothing after a Chinese full stop.
    """
    parts: dict[str, list[str]] = {"findings": [], "impression": []}
    section, position = "findings", 0
    for heading in _HEADINGS.finditer(text):
        parts[section].append(text[position : heading.start()])
        name = heading.group(1).lower()
        section = "impression" if name.startswith("impression") or name == "结论" else "findings"
        position = heading.end()
    parts[section].append(text[position:])
    return _join_pieces(parts["findings"]), _join_pieces(parts["impression"])


def _join_pieces(pieces: list[str]) -> str:
    joined = ""
    for piece in filter(None, (piece.strip() for piece in pieces)):
        joined += piece if not joined or joined.endswith("。") else f" {piece}"
    return joined
