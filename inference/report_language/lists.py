"""Takes one item out of a coordinated list: "no A, B, or C" without B is "no A or C"."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Words a list follows: they stay when its first item goes.
_LEAD = re.compile(
    r"\A.*\b(?:no evidence of|no sign of|no signs of|no findings of|evidence of|negative for"
    r"|free of|clear of|absence of|without|there (?:is|are)(?: no)?|no|neither|shows?"
    r"|demonstrates?|is|are|possible|possibly|probable|probably)\s+",
    re.IGNORECASE | re.DOTALL,
)
_SEPARATOR = re.compile(r"\s*,\s*(?:(and|or|nor)\s+)?|\s+(and|or|nor)\s+|\s*/\s*", re.IGNORECASE)

Span = tuple[int, int]


def remove_list_item(
    sentence: str, clause: Span, trigger: Span, others: list[Span]
) -> Iterator[str]:
    """Sentences (full stop included) without the item at trigger, likeliest first.

    trigger, others: spans of the concept words of the item and of its neighbours in the clause.
    Yields nothing where the clause is no list. A caller must check that the rest still says
    what it said: what follows the last item ("... in the left base") may belong to any of them.
    """
    start, end = clause
    lead = _LEAD.match(sentence[start : min(trigger[0], *(a for a, _ in others))])
    list_start = start + (lead.end() if lead else 0)
    list_end = max(trigger[1], *(b for _, b in others))
    items = _split_items(sentence, list_start, list_end)
    holding = [i for i, (a, b) in enumerate(items) if a <= trigger[0] and trigger[1] <= b]
    shared = [i for i, (a, b) in enumerate(items) if any(a <= oa and ob <= b for oa, ob in others)]
    if not holding or holding[0] in shared or len(items) < 2:
        return
    kept = [sentence[a:b] for i, (a, b) in enumerate(items) if i != holding[0]]
    joiner = _find_joiner(sentence[list_start:list_end])
    prefix, suffix = sentence[:list_start], sentence[list_end:]
    for ending in dict.fromkeys((_agree(suffix, kept), _after_clause(suffix, end - list_end))):
        rest = prefix + _join(kept, joiner) + ending
        rest = rest[0].upper() + rest[1:]
        yield rest if rest.rstrip()[-1] in ".?!" else rest.rstrip() + "."


def _split_items(sentence: str, start: int, end: int) -> list[Span]:
    items: list[Span] = []
    position = start
    for separator in _SEPARATOR.finditer(sentence, start, end):
        items.append((position, separator.start()))
        position = separator.end()
    items.append((position, end))
    return [(a, b) for a, b in items if sentence[a:b].strip()]


def _find_joiner(part: str) -> str:
    words = [m.group(1) or m.group(2) for m in _SEPARATOR.finditer(part)]
    return next((word.lower() for word in reversed(words) if word), "and")


def _join(items: list[str], joiner: str) -> str:
    if len(items) < 3:
        return f" {joiner} ".join(items)
    return ", ".join(items[:-1]) + f", {joiner} {items[-1]}"


def _agree(suffix: str, kept: list[str]) -> str:
    """ "are seen" after a single item that is left becomes "is seen", if it is a single thing."""
    is_plural = len(kept) > 1 or re.search(r"[^ius]s\s*\Z", kept[0]) is not None
    return suffix if is_plural else re.sub(r"\A(\s+)are\b", r"\1is", suffix)


def _after_clause(suffix: str, clause_rest: int) -> str:
    """The suffix without what stood between the list and the end of its clause."""
    return suffix[clause_rest:]
