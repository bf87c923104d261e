"""One finding on two sides that differ: "moderate on the left, small on the right".

Shared by the languages; their modifier readers collect the places and severities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from inference.report_language.mentions import Mention
from inference.report_language.slots import SIDED
from inference.report_language.statements import Severity, Side, Zone
from inference.report_language.tokens import Phrase, Token
from inference.report_language.vocabulary import CONCEPT_BY_NAME

Modifiers = tuple[Side | None, Zone | None, Severity | None]
_SIDES, _ZONES = ("left", "right", "bilateral"), ("upper", "mid", "lower")
_OPPOSITE = {"left": "right", "right": "left"}
_SEPARATORS = frozenset({",", "and", "or", "/", "，", "、", "及", "和", "与", "或"})


def name_place(mention: Mention, places: list[Phrase], severities: list[Phrase]) -> Modifiers:
    """The one side, zone and severity that places and severities come to for a mention.

    Both sides are bilateral, two zones are none; a severity before the finding goes first.
    """
    named = _words(places)
    sides, zones = named & set(_SIDES), named & set(_ZONES)
    side = None if not sides else sides.pop() if len(sides) == 1 else "bilateral"
    region = CONCEPT_BY_NAME[mention.concept].region
    zone = zones.pop() if len(zones) == 1 and region in ("lungs", "pleura") else None
    leading = [_severity(p) for p in severities if p.first < mention.extent[1]]
    trailing = [_severity(p) for p in severities if p.first >= mention.extent[1]]
    severity = leading[-1] if leading else trailing[0] if trailing else None
    return cast(Side | None, side), cast(Zone | None, zone), severity


def pair_sides(
    tokens: tuple[Token, ...], own: Sequence[Phrase], mention: Mention
) -> list[Modifiers]:
    """Left and right apart where the text grades or places them apart, else [].

    own: the places and severities of the mention, in reading order.
    """
    if mention.concept not in SIDED:
        return []
    leading = [p for p in own if p.last <= mention.extent[0]]
    trailing = [p for p in own if p.first >= mention.extent[1]]
    both = [p for p in leading if "bilateral" in p.value.split()]
    for part in (trailing, leading):
        rest = leading if part is trailing else trailing
        if _single_sides(rest):
            continue
        groups = _group_by_side(tokens, part)
        if len(groups) == 2:
            first, second = (name_place(mention, *_parted([*both, *g])) for g in groups)
            return _share(mention, groups, first, second, part is leading)
        if len(groups) == 1 and both and part is trailing:
            return _set_apart(mention, groups[0], leading)
    return []


def _share(
    mention: Mention,
    groups: list[list[Phrase]],
    first: Modifiers,
    second: Modifiers,
    is_leading: bool,
) -> list[Modifiers]:
    graded = [_only_severity(group) for group in groups]
    if is_leading and graded[0] is not None and graded[1] is None:
        graded[1] = graded[0]  # "small left and right upper opacities"
    sides = [_single_sides(group)[0] for group in groups]
    if not any(graded) and first[1] == second[1]:
        return []
    return [
        (cast(Side, side), said[1], severity)
        for side, said, severity in zip(sides, (first, second), graded, strict=True)
    ]


def _set_apart(mention: Mention, group: list[Phrase], leading: list[Phrase]) -> list[Modifiers]:
    """ "Bilateral effusions, large on the left": the right one keeps the first degree."""
    severity = _only_severity(group)
    if severity is None:
        return []
    zone = name_place(mention, *_parted(leading))[1]
    side = _single_sides(group)[0]
    other = _only_severity(leading)
    return [
        (cast(Side, side), zone, severity),
        (cast(Side, _OPPOSITE[side]), zone, other),
    ]


def _group_by_side(tokens: tuple[Token, ...], phrases: list[Phrase]) -> list[list[Phrase]]:
    """phrases parted at the separator between "left" and "right"; [] if a side comes twice."""
    sided = [p for p in phrases if _single_sides([p])]
    if len(sided) == 1:
        return [phrases]
    if len(sided) != 2 or len(set(_single_sides(sided))) != 2:
        return []
    between = range(sided[1].first - 1, sided[0].last - 1, -1)
    cut = next((i for i in between if tokens[i].word in _SEPARATORS), None)
    if cut is None:
        return []
    plain = [p for p in phrases if "bilateral" not in p.value.split()]
    return [[p for p in plain if p.first < cut], [p for p in plain if p.first > cut]]


def _single_sides(phrases: Sequence[Phrase]) -> list[str]:
    places = [p for p in phrases if p.kind == "place"]
    return [word for p in places for word in p.value.split() if word in _OPPOSITE]


def _only_severity(phrases: Sequence[Phrase]) -> Severity | None:
    graded = [_severity(p) for p in phrases if p.kind != "place"]
    return graded[-1] if graded else None


def _parted(phrases: list[Phrase]) -> tuple[list[Phrase], list[Phrase]]:
    return [p for p in phrases if p.kind == "place"], [p for p in phrases if p.kind != "place"]


def _words(places: Sequence[Phrase]) -> set[str]:
    return {word for p in places for word in p.value.split()}


def _severity(phrase: Phrase) -> Severity:
    return cast(Severity, phrase.value)
