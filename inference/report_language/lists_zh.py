"""Takes a clause, or one item of a coordinated list, out of a Chinese sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inference.report_language.lists import Span

# Words a list follows: they stay when its first item goes.
_LEAD = re.compile(
    r"\A.*(?:(?:未见|未发现|未示|没有|无)(?:明显|明确|确切)?的?|见|示|考虑|可能为?|疑似|不除外|提示)",
    re.DOTALL,
)
_SEPARATOR = re.compile(r"\s*(?:、|以及|及|和|与|或|伴有|伴|并有|并|/)\s*")
_JOINER = r"(?:但是|但|然而|而|并|且|及|和|与|伴有|伴|[\s，、；,;（）()])"
_TRAILING_JOINER = re.compile(rf"{_JOINER}+\Z")
_LEADING_JOINER = re.compile(rf"\A{_JOINER}+")
_STOP = "。！？；.!?;"


def remove_clause_zh(sentence: str, start: int, end: int) -> str:
    """The sentence without one clause and the word that joined it; "" if nothing is left."""
    before = _TRAILING_JOINER.sub("", sentence[:start])
    after = _LEADING_JOINER.sub("", sentence[end:])
    if "（" not in before + after:
        before, after = before.replace("）", ""), after.replace("）", "")
    if not re.search(r"\w", after):
        after = ""
    if not re.search(r"\w", before):
        before = ""
    return _close(f"{before}，{after}" if before and after else before or after)


def remove_list_item_zh(
    sentence: str, clause: Span, trigger: Span, others: list[Span]
) -> Iterator[str]:
    """Sentences (full stop included) without the item at trigger, likeliest first.

    As ``lists.remove_list_item``; the place before a list may belong to its first item or to
    all of them, so both are offered, and a caller must check that the rest still says what it
    said.
    """
    first = min(trigger[0], *(a for a, _ in others))
    last = max(trigger[1], *(b for _, b in others))
    lead = _LEAD.match(sentence[clause[0] : first])
    for start in dict.fromkeys((clause[0] + (lead.end() if lead else 0), first)):
        items = _split_items(sentence, start, last)
        holding = [i for i, (a, b) in enumerate(items) if a <= trigger[0] and trigger[1] <= b]
        shared = {i for i, (a, b) in enumerate(items) for oa, ob in others if a <= oa and ob <= b}
        if not holding or holding[0] in shared or len(items) < 2:
            continue
        kept = [sentence[a:b] for i, (a, b) in enumerate(items) if i != holding[0]]
        joined = kept[0] if len(kept) == 1 else "、".join(kept[:-1]) + "及" + kept[-1]
        yield _close(sentence[:start] + joined + sentence[last:])


def _split_items(sentence: str, start: int, end: int) -> list[Span]:
    items: list[Span] = []
    position = start
    for separator in _SEPARATOR.finditer(sentence, start, end):
        items.append((position, separator.start()))
        position = separator.end()
    items.append((position, end))
    return [(a, b) for a, b in items if sentence[a:b].strip()]


def _close(sentence: str) -> str:
    sentence = sentence.rstrip()
    return sentence if not sentence or sentence[-1] in _STOP else sentence + "。"
