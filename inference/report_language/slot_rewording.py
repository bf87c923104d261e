"""Another side, zone or degree for a finding by changing one word of its clause.

Only candidates: the caller reads each again and takes the first that says what was asked for.
A clause in canonical words is left to the template, which knows plurals and adverbs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inference.report_language.slots import MEASURES, Measure
from inference.report_language.statements import Language, Severity, Statement
from inference.report_language.template import is_canonical
from inference.report_language.template_zh import DEGREES

_SIDES_EN = {"left": "left", "right": "right", "bilateral": "bilateral"}
_SIDES_ZH = {"left": "左", "right": "右"}
_ZONES_ZH = {"upper": "上", "mid": "中", "lower": "下"}
_ADJECTIVES: dict[Severity, str] = {
    "small": r"small|tiny|trace",
    "mild": r"mild|minimal|slight|minor",
    "moderate": r"moderate",
    "large": r"large|massive",
    "marked": r"marked|severe|gross|extensive",
}
_ADVERBS: dict[Severity, str] = {
    "mild": r"mildly|minimally|slightly",
    "moderate": r"moderately",
    "marked": r"markedly|severely",
}
_ADVERB_WORDS: dict[Severity, str] = {"small": "mildly", "large": "markedly"}


def reword_slots(
    text: str, statement: Statement, wanted: Statement, language: Language
) -> Iterator[str]:
    """Texts in which one word says the one slot that differs, likeliest first.

    Nothing where the status or more than one slot differs, or where the clause is canonical.
    """
    changed = [
        slot
        for slot in ("status", "side", "zone", "severity")
        if getattr(statement, slot) != getattr(wanted, slot)
    ]
    clause = text[statement.start : statement.end]
    stop = "。" if language == "zh" else "."
    is_stock = is_canonical(clause[:1].upper() + clause[1:] + stop, language)
    if len(changed) != 1 or is_stock or wanted.status == "absent":
        return
    reword = _CLAUSES[language].get(changed[0])
    if reword is None:
        return
    local = statement.trigger_start - statement.start, statement.trigger_end - statement.start
    for said in reword(clause, local, statement, wanted):
        yield text[: statement.start] + _capitalise_like(clause, said) + text[statement.end :]


def _swap(clause: str, pattern: str, word: str) -> Iterator[str]:
    """The clause with one of the words that match replaced, the first one first."""
    for match in re.finditer(pattern, clause, re.IGNORECASE):
        yield clause[: match.start()] + word + clause[match.end() :]


def _reword_side_en(
    clause: str, trigger: tuple[int, int], statement: Statement, wanted: Statement
) -> Iterator[str]:
    if wanted.side is None:
        yield from _take_out(clause, r"left|right|bilateral")
    elif statement.side is None:
        yield from _put_before(clause, trigger, _SIDES_EN[wanted.side])
    elif statement.side == "bilateral":
        return  # "both lower zones", "effusions": the template has the singular
    elif wanted.side == "bilateral":
        yield from _swap(clause, rf"(?<!the )\b{statement.side}\b", "bilateral")
    else:
        yield from _swap(clause, rf"\b{statement.side}\b", wanted.side)


def _reword_zone_en(
    clause: str, trigger: tuple[int, int], statement: Statement, wanted: Statement
) -> Iterator[str]:
    if statement.zone is not None and wanted.zone is not None:
        before_lobe = r"(?! lobe)" if wanted.zone == "mid" else ""
        yield from _swap(clause, rf"\b{statement.zone}\b{before_lobe}", wanted.zone)


def _reword_severity_en(
    clause: str, trigger: tuple[int, int], statement: Statement, wanted: Statement
) -> Iterator[str]:
    old, new = statement.severity, wanted.severity
    if new is None:
        yield from _take_out(clause, "|".join((*_ADJECTIVES.values(), *_ADVERBS.values())))
    elif old is None:
        yield from _put_before(clause, trigger, new)
    else:
        adverb = _ADVERB_WORDS.get(new, f"{new}ly" if new != "small" else "mildly")
        yield from _swap(clause, rf"\b(?:{_ADJECTIVES[old]})\b", new)
        if old in _ADVERBS:
            yield from _swap(clause, rf"\b(?:{_ADVERBS[old]})\b", adverb)


def _take_out(clause: str, words: str) -> Iterator[str]:
    for match in re.finditer(rf"\b(?:{words}) ", clause, re.IGNORECASE):
        yield _mend_article(clause[: match.start()] + clause[match.end() :])


def _put_before(clause: str, trigger: tuple[int, int], word: str) -> Iterator[str]:
    """The word before the finding; a degree also before its side ("small left effusion")."""
    if re.search(r"\b(?:is|are)\b", clause[trigger[0] : trigger[1]]):
        return
    side = re.search(r"\b(?:left|right|bilateral) \Z", clause[: trigger[0]], re.IGNORECASE)
    at = side.start() if side is not None and word not in _SIDES_EN else trigger[0]
    rest = clause[at:]
    if at == 0:
        rest = rest[0].lower() + rest[1:] if rest[1:2].islower() else rest
    yield _mend_article(f"{clause[:at]}{word} {rest}")


def _mend_article(clause: str) -> str:
    def agree(match: re.Match[str]) -> str:
        article = "an" if match.group(2)[0].lower() in "aeio" else "a"
        return f"{article if match.group(1)[0] == 'a' else article.capitalize()} {match.group(2)}"

    return re.sub(r"\b([Aa]n?) (?![Uu])(\w)", agree, clause)


def _capitalise_like(clause: str, said: str) -> str:
    return said[:1].upper() + said[1:] if clause[:1].isupper() else said


def _reword_side_zh(
    clause: str, trigger: tuple[int, int], statement: Statement, wanted: Statement
) -> Iterator[str]:
    if statement.side in _SIDES_ZH and wanted.side in _SIDES_ZH:
        yield from _swap(clause, _SIDES_ZH[statement.side], _SIDES_ZH[wanted.side])


def _reword_zone_zh(
    clause: str, trigger: tuple[int, int], statement: Statement, wanted: Statement
) -> Iterator[str]:
    if statement.zone is not None and wanted.zone is not None:
        yield from _swap(clause, _ZONES_ZH[statement.zone], _ZONES_ZH[wanted.zone])


def _reword_severity_zh(
    clause: str, trigger: tuple[int, int], statement: Statement, wanted: Statement
) -> Iterator[str]:
    measure: Measure | None = MEASURES.get(statement.concept)
    if measure is None or statement.severity is None:
        return
    degrees = DEGREES[measure]
    old = "|".join(d[s] for d in DEGREES.values() for s in d if s == statement.severity)
    new = degrees.get(wanted.severity, "") if wanted.severity else ""
    if old and (new or wanted.severity is None):
        yield from _swap(clause, old, new)


_CLAUSES = {
    "en": {"side": _reword_side_en, "zone": _reword_zone_en, "severity": _reword_severity_en},
    "zh": {"side": _reword_side_zh, "zone": _reword_zone_zh, "severity": _reword_severity_zh},
}
