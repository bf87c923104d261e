"""The prompt of a kind of study: same ids and positions for every study of the kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tokenizers import Tokenizer

from inference.decoding.prompt_ids import build_prompt_ids
from inference.report_language.statements import Language
from inference.vision.image_processor import ImageProcessor

Grid = tuple[int, int, int]  # (1, patch rows, patch columns) of one film


class Kind(NamedTuple):
    """What may share a batch: one language, and films of the same patch grids, frontal first."""

    language: Language
    grids: tuple[Grid, ...]


@dataclass(frozen=True, eq=False)
class PromptFormat:
    """What a prompt depends on beside the study. Answers begin at a whole block, always:

    prompts are padded on the left to a multiple of block_length, in training and inference.
    name_ids: of the report's parts, one token each; where given, answers are streams.
    """

    tokenizer: Tokenizer
    processor: ImageProcessor
    block_length: int
    system_prompt: str | None = None
    name_ids: tuple[int, ...] = ()


class PromptFrame:
    """ids [length] of one kind of study; length is a multiple of the block length."""

    def __init__(self, prompt: PromptFormat, kind: Kind) -> None:
        self.kind = kind
        self.block_length = prompt.block_length
        self.name_ids = prompt.name_ids
        counts = tuple(prompt.processor.token_count(grid) for grid in kind.grids)
        self.image_tokens = sum(counts)
        self.ids = build_prompt_ids(
            prompt.tokenizer, kind.language, counts, prompt.block_length, True, prompt.system_prompt
        )
        self.length = len(self.ids)
