"""Cuts a Chinese sentence into clauses: the stretch within which triggers and modifiers reach."""

from __future__ import annotations

import re
from bisect import bisect_left

from inference.report_language.clauses import Clause
from inference.report_language.tokens import Phrase, Token, join_words
from inference.report_language.vocabulary import CONCEPTS

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
# Opens a part that only describes the finding before it, and stays with it.
_DESCRIPTION = re.compile(
    "边缘|边界|大小|直径|长径|密度|形态|性质|约|呈|范围|量|压缩|肺组织压缩|末端|尖端|头端|断端|对位"
    "|较大者|最大者|左侧为|右侧为|以左|以右"
)
# Named by a structure and what became of it.
_CHANGED = {"cardiomegaly", "mediastinal_widening", "hilar_enlargement", "diaphragm_elevation"}
_DEVICES = {concept.name for concept in CONCEPTS if concept.is_device}
# What may stand between the items of a bare list, and end it: 未见实变，结节，肿块影。
_FILLING = {"、", "及", "和", "与", "或", "，", ",", "影", "征", "象", "等"}


def split_clauses_zh(tokens: tuple[Token, ...], phrases: list[Phrase]) -> list[Clause]:
    """The clauses of one sentence, in order, connectives left out, empty ones dropped.

    Cuts at ；, at 但, 而 ..., and at a comma once something is said before it (两肺，未见实变 is
    one clause). A denial reaches over commas through bare findings: 未见实变，结节，肿块。
    """
    cuts: list[tuple[int, int]] = []
    start = depth = 0
    asides = _find_asides(tokens, phrases)
    breaks = {p.first: p.last for p in phrases if p.kind == "break"}
    for position, token in enumerate(tokens):
        depth = _depth(depth, token.word)
        if position in asides:
            cuts.append((position, position + 1))
        elif position in breaks:
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


def _find_asides(tokens: tuple[Token, ...], phrases: list[Phrase]) -> set[int]:
    """The parentheses around findings: 斑片影（炎症可能） is two clauses."""
    asides: set[int] = set()
    opening: int | None = None
    for position, token in enumerate(tokens):
        if token.word in "（(":
            opening = position
        elif token.word in "）)" and opening is not None:
            if any(p.kind == "term" for p in _inside(phrases, opening, position)):
                asides |= {opening, position}
            opening = None
    return asides


def _inside(phrases: list[Phrase], first: int, last: int) -> tuple[Phrase, ...]:
    begin, end = (bisect_left(phrases, at, key=lambda p: p.first) for at in (first, last))
    return tuple(p for p in phrases[begin:end] if p.last <= last)


def _ends_clause(tokens: tuple[Token, ...], phrases: list[Phrase], start: int, comma: int) -> bool:
    before = _inside(phrases, start, comma)
    end = comma + 1
    while end < len(tokens) and tokens[end].word not in _COMMAS:
        end += 1
    if _is_conclusion(_inside(phrases, comma + 1, end), comma + 1):
        return False
    if not any(phrase.kind in _SAYING for phrase in before):
        # 两肺，未见实变: a bare subject goes with what is said of it.
        return not before or bool(_open_words(tokens, before, start, comma) - _FILLING)
    if _DESCRIPTION.match(join_words(tokens[comma + 1 : min(end, comma + 9)])):
        return any(p.kind in ("term", "structure") for p in _inside(phrases, comma + 1, end))
    following = _inside(phrases, comma + 1, end)
    if not following or _open_words(tokens, following, comma + 1, end) - _FILLING:
        return True
    kinds = {phrase.kind for phrase in following}
    if kinds <= _AFTERTHOUGHTS:
        return False  # 右侧胸腔积液，少量 · 气胸，已吸收
    if kinds == {"place", "severity"} and any("bilateral" in p.value for p in before):
        return False  # 双侧胸腔积液，左侧中量，右侧少量
    if any(phrase.value in _CHANGED for phrase in following):
        return True  # 未见胸腔积液，| 心影增大: a sentence of its own; a list has 、
    if {p.value for p in following} <= _DEVICES and not {p.value for p in before} & _DEVICES:
        return True  # 未见实变，| 胸骨钢丝: a device is mentioned because it is there
    return not (kinds == {"term"} and _is_open_denial(tokens, before, comma))


def _is_conclusion(following: tuple[Phrase, ...], first: int) -> bool:
    """左下肺野斑片影，考虑炎症: what the shadow may be is said of its place."""
    if not following or following[0].first != first:
        return False
    kinds = {phrase.kind for phrase in following}
    opens = following[0].kind in ("uncertainty", "suggestion")
    return opens and "term" in kinds and not kinds & {"place", "structure"}


def _open_words(
    tokens: tuple[Token, ...], phrases: tuple[Phrase, ...], first: int, last: int
) -> set[str]:
    """The words of a stretch that no phrase accounts for."""
    covered = {i for p in phrases for i in range(p.first, p.last)}
    return {tokens[i].word for i in range(first, last) if i not in covered}


def _is_open_denial(tokens: tuple[Token, ...], before: tuple[Phrase, ...], comma: int) -> bool:
    """Whether what precedes a comma is a denial that ends in a finding: 未见明显实变，"""
    said = [phrase for phrase in before if phrase.kind not in ("place", "severity", "structure")]
    kinds = [phrase.kind for phrase in said]
    if "negation" not in kinds or set(kinds[kinds.index("negation") + 1 :]) != {"term"}:
        return False
    return all(token.word in _FILLING for token in tokens[said[-1].last : comma])
