"""Cuts a sentence into clauses: the stretch within which triggers and modifiers reach."""

from __future__ import annotations

from typing import NamedTuple

from inference.report_language.tokens import Phrase, Token
from inference.report_language.vocabulary import CONCEPTS

_JOINERS = {",", "and", ", and"}
_SKIPPED = {"the", "a", "an", "there", "also"}
# In words. No report comes near it; it keeps text without full stops from taking quadratic time.
_LONGEST_CLAUSE = 300
_SAYING = ("term", "predicate", "denied_with")
_OPENERS = {"negation", "pseudo"}
# Predicates that are nouns: behind a "no" and a comma they go on with its list.
_NOUNS = {
    "widening",
    "enlargement",
    "prominence",
    "fullness",
    "elevation",
    "shift",
    "deviation",
    "displacement",
    "tortuosity",
    "ectasia",
    "calcification",
    "calcifications",
    "thickening",
    "blunting",
    "congestion",
    "engorgement",
    "redistribution",
}
_VERBS = {"is", "are", "was", "were", "has", "have", "remains", "persists"}
_THERE = {"present", "noted", "again"}
# Nobody denies these as an item of a list without an "or".
_RARELY_DENIED = {c.name for c in CONCEPTS if c.is_device} | {"scoliosis", "granuloma"}
_CHOICES = {"or", "nor", "/"}


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
    denied = any(p.kind == "negation" for p in before)
    if denied and _opens_finding(tokens, before, following, joiner, position, last):
        return True
    if denied and _goes_on_with_list(tokens, following, position):
        return False
    if head.kind == "place" and len(following) > 1:
        head = following[1]
        position = following[0].last
    said_before = any(p.kind in _SAYING for p in before)
    has_predicate = any(p.kind == "predicate" for p in following)
    return head.kind == "structure" and head.first == position and said_before and has_predicate


def _goes_on_with_list(tokens: tuple[Token, ...], following: list[Phrase], position: int) -> bool:
    """ "No effusion, | mediastinal widening or ...": a structure in a noun phrase, with no verb."""
    for phrase in following:
        between = {token.word for token in tokens[position : phrase.first]}
        if between - _SKIPPED - _JOINERS - _CHOICES - {"of"}:
            return False
        if phrase.kind == "predicate":
            verb = tokens[phrase.last].word if phrase.last < len(tokens) else ""
            return tokens[phrase.first].word in _NOUNS and verb not in _VERBS | _THERE
        if phrase.kind not in ("structure", "place", "severity", "term"):
            return False
        position = phrase.last
    return False


def _opens_finding(
    tokens: tuple[Token, ...],
    before: list[Phrase],
    following: list[Phrase],
    joiner: int,
    position: int,
    last: int,
) -> bool:
    """Whether a finding that is there follows a denial: "no pneumothorax, small left effusion".

    Nobody denies an amount or a place as the second item of a list, unless in a list with "or".
    """
    rest = {token.word for token in tokens[joiner + 1 : last]}
    if rest & _CHOICES or following[0].first != position:
        return False
    item = next((i for i, p in enumerate(following) if p.kind not in ("place", "severity")), 0)
    if following[item].kind != "term":
        return False
    denied = {p.value for p in before if p.kind == "term"}
    if following[item].value in _RARELY_DENIED and not denied & _RARELY_DENIED:
        return True
    if not any(p.kind in _SAYING for p in before):
        return False
    end = following[item].last
    if end < last and tokens[end].word in _VERBS and tokens[joiner].word == ",":
        return end + 1 < last and tokens[end + 1].word in _THERE
    leading = following[:item]
    amounts = [p.value for p in leading if p.kind == "severity"]
    if amounts and not {"large", "marked"} & set(amounts):
        return True
    return bool(leading) and tokens[joiner].word == "," and "," not in rest
