"""Cuts a Chinese sentence into clauses: the stretch within which triggers and modifiers reach."""

from __future__ import annotations

from inference.report_language.clauses import Clause
from inference.report_language.tokens import Phrase, Token

_COMMAS = {"，", ","}
# As in ``clauses``: no report comes near it.
_LONGEST_CLAUSE = 300
_SAYING = ("term", "predicate")
# Said alone after a comma, these speak of what precedes it.
_AFTERTHOUGHTS = {
    "severity",
    "negation",
    "post_negation",
    "uncertainty",
    "post_uncertainty",
    "pseudo",
    "affirmation",
}
# What may stand between the items of a bare list, and end it: 未见实变，结节，肿块影。
_FILLING = {"、", "及", "和", "与", "或", "，", ",", "影", "征", "象", "等"}


def split_clauses_zh(tokens: tuple[Token, ...], phrases: list[Phrase]) -> list[Clause]:
    """The clauses of one sentence, in order, connectives left out, empty ones dropped.

    Cuts at ；, at 但, 而 ..., and at a comma once something is said before it (两肺，未见实变 is
    one clause). A denial reaches over commas through bare findings: 未见实变，结节，肿块。
    """
    cuts: list[tuple[int, int]] = []
    start = depth = 0
    breaks = {p.first: p.last for p in phrases if p.kind == "break"}
    for position, token in enumerate(tokens):
        depth = _depth(depth, token.word)
        if position in breaks:
            cuts.append((position, breaks[position]))
        elif position - start >= _LONGEST_CLAUSE:
            cuts.append((position, position))
        elif token.word in _COMMAS and not depth and _ends_clause(tokens, phrases, start, position):
            cuts.append((position, position + 1))
        else:
            continue
        start = cuts[-1][1]
    begins = [0, *(cut[1] for cut in cuts)]
    ends = [*(cut[0] for cut in cuts), len(tokens)]
    return [
        Clause(begin, end, _inside(phrases, begin, end))
        for begin, end in zip(begins, ends, strict=True)
        if begin < end
    ]


def _depth(depth: int, word: str) -> int:
    """How deep in parentheses: a comma in there parts nothing."""
    if word in "（(":
        return depth + 1
    return max(depth - 1, 0) if word in "）)" else depth


def _inside(phrases: list[Phrase], first: int, last: int) -> tuple[Phrase, ...]:
    return tuple(p for p in phrases if first <= p.first and p.last <= last)


def _ends_clause(tokens: tuple[Token, ...], phrases: list[Phrase], start: int, comma: int) -> bool:
    before = _inside(phrases, start, comma)
    if not any(phrase.kind in _SAYING for phrase in before):
        return False
    end = comma + 1
    while end < len(tokens) and tokens[end].word not in _COMMAS:
        end += 1
    following = _inside(phrases, comma + 1, end)
    covered = {i for p in following for i in range(p.first, p.last)}
    open_words = {tokens[i].word for i in range(comma + 1, end) if i not in covered}
    if not following or not open_words <= _FILLING:
        return True
    kinds = {phrase.kind for phrase in following}
    if kinds <= _AFTERTHOUGHTS:
        return False  # 右侧胸腔积液，少量 · 气胸，已吸收
    return not (kinds == {"term"} and _is_open_denial(tokens, before, comma))


def _is_open_denial(tokens: tuple[Token, ...], before: tuple[Phrase, ...], comma: int) -> bool:
    """Whether what precedes a comma is a denial that ends in a finding: 未见明显实变，"""
    said = [phrase for phrase in before if phrase.kind not in ("place", "severity", "structure")]
    kinds = [phrase.kind for phrase in said]
    if "negation" not in kinds or set(kinds[kinds.index("negation") + 1 :]) != {"term"}:
        return False
    return all(token.word in _FILLING for token in tokens[said[-1].last : comma])
