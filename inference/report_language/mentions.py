"""Finds the concepts a clause names, and the side, zone and severity attached to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from inference.report_language.clauses import Clause
from inference.report_language.relations import RELATIONS
from inference.report_language.statements import Severity, Side, Status, Zone
from inference.report_language.tokens import Phrase, Token
from inference.report_language.vocabulary import CONCEPT_BY_NAME

_PREDICATE_REACH = 4  # words a leading predicate may stand from its structure
_SEPARATORS = {",", "and", "or", "/", "nor"}
_SEPARATING_KINDS = {"uncertainty", "suggestion", "scope_end", "negation", "affirmation", "pseudo"}


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
    for phrase in reversed([p for p in clause.phrases if p.last <= predicate.first]):
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


def read_modifiers(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> tuple[Side | None, Zone | None, Severity | None]:
    """Side, zone and severity of a mention: those in its own part of the clause."""
    first, last = _own_part(tokens, clause, mention, mentions)
    own = [p for p in clause.phrases if first <= p.first and p.last <= last]
    places = [word for p in own if p.kind == "place" for word in p.value.split()]
    if not places:
        places = _shared_places(tokens, clause, mention, mentions)
    sides = {word for word in places if word in ("left", "right", "bilateral")}
    zones = {word for word in places if word in ("upper", "mid", "lower")}
    side = None if not sides else sides.pop() if len(sides) == 1 else "bilateral"
    region = CONCEPT_BY_NAME[mention.concept].region
    zone = zones.pop() if len(zones) == 1 and region in ("lungs", "pleura") else None
    severities = [p for p in own if p.kind == "severity"]
    leading = [p.value for p in severities if p.first < mention.extent[1]]
    trailing = [p.value for p in severities if p.first >= mention.extent[1]]
    severity = leading[-1] if leading else trailing[0] if trailing else None
    return cast(Side | None, side), cast(Zone | None, zone), cast(Severity | None, severity)


def _shared_places(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> list[str]:
    """The place named after a list, for the items before its last: "A and B in the left base"."""
    position = mention.extent[1]
    items = [m for m in mentions if m.extent[0] >= position]
    last_place = [p for p in clause.phrases if p.kind == "place"]
    if not items or not last_place or last_place[0].first < items[-1].extent[1]:
        return []
    for item in items:
        between = range(position, item.extent[0])
        covered = {
            i for p in clause.phrases for i in range(p.first, p.last) if p.kind != "severity"
        }
        if not any(tokens[i].word in _SEPARATORS for i in between) or covered & set(between):
            return []
        position = item.extent[1]
    if tokens[position].word not in ("in", "at", "within", "of"):
        return []
    return [word for p in last_place for word in p.value.split()]


def _own_part(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> tuple[int, int]:
    """The tokens [first, last) nearer to this mention than to its neighbours.

    The words between two mentions are parted at the last separator; without one they belong
    to the mention that follows ("effusion and | right basilar atelectasis").
    """
    first, last = mention.extent
    ends = [m.extent[1] for m in mentions if m.extent[1] <= first]
    starts = [m.extent[0] for m in mentions if m.extent[0] >= last]
    begin = _part_gap(tokens, clause, max(ends), first) if ends else clause.first
    end = _part_gap(tokens, clause, last, min(starts)) if starts else clause.last
    return begin, end


def _part_gap(tokens: tuple[Token, ...], clause: Clause, first: int, last: int) -> int:
    covered = {
        position
        for p in clause.phrases
        if p.kind not in _SEPARATING_KINDS
        for position in range(p.first, p.last)
    }
    separating = {
        position
        for p in clause.phrases
        if p.kind in _SEPARATING_KINDS
        for position in range(p.first, p.last)
    }
    for position in range(last - 1, first - 1, -1):
        if position in separating or (
            tokens[position].word in _SEPARATORS and position not in covered
        ):
            return position
    return first
