"""Canonical English wording of one statement (see ``template``)."""

from __future__ import annotations

from inference.report_language.statements import Severity, Statement
from inference.report_language.vocabulary import CONCEPT_BY_NAME

NORMAL_THORAX = "The thorax is symmetric."
NORMAL_IMPRESSION = "No acute cardiopulmonary abnormality."
NOT_A_FRONTAL_CHEST = "Not a frontal chest radiograph."
NO_REPORT = "No report."

# concept -> its denial.
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

_NOUNS = {
    "pneumomediastinum": "pneumomediastinum",
    "aortic_atherosclerosis": "aortic tortuosity",
    "pulmonary_edema": "pulmonary edema",
    "vascular_congestion": "vascular congestion",
    "consolidation": "consolidation",
    "opacity": "opacity",
    "pneumonia": "pneumonia",
    "atelectasis": "atelectasis",
    "interstitial_pattern": "interstitial pattern",
    "nodule": "nodule",
    "mass": "mass",
    "fibrosis": "fibrosis",
    "granuloma": "granuloma",
    "pleural_effusion": "pleural effusion",
    "pneumothorax": "pneumothorax",
    "pleural_thickening": "pleural thickening",
    "free_air": "free air",
    "fracture": "rib fracture",
    "scoliosis": "scoliosis",
}
_COUNTED = {"pleural_effusion", "fracture"}  # "bilateral pleural effusions"
_ADVERBS: dict[Severity | None, str | None] = {
    None: None,
    "mild": "mildly",
    "moderate": "moderately",
    "marked": "markedly",
}


def word_expressed(said: Statement) -> str:
    """The sentence of a statement as ``slots.express_statement`` gives it."""
    if said.status == "absent":
        return ABSENT[said.concept]
    stem = _word_present(said)
    if said.status == "present":
        return stem[0].upper() + stem[1:] + "."
    doubt = "Possibly" if stem.startswith("the ") or stem.startswith("both ") else "Possible"
    return f"{doubt} {stem}."


def _word_present(said: Statement) -> str:
    """The affirmation without capital and full stop."""
    concept, side, zone, severity = said.concept, said.side, said.zone, said.severity
    if CONCEPT_BY_NAME[concept].is_device:
        return _join(side, CONCEPT_BY_NAME[concept].label, "in place")
    match concept:
        case "cardiomegaly":
            return _join("the cardiac silhouette is", _ADVERBS[severity], "enlarged")
        case "mediastinal_widening":
            return "the mediastinum is widened"
        case "emphysema":
            return "the lungs are hyperinflated"
        case "hilar_enlargement":
            both = side == "bilateral"
            return "both hila are enlarged" if both else f"the {side} hilum is enlarged"
        case "diaphragm_elevation":
            return f"the {side} hemidiaphragm is elevated" if side else "the diaphragm is elevated"
    noun = _NOUNS[concept] + ("s" if side == "bilateral" and concept in _COUNTED else "")
    if zone is None:
        return _join(severity, side, noun)
    where = "both" if side == "bilateral" else _join("the", side)
    return _join(severity, noun, "in", where, zone, "zones" if side == "bilateral" else "zone")


def _join(*words: str | None) -> str:
    return " ".join(word for word in words if word)
