"""Free-text reports as radiologists write them, from the statements of a case: Stage I's input.

Most normals stay unsaid, order and wording vary with the writer's habits, the impression repeats
part of the findings, and now and then a key slips. What the statements say is said in full at
least once; nothing that they do not say is stated as present, so a text never contradicts them.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from inference.report_language import raw_prose_en, raw_prose_zh
from inference.report_language.prose_dice import Dice, RandomSource
from inference.report_language.prose_habits import Habits, draw_habits
from inference.report_language.slots import express_statement
from inference.report_language.statements import Language, Statement
from inference.report_language.vocabulary import CONCEPT_BY_NAME

_WORDINGS: dict[Language, ModuleType] = {"en": raw_prose_en, "zh": raw_prose_zh}
# Findings after which nobody writes "nothing acute".
_HARMLESS = frozenset({"aortic_atherosclerosis", "granuloma", "fibrosis", "scoliosis"})


def write_raw_report(
    statements: Iterable[Statement], language: Language, rng: RandomSource
) -> str:  # fmt: skip
    """The report of a case in free text; a function of its arguments and rng's draws alone.

    statements: all that is present on the film (what is not listed is absent); a listed absent
    one is denied in words. Raises KeyError for a language without prose.
    """
    wording = _WORDINGS[language]
    dice = Dice(rng)
    habits = draw_habits(dice)
    stated = [express_statement(s) for s in statements]
    positives = list(dict.fromkeys(s for s in stated if s.status != "absent"))
    named = {s.concept for s in positives}
    denied = [s.concept for s in stated if s.status == "absent" and s.concept not in named]
    if habits.layout == "impression_only":
        items = [wording.word_finding(s, habits, dice) for s in dice.shuffled(positives)]
        items += _deny_in_lists(denied, wording, dice)
        findings: list[str] = []
        impression = items or [wording.conclude_normal(dice)]
    else:
        findings = _write_findings(positives, denied, habits, wording, dice)
        impression = _write_impression(positives, habits, wording, dice)
    if habits.layout == "paragraph" and findings:
        impression = []
    return str(wording.slip(wording.lay_out(habits, findings, impression, dice), dice))


def _write_findings(
    positives: list[Statement],
    denied: list[str],
    habits: Habits,
    wording: ModuleType,
    dice: Dice,
) -> list[str]:
    """Region by region: what is found, then of the normals as much as the writer says."""
    named = {s.concept for s in positives}
    sentences: list[str] = []
    for region in habits.order:
        found = [s for s in positives if CONCEPT_BY_NAME[s.concept].region == region]
        if region == "lungs" and len(found) == 1 and dice.chance(0.15):
            sentences.append(wording.except_for(found[0], habits, dice))
            continue
        sentences += _word_all(found, habits, wording, dice)
        if found and region in ("lungs", "pleura") and dice.chance(0.15):
            unseen = [c for c in wording.PERTINENT if c not in named]
            if unseen:
                sentences[-1] = wording.deny_beside(sentences[-1], dice.shuffled(unseen)[:2], dice)
        for blockers, variants in wording.NORMALS.get(region, ()):
            if not named & blockers and dice.chance(habits.says_normals):
                full, short = variants
                sentences.append(dice.pick(short if habits.telegraphic else full))
    pertinent = [c for c in wording.PERTINENT if c not in named | set(denied)]
    optional = [c for c in pertinent if dice.chance(habits.says_normals)]
    sentences += _deny_in_lists([*denied, *optional], wording, dice)
    if dice.chance(0.25):
        sentences.append(dice.pick(wording.REMARKS))
    return sentences or [dice.pick(wording.ALL_NORMAL)]


def _word_all(
    found: list[Statement], habits: Habits, wording: ModuleType, dice: Dice
) -> list[str]:  # fmt: skip
    """Sentences of one region's findings, two of them sometimes in one sentence."""
    sentences = []
    waiting = dice.shuffled(found)
    while waiting:
        first = waiting.pop(0)
        joined = None
        if waiting and dice.chance(0.3):
            joined = wording.join_findings(first, waiting[0], habits, dice)
        if joined is not None:
            waiting.pop(0)
        sentences.append(joined or wording.word_finding(first, habits, dice))
    return sentences


def _deny_in_lists(concepts: list[str], wording: ModuleType, dice: Dice) -> list[str]:
    """Denials of up to four things a sentence: "No A, B or C"."""
    sentences = []
    waiting = dice.shuffled(list(dict.fromkeys(concepts)))
    while waiting:
        count = dice.pick((1, 2, 2, 3, 4))
        sentences.append(wording.deny(waiting[:count], dice))
        waiting = waiting[count:]
    return sentences


def _write_impression(
    positives: list[Statement], habits: Habits, wording: ModuleType, dice: Dice
) -> list[str]:
    """What the report concludes: most findings again in fewer words; sometimes nothing at all."""
    found = [s for s in positives if not CONCEPT_BY_NAME[s.concept].is_device]
    if dice.chance(0.15):
        return []
    if all(s.concept in _HARMLESS for s in found) and (not found or dice.chance(0.5)):
        return [wording.conclude_normal(dice)]
    concluded = [s for s in found if dice.chance(0.8)] or found[:1]
    return [wording.conclude(s, habits, dice) for s in concluded]
