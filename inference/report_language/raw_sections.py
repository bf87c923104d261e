"""Which part of a free-text report is findings, impression, or neither (indication, technique)."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

from inference.report_language.statements import Language

Section = Literal["findings", "impression", "other"]

# "Other" sections name findings that this film need not show ("rule out pneumothorax").
_HEADINGS: dict[Language, dict[Section, str]] = {
    "en": {
        "findings": "findings?|observations?|report|description",
        "impression": "impressions?|conclusions?|opinion|interpretation|summary|diagnosis",
        "other": (
            "(?:clinical )?(?:indications?|history|information)|reason for (?:exam|examination"
            "|study)|comparisons?|techniques?|exam(?:ination)?|procedure|views?|recommendations?"
        ),
    },
    "zh": {
        "findings": "(?:检查|影像学?|放射学?|X线|胸片)?(?:所见|表现)|(?:影像|检查)?描述|检查结果",
        "impression": (
            "结论|(?:影像学?|放射学?|X线)?(?:诊断意见|诊断印象|诊断|印象|意见)"
            "|(?:影像学?|放射学?|X线|胸片|检查|诊断)?提示"
        ),
        "other": (
            "临床(?:诊断|资料|病史|信息)|病史|主诉|现病史|检查(?:目的|部位|方法|技术|名称)"
            "|(?:投照|摄影)(?:方法|体位)|技术|对比|比较|建议"
        ),
    },
}


class RawSection(NamedTuple):
    """The body of one section: offsets [start, end) into the report, heading left out."""

    section: Section
    start: int
    end: int


def split_raw_sections(raw: str, language: Language) -> tuple[RawSection, ...]:
    """The sections of a report in order, empty ones dropped; text before any heading is findings.

    Raises KeyError for a language without headings.
    """
    sections: list[RawSection] = []
    current: Section = "findings"
    position = 0
    for heading in _heading_pattern(language).finditer(raw):
        sections.append(RawSection(current, position, heading.start()))
        current = next(name for name in _HEADINGS[language] if heading[name])
        position = heading.end()
    sections.append(RawSection(current, position, len(raw)))
    return tuple(s for s in sections if raw[s.start : s.end].strip())


@cache
def _heading_pattern(language: Language) -> re.Pattern[str]:
    """A heading opens the text, a line or a sentence (or is in capitals) and ends in a colon."""
    named = "|".join(f"(?P<{name}>{words})" for name, words in _HEADINGS[language].items())
    opening = r"(?:^|(?<=[\n.。;；!?！？])|(?<=\s)(?=(?-i:[A-Z]{4}|[【\u4e00-\u9fff])))\s*[【*]*"
    return re.compile(rf"{opening}(?:{named})[ \t】*]*[:：][ \t]*", re.IGNORECASE)
