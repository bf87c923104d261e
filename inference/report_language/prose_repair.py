"""Spells out what a radiologist abbreviates and mends a slip of the keyboard, before reading.

A word is mended towards the vocabulary's terms and the words that place, grade or deny them,
and only where one letter inside it differs: an ending may be grammar ("resolve", "resolved"), a
first letter another word ("effusion", "diffusion").
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from inference.report_language.lexicon import SIDES, ZONES
from inference.report_language.statements import Language
from inference.report_language.template import canonical_sentences
from inference.report_language.vocabulary import CONCEPTS

_SHORTEST_MENDED = 6  # letters; below that, one letter makes too many other words
_WORD = re.compile(r"[A-Za-z]+")

# Pattern (case as given) -> words. Case-sensitive ones must not meet ordinary words.
_ENGLISH: tuple[tuple[str, str], ...] = (
    (r"(?i)\bw/o\b\.?", "without"),
    (r"(?i)\bw/(?=\s|[a-z])", "with "),
    (r"(?i)\bb/l\b|\bbilat\b\.?", "bilateral"),
    (r"(?i)\bs/p\b", "status post"),
    (r"(?i)\b(?:rt)\b\.?|\bR(?=[ -][A-Za-z])|(?<=\()R(?=\))", "right"),
    (r"(?i)\b(?:lt)\b\.?|\bL(?=[ -](?!spine)[A-Za-z])|(?<=\()L(?=\))", "left"),
    (r"(?i)\b(?:ptx|pnx)\b", "pneumothorax"),
    (r"\bPNA\b", "pneumonia"),
    (r"(?i)\beffs?\b\.?", "effusion"),
    (r"(?i)\bconsol\b\.?", "consolidation"),
    (r"(?i)\batel\b\.?", "atelectasis"),
    (r"(?i)\bcardiomeg\b\.?", "cardiomegaly"),
    (r"(?i)\bmod\b\.?", "moderate"),
    (r"(?i)\bfx\b\.?", "fracture"),
    (r"(?i)\bngt\b", "nasogastric tube"),
    (r"(?i)\bogt\b", "orogastric tube"),
    (r"(?i)\bcvl\b", "central venous line"),
    (r"\bPPM\b", "pacemaker"),
    (r"(?i)\bhemi-diaphragm", "hemidiaphragm"),
    (r"(?i)\bcardio-mediastinal", "cardiomediastinal"),
    (r"(?i)\boedema", "edema"),
    (r"(?i)\bhaemothorax", "hemothorax"),
)
_BRITISH_ZONE = re.compile(r"\b([RL])([UML])Z\b")
_ZONES = {"U": "upper", "M": "mid", "L": "lower"}

# Characters mistyped for a homophone in Chinese chest reports -> what is meant.
_CHINESE: tuple[tuple[str, str], ...] = (
    ("纵膈", "纵隔"),
    ("横隔", "横膈"),
    ("隔肌", "膈肌"),
    ("隔下", "膈下"),
    ("肋隔", "肋膈"),
    ("积夜", "积液"),
    ("曾大", "增大"),
    ("曾高", "增高"),
    ("曾厚", "增厚"),
    ("曾宽", "增宽"),
    ("气兄", "气胸"),
    ("迁曲", "迂曲"),
    ("钙化社", "钙化灶"),
)

# Words that place, grade, doubt or deny, beside those of terms and canonical sentences.
_REPORT_WORDS = """
abnormal abnormalities abnormality angle angles apical appear appears atherosclerotic basilar
bibasilar bilateral bilaterally blunted blunting borderline bronchovascular cannot cardiac
cardiomediastinal cardiopulmonary cardiothoracic catheter consistent contour contours costophrenic
definite degenerative demonstrated deviated diaphragm diaphragms elevated enlarged enlargement
evidence excluded exclude extensive hemidiaphragm hemidiaphragms hyperexpanded identified
increased infiltrate infrahilar interstitial intact limits lobe lower marked markedly massive
mediastinal mediastinum midline mildly minimal moderate moderately nodular normal opacification
osseous parahilar perihilar pleural position possible possibly present probable probably prominence
prominent pulmonary questionable represent resolved scattered severe severely silhouette slightly
structures suspected suspicious thickened thickening thoracic tortuosity tracheal unchanged
unremarkable vascular vascularity vasculature visualized widened widening without
"""
# Ordinary words one letter away from one of the above.
_NO_SLIPS = frozenset({"interval", "thoracotomy", "feeling"})


def repair_prose(text: str, language: Language) -> str:
    """text with abbreviations spelled out and slips mended; what it does not know stays.

    Raises ValueError for a language without a table.
    """
    if language == "zh":
        for wrong, meant in _CHINESE:
            text = text.replace(wrong, meant)
        return text
    if language != "en":
        raise ValueError(f"no table of abbreviations for language {language!r}")
    text = _BRITISH_ZONE.sub(_spell_zone, text)
    for pattern, words in _ENGLISH:
        text = re.sub(pattern, words, text)
    return _WORD.sub(lambda word: mend_word(word.group()), text)


def _spell_zone(match: re.Match[str]) -> str:
    side = "right" if match[1] == "R" else "left"
    return f"{side} {_ZONES[match[2]]} zone"


@lru_cache(maxsize=16384)
def mend_word(word: str) -> str:
    """The one lexicon word that an English word is a slip of, else the word itself."""
    lowered = word.lower()
    if len(lowered) < _SHORTEST_MENDED or lowered in _lexicon_words() or lowered in _NO_SLIPS:
        return word
    meant = [known for known in _lexicon_words() if _is_slip_of(lowered, known)]
    return meant[0] if len(meant) == 1 else word


@cache
def _lexicon_words() -> frozenset[str]:
    texts = [term for concept in CONCEPTS for term in concept.terms]
    texts += [p for patterns in (*SIDES.values(), *ZONES.values()) for p in patterns]
    words = re.findall(
        r"[a-z]+", " ".join([*texts, *canonical_sentences("en"), _REPORT_WORDS]).lower()
    )
    return frozenset(word for word in words if len(word) >= _SHORTEST_MENDED)


def _is_slip_of(word: str, known: str) -> bool:
    """Whether one letter inside is lost, added, changed or swapped with its neighbour."""
    if word[0] != known[0] or word[-1] != known[-1] or abs(len(word) - len(known)) > 1:
        return False
    first = next((i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), None)
    if first is None:
        return False
    if len(word) < len(known):
        return word[first:] == known[first + 1 :]
    if len(word) > len(known):
        return word[first + 1 :] == known[first:]
    swapped = word[first + 1 : first + 2] + word[first]
    return word[first + 1 :] == known[first + 1 :] or (swapped + word[first + 2 :] == known[first:])
