"""Contradictions inside one report, found from its text alone (`report-language.md`).

A section that is empty is not compared with the other: that it is missing is another check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from inference.report_language.extraction import extract_statements
from inference.report_language.sentences import split_sentences
from inference.report_language.statement_merging import share_place
from inference.report_language.statements import Language, Side, Statement
from inference.report_language.vocabulary import CONCEPT_BY_NAME

ContradictionKind = Literal[
    "present_and_absent",
    "normal_beside_finding",
    "side_differs",
    "finding_without_impression",
    "impression_without_finding",
    "repeated_sentence",
]

# A statement of normality denies more than the extractor reads from it: rule -> region's concepts.
_NORMAL_REGIONS: tuple[tuple[str, frozenset[str]], ...] = (
    (
        r"normality:lungs",
        frozenset(
            {
                "atelectasis",
                "consolidation",
                "mass",
                "nodule",
                "opacity",
                "pneumonia",
                "pulmonary_edema",
            }
        ),
    ),
)
_NOTHING_ACUTE: dict[Language, str] = {
    "en": (
        r"\bno (?:acute|active|significant)?\s*(?:intrathoracic|cardiopulmonary|pulmonary|cardiac)?"
        r"\s*(?:disease|process|abnormalit(?:y|ies)|findings?|pathology)\b|\bnormal chest\b"
    ),
    "zh": (
        r"(?:心、?肺|胸部|[两双]肺)[^。，；]{0,6}未见(?:明[显确])?(?:急性|活动性)?"
        r"(?:病变|异常)(?!密)"
    ),
}
_ACUTE = frozenset(
    {
        "consolidation",
        "free_air",
        "mass",
        "mediastinal_widening",
        "pleural_effusion",
        "pneumomediastinum",
        "pneumonia",
        "pneumothorax",
        "pulmonary_edema",
    }
)
# "No new nodule", "no other fracture": denies only what the word names.
_LIMITED: dict[Language, str] = {
    "en": r"\b(?:new|other|additional|further|significant|sizable|drainable|definite)\b",
    "zh": r"新(?:发|出现)|其[他它]|余|另|进一步",
}
_ACUTE_DENIAL: dict[Language, str] = {"en": r"\b(?:acute|displaced)\b", "zh": r"急性|新鲜|错位"}
_OLD: dict[Language, str] = {
    "en": r"\b(?:old|healed|healing|chronic|remote|prior|previous|unchanged|stable|nondisplaced)\b",
    "zh": r"陈旧|旧|愈合|慢性|稳定|未见变化",
}
# Said in the impression only: these conclude from the findings named beside them.
_CONCLUDED_FROM: dict[str, frozenset[str]] = {
    "pneumonia": frozenset({"consolidation", "opacity", "interstitial_pattern", "atelectasis"}),
}


@dataclass(frozen=True)
class Contradiction:
    """Two sentences that cannot both stand; second is empty where one is missing.

    concept: what they disagree about, "" for a repeated sentence. sides: of findings and
    impression, where these differ.
    """

    kind: ContradictionKind
    first: str
    second: str
    message: str
    concept: str = ""
    sides: tuple[Side, Side] | None = None


class _Said(NamedTuple):
    statement: Statement
    sentence: str
    clause: str


def find_contradictions(
    findings: str, impression: str, language: Language
) -> tuple[Contradiction, ...]:
    """Every contradiction of a report's two sections, in reading order by kind.

    Raises ValueError for a language without rules.
    """
    return compare_sentences(_sentences(findings), _sentences(impression), language)


def compare_sentences(
    findings: Sequence[str], impression: Sequence[str], language: Language
) -> tuple[Contradiction, ...]:
    """As ``find_contradictions``, of sections whose sentences are known: none is read together
    with its neighbour, also where no full stop parts them."""
    findings = [part for sentence in findings for part in _sentences(sentence)]
    impression = [part for sentence in impression for part in _sentences(sentence)]
    in_findings, in_impression = _read(findings, language), _read(impression, language)
    found = [
        *_find_denied_findings(in_findings + in_impression, language),
        *_find_normal_beside_finding(in_findings + in_impression),
        *_find_nothing_acute((*findings, *impression), in_findings + in_impression, language),
        *_find_repeated_sentences(findings),
        *_find_repeated_sentences(impression),
    ]
    if findings and impression:
        found += _compare_sides(in_findings, in_impression)
        found += _compare_sections(in_findings, in_impression)
    return tuple(dict.fromkeys(found))


def _sentences(section: str) -> list[str]:
    return [section[start:end] for start, end in split_sentences(section)]


def _read(sentences: Sequence[str], language: Language) -> list[_Said]:
    said = [
        _Said(statement, sentence, sentence[statement.start : statement.end])
        for sentence in sentences
        for statement in extract_statements(sentence, language)
    ]
    return [s for s in said if not _names_exception(s, said)]


def _names_exception(normal: _Said, said: list[_Said]) -> bool:
    """Whether a normal state is taken back at once: "the lungs are clear except for a nodule"."""
    if not normal.statement.rule.startswith("normality"):
        return False
    return any(s.sentence == normal.sentence and s.statement.status != "absent" for s in said)


def _find_denied_findings(said: list[_Said], language: Language) -> Iterator[Contradiction]:
    for denial in said:
        if denial.statement.status != "absent":
            continue
        for finding in said:
            if finding.statement.concept != denial.statement.concept:
                continue
            if finding.statement.status == "present" and _denies(denial, finding, language):
                label = CONCEPT_BY_NAME[finding.statement.concept].label
                normal = denial.statement.rule.startswith("normality")
                yield Contradiction(
                    "normal_beside_finding" if normal else "present_and_absent",
                    finding.sentence,
                    denial.sentence,
                    f"{label} is stated and denied",
                    denial.statement.concept,
                )


def _denies(denial: _Said, finding: _Said, language: Language) -> bool:
    """Whether a denial reaches a finding: same place, same size, not only what is new."""
    absent, present = denial.statement, finding.statement
    if absent.severity is not None and absent.severity != present.severity:
        return False
    if not share_place(absent, present) or re.search(_LIMITED[language], denial.clause, re.I):
        return False
    acute_only = re.search(_ACUTE_DENIAL[language], denial.clause, re.I) is not None
    return not (acute_only and re.search(_OLD[language], finding.clause, re.I))


def _find_normal_beside_finding(said: list[_Said]) -> Iterator[Contradiction]:
    for normal in said:
        for pattern, concepts in _NORMAL_REGIONS:
            if normal.statement.status != "absent" or not re.match(pattern, normal.statement.rule):
                continue
            for finding in said:
                name = finding.statement.concept
                if finding.statement.status != "present" or name not in concepts:
                    continue
                if not share_place(normal.statement, finding.statement):
                    continue
                if name != normal.statement.concept:
                    label = CONCEPT_BY_NAME[name].label
                    yield Contradiction(
                        "normal_beside_finding",
                        finding.sentence,
                        normal.sentence,
                        f"{label} is stated where the lungs are called normal",
                        name,
                    )


def _find_nothing_acute(
    sentences: Sequence[str], said: list[_Said], language: Language
) -> Iterator[Contradiction]:
    """ "No acute abnormality" beside a finding that is acute by nature."""
    for sentence in sentences:
        if not re.search(_NOTHING_ACUTE[language], sentence, re.I):
            continue
        own = [s for s in said if s.sentence == sentence]
        if not all(s.statement.rule.startswith("normality") for s in own):
            continue
        for finding in said:
            name = finding.statement.concept
            if finding.statement.status == "present" and name in _ACUTE:
                label = CONCEPT_BY_NAME[name].label
                yield Contradiction(
                    "normal_beside_finding",
                    finding.sentence,
                    sentence,
                    f"{label} is stated where nothing acute is said to be seen",
                    name,
                )


def _compare_sides(findings: list[_Said], impression: list[_Said]) -> Iterator[Contradiction]:
    for concept in dict.fromkeys(s.statement.concept for s in findings):
        seen = [s for s in findings if _is_sided(s, concept)]
        concluded = [s for s in impression if _is_sided(s, concept)]
        sides = {s.statement.side for s in seen}, {s.statement.side for s in concluded}
        if not seen or not concluded or _sides_of(sides[1]) <= _sides_of(sides[0]):
            continue
        other = next(s for s in concluded if s.statement.side not in sides[0])
        label = CONCEPT_BY_NAME[concept].label
        side, other_side = seen[0].statement.side, other.statement.side
        assert side is not None
        assert other_side is not None
        yield Contradiction(
            "side_differs",
            seen[0].sentence,
            other.sentence,
            f"{label} is {side} in the findings and {other_side} in the impression",
            concept,
            (side, other_side),
        )


def _is_sided(said: _Said, concept: str) -> bool:
    statement = said.statement
    return statement.concept == concept and statement.status != "absent" and bool(statement.side)


def _sides_of(sides: set[Side | None]) -> set[Side | None]:
    return {"left", "right"} if "bilateral" in sides else sides


def _compare_sections(findings: list[_Said], impression: list[_Said]) -> Iterator[Contradiction]:
    """Findings that the impression leaves out, and conclusions without a finding."""
    seen, concluded = _positives(findings), _positives(impression)
    for name, said in seen.items():
        if CONCEPT_BY_NAME[name].is_device or name in concluded:
            continue
        if any(name in _CONCLUDED_FROM.get(other, ()) for other in concluded):
            continue
        label = CONCEPT_BY_NAME[name].label
        yield Contradiction(
            "finding_without_impression",
            said.sentence,
            "",
            f"{label} is in the findings, not in the impression",
            name,
        )
    denied = {s.statement.concept for s in findings if s.statement.status == "absent"}
    for name, said in concluded.items():
        if name in seen or name in _CONCLUDED_FROM or name in denied:
            continue
        label = CONCEPT_BY_NAME[name].label
        yield Contradiction(
            "impression_without_finding",
            said.sentence,
            "",
            f"{label} is in the impression, not in the findings",
            name,
        )


def _positives(said: list[_Said]) -> dict[str, _Said]:
    positives: dict[str, _Said] = {}
    for each in said:
        if each.statement.status != "absent":
            positives.setdefault(each.statement.concept, each)
    return positives


def _find_repeated_sentences(sentences: Sequence[str]) -> Iterator[Contradiction]:
    first: dict[str, str] = {}
    for sentence in sentences:
        key = re.sub(r"\W+", " ", sentence).strip().lower()
        if not re.search(r"[^\W\d]", key):
            continue
        if key in first:
            yield Contradiction(
                "repeated_sentence", first[key], sentence, "the same sentence stands twice"
            )
        first.setdefault(key, sentence)
