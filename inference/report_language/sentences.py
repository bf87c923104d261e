"""Where sentences start and end, with exact offsets."""

from __future__ import annotations

import re

# A full stop after one of these does not end a sentence.
_ABBREVIATIONS = frozenset({"dr", "mr", "mrs", "ms", "st", "vs", "approx", "e.g", "i.e", "no"})
# "2." or "(2)", "2、", "（2）" or "②" at the start of a sentence.
ENUMERATOR = re.compile(r"\s*(?:[(（]?\d{1,2}(?:[.)](?!\d)|[、．）])|[①-⑳])\s*")
_HEADER = re.compile(
    r"\s*(?:findings|impression"
    r"|(?:影像|检查|放射|X线|胸片|诊断)?(?:学)?(?:所见|表现|描述|结论|印象|诊断意见|诊断|意见|提示))\s*[:：]",
    re.IGNORECASE,
)
# A Chinese semicolon parts statements of their own, as a full stop does.
_STOP = re.compile(r"[.?!。！？；]+[\"')\]”’）]*|\n")
_OPEN_ENUMERATOR = re.compile(r"\s*\(?\d{1,2}\Z")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LAST_WORD = re.compile(r"[A-Za-z][A-Za-z.]*\Z")


def split_sentences(text: str) -> tuple[tuple[int, int], ...]:
    """The (start, end) offsets of each sentence in text, end exclusive, full stop included.

    Every character that is not white space lies in exactly one span; a section header
    ("Findings:") is a span of its own, an enumerator ("2.") belongs to the sentence it numbers.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        header = _HEADER.match(text, start)
        end = header.end() if header else _find_sentence_end(text, start)
        span = _trim(text, start, end)
        if span[0] < span[1]:
            spans.append(span)
        start = end
    return tuple(spans)


def _find_sentence_end(text: str, start: int) -> int:
    for stop in _STOP.finditer(text, start):
        if _is_boundary(text, start, stop):
            return stop.end()
    return len(text)


def _is_boundary(text: str, start: int, stop: re.Match[str]) -> bool:
    before, after = text[start : stop.start()], text[stop.end() : stop.end() + 1]
    if stop.group() == "\n":
        return _is_line_break_boundary(text, before, stop.end())
    if stop.group()[0] != ".":
        return True
    if _OPEN_ENUMERATOR.match(before):
        return False
    if _HAN.match(after) and not before[-1:].isdigit():
        return True  # 心影不大.两肺清晰 is typed with the Latin full stop
    if after and not after.isspace():
        # "normal.No effusion" runs on without a space; "0.5" and "e.g.," do not end a sentence.
        word = _LAST_WORD.search(before)
        return after.isupper() and word is not None and len(word.group()) > 1
    word = _LAST_WORD.search(before)
    if word is None or word.group().lower() not in _ABBREVIATIONS:
        return True
    # "no." ends a sentence unless a number follows ("No. 3").
    rest = text[stop.end() :].lstrip()
    return word.group().lower() == "no" and not rest[:1].isdigit()


def _is_line_break_boundary(text: str, before: str, end: int) -> bool:
    """A wrapped line goes on in lower case; a blank line or a capital starts a new sentence."""
    if not before.strip():
        return True
    if _OPEN_ENUMERATOR.match(before.rstrip(" .)")):
        return False
    rest = text[end:]
    following = rest.lstrip(" \t\r")
    return not following or not following[0].islower()


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))
