"""Chinese report prose for ``raw_prose``: how findings, denials and normals are put into words."""

from __future__ import annotations

from inference.report_language.prose_dice import Dice
from inference.report_language.prose_habits import Habits
from inference.report_language.raw_phrases_zh import (
    ALL_NORMAL,
    BLUNTED,
    CHANGES,
    COMPARISONS,
    DEGREES,
    DENIED_NOUNS,
    DEVICE_TAILS,
    HEADINGS,
    INDICATIONS,
    LUNGS,
    NORMAL_CONCLUSIONS,
    NORMALS,
    NOUNS,
    PERTINENT,
    PLACES,
    REMARKS,
    SIDES,
    SLIPS,
)
from inference.report_language.slots import MEASURES
from inference.report_language.statements import Statement
from inference.report_language.vocabulary import CONCEPT_BY_NAME

__all__ = ["ALL_NORMAL", "NORMALS", "PERTINENT", "REMARKS", "conclude", "conclude_normal",
           "deny", "deny_beside", "except_for", "join_findings", "lay_out", "slip",
           "word_finding"]  # fmt: skip

_OWN_PLACE = tuple("左右双两未无心胸纵主脊骨")
_SLIP_RATE = 0.02  # of the words that have a homophone


def word_finding(said: Statement, habits: Habits, dice: Dice) -> str:
    """One clause without its full stop, every slot of the statement in it."""
    clause = _word_clause(said, habits, dice)
    if said.status == "present" and dice.chance(habits.compares):
        return clause + dice.pick(COMPARISONS)
    return clause


def join_findings(one: Statement, other: Statement, habits: Habits, dice: Dice) -> str | None:
    """ "A，伴B": both in one sentence, or None where a place could attach to the wrong one."""
    for said in (one, other):
        device = CONCEPT_BY_NAME[said.concept].is_device
        if said.status != "present" or said.side is None or device:
            return None
    return f"{_word_clause(one, habits, dice)}{dice.pick(('，伴', '，并', '，'))}" + _word_clause(
        other, habits, dice
    )


def _word_clause(said: Statement, habits: Habits, dice: Dice) -> str:
    if said.concept in CHANGES and (said.concept not in NOUNS or dice.chance(0.5)):
        return _word_change(said, dice)
    may_blunt = said.concept == "pleural_effusion" and said.status == "present"
    if may_blunt and said.severity is None and said.side and dice.chance(0.3):
        return dice.pick(SIDES[said.side]) + dice.pick(BLUNTED)
    place, noun = _place(said, dice), _degree(said, dice) + dice.pick(NOUNS[said.concept])
    if CONCEPT_BY_NAME[said.concept].is_device:
        noun += dice.pick(DEVICE_TAILS)
    if said.status == "uncertain":
        return _doubt(place, noun, dice)
    see = "" if habits.telegraphic else dice.pick(("见", "可见", "内见" if said.zone else "见", ""))
    return f"{place}{see}{noun}" if place else f"{see}{noun}"


def _word_change(said: Statement, dice: Dice) -> str:
    structure, change = dice.pick(CHANGES[said.concept])
    side = dice.pick(SIDES[said.side])
    be = dice.pick(("", "", "呈")) if said.severity else ""
    words = f"{side}{structure}{be}{_degree(said, dice)}{change}"
    return words if said.status == "present" else _doubt("", words, dice)


def _doubt(place: str, noun: str, dice: Dice) -> str:
    return dice.pick(
        (
            f"{place}可疑{noun}",
            f"疑似{place}{noun}",
            f"{place}疑{noun}",
            f"{place}{noun}待排",
            f"{place}{noun}不除外",
            f"考虑{place}{noun}可能",
            f"{place}{noun}可能",
        )
    )


def _degree(said: Statement, dice: Dice) -> str:
    if said.severity is None:
        return ""
    return dice.pick(DEGREES[MEASURES[said.concept]][said.severity])


def _place(said: Statement, dice: Dice) -> str:
    if said.zone is not None:
        return dice.pick(PLACES[said.side, said.zone])
    concept = CONCEPT_BY_NAME[said.concept]
    if concept.is_device:
        return SIDES[said.side][0]  # "左心脏起搏器" would name the left heart
    return dice.pick((LUNGS if concept.region == "lungs" else SIDES)[said.side])


def deny(concepts: list[str], dice: Dice) -> str:
    """One clause that denies one to four things."""
    nouns = [dice.pick(DENIED_NOUNS[concept]) for concept in concepts]
    listed = "、".join(nouns[:-1]) + dice.pick(("及", "、", "或")) + nouns[-1]
    listed = listed if len(nouns) > 1 else nouns[0]
    return dice.pick(("未见", "未见", "未见明显", "未见明确", "无")) + listed


def deny_beside(sentence: str, concepts: list[str], dice: Dice) -> str:
    """A finding and, after a comma, what is not seen beside it."""
    return f"{sentence}，{deny(concepts, dice)}"


def except_for(said: Statement, habits: Habits, dice: Dice) -> str:
    """The one finding of the lungs, and that the rest of them is clear."""
    rest = dice.pick(("余肺野清晰", "其余肺野未见异常密度影", "余肺未见明显异常"))
    return f"{word_finding(said, habits, dice)}，{rest}"


def conclude(said: Statement, habits: Habits, dice: Dice) -> str:
    """A finding again for the impression, perhaps without its degree or zone."""
    zone = said.zone if dice.chance(0.6) else None
    severity = said.severity if dice.chance(0.6) else None
    shorter = Statement(said.concept, said.status, said.side, zone, severity)
    return _word_clause(shorter, habits, dice)


def conclude_normal(dice: Dice) -> str:
    return dice.pick(NORMAL_CONCLUSIONS)


def lay_out(habits: Habits, findings: list[str], impression: list[str], dice: Dice) -> str:
    """The whole text: headings as the writer uses them, clauses joined into sentences."""
    style = dice.pick(HEADINGS)
    parts = []
    if habits.layout == "sections" and style[0] and dice.chance(0.35):
        parts.append(dice.pick(INDICATIONS))
    if findings:
        body = _join_clauses(findings, dice)
        parts.append(body if habits.layout == "paragraph" else style[0] + body)
    if impression:
        if len(impression) > 1 and dice.chance(0.6):
            mark = dice.pick(("、", ".", "．"))
            items = [f"{number}{mark}{item}。" for number, item in enumerate(impression, 1)]
            body = dice.pick(("", "\n")).join(items)
        else:
            body = "。".join(impression) + "。"
        parts.append(body if not findings and dice.chance(0.5) else style[1] + body)
    return dice.pick(("\n", "", " ")).join(parts)


def _join_clauses(clauses: list[str], dice: Dice) -> str:
    """Clauses with commas between some of them, full stops between the others.

    No comma before a clause without a place: it would take over the place before it.
    """
    ends = []
    for following in clauses[1:]:
        end = dice.pick(("。", "，", "。", "；"))
        ends.append(end if following.startswith(_OWN_PLACE) else "。")
    return "".join(clause + end for clause, end in zip(clauses, [*ends, "。"], strict=True))


def slip(text: str, dice: Dice) -> str:
    """text with a homophone mistyped here and there."""
    for meant, typed in SLIPS:
        pieces = text.split(meant)
        text = pieces[0] + "".join(
            (typed if dice.chance(_SLIP_RATE) else meant) + piece for piece in pieces[1:]
        )
    return text
