"""Finds the concepts a clause names."""

from __future__ import annotations

from dataclasses import dataclass

from inference.report_language.clauses import Clause
from inference.report_language.relations import RELATIONS
from inference.report_language.statements import Status
from inference.report_language.tokens import Phrase, Token

_PREDICATE_REACH = 4  # words a leading predicate may stand from its structure
_SEPARATORS = {",", "and", "or", "nor"}


@dataclass(frozen=True)
class Mention:
    """One concept named in a clause: its tokens [first, last) and what naming it says.

    anchor: the token whose preceding triggers count (in "heart is not enlarged", "enlarged").
    status: what is said when nothing modifies it ("absent" for a normal state).
    only_denied: says something only when denied ("osseous abnormality").
    is_term: a noun in the text (removable from a list), not a structure with a predicate.
    """

    concept: str
    status: Status
    first: int
    last: int
    anchor: int
    extent: tuple[int, int]
    words: str = ""
    only_denied: bool = False
    is_term: bool = True


def find_mentions(tokens: tuple[Token, ...], clause: Clause) -> list[Mention]:
    """Mentions of one clause in reading order."""
    mentions = [
        Mention(
            phrase.value,
            "present",
            phrase.first,
            phrase.last,
            phrase.first,
            (phrase.first, phrase.last),
            only_denied=phrase.kind == "denied_with",
        )
        for phrase in clause.phrases
        if phrase.kind in ("term", "denied_with")
    ]
    for phrase in clause.phrases:
        if phrase.kind == "predicate":
            for structure in _structures_of(tokens, clause, phrase):
                mentions.extend(_relate(tokens, structure, phrase))
    return sorted(mentions, key=lambda m: (m.first, m.last))


def _structures_of(tokens: tuple[Token, ...], clause: Clause, predicate: Phrase) -> list[Phrase]:
    """The structures a predicate speaks of: those before it, else those right after it."""
    subjects: list[Phrase] = []
    before = [p for p in clause.phrases if p.last <= predicate.first]
    if _leads_its_structure(tokens, clause, predicate):
        before = []  # "enlarged heart or | widened mediastinum"
    for phrase in reversed(before):
        if phrase.kind in ("predicate", "term", "scope_end"):
            break
        if phrase.kind == "structure":
            subjects.append(phrase)
    if subjects:
        return subjects[::-1]
    reach = predicate.last + _PREDICATE_REACH
    for phrase in clause.phrases:
        if phrase.first < predicate.last:
            continue
        if phrase.kind == "structure" and phrase.first <= reach:
            subjects.append(phrase)
            reach = phrase.last + 2
        elif phrase.kind not in ("place", "severity") or phrase.first > reach:
            break
    return subjects


def _leads_its_structure(tokens: tuple[Token, ...], clause: Clause, predicate: Phrase) -> bool:
    """Whether a predicate opens a list item and its structure stands right behind it."""
    return (
        predicate.first > clause.first
        and tokens[predicate.first - 1].word in _SEPARATORS
        and any(p.kind == "structure" and p.first == predicate.last for p in clause.phrases)
    )


def _relate(tokens: tuple[Token, ...], structure: Phrase, predicate: Phrase) -> list[Mention]:
    first = min(structure.first, predicate.first)
    last = max(structure.last, predicate.last)
    words = f"{structure.value} {predicate.value}"
    # Only denying what is "abnormal" says something: the normal state.
    only_denied = predicate.value == "abnormal"
    meaning = RELATIONS.get((structure.value, "normal" if only_denied else predicate.value), ())
    return [
        Mention(
            concept,
            "present" if only_denied else status,
            structure.first,
            structure.last,
            predicate.first,
            (first, last),
            words=words,
            only_denied=only_denied,
            is_term=False,
        )
        for concept, status in meaning
    ]
