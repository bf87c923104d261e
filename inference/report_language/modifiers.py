"""Side, zone and severity in English prose: those nearer to a finding than to its neighbours."""

from __future__ import annotations

from inference.report_language.clauses import Clause
from inference.report_language.mentions import Mention
from inference.report_language.paired_sides import Modifiers, name_place, pair_sides
from inference.report_language.tokens import Phrase, Token

_SEPARATORS = {",", "and", "or", "/", "nor"}
_SEPARATING_KINDS = {"uncertainty", "suggestion", "scope_end", "negation", "affirmation", "pseudo"}
# What follows "slightly" when it says how much a finding has changed, not how much there is.
_CHANGES = {
    "improved",
    "improving",
    "worsened",
    "worsening",
    "changed",
    "larger",
    "smaller",
    "worse",
    "better",
    "greater",
    "more",
    "less",
    "progressed",
    "reduced",
    "diminished",
    "increasing",
    "decreasing",
    "decreased",
    "interval",
    "increase",
    "decrease",
    "improvement",
    "progression",
    "change",
    "changes",
    "reduction",
}
_EXCLUDING = {"not", "none", "nor"}
_LINKING = {"on", "in", "at", "the"}


def read_modifiers(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> list[Modifiers]:
    """Side, zone and severity of a mention: those in its own part of the clause.

    Two of them where the sides differ: "effusions, moderate on the left, small on the right".
    """
    first, last = _own_part(tokens, clause, mention, mentions)
    own = [p for p in clause.phrases if first <= p.first and p.last <= last]
    own = own[_count_spoken_of(tokens, mention, own) :]
    places = [p for p in own if p.kind == "place" and not _is_excluded(tokens, p)]
    severities = [p for p in own if _is_severity(tokens, mention, p)]
    if not places:
        places = _shared_places(tokens, clause, mention, mentions)
    else:
        paired = pair_sides(tokens, sorted([*places, *severities], key=lambda p: p.first), mention)
        if paired:
            return paired
    return [name_place(mention, places, severities)]


def _count_spoken_of(tokens: tuple[Token, ...], mention: Mention, own: list[Phrase]) -> int:
    """How many phrases belong to a normal state said before: "right base clear, left opacity"."""
    for index in range(len(own) - 1, -1, -1):
        phrase = own[index]
        if (phrase.kind, phrase.value) != ("predicate", "normal"):
            continue
        if phrase.last < mention.extent[0] and tokens[phrase.last].word in _SEPARATORS:
            return index + 1
    return 0


def _is_excluded(tokens: tuple[Token, ...], place: Phrase) -> bool:
    """A place where the finding is not: "left effusion, none on the right"."""
    position = place.first - 1
    while position >= 0 and tokens[position].word in _LINKING:
        position -= 1
    return position >= 0 and tokens[position].word in _EXCLUDING


def _is_severity(tokens: tuple[Token, ...], mention: Mention, phrase: Phrase) -> bool:
    """Whether a phrase says how much there is: "small", "is large", not "slightly larger"."""
    first, last = mention.extent
    if phrase.kind == "predicate":  # "is large" is a predicate of hearts
        return phrase.value == "large" and not first <= phrase.first < last
    if phrase.kind != "severity":
        return False
    following = tokens[phrase.last].word if phrase.last < len(tokens) else ""
    if first <= phrase.last < last:
        return True  # "markings are mildly increased": the change is the finding
    adverb = tokens[phrase.last - 1].word.endswith("ly")
    before = tokens[phrase.first - 1].word if phrase.first else ""
    if adverb and (before in _CHANGES or following == "increased"):
        return False  # "has improved slightly", "slightly increased"
    return following not in _CHANGES


def _shared_places(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> list[Phrase]:
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
    return last_place


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
