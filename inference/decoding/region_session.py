"""One draft whose parts fill at the same time: every forward pass goes through here.

A stream is a row that names its part, then whole blocks; its positions go on from the prompt, as
if it were alone behind it. Rows lie in the cache in the order in which they were fed, so that a
pass attends to no more columns than there are; who may see whom is a mask (part_mask).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import torch

from inference.api import CancelToken
from inference.decoding.attention_masks import part_mask
from inference.decoding.draft_session import ChooseTokens, raise_if_cancelled
from inference.decoding.open_block import Block
from inference.decoding.prompt_state import PromptState
from inference.decoding.sampling import TokenChooser, pack_choice, unpack_choice
from inference.decoding.text_decoder import Places

_NAME = -1  # the number of the block before the first


class PartRows(NamedTuple):
    """Rows fed together: a name (number -1, one row), or one block of a stream."""

    part: int
    number: int
    ids: list[int]


class RegionSession:
    """name_ids: of report_parts.PARTS. passes: forward passes so far; extra_passes: of these, those
    beyond the first at each block.

    choosers: one for each part, so that what one draws is nothing to another; greedy without.
    """

    def __init__(
        self, prompt: PromptState, name_ids: Sequence[int], cancel: CancelToken, *,
        choosers: Sequence[TokenChooser] = (), with_entropies: bool = False,
    ) -> None:  # fmt: skip
        self.block_length = prompt.block_length
        self.mask_token_id = prompt.mask_token_id
        self.passes = self.extra_passes = 0
        self._name_ids = name_ids
        self._prompt, self._cancel = prompt, cancel
        self._choosers = choosers
        self._with_entropies = with_entropies
        self._unstored: list[PartRows] = []
        room = prompt.capacity - len(prompt.prompt_ids)
        self._columns = torch.empty(2, room, dtype=torch.long)  # part and block number of each row
        self._stored = 0  # rows behind the prompt

    def begin(self, part: int) -> None:
        """The next pass stores the part's name."""
        self._unstored.append(PartRows(part, _NAME, [self._name_ids[part]]))

    def store(self, part: int, number: int, ids: list[int]) -> None:
        """A block is final: the next pass stores it."""
        self._unstored.append(PartRows(part, number, ids))

    def look(
        self, blocks: Sequence[PartRows], choices: Sequence[ChooseTokens | None] = ()
    ) -> list[Block]:
        """What one pass finds at every row of the blocks, which are not stored.

        choices: of each block, how to choose at its rows, if not as always.
        """
        raise_if_cancelled(self._cancel)
        self.passes += 1
        stored, self._unstored = self._unstored, []
        logits = self._forward([*stored, *blocks], sum(len(block.ids) for block in blocks))
        self._stored += sum(len(rows.ids) for rows in stored)
        return self._choose(logits, blocks, choices)

    def _choose(
        self,
        logits: torch.Tensor,
        blocks: Sequence[PartRows],
        choices: Sequence[ChooseTokens | None],
    ) -> list[Block]:
        """At logits [rows of all blocks, vocabulary]; what needs no telling apart is done once."""
        counts = [len(block.ids) for block in blocks]
        picked = logits.argmax(dim=-1)
        entropies: list[float] = []
        if self._with_entropies:
            entropies = torch.special.entr(logits.softmax(dim=-1)).sum(dim=-1).tolist()
        if choices or self._choosers:
            apart = zip(logits.split(counts), picked.split(counts), strict=True)
            for place, (rows, own) in enumerate(apart):
                choose = choices[place] if choices else None
                choice = choose(rows) if choose is not None else None
                if choice is None and self._choosers:
                    choice = self._choosers[blocks[place].part].choose(rows)
                if choice is not None:
                    own.copy_(choice)
        ids, confidences = unpack_choice(pack_choice(logits, picked))
        ends = [*accumulate(counts)]
        return [
            Block(
                ids[end - count : end], confidences[end - count : end], entropies[end - count : end]
            )
            for count, end in zip(counts, ends, strict=True)
        ]

    def _forward(self, fed: Sequence[PartRows], keep: int) -> torch.Tensor:
        """Logits [keep, vocabulary] of the last rows, the mask token's at -inf."""
        decoder, start = self._prompt.decoder, len(self._prompt.prompt_ids)
        parts, numbers, positions, ids = list[int](), list[int](), list[int](), list[int]()
        for part, number, block in fed:  # flat lists: tensors of tuples take far longer
            parts += [part] * len(block)
            numbers += [number] * len(block)
            begin = start if number == _NAME else start + 1 + number * self.block_length
            positions += range(begin, begin + len(block))
            ids += block
        known = self._stored + len(ids)
        columns = self._columns[:, :known]
        own = columns[:, self._stored :]
        own.copy_(torch.tensor([parts, numbers]))
        mask = decoder.fold_mask(part_mask(*own, *columns), before=start)
        at, fed_ids = torch.tensor([positions, ids], device=decoder.device)
        hidden = decoder.run(
            decoder.embed(fed_ids), self._prompt.rotary, self._prompt.cache, 0, mask, keep,
            Places(slice(start + self._stored, start + known), start + known, at),
        )  # fmt: skip
        logits = decoder.logits(hidden)
        logits[:, self.mask_token_id] = float("-inf")
        return logits
