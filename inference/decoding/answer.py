"""The answer so far: where it stops, what it reads as. Torch-free."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_REPLACEMENT = "�"  # what an unfinished UTF-8 sequence decodes to
_SHORTEST_REPEAT, _REPEATS = 4, 4


class Answer:
    """Takes blocks of token ids and cuts them where the answer ends.

    stop_reason: None while open, "stop" at a stop id, "length" at max_new_tokens or where the
    model began to loop. Nothing after the first stop id is kept or counted; the stop id is.
    """

    def __init__(self, tokenizer: Tokenizer, stop_ids: Collection[int], max_new_tokens: int):
        self.token_ids: list[int] = []
        self.text = ""
        self.stop_reason: Literal["stop", "length"] | None = None
        self._detokenizer = IncrementalDetokenizer(tokenizer)
        self._stop_ids = stop_ids
        self._max_new_tokens = max_new_tokens

    def extend(self, block: list[int]) -> tuple[list[int], list[str]]:
        """(ids, texts) of the part of block that belongs to the answer, texts in step."""
        kept: list[int] = []
        for token_id in block:
            kept.append(token_id)
            if token_id in self._stop_ids:
                self.stop_reason = "stop"
                break
            if len(self.token_ids) + len(kept) >= self._max_new_tokens:
                self.stop_reason = "length"
                break
        self.token_ids += kept
        if self.stop_reason is None and is_looping(self.token_ids):
            self.stop_reason = "length"
        texts = [self._detokenizer.push(token_id) for token_id in kept]
        if self.stop_reason is not None:
            texts[-1] += self._detokenizer.flush()
        self.text += "".join(texts)
        return kept, texts


def is_looping(token_ids: list[int]) -> bool:
    """Whether the same n-gram of at least 4 tokens ends the sequence 4 times in a row."""
    for size in range(_SHORTEST_REPEAT, len(token_ids) // _REPEATS + 1):
        if token_ids[-size:] * _REPEATS == token_ids[-size * _REPEATS :]:
            return True
    return False


class IncrementalDetokenizer:
    """Token ids to texts whose concatenation is the decoded whole, special tokens left out.

    For byte-level BPE: a character whose bytes span tokens is held back and given to the
    last of them.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._held: list[int] = []

    def fork(self) -> IncrementalDetokenizer:
        """One that goes on from here by itself."""
        forked = IncrementalDetokenizer(self._tokenizer)
        forked._held = self._held.copy()
        return forked

    def push(self, token_id: int) -> str:
        """The text that token_id completes, possibly empty."""
        self._held.append(token_id)
        text: str = self._tokenizer.decode(self._held, skip_special_tokens=True)
        if text.endswith(_REPLACEMENT):
            return ""
        self._held.clear()
        return text

    def flush(self) -> str:
        """What is still held, as the replacement characters it will stay."""
        text: str = self._tokenizer.decode(self._held, skip_special_tokens=True)
        self._held.clear()
        return text
