"""English report prose for ``raw_prose``: how findings, denials and normals are put into words."""

from __future__ import annotations

import re

from inference.report_language.prose_dice import Dice
from inference.report_language.prose_habits import Habits
from inference.report_language.raw_phrases_en import (
    ADVERBS,
    AFTER_ZONES,
    ALL_NORMAL,
    BEFORE_ZONES,
    CHANGES,
    DENIED_NOUNS,
    DEVICE_TAILS,
    HEADINGS,
    INDICATIONS,
    NORMAL_CONCLUSIONS,
    NORMALS,
    NOUNS,
    PERTINENT,
    REMARKS,
    SEVERITIES,
    SHORT_ZONES,
)
from inference.report_language.statements import Statement
from inference.report_language.vocabulary import CONCEPT_BY_NAME

__all__ = ["ALL_NORMAL", "NORMALS", "PERTINENT", "REMARKS", "conclude", "conclude_normal",
           "deny", "deny_beside", "except_for", "join_findings", "lay_out", "slip",
           "word_finding"]  # fmt: skip

_ITEM = re.compile(r"(?<![\w-])[a-z]{7,}(?![\w-])")
_SLIP_RATE = 0.006  # words of seven letters or more


def word_finding(said: Statement, habits: Habits, dice: Dice) -> str:
    """One sentence without its full stop, every slot of the statement in it."""
    structural = _word_structure(said, dice)
    if structural is not None and (said.concept not in NOUNS or dice.chance(0.7)):
        return _doubt_clause(structural, said, dice)
    noun, article = _noun_phrase(said, habits, dice)
    if CONCEPT_BY_NAME[said.concept].is_device:
        return _word_device(noun, said, dice)
    if said.status == "uncertain":
        return _doubt_noun(noun, article, dice)
    return _affirm_noun(noun, article, habits, dice)


def join_findings(one: Statement, other: Statement, habits: Habits, dice: Dice) -> str | None:
    """Both in one sentence, or None where the reader could attach a place to the wrong one."""
    for said in (one, other):
        device = CONCEPT_BY_NAME[said.concept].is_device
        if said.status != "present" or said.side is None or device or said.concept not in NOUNS:
            return None
    if one.concept == other.concept:
        return _join_sides(one, other, dice)
    first, second = (_noun_phrase(s, habits, dice)[0] for s in (one, other))
    joiner = dice.pick((" and ", " with ", " and ", ", with "))
    return first + joiner + second


def _join_sides(one: Statement, other: Statement, dice: Dice) -> str | None:
    """ "Bilateral pleural effusions, large on the left and small on the right"."""
    if one.zone or other.zone or {one.side, other.side} != {"left", "right"}:
        return None
    if one.concept != "pleural_effusion" or not (one.severity and other.severity):
        return None
    degrees = [dice.pick(SEVERITIES[s]) for s in (one.severity, other.severity)]
    return (
        f"bilateral pleural effusions, {degrees[0]} on the {one.side}"
        f"{dice.pick((' and ', ', '))}{degrees[1]} on the {other.side}"
    )


def _word_structure(said: Statement, dice: Dice) -> str | None:
    """ "The heart is mildly enlarged": wordings that are no noun with a place."""
    adverb = dice.pick(ADVERBS[said.severity]) + " " if said.severity else ""
    side = f"{said.side} " if said.side in ("left", "right") else ""
    match said.concept:
        case "cardiomegaly":
            degree = dice.pick(SEVERITIES[said.severity]) + " " if said.severity else ""
            heart = dice.pick(("the heart is", "heart size is", "the cardiac silhouette is"))
            return dice.pick(
                (
                    f"{heart} {adverb}enlarged",
                    f"{heart} {adverb}enlarged",
                    f"{adverb}enlarged cardiac silhouette",
                    f"{degree}enlargement of the cardiac silhouette",
                )
            )
        case "mediastinal_widening":
            return dice.pick(("the mediastinum is widened", "the mediastinum appears widened"))
        case "emphysema":
            return dice.pick(
                (
                    "the lungs are hyperinflated",
                    "the lungs are hyperexpanded",
                    "hyperinflated lungs",
                )
            )
        case "hilar_enlargement":
            if said.side == "bilateral":
                return dice.pick(("the hila are enlarged", "both hila are prominent"))
            return f"the {side}hilum is {dice.pick(('enlarged', 'prominent'))}"
        case "diaphragm_elevation":
            dome = "hemidiaphragm" if side else "diaphragm"
            return f"the {side}{dome} is {dice.pick(('elevated', 'raised'))}"
        case "aortic_atherosclerosis":
            aorta = dice.pick(("the aorta is", "the thoracic aorta is"))
            return f"{aorta} {adverb}{dice.pick(('tortuous', 'ectatic', 'tortuous'))}"
        case "pleural_effusion" if side and said.severity is None:
            blunted = dice.pick(("is blunted", "blunting"))
            return f"{'' if blunted == 'blunting' else 'the '}{side}costophrenic angle {blunted}"
        case _:
            return None


