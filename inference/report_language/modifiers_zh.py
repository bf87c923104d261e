"""Side, zone and severity in Chinese prose, where modifiers come first: 左侧少量胸腔积液."""

from __future__ import annotations

from typing import cast

from inference.report_language.clauses import Clause
from inference.report_language.mentions import Mention
from inference.report_language.slots import SIDED
from inference.report_language.statements import Severity, Side, Zone
from inference.report_language.tokens import Phrase, Token
from inference.report_language.vocabulary import CONCEPT_BY_NAME

_OPENING, _CLOSING = {"（", "("}, {"）", ")"}
_COMMAS = {"，", ","}
_IN_CHEST = ("lungs", "pleura")
_SIDES, _ZONES = ("left", "right", "bilateral"), ("upper", "mid", "lower")


def read_modifiers_zh(
    tokens: tuple[Token, ...], clause: Clause, mention: Mention, mentions: list[Mention]
) -> tuple[Side | None, Zone | None, Severity | None]:
    """Side, zone and severity of a mention: what stands between the one before and it.

    In a list the place is said once, at its head: 左下肺野实变及不张. What has no side in any
    report (心影, 纵隔 ...) is given none.
    """
    first, last = _own_part(tokens, clause, mention, mentions)
    own = [p for p in clause.phrases if first <= p.first and p.last <= last]
    places = _places([p for p in own if not _is_afterthought(tokens, mention, p)])
    if not places:
        places = _inherited_places(tokens, clause, mention, mentions)
    sides, zones = places & set(_SIDES), places & set(_ZONES)
    region = CONCEPT_BY_NAME[mention.concept].region
    side = None if not sides else sides.pop() if len(sides) == 1 else "bilateral"
    zone = zones.pop() if len(zones) == 1 and region in _IN_CHEST else None
    severities = [
        p
        for p in own
        if p.kind == "severity"
        and (tokens[p.first - 1].word in _COMMAS or not _is_afterthought(tokens, mention, p))
    ]
    leading = [p.value for p in severities if p.first < mention.extent[1]]
    trailing = [p.value for p in severities if p.first >= mention.extent[1]]
    severity = leading[-1] if leading else trailing[0] if trailing else None
    return (
        cast(Side | None, side) if mention.concept in SIDED else None,
        cast(Zone | None, zone),
        cast(Severity | None, severity),
    )


def _places(phrases: list[Phrase]) -> set[str]:
    return {word for p in phrases if p.kind == "place" for word in p.value.split()}


def _is_afterthought(tokens: tuple[Token, ...], mention: Mention, phrase: Phrase) -> bool:
    """双肺结节，较大者位于右上肺: a place behind a comma is not that of the whole finding."""
    return any(token.word in _COMMAS for token in tokens[mention.extent[1] : phrase.first])


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
) -> set[str]:
    """The place at the head of the list, if the clause goes on speaking of lungs and pleura."""
    if CONCEPT_BY_NAME[mention.concept].region not in _IN_CHEST:
        return set()
    for before in reversed([m for m in mentions if m.last <= mention.first]):
        if CONCEPT_BY_NAME[before.concept].region not in _IN_CHEST:
            return set()
        first, last = _own_part(tokens, clause, before, mentions)
        places = _places([p for p in clause.phrases if first <= p.first and p.last <= last])
        if places:
            return places
    return set()
