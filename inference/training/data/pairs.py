"""Image–report pairs, wherever they come from, as the stages draw them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from tokenizers import Tokenizer

from inference.prompts import END_OF_TEXT, IM_END
from inference.report_language.statements import Language
from inference.report_parts import split_report
from inference.training.data.prompt_frame import Kind, PromptFormat
from inference.training.layouts.region_layout import RegionLayout, region_answer, stack_layout
from inference.training.tokenizer import special_id


@dataclass(frozen=True)
class Draw:
    """What one micro-batch trains on: rows of the pairs, all of one kind."""

    kind: Kind
    indices: list[int]


class Answers(NamedTuple):
    """ids, supervised [B, R] in whole blocks; own blocks are supervised, filling is not.

    layout: where answers are streams.
    """

    ids: torch.Tensor
    supervised: torch.Tensor
    layout: RegionLayout | None = None


class Pairs(Protocol):
    """Studies with a report. Draws are functions of (seed, step) alone."""

    def __len__(self) -> int: ...

    def draw(self, step: int, batch_size: int, seed: int) -> Draw:
        """Up to batch_size studies of one kind, with answers of similar length."""

    def answers(self, draw: Draw) -> Answers:
        """In the draw's order."""

    def patches(self, draw: Draw, generator: torch.Generator | None) -> torch.Tensor:
        """[B * patches, ...] in stock order; varied if there is a generator."""

    def plan(self, count: int) -> Iterator[Draw]:
        """The first count studies once each, by kind: what the teacher drafts."""


class MixedPairs:
    """Two sources side by side, each drawn in proportion to its size; no batch mixes them."""

    def __init__(self, first: Pairs, second: Pairs) -> None:
        self._first, self._second = first, second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def draw(self, step: int, batch_size: int, seed: int) -> Draw:
        share = len(self._second) / len(self)
        before, after = int(step * share), int((step + 1) * share)
        if after == before:
            return self._first.draw(step - before, batch_size, seed)
        return self._shifted(self._second.draw(before, batch_size, seed), len(self._first))

    def answers(self, draw: Draw) -> Answers:
        source, own = self._source(draw)
        return source.answers(own)

    def patches(self, draw: Draw, generator: torch.Generator | None) -> torch.Tensor:
        source, own = self._source(draw)
        return source.patches(own, generator)

    def plan(self, count: int) -> Iterator[Draw]:
        yield from self._first.plan(count)
        for draw in self._second.plan(count - len(self._first)):
            yield self._shifted(draw, len(self._first))

    def _source(self, draw: Draw) -> tuple[Pairs, Draw]:
        if draw.indices[0] < len(self._first):
            return self._first, draw
        return self._second, self._shifted(draw, -len(self._first))

    @staticmethod
    def _shifted(draw: Draw, by: int) -> Draw:
        return replace(draw, indices=[index + by for index in draw.indices])


def answer_ids(tokenizer: Tokenizer, report: str, block_length: int) -> list[int]:
    """Tokens, <|im_end|>, then <|endoftext|> to a whole block: all of it supervised (SDAR)."""
    words = tokenizer.encode(report, add_special_tokens=False).ids
    ids = [*words, special_id(tokenizer, IM_END)]
    return ids + [special_id(tokenizer, END_OF_TEXT)] * (-len(ids) % block_length)


class AnswerStore:
    """Reports as the answers that a prompt's format asks for: one sequence, or streams."""

    def __init__(self, prompt: PromptFormat, reports: Iterable[tuple[str, Language]]) -> None:
        self._pad_id = special_id(prompt.tokenizer, END_OF_TEXT)
        self._ids: list[list[int]] = []
        self._parts: list[list[int]] = []
        for report, language in reports:
            if prompt.name_ids:
                texts = split_report(report, language)
                ids, parts = region_answer(prompt.tokenizer, texts, prompt.block_length)
                self._parts.append(parts)
            else:
                ids = answer_ids(prompt.tokenizer, report, prompt.block_length)
            self._ids.append(ids)
        self.lengths = np.array([len(ids) for ids in self._ids])

    def take(self, rows: Sequence[int]) -> Answers:
        padded = pad_answers([self._ids[row] for row in rows], self._pad_id)
        layout = stack_layout([self._parts[row] for row in rows]) if self._parts else None
        return Answers(*padded, layout)


def pad_answers(answers: list[list[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(answer) for answer in answers)
    padded = torch.full((len(answers), longest), pad_id)
    supervised = torch.zeros(len(answers), longest, dtype=torch.bool)
    for row, answer in enumerate(answers):
        padded[row, : len(answer)] = torch.tensor(answer)
        supervised[row, : len(answer)] = True
    return padded, supervised


def impression_positions(ids: torch.Tensor, headings: list[list[int]]) -> torch.Tensor:
    """[B, R] bool: from the first impression heading on; none in a row without a heading.

    headings: their token ids, one list for each way to write one.
    """
    after = torch.zeros(ids.shape, dtype=torch.bool)
    for row, tokens in enumerate(ids.tolist()):
        starts = [
            start
            for heading in headings
            for start in range(len(tokens) - len(heading) + 1)
            if tokens[start : start + len(heading)] == heading
        ]
        if starts:
            after[row, min(starts) :] = True
    return after


def cut_by_length(pool: np.ndarray, lengths: np.ndarray, batch_size: int) -> list[list[int]]:
    """The pool sorted by length, in batches: what is padded to the longest is little."""
    by_length = pool[np.argsort(lengths[pool], kind="stable")]
    return [
        [int(i) for i in by_length[start : start + batch_size]]
        for start in range(0, len(by_length), batch_size)
    ]


def augment(films: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Exposure, gamma, noise and small shifts of films [..., rows, columns], each film its own.

    Findings and sides stay what they are.
    """
    flat = films.reshape(-1, *films.shape[-2:])

    def uniform(low: float, high: float) -> torch.Tensor:
        drawn = torch.rand(flat.shape[0], generator=generator)
        return (low + (high - low) * drawn).view(-1, 1, 1)

    flat = flat.clamp(1e-4, 1) ** uniform(0.85, 1.18)
    flat = flat * uniform(0.9, 1.08) + uniform(-0.03, 0.03)
    flat = flat + uniform(0.0, 0.02) * torch.randn(flat.shape, generator=generator)
    dy, dx = (int(torch.randint(-4, 5, (1,), generator=generator)) for _ in range(2))
    return torch.roll(flat, (dy, dx), (1, 2)).clamp(0, 1).view(films.shape)
