"""Side, zone and severity in Chinese prose, where modifiers come first: 左侧少量胸腔积液."""

from __future__ import annotations

from inference.report_language.clauses import Clause
from inference.report_language.mentions import Mention
from inference.report_language.paired_sides import Modifiers, name_place, pair_sides
from inference.report_language.slots import SIDED
from inference.report_language.tokens import Phrase, Token
from inference.report_language.vocabulary import CONCEPT_BY_NAME

_OPENING, _CLOSING = {"（", "("}, {"）", ")"}
_COMMAS = {"，", ","}
_CHANGES = set("增减吸好加缩进消改")  # the first character of 增多, 减少, 吸收, 好转 ...
_IN_CHEST = ("lungs", "pleura")


def read_modifiers_zh(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> list[Modifiers]:
    """Side, zone and severity of a mention: what stands between the one before and it.

    In a list the place is said once, at its head: 左下肺野实变及不张. What has no side in any
    report (心影, 纵隔 ...) is given none. Two where the sides differ: 右侧中量、左侧少量积液.
    """
    first, last = _own_part(tokens, clause, mention, mentions)
    own = [p for p in clause.phrases if first <= p.first and p.last <= last]
    paired = pair_sides(tokens, [p for p in own if p.kind in ("place", "severity")], mention)
    if paired:
        return paired
    places = [p for p in own if p.kind == "place" and not _is_afterthought(tokens, mention, p)]
    if not places:
        places = _inherited_places(tokens, clause, mention, mentions)
    severities = [
        p
        for p in own
        if p.kind == "severity"
        and not _is_change(tokens, mention, p)
        and (tokens[p.first - 1].word in _COMMAS or not _is_afterthought(tokens, mention, p))
    ]
    side, zone, severity = name_place(mention, places, severities)
    return [(side if mention.concept in SIDED else None, zone, severity)]


def _is_afterthought(tokens: tuple[Token, ...], mention: Mention, phrase: Phrase) -> bool:
    """双肺结节，较大者位于右上肺: a place behind a comma is not that of the whole finding."""
    return any(token.word in _COMMAS for token in tokens[mention.extent[1] : phrase.first])


def _is_change(tokens: tuple[Token, ...], mention: Mention, phrase: Phrase) -> bool:
    """积液明显增多: how much it has changed is not how much there is."""
    following = tokens[phrase.last].word if phrase.last < len(tokens) else ""
    return phrase.first >= mention.extent[1] and following in _CHANGES


def _own_part(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> tuple[int, int]:
    """Tokens [first, last): from the end of the mention before to the end of this one.

    Parentheses right behind a mention belong to it, and the rest of the clause to its last one.
    """
    before = [_end(tokens, m) for m in mentions if m.last <= mention.first]
    begin = max(before, default=clause.first)
    end = _end(tokens, mention)
    if all(m.first < mention.last for m in mentions):
        end = clause.last
    return min(begin, mention.first), max(end, mention.extent[1])


def _end(tokens: tuple[Token, ...], mention: Mention) -> int:
    """Where a mention ends, its parentheses included; a shared predicate is not its end."""
    end = mention.last
    if end < len(tokens) and tokens[end].word in _OPENING:
        for position in range(end, len(tokens)):
            if tokens[position].word in _CLOSING:
                return position + 1
    return end


def _inherited_places(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> list[Phrase]:
    """The place at the head of the list, if the clause goes on speaking of lungs and pleura."""
    if CONCEPT_BY_NAME[mention.concept].region not in _IN_CHEST:
        return []
    for before in reversed([m for m in mentions if m.last <= mention.first]):
        if CONCEPT_BY_NAME[before.concept].region not in _IN_CHEST:
            return []
        first, last = _own_part(tokens, clause, before, mentions)
        places = [
            p for p in clause.phrases if p.kind == "place" and first <= p.first and p.last <= last
        ]
        if places:
            return places
    return []
