"""What checks and their fixes say to a radiologist, in the languages of reports."""

from __future__ import annotations

from collections.abc import Sequence

from inference.report_language import CONCEPT_BY_NAME, Language, Side
from workstation.reporting.report_state import Section

_LONGEST_QUOTE = 70  # characters of a sentence in a message
_MESSAGES: dict[str, dict[Language, str]] = {
    "present_and_absent": {
        "en": "{finding}: stated in “{first}”, denied in “{second}”.",
        "zh": "{finding}：“{first}”写有，“{second}”写无。",
    },
    "normal_beside_finding": {
        "en": "{finding}: stated in “{first}”, while “{second}” calls this normal.",
        "zh": "{finding}：“{first}”已写明，但“{second}”写为正常。",
    },
    "side_differs": {
        "en": "{finding}: {side} in the findings, {other_side} in the impression.",
        "zh": "{finding}：所见为{side}，结论为{other_side}。",
    },
    "side_left_out": {
        "en": "{finding}: also {side} in the findings, only {other_side} in the impression.",
        "zh": "{finding}：所见中{side}亦有，结论仅提及{other_side}。",
    },
    "placeholder": {
        "en": "“{quoted}” is still to be filled in.",
        "zh": "“{quoted}”尚未填写。",
    },
    "finding_without_impression": {
        "en": "{finding}: in the findings, not in the impression.",
        "zh": "{finding}：所见中有，结论中未提及。",
    },
    "impression_without_finding": {
        "en": "{finding}: in the impression, not in the findings.",
        "zh": "{finding}：结论中有，所见中未提及。",
    },
    "not_stated": {
        "en": "{finding}: neither stated nor denied.",
        "zh": "{finding}：未说明有无。",
    },
    "repeated_sentence": {
        "en": "The same sentence stands twice: “{first}”.",
        "zh": "同一句子出现两次：“{first}”。",
    },
    "section_empty": {
        "en": "The {section} section is empty.",
        "zh": "{section}为空。",
    },
    "comparison_without_prior": {
        "en": "“{quoted}” compares with an earlier film, but there is none here.",
        "zh": "“{quoted}”提到既往片，但此处没有既往片。",
    },
    "view_not_taken": {
        "en": "“{quoted}” speaks of a lateral film, but the study has none.",
        "zh": "“{quoted}”提到侧位片，但本次检查没有侧位片。",
    },
}
_FIXES: dict[str, dict[Language, str]] = {
    "take_side": {
        "en": "Make the impression say {side}",
        "zh": "结论改为{side}",
    },
    "conclude": {"en": "Add to the impression: “{text}”", "zh": "结论中加入：“{text}”"},
    "replace": {"en": "Write instead: “{text}”", "zh": "改写为：“{text}”"},
    "state": {"en": "Add to the findings: “{text}”", "zh": "所见中加入：“{text}”"},
    "deny": {"en": "Add: “{text}”", "zh": "加入：“{text}”"},
    "delete": {"en": "Delete “{text}”", "zh": "删除“{text}”"},
    "delete_second": {"en": "Delete the second one", "zh": "删除重复的一句"},
}
_SIDES: dict[Language, dict[Side, str]] = {
    "en": {"left": "left", "right": "right", "bilateral": "bilateral"},
    "zh": {"left": "左侧", "right": "右侧", "bilateral": "双侧"},
}
_SECTIONS: dict[Language, dict[Section, str]] = {
    "en": {"findings": "findings", "impression": "impression"},
    "zh": {"findings": "所见", "impression": "结论"},
}


def label_concept(concept: str, language: Language) -> str:
    """The concept's name, as a sentence begins with it."""
    named = CONCEPT_BY_NAME[concept]
    if language == "zh":
        return named.label_zh
    return named.label[0].upper() + named.label[1:]


def word_message(
    rule: str,
    language: Language,
    concept: str = "",
    section: Section = "findings",
    sides: tuple[Side, Side] | None = None,
    quoted: str = "",
    texts: Sequence[str] = (),
) -> str:
    """What a check says, in one language; quoted and texts stay in the report's own.

    texts: the sentences concerned, of which the first two may be quoted, cut where they are long.
    Raises KeyError for a rule without wording.
    """
    first, second, *_ = (*(_shorten(text) for text in texts), "", "")
    side, other_side = sides or ("left", "left")
    return _MESSAGES[rule][language].format(
        finding=label_concept(concept, language) if concept else "",
        section=_SECTIONS[language][section],
        side=_SIDES[language][side],
        other_side=_SIDES[language][other_side],
        quoted=quoted,
        first=first,
        second=second,
    )


def _shorten(text: str) -> str:
    """Without its full stop, which would stand before another."""
    stem = text.rstrip(".。")
    return stem if len(stem) <= _LONGEST_QUOTE else stem[: _LONGEST_QUOTE - 1].rstrip() + "…"


def word_fix(kind: str, language: Language, text: str = "", side: Side | None = None) -> str:
    """What the button of a fix says. Raises KeyError for a kind without wording."""
    named = _SIDES[language][side] if side is not None else ""
    return _FIXES[kind][language].format(text=text, side=named)
