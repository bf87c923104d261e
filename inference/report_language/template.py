"""Canonical English wording: one sentence per statement, one report per set of findings.

One wording for a normal region and one per finding is what makes a block predictable in one
pass. The set of canonical sentences is finite, so "outside the grammar" is decidable
(``is_canonical``). Region order follows Stage I of ECHO (arXiv 2604.09450).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from inference.report_language.statements import Severity, Side, Statement, Zone

SIDES: tuple[Side, ...] = ("left", "right", "bilateral")
ZONES: tuple[Zone, ...] = ("upper", "mid", "lower")

# concept -> (sentence when absent). Always said when the concept is not present.
ABSENT = {
    "mediastinal_widening": "The mediastinum is not widened.",
    "pneumomediastinum": "No pneumomediastinum.",
    "aortic_atherosclerosis": "No aortic tortuosity.",
    "pulmonary_edema": "No pulmonary edema.",
    "vascular_congestion": "No vascular congestion.",
    "consolidation": "No focal consolidation.",
    "opacity": "No focal opacity.",
    "pneumonia": "No pneumonia.",
    "atelectasis": "No atelectasis.",
    "interstitial_pattern": "No interstitial pattern.",
    "nodule": "No nodule.",
    "mass": "No mass.",
    "emphysema": "The lungs are not hyperinflated.",
    "fibrosis": "No fibrosis.",
    "granuloma": "No granuloma.",
    "pleural_effusion": "No pleural effusion.",
    "pneumothorax": "No pneumothorax.",
    "pleural_thickening": "No pleural thickening.",
    "cardiomegaly": "The cardiac silhouette is not enlarged.",
    "hilar_enlargement": "The hila are not enlarged.",
    "diaphragm_elevation": "The diaphragm is not elevated.",
    "free_air": "No free air.",
    "fracture": "No displaced fracture.",
    "scoliosis": "No scoliosis.",
    "endotracheal_tube": "No endotracheal tube.",
    "gastric_tube": "No gastric tube.",
    "central_venous_catheter": "No central venous catheter.",
    "picc": "No PICC.",
    "pacemaker": "No pacemaker.",
    "chest_tube": "No chest tube.",
    "sternal_wires": "No sternal wires.",
    "surgical_clips": "No surgical clips.",
}

# What the normalised report denies explicitly whenever it does not affirm it, in this order.
DENIED = (
    "mediastinal_widening",
    "pulmonary_edema",
    "consolidation",
    "pleural_effusion",
    "pneumothorax",
    "cardiomegaly",
    "hilar_enlargement",
    "diaphragm_elevation",
    "fracture",
)
NORMAL_THORAX = "The thorax is symmetric."
NORMAL_IMPRESSION = "No acute cardiopulmonary abnormality."

_DEVICES = {
    "endotracheal_tube": "endotracheal tube",
    "gastric_tube": "gastric tube",
    "central_venous_catheter": "central venous catheter",
    "picc": "PICC",
    "pacemaker": "pacemaker",
    "chest_tube": "chest tube",
    "sternal_wires": "sternal wires",
    "surgical_clips": "surgical clips",
}
_ZONED = {
    "consolidation": "consolidation",
    "opacity": "opacity",
    "nodule": "nodule",
    "mass": "mass",
    "granuloma": "granuloma",
    "atelectasis": "atelectasis",
}
_NOUNS = {
    "pulmonary_edema": "pulmonary edema",
    "vascular_congestion": "vascular congestion",
    "pneumonia": "pneumonia",
    "interstitial_pattern": "interstitial pattern",
    "fibrosis": "fibrosis",
    "pleural_thickening": "pleural thickening",
    "pneumothorax": "pneumothorax",
    "pneumomediastinum": "pneumomediastinum",
    "aortic_atherosclerosis": "aortic tortuosity",
    "free_air": "free air",
    "scoliosis": "scoliosis",
}


def _capitalise(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _phrase(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def _adverb(severity: Severity | None) -> str | None:
    return {
        None: None,
        "small": "mildly",
        "mild": "mildly",
        "moderate": "moderately",
        "large": "markedly",
        "marked": "markedly",
    }[severity]


def word_statement(
    concept: str,
    status: str = "present",
    side: Side | None = None,
    zone: Zone | None = None,
    severity: Severity | None = None,
) -> str:
    """The canonical sentence of one statement, full stop included. Raises KeyError if unknown."""
    if status == "absent":
        return ABSENT[concept]
    sentence = _word_present(concept, side, zone, severity)
    if status == "uncertain":
        stem = (
            sentence[0].lower() + sentence[1:-1]
            if not sentence.startswith("PICC")
            else sentence[:-1]
        )
        return f"Possible {stem}." if not stem.startswith("the ") else f"Possibly {stem}."
    return sentence


def _word_present(
    concept: str, side: Side | None, zone: Zone | None, severity: Severity | None
) -> str:
    if concept in _DEVICES:
        return _capitalise(_phrase(side, _DEVICES[concept], "in place."))
    if concept in _ZONED:
        noun = _ZONED[concept]
        if side is None and zone is None:
            return _capitalise(_phrase(severity, noun) + ".")
        if zone is None:
            return _capitalise(_phrase(severity, side, noun) + ".")
        place = "zones" if side == "bilateral" else "zone"
        where = "both" if side == "bilateral" else f"the {side}" if side else "the"
        return _capitalise(_phrase(severity, noun, "in", where, zone, place) + ".")
    match concept:
        case "pleural_effusion":
            plural = "effusions" if side == "bilateral" else "effusion"
            return _capitalise(_phrase(severity, side, "pleural", plural) + ".")
        case "cardiomegaly":
            return _phrase("The cardiac silhouette is", _adverb(severity), "enlarged.")
        case "mediastinal_widening":
            return "The mediastinum is widened."
        case "emphysema":
            return "The lungs are hyperinflated."
        case "hilar_enlargement":
            if side == "bilateral" or side is None:
                return "Both hila are enlarged."
            return f"The {side} hilum is enlarged."
        case "diaphragm_elevation":
            if side == "bilateral" or side is None:
                return "The diaphragm is elevated."
            return f"The {side} hemidiaphragm is elevated."
        case "fracture":
            return _capitalise(_phrase("displaced", side, "rib fracture."))
        case _:
            return _capitalise(_phrase(severity, side, _NOUNS[concept]) + ".")


def compose_findings(present: Iterable[Statement]) -> str:
    """The normalised findings: every region said, in fixed order, positives replacing denials."""
    from inference.report_language.vocabulary import CONCEPTS

    by_concept: dict[str, list[Statement]] = {}
    for statement in present:
        by_concept.setdefault(statement.concept, []).append(statement)
    sentences = [NORMAL_THORAX]
    for concept in CONCEPTS:
        for said in by_concept.get(concept.name, ()):
            sentences.append(
                word_statement(said.concept, said.status, said.side, said.zone, said.severity)
            )
        if concept.name in DENIED and concept.name not in by_concept:
            sentences.append(ABSENT[concept.name])
    return " ".join(sentences)


def compose_impression(present: Iterable[Statement]) -> str:
    """The impression that follows from the findings: every positive but devices, in order."""
    from inference.report_language.vocabulary import CONCEPT_BY_NAME, CONCEPTS

    order = {concept.name: rank for rank, concept in enumerate(CONCEPTS)}
    said = sorted(
        (s for s in present if s.status != "absent" and not CONCEPT_BY_NAME[s.concept].is_device),
        key=lambda s: order[s.concept],
    )
    if not said:
        return NORMAL_IMPRESSION
    return " ".join(word_statement(s.concept, s.status, s.side, s.zone, s.severity) for s in said)


def compose_report(present: Iterable[Statement]) -> str:
    """The whole answer of the model, in the form released ECHO models give theirs."""
    statements = tuple(present)
    return f"Findings: {compose_findings(statements)} Impression: {compose_impression(statements)}"


@cache
def canonical_sentences() -> frozenset[str]:
    """Every sentence the template can produce with its slots in their stated ranges."""
    sentences = {NORMAL_THORAX, NORMAL_IMPRESSION, *ABSENT.values()}
    severities: tuple[Severity | None, ...] = (None, "small", "mild", "moderate", "large", "marked")
    for concept in ABSENT:
        for status in ("present", "uncertain"):
            for side in (None, *SIDES):
                for zone in (None, *ZONES):
                    for severity in severities:
                        sentences.add(word_statement(concept, status, side, zone, severity))
    return frozenset(sentences)


def is_canonical(sentence: str) -> bool:
    """Whether one sentence (full stop included) is in the grammar of the template."""
    return sentence.strip() in canonical_sentences()
