"""Reads a free-text report: its statements by section, and the sentences that state nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inference.report_language.extraction import extract_statements
from inference.report_language.prose_repair import repair_prose
from inference.report_language.raw_sections import split_raw_sections
from inference.report_language.sentences import split_sentences
from inference.report_language.statements import Language, Statement
from inference.report_language.template import NOT_A_FRONTAL_CHEST, compose_impression

# "Normal chest.", "No active disease.": states no concept, and leaves every one implied normal.
_NORMAL: dict[Language, str] = {
    "en": (
        r"\b(?:normal|unremarkable|negative|clear)\b.{0,30}\b(?:chest|study|exam(?:ination)?"
        r"|radiographs?|x-?rays?|film)\b|\b(?:chest|study|exam(?:ination)?|radiographs?|x-?rays?"
        r"|cxr)\b.{0,20}\b(?:normal|unremarkable|negative)\b|\bno\b.{0,40}\b(?:disease|process"
        r"|abnormalit(?:y|ies)|findings?|pathology)\b|\bthorax is symmetric\b|\A\W*normal\W*\Z"
        r"|\botherwise\b.{0,20}\b(?:clear|normal|unremarkable)\b"
    ),
    "zh": (
        r"未见(?:明[显确])?(?:急性|活动性)?(?:病变|异常|改变)|(?:大致|基本)?正常"
        r"|无(?:明[显确])?异常|胸廓.{0,4}对称"
    ),
}
_NOT_ASSESSED: dict[Language, str] = {
    "en": (
        r"\b(?:cannot|can't|could not|not|difficult to|hard to|limited?|unable to|suboptimal\w*)"
        r" (?:\w+ ){0,3}?(?:evaluat\w+|assess\w*|visuali[sz]ed|seen|included|imaged)\b"
        r"|\bobscur\w+|\bexcluded from\b|\boff the (?:film|image)\b|\blimits? (?:\w+ ){0,2}?"
        r"(?:evaluation|assessment)\b"
    ),
    "zh": (
        r"(?:无法|不能|难以|未能)(?:进行)?(?:评估|评价|判断|显示|观察)|显示不清|遮挡|未包括|观察不清"
    ),
}
# What is then not implied normal: pattern of the structure -> concepts.
_STRUCTURES: dict[Language, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "en": (
        (r"\bheart\b|\bcardiac\b|\bcardiomediast", ("cardiomegaly",)),
        (r"mediastin", ("mediastinal_widening",)),
        (r"\bhil(?:a|um|ar)\b", ("hilar_enlargement",)),
        (r"diaphragm", ("diaphragm_elevation",)),
        (r"costophrenic|\bcp angle", ("pleural_effusion",)),
        (r"\bapex\b|\bapices\b", ("pneumothorax",)),
        (r"\b(?:lung )?bases?\b|\blungs?\b", ("consolidation",)),
        (r"\bribs?\b|\bbon[ey]|\bosseous\b", ("fracture",)),
    ),
    "zh": (
        (r"心影|心脏|心缘", ("cardiomegaly",)),
        (r"纵隔", ("mediastinal_widening",)),
        (r"肺门", ("hilar_enlargement",)),
        (r"膈", ("diaphragm_elevation",)),
        (r"肋膈角", ("pleural_effusion",)),
        (r"肺尖", ("pneumothorax",)),
        (r"肺野|下肺|肺底", ("consolidation",)),
        (r"肋骨|骨", ("fracture",)),
    ),
}
# A concept is wider than its canonical sentence: degenerative change must not become "Scoliosis."
# concept -> (words of another sense, words of the sentence's own sense).
_OTHER_SENSES: dict[Language, dict[str, tuple[str, str]]] = {
    "en": {
        "aortic_atherosclerosis": (
            r"calcif|atheroscl",
            r"tortuo|ectat|ectasia|unfold|uncoil|elongat",
        ),
        "diaphragm_elevation": (r"hernia", r"elevat|raised"),
        "endotracheal_tube": (r"tracheostomy", r"endotracheal|\bett?\b"),
        "fracture": (
            r"vertebra|compression|clavic|stern(?:al|um)|humer|scapula|spine|wedge",
            r"\bribs?\b",
        ),
        "mediastinal_widening": (r"shift|deviat", r"\bwid"),
        "scoliosis": (r"degenerat|spondyl|osteophyt|kypho", r"scolio"),
    },
    "zh": {
        "aortic_atherosclerosis": (r"钙化|硬化", r"迂曲|延长|扩张"),
        "diaphragm_elevation": (r"疝", r"抬高|升高|上抬"),
        "endotracheal_tube": (r"切开", r"插管|导管"),
        "fracture": (r"椎|锁骨|胸骨|肱骨|肩胛", r"肋骨"),
        "mediastinal_widening": (r"移位|偏移|偏曲|移向", r"增宽|变宽"),
        "scoliosis": (r"退行|退变|骨质增生|骨赘|骨刺|后凸", r"侧弯|侧凸"),
    },
}


@dataclass(frozen=True)
class RawReading:
    """What a report says. Sentences are as ``repair_prose`` leaves them.

    findings, impression: statements of the two sections, offsets into ``text``.
    silent: sentences of both sections that state nothing a canonical sentence could say, those
        that call the chest normal apart.
    unassessed: concepts that the report says could not be judged, or names in another sense than
        the canonical sentence does; they are not implied normal.
    """

    text: str
    findings: tuple[Statement, ...]
    impression: tuple[Statement, ...]
    silent: tuple[str, ...]
    unassessed: frozenset[str]
    calls_normal: bool
    is_refusal: bool

    @property
    def statements(self) -> tuple[Statement, ...]:
        return self.findings + self.impression


def read_raw_report(raw: str, language: Language) -> RawReading:
    """Read a report; indication, technique and comparison are left out.

    Raises ValueError for a language without rules.
    """
    text = repair_prose(raw, language)
    said: dict[str, list[Statement]] = {"findings": [], "impression": []}
    silent: list[str] = []
    unassessed: set[str] = set()
    calls_normal = is_refusal = False
    for section, start, end in split_raw_sections(text, language):
        if section == "other":
            continue
        body = text[start:end]
        statements = []
        for statement in _extract_apart_from_normal(body, language):
            if _is_of_other_sense(statement, body[statement.start : statement.end], language):
                unassessed.add(statement.concept)
            else:
                statements.append(statement)
        said[section].extend(statements)
        for first, last in split_sentences(body):
            sentence = body[first:last]
            unassessed |= _find_unassessed(sentence, language)
            if sentence == NOT_A_FRONTAL_CHEST[language]:
                is_refusal = True
            if any(first <= s.start < last for s in statements):
                continue
            if re.search(_NORMAL[language], sentence, re.IGNORECASE):
                calls_normal = True
            elif re.search(r"\w{2}", sentence):
                silent.append(sentence)
    return RawReading(
        text, tuple(said["findings"]), tuple(said["impression"]), tuple(silent),
        frozenset(unassessed), calls_normal, is_refusal,
    )  # fmt: skip


def _extract_apart_from_normal(body: str, language: Language) -> list[Statement]:
    """Statements but those read from the template's "nothing acute", which denies no concept."""
    nothing_acute = compose_impression((), language)
    spans = [(a, b) for a, b in split_sentences(body) if body[a:b] == nothing_acute]
    said = extract_statements(body, language)
    return [s for s in said if not any(a <= s.start < b for a, b in spans)]


def _is_of_other_sense(statement: Statement, clause: str, language: Language) -> bool:
    if statement.status == "absent" or statement.concept not in _OTHER_SENSES[language]:
        return False
    other, own = _OTHER_SENSES[language][statement.concept]
    is_other = re.search(other, clause, re.IGNORECASE) is not None
    return is_other and re.search(own, clause, re.IGNORECASE) is None


def _find_unassessed(sentence: str, language: Language) -> set[str]:
    if not re.search(_NOT_ASSESSED[language], sentence, re.IGNORECASE):
        return set()
    return {
        concept
        for structure, concepts in _STRUCTURES[language]
        if re.search(structure, sentence, re.IGNORECASE)
        for concept in concepts
    }
