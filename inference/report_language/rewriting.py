"""Changes one statement in a text (status, side, zone, severity) and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from inference.report_language.extraction import extract_statements
from inference.report_language.lists import Span, remove_list_item
from inference.report_language.lists_zh import remove_clause_zh, remove_list_item_zh
from inference.report_language.sentences import ENUMERATOR, split_sentences
from inference.report_language.slot_rewording import reword_slots
from inference.report_language.slots import express_statement
from inference.report_language.statements import Language, Statement, Status
from inference.report_language.template import word_statement
from inference.report_language.vocabulary import CONCEPT_BY_NAME

# What joins a clause to the rest of its sentence, and falls away with it.
_CONNECTIVE = (
    r"(?:but|however|although|yet|while|whereas|except(?: for)?|with(?: the)? exception of"
    r"|other than|apart from|aside from|otherwise|with|and|or|nor)"
)
_TRAILING_JOINER = re.compile(rf"(?:[\s,;]|\b{_CONNECTIVE}\b)+\Z", re.IGNORECASE)
_LEADING_JOINER = re.compile(rf"\A(?:[\s,;]|\b{_CONNECTIVE}\b)+", re.IGNORECASE)
_DENIED_SIGN = re.compile(r"\b(?:to suggest|suggesting|suggestive of)\b|提示", re.IGNORECASE)
_WITHOUT = re.compile(r"\A(?:and |or )?without (?:any )?", re.IGNORECASE)

StatementKey = tuple[str, str, str | None, str | None, str | None]


# Why a text is left as it is: it no longer makes the statement; its clause makes others too
# that cannot be told apart; or another statement would change with it; or no sentence of the
# report language says it.
RefusalCode = Literal["gone", "entangled", "side_effect", "unsaid"]
_EXPLANATIONS: dict[RefusalCode, dict[Language, str]] = {
    "gone": {"en": "the text no longer says this", "zh": "文中已无此表述"},
    "entangled": {
        "en": "the same clause also speaks of {concepts}",
        "zh": "同一句中还涉及{concepts}",
    },
    "side_effect": {
        "en": "another statement of the report would change with it",
        "zh": "报告中的其他表述会随之改变",
    },
    "unsaid": {
        "en": "reports do not say this of {concepts}",
        "zh": "报告用语中没有对{concepts}的此项描述",
    },
}


class CannotRewrite(Exception):
    """The text is left to the user.

    code: why, the same in every language. concepts: names of the concepts that stand in the way
    ("entangled" and "unsaid"). reason: the English text, unless another is given.
    """

    def __init__(
        self,
        reason: str = "",
        code: RefusalCode = "side_effect",
        concepts: tuple[str, ...] = (),
    ) -> None:
        self.code: RefusalCode = code
        self.concepts = concepts
        self.reason = reason or self.explain("en")
        super().__init__(self.reason)

    def explain(self, language: Language) -> str:
        """Why, in a language of reports. Raises KeyError for a language without wording."""
        said = (CONCEPT_BY_NAME[name] for name in self.concepts)
        labels = [c.label_zh if language == "zh" else c.label for c in said]
        joined = ("、" if language == "zh" else ", ").join(labels)
        return _EXPLANATIONS[self.code][language].format(concepts=joined)


def rewrite_statement(
    text: str, statement: Statement, status: Status, language: Language = "en"
) -> str:
    """text with only the clause of statement (as extracted from text) saying the new status.

    The clause becomes the canonical sentence of the new status, side, zone and severity kept as
    far as that sentence says them; an item of a list ("no A, B, or C") is taken out of the list
    and its sentence appended. Raises CannotRewrite if statement does not stand in text, or if
    no such change leaves every other statement as it was.
    """
    if statement.status == status and statement in extract_statements(text, language):
        return text
    return restate_statement(text, statement, replace(statement, status=status), language)


def restate_statement(
    text: str, statement: Statement, wanted: Statement, language: Language = "en"
) -> str:
    """text with only the clause of statement saying what ``wanted`` says of the same concept.

    wanted: statement with another status, side, zone or severity; offsets and rule are not
    looked at. A slot alone is changed word by word where that reads well ("small left effusion,
    unchanged" -> "small right effusion, unchanged"); else the clause becomes the canonical
    sentence, which leaves out slots it has no words for. Raises CannotRewrite as
    ``rewrite_statement`` does, and where the report language cannot say the slot asked for.
    """
    before = extract_statements(text, language)
    if statement not in before:
        raise CannotRewrite(code="gone")
    if _key(statement) == _key(wanted):
        return text
    wanted = replace(wanted, start=statement.start, end=statement.end)
    expressed = express_statement(wanted)
    if any(
        getattr(wanted, slot) not in (getattr(statement, slot), getattr(expressed, slot))
        and wanted.status != "absent"
        for slot in ("side", "zone")
    ):
        raise CannotRewrite(code="unsaid", concepts=(statement.concept,))
    for said, candidates in (
        (wanted, reword_slots(text, statement, wanted, language)),
        (expressed, _candidates(text, before, statement, _word(expressed, language), language)),
    ):
        rewritten = _choose(candidates, before, statement, said, language)
        if rewritten is not None:
            return rewritten
    raise _refuse(before, statement)


def withdraw_statement(text: str, statement: Statement, language: Language = "en") -> str:
    """text without the clause of statement: nothing is said of its concept there any more.

    "" where nothing else was said. Raises CannotRewrite as ``rewrite_statement`` does.
    """
    before = extract_statements(text, language)
    if statement not in before:
        raise CannotRewrite(code="gone")
    rest = _choose(
        _candidates(text, before, statement, "", language), before, statement, None, language
    )
    if rest is None:
        raise _refuse(before, statement)
    return rest.strip()


def _choose(
    candidates: Iterator[str],
    before: tuple[Statement, ...],
    statement: Statement,
    said: Statement | None,
    language: Language,
) -> str | None:
    """The first candidate that says ``said`` in the place of statement and all else as before."""
    expected = Counter(_key(s) for s in before)
    expected[_key(statement)] -= 1
    if said is not None:
        expected[_key(said)] += 1
    expected = +expected
    for candidate in candidates:
        if Counter(_key(s) for s in extract_statements(candidate, language)) == expected:
            return candidate
    return None


def _refuse(before: tuple[Statement, ...], statement: Statement) -> CannotRewrite:
    peers = [s.concept for s in before if s.start == statement.start and s != statement]
    if peers:
        return CannotRewrite(code="entangled", concepts=tuple(dict.fromkeys(peers)))
    return CannotRewrite(code="side_effect")


def _key(statement: Statement) -> StatementKey:
    return (
        statement.concept,
        statement.status,
        statement.side,
        statement.zone,
        statement.severity,
    )


@dataclass(frozen=True)
class _Prose:
    """How the text of one language is taken apart and put together again."""

    remove_clause: Callable[[str, int, int], str]
    remove_list_item: Callable[[str, Span, Span, list[Span]], Iterator[str]]
    word_denial: Callable[[Statement], str]  # with its place, which the canonical one leaves out
    gap: str  # between two sentences

    def join(self, *sentences: str) -> str:
        return self.gap.join(sentence for sentence in sentences if sentence)


def _word(statement: Statement, language: Language) -> str:
    return word_statement(
        statement.concept,
        statement.status,
        statement.side,
        statement.zone,
        statement.severity,
        language,
    )


def _candidates(
    text: str,
    before: tuple[Statement, ...],
    statement: Statement,
    worded: str,
    language: Language,
) -> Iterator[str]:
    """Possible new texts with ``worded`` in place of the statement, the least change first."""
    prose = _PROSE[language]
    start, end = next((a, b) for a, b in split_sentences(text) if a <= statement.start < b)
    number = ENUMERATOR.match(text[start:end])
    body_start = start + (number.end() if number else 0)
    sentence = text[body_start:end]
    clause = (max(statement.start - body_start, 0), statement.end - body_start)
    peers = [s for s in before if s.start == statement.start and s != statement]
    head, tail = text[:body_start], text[end:]
    if not peers:
        without = prose.remove_clause(sentence, *clause)
        first_in_sentence = clause[0] == 0
        parts = (worded, without) if first_in_sentence else (without, worded)
        yield head + prose.join(*parts) + tail
        return
    trigger = (statement.trigger_start - body_start, statement.trigger_end - body_start)
    spans = [(s.trigger_start - body_start, s.trigger_end - body_start) for s in peers]
    for rest in prose.remove_list_item(sentence, clause, trigger, spans):
        yield head + prose.join(rest, worded) + tail
    if all(s.status == "absent" for s in (statement, *peers)) and (
        all(s.rule.startswith("normality:") for s in (statement, *peers))
        or _DENIED_SIGN.search(sentence[clause[0] : clause[1]])
    ):
        # "The lungs are clear", "no opacity to suggest pneumonia" cannot be half true: each of
        # the denials gets its own sentence.
        said = [worded if s == statement else prose.word_denial(s) for s in (statement, *peers)]
        without = prose.remove_clause(sentence, *clause)
        yield head + prose.join(without, *said) + tail


def _remove_clause(sentence: str, start: int, end: int) -> str:
    """The sentence without one clause and the word that joined it; "" if nothing is left."""
    before = _TRAILING_JOINER.sub("", sentence[:start])
    after = _LEADING_JOINER.sub("", sentence[end:]).strip()
    if not re.search(r"\w", after):
        after = ""
    if not re.search(r"\w", before):
        before = ""
    if before and after:
        return f"{before}; {after}"
    rest = before or _WITHOUT.sub("No ", after)
    if not rest:
        return ""
    rest = rest[0].upper() + rest[1:]
    return rest if rest[-1] in ".?!" else rest + "."


def _word_denial(statement: Statement) -> str:
    sentence = _word(statement, "en").removesuffix(".")
    if statement.zone is not None:
        place = f" in the {statement.side or ''} {statement.zone} zone".replace("  ", " ")
    else:
        place = f" on the {statement.side}" if statement.side else ""
    return f"{sentence}{place}."


def _word_denial_zh(statement: Statement) -> str:
    side = {"left": "左", "right": "右"}.get(statement.side or "", "")
    if statement.zone is not None:
        place = side + {"upper": "上", "mid": "中", "lower": "下"}[statement.zone] + "肺野"
    else:
        place = side + "侧" if side else ""
    return place + _word(statement, "zh")


_PROSE: dict[Language, _Prose] = {
    "en": _Prose(_remove_clause, remove_list_item, _word_denial, gap=" "),
    "zh": _Prose(remove_clause_zh, remove_list_item_zh, _word_denial_zh, gap=""),
}
