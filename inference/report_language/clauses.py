"""Cuts a sentence into clauses: the stretch within which triggers and modifiers reach."""

from __future__ import annotations

from typing import NamedTuple

from inference.report_language.tokens import Phrase, Token

_JOINERS = {",", "and", ", and"}
_SKIPPED = {"the", "a", "an", "there", "also"}
# In words. No report comes near it; it keeps text without full stops from taking quadratic time.
_LONGEST_CLAUSE = 300
_SAYING = ("term", "predicate", "denied_with")
_OPENERS = {"negation", "pseudo"}


class Clause(NamedTuple):
    """Tokens [first, last) of a sentence, and the phrases that lie in them."""

    first: int
    last: int
    phrases: tuple[Phrase, ...]


def split_clauses(tokens: tuple[Token, ...], phrases: list[Phrase]) -> list[Clause]:
    """The clauses of one sentence, in order, connectives left out, empty ones dropped.

    Cuts at ";" and at "but", "except", "other than" ..., at "with" and "without" between two
    findings, and at a comma or "and" that opens a new main clause: "the heart is normal and |
    the lungs are clear", "no effusion, | no mass".
    """
    clauses: list[Clause] = []
    start = 0
    for phrase in [*phrases, Phrase("break", "", len(tokens), len(tokens))]:
        if phrase.kind == "break" or phrase.first - start > _LONGEST_CLAUSE:
            clauses.extend(_split_main_clauses(tokens, phrases, start, phrase.first))
            start = phrase.last if phrase.kind == "break" else phrase.first
    return clauses


def _split_main_clauses(
    tokens: tuple[Token, ...], phrases: list[Phrase], first: int, last: int
) -> list[Clause]:
    inside = [p for p in phrases if first <= p.first and p.last <= last]
    cuts: list[tuple[int, int]] = []  # tokens [from, to) of the joiner that is cut out
    start = first
    position = first
    while position < last:
        cut = _cut_at_with(tokens, inside, start, position)
        if cut is not None:
            cuts.append(cut)
            start = cut[1]
            position += 1
            continue
        joiner_end = _joiner_end(tokens, position, last)
        if joiner_end > position and _opens_main_clause(
            tokens, inside, start, position, joiner_end, last
        ):
            cuts.append((position, joiner_end))
            start = joiner_end
        position = max(joiner_end, position + 1)
    clauses = []
    for begin, end in zip(
        [first, *(c[1] for c in cuts)], [*(c[0] for c in cuts), last], strict=True
    ):
        if begin < end:
            own = tuple(p for p in inside if begin <= p.first and p.last <= end)
            clauses.append(Clause(begin, end, own))
    return clauses


def _cut_at_with(
    tokens: tuple[Token, ...], phrases: list[Phrase], start: int, position: int
) -> tuple[int, int] | None:
    """Cuts "cardiomegaly | with effusion", "lungs clear | without effusion": two findings."""
    here = next((p for p in phrases if p.first == position), None)
    if here is None or tokens[position].word not in ("with", "without"):
        return None
    if here.kind not in ("scope_end", "negation"):
        return None
    said_before = any(p.kind in _SAYING and start <= p.first < position for p in phrases)
    said_after = any(p.kind in _SAYING and p.first > position for p in phrases)
    if not (said_before and said_after):
        return None
    return (position, here.last) if here.kind == "scope_end" else (position, position)


def _joiner_end(tokens: tuple[Token, ...], position: int, last: int) -> int:
    end = position
    while end < last and tokens[end].word in _JOINERS:
        end += 1
    return end


def _opens_main_clause(
    tokens: tuple[Token, ...],
    phrases: list[Phrase],
    start: int,
    joiner: int,
    opening: int,
    last: int,
) -> bool:
    before = [p for p in phrases if start <= p.first and p.last <= joiner]
    if not any(p.kind in ("predicate", "term", "negation", "denied_with") for p in before):
        return False
    position = opening
    while position < last and tokens[position].word in _SKIPPED:
        if tokens[position].word == "there":
            return True
        position += 1
    following = [p for p in phrases if p.first >= opening]
    if not following:
        return False
    head = following[0]
    if head.kind in _OPENERS and head.first == opening:
        return tokens[opening].word != "nor"
    if head.kind == "place" and len(following) > 1:
        head = following[1]
        position = following[0].last
    said_before = any(p.kind in _SAYING for p in before)
    has_predicate = any(p.kind == "predicate" for p in following)
    return head.kind == "structure" and head.first == position and said_before and has_predicate
