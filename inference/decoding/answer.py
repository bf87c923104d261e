"""The answer so far: where it stops, what it reads as. Torch-free."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from inference.api import StopReason
from inference.report_language import split_sentences

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_REPLACEMENT = "�"  # what an unfinished UTF-8 sequence decodes to
_FULL_STOP = re.compile("[.。]")
_SHORTEST_REPEAT, _REPEATS, _SENTENCE_REPEATS = 4, 4, 3


class Answer:
    """Takes blocks of token ids and cuts them where the answer ends.

    stop_reason: None while open, "stop" at a stop id, "length" at max_new_tokens, "repetition"
    where the model began to loop; then the loop is cut but for its first time. Nothing after
    the first stop id is kept or counted; the stop id is. So many tokens as ``pinned`` from the
    start on are the request's: no repetition of theirs ends the answer.
    """

    def __init__(
        self, tokenizer: Tokenizer, stop_ids: Collection[int], max_new_tokens: int, pinned: int = 0
    ) -> None:
        self.token_ids: list[int] = []
        self.stop_reason: StopReason | None = None
        self._texts: list[str] = []
        self._detokenizer = IncrementalDetokenizer(tokenizer)
        self._stop_ids = stop_ids
        self._max_new_tokens = max_new_tokens
        self._pinned = pinned

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def extend(self, block: list[int]) -> tuple[list[int], list[str]]:
        """(ids, texts) of the part of block that belongs to the answer, texts in step."""
        start = len(self.token_ids)
        for token_id in block:
            self.token_ids.append(token_id)
            self._texts.append(self._detokenizer.push(token_id))
            if token_id in self._stop_ids:
                self.stop_reason = "stop"
                break
            if len(self.token_ids) >= self._max_new_tokens:
                self.stop_reason = "length"
                break
        if self.stop_reason is not None:
            self._texts[-1] += self._detokenizer.flush()
        if self.stop_reason != "stop":
            self._cut_loop(start)
        return self.token_ids[start:], self._texts[start:]

    def _cut_loop(self, start: int) -> None:
        """start: of the newest block."""
        cut = find_loop(self.token_ids[self._pinned :])
        if cut is None and any(mark in text for text in self._texts[start:] for mark in ".。"):
            cut = find_repeated_sentence(self._texts[self._pinned :])
        if cut is not None:
            self.stop_reason = "repetition"
            del self.token_ids[self._pinned + cut :], self._texts[self._pinned + cut :]


def find_loop(token_ids: list[int]) -> int | None:
    """Where the second time begins of an n-gram of at least 4 tokens that ends the sequence 4
    times in a row; None where there is none.
    """
    for size in range(_SHORTEST_REPEAT, len(token_ids) // _REPEATS + 1):
        if token_ids[-1] != token_ids[-1 - size]:
            continue  # nearly always: nothing is copied
        if token_ids[-size:] * _REPEATS == token_ids[-size * _REPEATS :]:
            return len(token_ids) - size * (_REPEATS - 1)
    return None


def find_repeated_sentence(token_texts: Sequence[str]) -> int | None:
    """Where the second time begins of a sentence said 3 times in a row; None where there is none.

    Said twice, a sentence is clumsy, and ending there would cost the rest of the report. Only
    finished sentences of at least 4 letters count.
    """
    text = "".join(token_texts)
    pieces = [piece.strip() for piece in _FULL_STOP.split(text)[:-1]]
    if len(set(pieces)) == len(pieces):
        return None  # the second and third time would be alike: parting sentences costs far more
    spans = split_sentences(text)
    sentences = [text[start:end] for start, end in spans]
    for number, sentence in enumerate(sentences[: 1 - _SENTENCE_REPEATS]):
        is_finished = sentence.endswith((".", "。"))
        has_words = sum(map(str.isalpha, sentence)) >= _SHORTEST_REPEAT
        times = sentences[number : number + _SENTENCE_REPEATS].count(sentence)
        if is_finished and has_words and times == _SENTENCE_REPEATS:
            ends = accumulate(map(len, token_texts))
            return next(index for index, end in enumerate(ends) if end > spans[number][1])
    return None


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
        if not self._held and (whole := _decode_alone(self._tokenizer, token_id)) is not None:
            return whole
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


@lru_cache(maxsize=8192)  # the words of reports
def _decode_alone(tokenizer: Tokenizer, token_id: int) -> str | None:
    """None where its bytes end within a character."""
    text: str = tokenizer.decode([token_id], skip_special_tokens=True)
    return None if text.endswith(_REPLACEMENT) else text
