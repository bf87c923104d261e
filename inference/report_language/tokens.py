"""Words with exact offsets, and the phrase table that finds the longest term at each word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

# ASCII only: str.lower() may change the length of a text, and offsets must stay exact.
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_HAN = "\u3400-\u9fff\uf900-\ufaff"
# A hyphen is white space ("mid-lung" reads as "mid lung"); punctuation kept is what parts lists.
# Chinese is written without spaces: there each character is a token.
_TOKEN = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+(?:'[a-z]+)?|[,;:()/?，、；：（）？]")
_HAN_GAP = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")


class Token(NamedTuple):
    """One lower-case word, Chinese character or punctuation mark, and its offsets."""

    word: str
    start: int
    end: int


class Phrase(NamedTuple):
    """What a phrase means: kind of lexicon entry, its value, and the tokens [first, last)."""

    kind: str
    value: str
    first: int
    last: int


def tokenize(text: str) -> tuple[Token, ...]:
    """Lower-case words and single Chinese characters of text with exact offsets."""
    lowered = text.translate(_LOWER)
    return tuple(Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(lowered))


def join_words(tokens: Iterable[Token]) -> str:
    """The words of tokens as one would write them: Chinese ones without spaces."""
    return _HAN_GAP.sub("", " ".join(token.word for token in tokens))


def expand_pattern(pattern: str) -> list[str]:
    """Every phrase of a pattern: a|b are alternatives, [a|b] may also be left out."""
    phrases = [""]
    for part in re.findall(r"\[[^\]]*\]|\S+", pattern):
        optional = part.startswith("[")
        choices = [choice.replace("_", " ") for choice in part.strip("[]").split("|")]
        if optional:
            choices.append("")
        phrases = [f"{head} {choice}".strip() for head in phrases for choice in choices]
    return phrases


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    entry: tuple[str, str] | None = None


class PhraseTable:
    """Finds lexicon phrases in a token sequence, left to right, longest first.

    The first entry added for a phrase wins, so more specific tables are added first.
    """

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, kind: str, value: str, patterns: Iterable[str]) -> None:
        for pattern in patterns:
            for phrase in expand_pattern(pattern):
                node = self._root
                for token in tokenize(phrase):
                    node = node.children.setdefault(token.word, _Node())
                if node is not self._root and node.entry is None:
                    node.entry = (kind, value)

    def find_phrases(self, tokens: tuple[Token, ...]) -> list[Phrase]:
        """Phrases that do not overlap, in reading order."""
        found: list[Phrase] = []
        position = 0
        while position < len(tokens):
            phrase = self._longest_at(tokens, position)
            if phrase is None:
                position += 1
            else:
                phrase = self._leave_to_term(tokens, phrase)
                found.append(phrase)
                position = phrase.last
        return found

    def _leave_to_term(self, tokens: tuple[Token, ...], phrase: Phrase) -> Phrase:
        """左下肺炎 is 左下 and 肺炎: a place leaves its last word to a term that needs it."""
        if phrase.kind != "place" or phrase.last - phrase.first < 2 or phrase.last == len(tokens):
            return phrase
        needing = self._longest_at(tokens, phrase.last - 1)
        without = self._longest_at(tokens, phrase.last)
        if needing is None or needing.kind != "term" or needing.last <= phrase.last:
            return phrase
        is_named_without = without is not None and without.kind == "term"
        return phrase if is_named_without else phrase._replace(last=phrase.last - 1)

    def _longest_at(self, tokens: tuple[Token, ...], first: int) -> Phrase | None:
        node, best = self._root, None
        for position in range(first, len(tokens)):
            following = node.children.get(tokens[position].word)
            if following is None:
                break
            node = following
            if node.entry is not None:
                best = Phrase(*node.entry, first, position + 1)
        return best