def _noun_phrase(said: Statement, habits: Habits, dice: Dice) -> tuple[str, str]:
    """Severity, place and noun, and the article it would take ("", "a", or "pl" for many)."""
    singular, plural = dice.pick(NOUNS[said.concept])
    many = said.side == "bilateral" and bool(plural)
    noun = plural if many else singular
    degree = dice.pick(SEVERITIES[said.severity]) if said.severity else ""
    before, after = _place(said, habits, dice)
    words = " ".join(word for word in (degree, before, noun, after) if word)
    return words, "pl" if many else "a" if plural else ""


def _place(said: Statement, habits: Habits, dice: Dice) -> tuple[str, str]:
    """The place as words before the noun and words after it; one of them is empty."""
    side, zone = said.side, said.zone
    if zone is not None:
        if (side, zone) in SHORT_ZONES and dice.chance(habits.abbreviates):
            return dice.pick(SHORT_ZONES[side, zone]), ""
        if dice.chance(0.4):
            return dice.pick(BEFORE_ZONES[side, zone]), ""
        return "", dice.pick(AFTER_ZONES[side, zone])
    if side is None:
        return "", ""
    if side == "bilateral":
        abbreviated = dice.chance(habits.abbreviates)
        return ("b/l", "") if abbreviated else dice.pick((("bilateral", ""), ("", "bilaterally")))
    if dice.chance(habits.abbreviates * 0.5):
        return side[0].upper() if dice.chance(0.6) else {"left": "lt", "right": "rt"}[side], ""
    is_lung = CONCEPT_BY_NAME[said.concept].region == "lungs"
    after = f"in the {side} lung" if is_lung else f"on the {side}"
    return dice.pick(((side, ""), (f"{side}-sided", ""), ("", after), (side, "")))


def _affirm_noun(noun: str, article: str, habits: Habits, dice: Dice) -> str:
    be = "are" if article == "pl" else "is"
    if dice.chance(habits.compares):
        before, after = dice.pick(CHANGES)
        return f"{before} {noun}{after}".strip()
    if habits.telegraphic or dice.chance(0.25):
        return noun
    lead = _article(noun, article)
    seen = dice.pick(("seen", "noted", "present", "identified", "demonstrated"))
    return dice.pick(
        (
            f"there {be} {lead}{noun}",
            f"{lead}{noun} {be} {seen}",
            f"there {be} {lead}{noun}",
            f"{lead}{noun} {be} {seen}",
            f"again demonstrated {be} {lead}{noun}",
            f"the film shows {lead}{noun}",
        )
    )


def _doubt_noun(noun: str, article: str, dice: Dice) -> str:
    be = "are" if article == "pl" else "is"
    return dice.pick(
        (
            f"possible {noun}",
            f"questionable {noun}",
            f"suspected {noun}",
            f"{_article(noun, article)}{noun} {be} suspected",
            f"{_article(noun, article)}{noun} cannot be excluded",
            f"findings may represent {_article(noun, article)}{noun}",
            f"findings suspicious for {_article(noun, article)}{noun}",
            f"cannot exclude {_article(noun, article)}{noun}",
        )
    )


def _doubt_clause(clause: str, said: Statement, dice: Dice) -> str:
    if said.status == "present":
        return clause
    if " is " in clause or " are " in clause:
        be = " is " if " is " in clause else " are "
        return clause.replace(be, f"{be}{dice.pick(('possibly', 'possibly', 'probably'))} ", 1)
    return f"{dice.pick(('possible', 'questionable'))} {clause}"


def _word_device(noun: str, said: Statement, dice: Dice) -> str:
    tail = dice.pick(DEVICE_TAILS[said.concept])
    doubt = dice.pick(("possible ", "questionable ")) if said.status == "uncertain" else ""
    return f"{doubt}{noun} {tail}".strip()


def _article(noun: str, article: str) -> str:
    if article != "a":
        return ""
    return "an " if noun[0].lower() in "aeiou" else "a "


def deny(concepts: list[str], dice: Dice) -> str:
    """One sentence that denies one to four things."""
    nouns = [dice.pick(DENIED_NOUNS[concept]) for concept in concepts]
    listed = nouns[0]
    if len(nouns) == 2:
        listed = " or ".join(nouns)
    elif len(nouns) > 2:
        listed = ", ".join(nouns[:-1]) + dice.pick((", or ", " or ")) + nouns[-1]
    seen = dice.pick(("seen", "identified", "noted"))
    return dice.pick(
        (
            f"no {listed}",
            f"no {listed}",
            f"there is no {listed}",
            f"no evidence of {listed}",
            f"no {listed} is {seen}",
            f"negative for {listed}",
        )
    )


def deny_beside(sentence: str, concepts: list[str], dice: Dice) -> str:
    """A finding and, in the same sentence, what is not seen beside it."""
    nouns = " or ".join(dice.pick(DENIED_NOUNS[concept]) for concept in concepts)
    return sentence + dice.pick((" without ", ", without evidence of ", "; no ", ", no ")) + nouns


def except_for(said: Statement, habits: Habits, dice: Dice) -> str:
    """ "The lungs are clear except for ...": the one finding of the lungs."""
    if said.status != "present" or said.concept not in NOUNS:
        return f"{word_finding(said, habits, dice)}; the lungs are otherwise clear"
    noun, article = _noun_phrase(said, habits, dice)
    other = dice.pick(("except for", "other than", "apart from", "with the exception of"))
    return f"the lungs are clear {other} {_article(noun, article)}{noun}"


def conclude(said: Statement, habits: Habits, dice: Dice) -> str:
    """A finding again for the impression, perhaps without its degree or zone."""
    slots = {"severity": said.severity, "zone": said.zone}
    kept = {name: value if dice.chance(0.6) else None for name, value in slots.items()}
    shorter = Statement(said.concept, said.status, said.side, kept["zone"], kept["severity"])  # type: ignore[arg-type]
    if said.concept not in NOUNS:
        return word_finding(shorter, habits, dice)
    noun, article = _noun_phrase(shorter, habits, dice)
    return noun if said.status == "present" else _doubt_noun(noun, article, dice)


def conclude_normal(dice: Dice) -> str:
    return dice.pick(NORMAL_CONCLUSIONS)


def lay_out(habits: Habits, findings: list[str], impression: list[str], dice: Dice) -> str:
    """The whole text: headings as the writer uses them, sentences ended and capitalised."""
    style = dice.pick(HEADINGS)
    parts = []
    if habits.layout == "sections" and style[0] and dice.chance(0.35):
        parts.append(dice.pick(INDICATIONS))
    if findings:
        body = " ".join(_end(sentence) for sentence in findings)
        parts.append(body if habits.layout == "paragraph" else f"{style[0]}{body}")
    if impression:
        numbered = len(impression) > 1 and dice.chance(0.5)
        items = [
            f"{n}. {_end(item)}" if numbered else _end(item) for n, item in enumerate(impression, 1)
        ]
        body = ("\n" if numbered and dice.chance(0.5) else " ").join(items)
        bare = not findings and dice.chance(0.5)
        parts.append(body if bare else f"{style[1]}{body}")
    return dice.pick(("\n", "\n\n", " ")).join(parts)


def _end(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:] + "."


def slip(text: str, dice: Dice) -> str:
    """text with a letter lost, doubled or swapped inside a long word here and there."""

    def mistype(match: re.Match[str]) -> str:
        word = match.group()
        if not dice.chance(_SLIP_RATE):
            return word
        at = 1 + int(dice.between(0, len(word) - 3))
        kind = dice.pick(("lost", "doubled", "swapped"))
        if kind == "lost":
            return word[:at] + word[at + 1 :]
        if kind == "doubled":
            return word[:at] + word[at] + word[at:]
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return _ITEM.sub(mistype, text)
